"""What is told of each try to tell the shop: line and count, with no more of an address than its host."""

from typing import Any, Final
from urllib.parse import urlsplit

import structlog

from domain.delivery import Answered, Delivered, Gone, Unreached
from domain.usecases.deliver_events import Attempt
from entrypoints.telemetry.metrics import DELIVERIES

_log: Final = structlog.get_logger()


def tell_attempt(attempt: Attempt) -> None:
    """One log line and one count per try, and one more for what was given up with it."""
    due, outcome = attempt.due, _outcome(attempt)
    DELIVERIES.labels(outcome).inc()
    told: dict[str, Any] = {
        "event_id": str(due.event_id),
        "type": due.type,
        "payment_id": str(due.payment_id),
        "endpoint": str(due.endpoint_id),
        "host": urlsplit(due.url).hostname,
        "attempt": due.attempt,
        "outcome": outcome,
        "seconds": round(attempt.seconds, 3),
        **_said(attempt),
    }
    if isinstance(attempt.verdict, Delivered):
        _log.info("merchant.told", **told)
    else:
        _log.warning("merchant.not_told", **told)
    if attempt.settled.gave_up:
        DELIVERIES.labels("gave up").inc(attempt.settled.gave_up)
        _log.error("merchant.gave_up", endpoint=str(due.endpoint_id), events=attempt.settled.gave_up)


def _outcome(attempt: Attempt) -> str:
    if not attempt.settled.counts:
        return "overtaken"
    match attempt.verdict, attempt.answer:
        case Delivered(), _:
            return "delivered"
        case Gone(), _:
            return "gone"
        case _, Answered():
            return "refused"
    return "unreached"


def _said(attempt: Attempt) -> dict[str, Any]:
    match attempt.answer:
        case Answered(status=status):
            return {"status": status}
        case Unreached(reason=reason):
            return {"reason": reason}
