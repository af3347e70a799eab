"""When Midtrans is asked about a payment by itself: densely around its end, then ever more rarely.

Notifications come first; this finds what they did not tell. The delays are told from now, and now is when the
payment was read: due times are kept and compared by the database's clock.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from domain.decide import NO_TRANSACTION_AFTER
from domain.payment import AFTER_FAILURE, MISSING_THERE, Payment
from domain.status import Status

_SECOND: Final = timedelta(seconds=1)
_MINUTE: Final = timedelta(minutes=1)
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)

# A charge is sent for up to 25 s; a row that is still ``created`` after it may be an orphan.
_AFTER_CHARGE: Final = (
    40 * _SECOND,
    2 * _MINUTE,
    5 * _MINUTE,
    NO_TRANSACTION_AFTER + 5 * _SECOND,
    15 * _MINUTE,
    30 * _MINUTE,
    _HOUR,
)
_OVERDUE: Final = (
    10 * _SECOND,
    65 * _SECOND,
    3 * _MINUTE,
    # With the ten minutes of ``decide``: a transaction that is gone is a break then.
    11 * _MINUTE,
    30 * _MINUTE,
    _HOUR,
)
# The same for one that was found, or changed, after its end.
_FOUND_LATE: Final = (11 * _MINUTE,)
# Late money is looked for until a week after the end.
_AFTER_END: Final = (11 * _MINUTE, _HOUR, 6 * _HOUR, _DAY)
_AFTER_EXPIRY: Final = (_HOUR, 6 * _HOUR, _DAY, 3 * _DAY, 7 * _DAY)
# Within the hour, with time for Midtrans's own status to follow its notification.
_UNCONFIRMED: Final = (5 * _MINUTE, 15 * _MINUTE, 35 * _MINUTE, 56 * _MINUTE)

_FIRST_LOOK: Final = 2 * _MINUTE
_LONGEST_WAIT: Final = 6 * _HOUR
# Midtrans's own expiry may take 90 s; a payment that nobody ended by then is ended by us.
_ENDED_BY_US: Final = _MINUTE


def ask_in(payment: Payment, at: datetime) -> timedelta | None:
    """How long until Midtrans is asked about this payment again; None when nothing is open.

    From when it was read, by the database's clock; from ``at`` for one that was not.
    """
    return _wait(payment, payment.read_at or at, changed_at=payment.changed_at or payment.created_at)


def ask_after_change_in(payment: Payment) -> timedelta | None:
    """The same for one that changes just now."""
    now = payment.read_at or payment.updated_at
    return _wait(payment, now, changed_at=now)


def _wait(payment: Payment, at: datetime, *, changed_at: datetime) -> timedelta | None:
    moments = [moment for moment in _moments(payment, at, changed_at) if moment is not None]
    return max(min(moments) - at, _SECOND) if moments else None


def _moments(payment: Payment, at: datetime, changed_at: datetime) -> Iterator[datetime | None]:
    if since := payment.unconfirmed_since:
        yield _next(at, since, _UNCONFIRMED) or _twice_as_old(since, at)
    if is_to_be_cancelled(payment) and not _is_missing_there(payment):
        yield at if at == changed_at else _twice_as_old(changed_at, at)
    if payment.status is Status.CREATED:
        charged_at = payment.charged_at or payment.created_at
        if _is_contradicted(payment):
            # Only a person can tell whose charge it is that Midtrans has under this order id.
            yield _next(at, charged_at, (*_AFTER_CHARGE, *_AFTER_EXPIRY[1:]))
        else:
            yield _next(at, charged_at, _AFTER_CHARGE) or _twice_as_old(charged_at, at)
    elif payment.status is Status.PENDING and at < payment.expires_at:
        yield min(_twice_as_old(payment.created_at, at), payment.expires_at + _OVERDUE[0])
    elif payment.status is Status.PENDING and _is_missing_there(payment):
        # Nothing but a person can end it: Midtrans may have forgotten it, or is another one by now.
        yield _next(at, payment.expires_at, _OVERDUE)
        yield _next(at, changed_at, _AFTER_EXPIRY)
    elif payment.status is Status.PENDING:
        yield _next(at, payment.expires_at, _OVERDUE) or _twice_as_old(payment.expires_at, at)
        yield _next(at, changed_at, _FOUND_LATE)
    elif payment.status.is_unpaid_end:
        yield _next(at, changed_at, _AFTER_END)
        yield _next(at, payment.expires_at, _AFTER_EXPIRY)


def _is_contradicted(payment: Payment) -> bool:
    return any(b.reason in {"amount", "currency"} for b in payment.breaks)


def _is_missing_there(payment: Payment) -> bool:
    return any(b.reason == MISSING_THERE for b in payment.breaks)


def _next(at: datetime, since: datetime, waits: tuple[timedelta, ...]) -> datetime | None:
    return next((since + wait for wait in waits if since + wait > at), None)


def _twice_as_old(since: datetime, at: datetime) -> datetime:
    return at + min(max(at - since, _FIRST_LOOK), _LONGEST_WAIT)


def is_to_be_expired(payment: Payment, at: datetime, *, told: datetime | None = None) -> bool:
    """Whether a payment that Midtrans still calls pending is to be ended there: its time is long over.

    ``told`` is the end that Midtrans itself just named: an adopted payment may live longer there than its
    row says.
    """
    end = max(payment.expires_at, told or payment.expires_at)
    return payment.status is Status.PENDING and at >= end + _ENDED_BY_US


def is_to_be_cancelled(payment: Payment) -> bool:
    """Whether a pending charge must not be paid: the shop was told that there is none."""
    return payment.status is Status.PENDING and any(b.reason == AFTER_FAILURE for b in payment.breaks)
