"""The lock of a row in memory, for those who may be killed while they wait for it."""

import asyncio
from typing import Literal


class RowLock(asyncio.Lock):
    """Goes on to the next when one is killed as its turn comes, as it does when one is cancelled."""

    async def acquire(self) -> Literal[True]:
        try:
            return await super().acquire()
        except GeneratorExit:
            if not self.locked():
                self._wake_up_first()  # type: ignore[attr-defined]
            raise
