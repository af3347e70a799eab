"""When each chore of the background work next has something to do, by what the database holds."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from support.fake_merchant import StoredDelivery
from support.fakes import START, InMemoryUnitOfWork

_ASKED_LATELY: Final = timedelta(seconds=10)


def when_due(chore: str, database: InMemoryUnitOfWork) -> float | None:
    """Seconds since the world began; None for not before something is committed."""
    if database.is_away:
        return None
    moment = _DUE[chore](database)
    return None if moment is None else (moment - START).total_seconds()


def is_ever_due(chore: str) -> bool:
    """Whether anybody would notice if this chore were never done again."""
    return _DUE[chore] is not _never


def _doubtful(database: InMemoryUnitOfWork) -> datetime | None:
    rows = database.state.notifications.values()
    open_ones = (row.due_at for row in rows if row.is_verified and not row.processed and row.error is None)
    return min(open_ones, default=None)


def _payment(database: InMemoryUnitOfWork) -> datetime | None:
    state = database.state
    moments = [
        max(due, state.asked_at[known] + _ASKED_LATELY) if known in state.asked_at else due
        for known, due in state.due_at.items()
        if due is not None
    ]
    if not moments:
        return None
    paused = state.budget.paused_until if state.budget else START
    return max(min(moments), paused)


def _refund(database: InMemoryUnitOfWork) -> datetime | None:
    rows = database.state.refunds.values()
    return min((max(row.due_at, row.leased_until) for row in rows if row.due_at is not None), default=None)


def _event(database: InMemoryUnitOfWork) -> datetime | None:
    """Of each payment the earliest event that waits goes first, and the others wait for it."""
    merchant = database.state.merchant
    first: dict[tuple[UUID, UUID], StoredDelivery] = {}
    for row in merchant.deliveries.values():
        of = row.endpoint_id, row.event.payment_id
        if row.waits and (of not in first or row.place < first[of].place):
            first[of] = row
    moments = (
        max(row.due_at, row.leased_until, merchant.endpoints[row.endpoint_id].paused_until)
        for row in first.values()
    )
    return min(moments, default=None)


def _never(_: InMemoryUnitOfWork) -> datetime | None:
    """What is thrown away is of no consequence to a life of some days."""
    return None


# A new chore is named here, with when there is something for it to do.
_DUE: Final[dict[str, Callable[[InMemoryUnitOfWork], datetime | None]]] = {
    "confirm notifications": _doubtful,
    "reconcile payments": _payment,
    "repeat refunds": _refund,
    "deliver events": _event,
    "prune forged notifications": _never,
    "prune idempotency keys": _never,
    "prune delivered events": _never,
}
