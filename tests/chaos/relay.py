"""The public way to the webhook: passes notifications on, some of them twice, and keeps what was answered."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import httpx

from entrypoints.listening import listener
from support.service import HOST, WEBHOOK

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from random import Random

    from chaos.record import Record

# What a proxy says when nobody answers behind it.
_BAD_GATEWAY: Final = 502
_TWICE: Final = 0.1


def canonical(body: bytes | str) -> str:
    """A notification as a text that is the same however it is spaced and ordered."""
    return json.dumps(json.loads(body), sort_keys=True)


@dataclass
class Relay:
    """An ASGI application; ``promised`` counts the notifications that were answered with success."""

    record: Record
    http: httpx.AsyncClient
    random: Random
    promised: Counter[str] = field(default_factory=Counter)
    bodies: list[bytes] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        times = 2 if self.random.random() < _TWICE else 1
        answers = await asyncio.gather(*(self.post(body, "notification") for _ in range(times)))
        status = answers[0] or _BAD_GATEWAY
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})
        self.bodies.append(body)

    async def post(self, body: bytes, call: str) -> int | None:
        """Deliver a notification, and remember it if its safekeeping was promised."""
        try:
            answer = await self.http.post(WEBHOOK, content=body)
        except httpx.HTTPError:
            self.record.answered(call, None)
            return None
        self.record.answered(call, answer.status_code)
        if answer.is_success:
            self.promised[canonical(body)] += 1
        return answer.status_code

    @asynccontextmanager
    async def listening(self, port: int) -> AsyncIterator[None]:
        server = listener(self, host=HOST, port=port)
        task = asyncio.create_task(server.serve())
        try:
            yield
        finally:
            server.stop()
            await task


async def _live(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
