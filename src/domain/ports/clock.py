from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The time in UTC, with its zone."""
        ...

    def monotonic(self) -> float:
        """Seconds that only grow, for measuring how long something takes."""
        ...

    async def sleep(self, seconds: float) -> None: ...
