"""An end where POSTs arrive over real HTTP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from entrypoints.listening import listener
from support.service import HOST

Take = Callable[[bytes], Awaitable[int]]
_EMPTY: Final = [(b"content-length", b"0")]


@asynccontextmanager
async def taking_posts(take: Take, *, port: int) -> AsyncIterator[None]:
    """Listen while the block runs; ``take`` is given each body, and says with which status it is answered."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        status = await take(await _body(receive))
        await send({"type": "http.response.start", "status": status, "headers": _EMPTY})
        await send({"type": "http.response.body", "body": b""})

    server = listener(app, host=HOST, port=port)
    task = asyncio.create_task(server.serve())
    try:
        yield
    finally:
        server.stop()
        await task


async def _body(receive: Any) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def _live(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
