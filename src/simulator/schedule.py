"""Things to be done at a certain time."""

import asyncio
import heapq
from collections.abc import Hashable
from datetime import datetime
from itertools import count
from typing import Generic, TypeVar

from simulator.ports import Clock

Thing = TypeVar("Thing", bound=Hashable)

_SLACK = 64


class Schedule(Generic[Thing]):
    """Hands things out when they are due, the soonest first; each at most once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ticket: dict[Thing, int] = {}
        self._tickets = count()
        # Entries of discarded things stay until they surface or are swept out.
        self._queue: list[tuple[datetime, int, Thing]] = []
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._ticket)

    def put(self, thing: Thing, due: datetime) -> None:
        """Have it handed out at that time, in place of any earlier appointment."""
        ticket = next(self._tickets)
        self._ticket[thing] = ticket
        heapq.heappush(self._queue, (due, ticket, thing))
        self._sweep()
        self._changed.set()

    def discard(self, thing: Thing) -> None:
        """Forget the thing, if it was there."""
        self._ticket.pop(thing, None)
        self._sweep()

    async def next(self) -> Thing:
        """Wait for the soonest thing to be due, and hand it out."""
        while True:
            self._changed.clear()
            while self._queue and not self._is_live(self._queue[0]):
                heapq.heappop(self._queue)
            if not self._queue:
                await self._clock.wait(self._changed, None)
                continue
            due, _, thing = self._queue[0]
            left = due - self._clock.now()
            if left.total_seconds() <= 0:
                heapq.heappop(self._queue)
                del self._ticket[thing]
                return thing
            await self._clock.wait(self._changed, left)

    def _is_live(self, entry: tuple[datetime, int, Thing]) -> bool:
        _, ticket, thing = entry
        return self._ticket.get(thing) == ticket

    def _sweep(self) -> None:
        if len(self._queue) > 2 * len(self._ticket) + _SLACK:
            self._queue = [entry for entry in self._queue if self._is_live(entry)]
            heapq.heapify(self._queue)
