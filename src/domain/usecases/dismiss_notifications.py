from uuid import UUID

from domain.errors import NothingToDismiss
from domain.ports.work import UnitOfWork


class DismissNotifications:
    """Note that somebody has looked at notifications that are set aside, and that nothing follows."""

    def __init__(self, *, begin: UnitOfWork) -> None:
        self._begin = begin

    async def __call__(self, ids: list[UUID], *, note: str) -> None:
        """All of them or none. Raises NothingToDismiss for one that is not there, or not set aside."""
        async with self._begin() as work:
            done = await work.notifications.dismiss(ids, note)
            for other in ids:
                if other not in done:
                    raise NothingToDismiss(other)
