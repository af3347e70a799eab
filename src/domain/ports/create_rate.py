from collections.abc import Sequence
from typing import Protocol


class CreateRate(Protocol):
    async def take(self, user_ids: Sequence[int]) -> list[int | None]:
        """Count one create of each of these users, over all processes; a user may be named several times.

        For each, in order: None if it is within the minute's number; else the seconds to wait.
        """
        ...
