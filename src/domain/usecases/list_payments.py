from dataclasses import dataclass

from domain.access import Caller
from domain.payment import Payment
from domain.ports.payments import PaymentReader, Place
from domain.ports.work import UnitOfWork
from domain.status import Status
from domain.usecases.known_user import require_user


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """One page of a list; ``next`` is where the following one starts, None after the last."""

    payments: list[Payment]
    next: Place | None


class ListPayments:
    """The caller's own payments, newest first."""

    def __init__(self, *, begin: UnitOfWork, reader: PaymentReader, any_user: bool) -> None:
        self._begin, self._reader, self._any_user = begin, reader, any_user

    async def __call__(
        self, caller: Caller, *, status: Status | None, after: Place | None, limit: int
    ) -> Page:
        """Raises UnknownUser unless ``any_user`` may call."""
        found = await self._reader.page(user_id=caller.user_id, status=status, after=after, limit=limit + 1)
        if not found and not self._any_user:
            await require_user(self._begin, caller)
        page, more = found[:limit], len(found) > limit
        last = page[-1] if more else None
        place = Place(created_at=last.created_at, id=last.id) if last else None
        return Page(payments=page, next=place)
