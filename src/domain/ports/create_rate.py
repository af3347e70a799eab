from typing import Protocol


class CreateRate(Protocol):
    async def take(self, user_id: int) -> int | None:
        """Count one create of this user, over all processes.

        None if it is within the minute's number; else the seconds to wait.
        """
        ...
