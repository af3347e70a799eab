"""The simulator behind a real listener, with a shop's end that remembers what it is told."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from entrypoints.listening import listener
from simulator.app import create_app

HOST = "127.0.0.1"
SERVER_KEY = "SB-Mid-server-test"


@dataclass
class Shop:
    """Answers every notification with 200, and remembers it."""

    notifications: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})
        self.notifications.put_nowait(json.loads(body))

    async def told(self, order_id: str, status: str) -> dict[str, Any]:
        """Wait for the next notification of that order and status."""
        async with asyncio.timeout(10):
            while True:
                told = await self.notifications.get()
                if (told["order_id"], told["transaction_status"]) == (order_id, status):
                    return told


@dataclass(frozen=True)
class Simulator:
    """A running simulator, its control calls, and the shop that it notifies."""

    url: str
    control: httpx.AsyncClient
    shop: Shop


@asynccontextmanager
async def a_simulator(**options: Any) -> AsyncIterator[Simulator]:
    """Run both for as long as the block lasts."""
    shop, port, shop_port = Shop(), free_port(), free_port()
    url = f"http://{HOST}:{port}"
    app = create_app(
        server_key=SERVER_KEY, public_url=url, notify_url=f"http://{HOST}:{shop_port}/notify", **options
    )
    servers = [listener(app, host=HOST, port=port), listener(shop, host=HOST, port=shop_port)]
    tasks = [asyncio.create_task(server.serve()) for server in servers]
    try:
        async with httpx.AsyncClient(base_url=url) as control:
            await _answering(control)
            yield Simulator(url, control, shop)
    finally:
        for server in servers:
            server.stop()
        await asyncio.gather(*tasks)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


async def _answering(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                await client.get("/simulator/faults")
            except httpx.ConnectError:
                await asyncio.sleep(0.01)
            else:
                return


async def _live(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
