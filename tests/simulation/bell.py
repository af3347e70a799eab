"""What a lane of the background work waits on between two rounds."""

import asyncio
from math import ceil
from typing import Protocol

from entrypoints.worker import Chore
from simulation.database import SimulatedDatabase
from simulation.due import when_due
from simulation.virtual_loop import Handle


class Stopping(Protocol):
    @property
    def is_stopping(self) -> bool: ...


class LaneBell:
    """Stands where the worker has its event ``stop``.

    A real lane looks every second. This one is woken for the first look that finds something: all that is
    left out are looks that find nothing.
    """

    def __init__(self, process: Stopping, database: SimulatedDatabase, chore: Chore) -> None:
        self._process, self._database, self._chore = process, database, chore
        self._world = database.world
        self._waiting = database.bells.setdefault(chore.name, {})
        self._since = 0.0
        self._timer: Handle | None = None
        self._rung: asyncio.Future[None] = self._world.loop.create_future()

    def is_set(self) -> bool:
        return self._process.is_stopping

    async def wait(self) -> None:
        # The looks of many lanes and processes fall anywhere between two of one.
        self._since = self._world.time - self._world.fate.between(0, self._chore.every)
        self._rung = self._world.loop.create_future()
        self._waiting[self] = None
        self.set(when_due(self._chore.name, self._database))
        try:
            await self._rung
        finally:
            del self._waiting[self]
            self.set(None)

    def set(self, due: float | None) -> None:
        """Wake it for the first look at which there is something to do, by what is known now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if due is not None:
            every = self._chore.every
            looks = max(ceil((max(due, self._world.time) - self._since) / every), 1)
            self._timer = self._world.loop.call_at(self._since + looks * every, self.ring)

    def ring(self) -> None:
        if not self._rung.done():
            self._rung.set_result(None)
