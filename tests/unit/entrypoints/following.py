"""Somebody who follows a payment, over ASGI and without a socket."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from support.service import eventually
from unit.entrypoints.harness import Service


class Viewer:
    """What was answered so far, and a way to leave."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.text = ""
        self.has_ended = False
        self._left = asyncio.Event()
        self._is_asked = True
        self._is_known_to_be_gone = False

    def leave(self) -> None:
        self._left.set()

    @property
    def events(self) -> list[tuple[str, Any]]:
        """The id of each event, and the payment that it told."""
        found = []
        for part in self.text.split("\n\n")[:-1]:
            fields = dict(line.partition(": ")[::2] for line in part.split("\n"))
            if "data" in fields:
                found.append((fields["id"], json.loads(fields["data"])))
        return found

    @property
    def comments(self) -> int:
        return sum(part.startswith(":") for part in self.text.split("\n\n"))

    async def has_seen(self, number: int) -> list[str]:
        """Wait until so many events were told; the statuses that they told."""

        async def look() -> bool:
            return len(self.events) >= number

        await eventually(look, every=0.001)
        return [payment["status"] for _, payment in self.events]

    async def receive(self) -> Any:
        if self._is_asked:
            self._is_asked = False
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._left.wait()
        self._is_known_to_be_gone = True
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        assert not self._is_known_to_be_gone, "somebody who left is told something"
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.text += message["body"].decode()
            self.has_ended = not message.get("more_body", False)


@asynccontextmanager
async def following(
    service: Service, address: str, *, headers: Mapping[str, str] | None = None
) -> AsyncIterator[Viewer]:
    """A viewer whose answer has begun; it leaves at the end of the block."""
    viewer, parts = Viewer(), urlsplit(address)
    given = {"host": "pay.example"} | dict(headers or {})
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "https",
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in given.items()],
        "server": ("pay.example", None),
        "client": ("127.0.0.1", 1),
    }
    app: Any = service.client._transport
    answering = asyncio.create_task(app.app(scope, viewer.receive, viewer.send))

    async def has_begun() -> bool:
        return viewer.status is not None and (viewer.text != "" or viewer.has_ended)

    await eventually(has_begun, every=0.001)
    try:
        yield viewer
    finally:
        viewer.leave()
        async with asyncio.timeout(5):
            await answering
