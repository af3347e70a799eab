"""A clock that can be put forward."""

import asyncio
from datetime import datetime, timedelta

from simulator.ports import Clock


class AdjustableClock:
    """Another clock, ahead of it by as much as it was put forward."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead = timedelta(0)
        # Those who wait and until when; the key is one wait's own.
        self._waits: dict[object, tuple[datetime, asyncio.Event]] = {}

    def now(self) -> datetime:
        return self._clock.now() + self._ahead

    async def wait(self, event: asyncio.Event, at_most: timedelta | None) -> None:
        if at_most is None:
            await self._clock.wait(event, None)
            return
        wait = object()
        self._waits[wait] = (self.now() + at_most, event)
        try:
            await self._clock.wait(event, at_most)
        finally:
            del self._waits[wait]

    def put_forward(self, step: timedelta) -> None:
        """Move on; whoever waits for a time that is thereby past waits no longer."""
        self._ahead += step
        now = self.now()
        for due, event in self._waits.values():
            if due <= now:
                event.set()
