"""When each chore of the background work next has something to do, by what the database holds."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

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


def _never(_: InMemoryUnitOfWork) -> datetime | None:
    """What is thrown away is of no consequence to a life of some days."""
    return None


# A new chore is named here, with when there is something for it to do.
_DUE: Final[dict[str, Callable[[InMemoryUnitOfWork], datetime | None]]] = {
    "confirm notifications": _doubtful,
    "reconcile payments": _payment,
    # Nobody refunds in these lives, and no endpoint listens.
    "repeat refunds": _never,
    "deliver events": _never,
    "prune forged notifications": _never,
    "prune idempotency keys": _never,
    "prune delivered events": _never,
}
