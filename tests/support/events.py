"""Somebody who follows a payment over a real connection."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from support.service import eventually


class Follower:
    """What was told so far; the connection is closed at the end of its block."""

    def __init__(self, answer: httpx.Response) -> None:
        self.status = answer.status_code
        self.headers = answer.headers
        self.events: list[tuple[int, dict[str, Any]]] = []
        self.comments = 0
        self.has_ended = False
        self.is_broken = False
        self._answer = answer

    async def read(self) -> None:
        """Read to the end, however it comes."""
        fields: dict[str, str] = {}
        try:
            async for line in self._answer.aiter_lines():
                name, _, value = line.partition(": ")
                if line.startswith(":"):
                    self.comments += 1
                elif line:
                    fields[name] = value
                elif "data" in fields:
                    self.events.append((int(fields["id"]), json.loads(fields["data"])))
                    fields = {}
            self.has_ended = True
        except httpx.HTTPError:
            self.is_broken = True

    @property
    def statuses(self) -> list[str]:
        return [payment["status"] for _, payment in self.events]

    async def hears(self, *statuses: str, within: float = 10.0) -> None:
        """Wait until exactly these were told."""

        async def look() -> bool:
            return self.statuses == list(statuses)

        await eventually(look, within=within)

    async def ends(self, *, within: float = 10.0) -> None:
        """Wait until the service has ended the stream properly."""

        async def look() -> bool:
            assert not self.is_broken, "the connection broke"
            return self.has_ended

        await eventually(look, within=within)


@asynccontextmanager
async def following(url: str, *, last_id: int | None = None) -> AsyncIterator[Follower]:
    headers = {} if last_id is None else {"Last-Event-ID": str(last_id)}
    async with (
        httpx.AsyncClient(trust_env=False, timeout=60) as http,
        http.stream("GET", url, headers=headers) as answer,
    ):
        follower = Follower(answer)
        reading = asyncio.create_task(follower.read())
        try:
            yield follower
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
