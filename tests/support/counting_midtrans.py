"""A Midtrans that only answers questions, quickly, and remembers every one of them."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from support import recorded
from support.service import HOST

_STATUS: Final = re.compile(rb"GET /v2/t-(\S+)/status ")


class CountingMidtrans:
    """Transaction ``t-X`` is order ``X``'s, and expired."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.at: list[float] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                writer.write(self._answer(await reader.readuntil(b"\r\n\r\n")))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _answer(self, head: bytes) -> bytes:
        found = _STATUS.match(head)
        if found is None:  # the check of the key at the start
            return _http({"status_code": "404", "status_message": "Transaction doesn't exist."})
        order_id = found[1].decode()
        self.asked.append(order_id)
        self.at.append(asyncio.get_running_loop().time())
        return _http(recorded.status_body("expire", order_id=order_id, transaction_id=f"t-{order_id}"))


def _http(body: dict[str, object]) -> bytes:
    text = json.dumps(body).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        len(text),
        text,
    )


@asynccontextmanager
async def counting_midtrans() -> AsyncIterator[tuple[CountingMidtrans, str]]:
    """One that listens, and where."""
    midtrans = CountingMidtrans()
    server = await asyncio.start_server(midtrans, HOST, 0)
    async with server:
        yield midtrans, f"http://{HOST}:{server.sockets[0].getsockname()[1]}"
