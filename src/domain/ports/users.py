from typing import Protocol


class Users(Protocol):
    """The ``users`` table, within one open transaction; it may be an earlier service's."""

    async def exists(self, user_id: int) -> bool: ...

    async def add(self, user_id: int | None = None) -> int:
        """Add a user and give the id back: the next free one unless told, the told one also if it was there.

        Raises UserNotAdded where the table demands more than an id.
        """
        ...

    async def page(self, *, limit: int) -> list[int]: ...
