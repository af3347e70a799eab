"""What the simulator needs from the machine it runs on."""

import asyncio
from datetime import datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """The present moment, and waiting for a later one."""

    def now(self) -> datetime:
        """Tell the time, always in UTC."""
        ...

    async def wait(self, event: asyncio.Event, at_most: timedelta | None) -> None:
        """Return once the event is set or the time has passed; without a time, only the former."""
        ...


class Identifiers(Protocol):
    """Names that nobody can guess and that never repeat."""

    def uuid(self) -> str:
        """Make a UUID in its usual text form."""
        ...

    def code(self, length: int) -> str:
        """Make a run of letters and digits of that length."""
        ...
