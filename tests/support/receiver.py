"""A shop's backend over real HTTP: it answers as told and keeps what it got, signatures proven."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from standardwebhooks import Webhook

from support.merchant import SECRET
from support.service import HOST

_REASON: Final = "As-Told"


@dataclass(frozen=True, kw_only=True)
class Got:
    """One request as it came."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def said(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.body)
        return body

    def verified(self, secret: str = SECRET) -> dict[str, Any]:
        """What it says, once the published library has checked its signature."""
        said: dict[str, Any] = Webhook(secret).verify(self.body, self.headers)
        return said


@dataclass(frozen=True, kw_only=True)
class Reply:
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    body_repeats: int = 1
    length: bool = True


class Receiver:
    """Answers with ``reply``; ``got`` is everything that came, in its order."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.reply: Callable[[Got], Reply] = lambda _got: Reply()
        self.held: asyncio.Event | None = None
        self.sent_bytes = 0
        self.connections = 0
        self.port = 0
        self._tasks: set[asyncio.Task[None] | None] = set()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/hook"

    @property
    def types(self) -> list[str]:
        return [got.said["type"] for got in self.got]

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            self._tasks.discard(task)

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (text.partition(": ") for text in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        got = Got(line=line, headers=headers, body=body)
        self.got.append(got)
        if self.held is not None:
            await self.held.wait()
        reply = self.reply(got)
        told = [f"HTTP/1.1 {reply.status} {_REASON}", *(f"{name}: {value}" for name, value in reply.headers)]
        if reply.length:
            told.append(f"Content-Length: {len(reply.body) * reply.body_repeats}")
        writer.write(("\r\n".join(told) + "\r\n\r\n").encode("latin-1"))
        for _ in range(reply.body_repeats):
            writer.write(reply.body)
            await writer.drain()
            self.sent_bytes += len(reply.body)
        return reply.length

    def hang_up(self) -> None:
        """End every connection that is open."""
        for task in self._tasks:
            if task is not None:
                task.cancel()


@asynccontextmanager
async def receiving(receiver: Receiver | None = None, *, port: int = 0) -> AsyncIterator[Receiver]:
    """A receiver that listens on a port of this machine while the block runs."""
    receiver = receiver or Receiver()
    server = await asyncio.start_server(receiver, HOST, port)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        receiver.hang_up()
        await server.wait_closed()
