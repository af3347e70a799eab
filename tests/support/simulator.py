"""The simulator behind a real listener, with a shop's end that remembers what it is told."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from entrypoints.listening import listener
from simulator.app import create_app
from support.service import HOST, free_port
from support.taking_posts import taking_posts

SERVER_KEY = "SB-Mid-server-test"


@dataclass
class Shop:
    """Answers every notification with 200, and remembers it."""

    notifications: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)

    async def take(self, body: bytes) -> int:
        self.notifications.put_nowait(json.loads(body))
        return 200

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
    server = listener(app, host=HOST, port=port)
    task = asyncio.create_task(server.serve())
    try:
        async with taking_posts(shop.take, port=shop_port), httpx.AsyncClient(base_url=url) as control:
            await _answering(control)
            yield Simulator(url, control, shop)
    finally:
        server.stop()
        await task


async def _answering(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                await client.get("/simulator/faults")
            except httpx.ConnectError:
                await asyncio.sleep(0.01)
            else:
                return
