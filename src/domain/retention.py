"""What is thrown away, and when: the one table of it. No rule is about payments, their log or other money."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from domain.idempotency import LIFE


class Prunable(StrEnum):
    """What may be thrown away once it is old enough."""

    PROCESSED_NOTIFICATIONS = "processed notifications"
    FORGED_NOTIFICATIONS = "forged notifications"
    IDEMPOTENCY_KEYS = "idempotency keys"
    DELIVERED_EVENTS = "delivered events"


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """How long something is kept and, of the newest, how many at most.

    ``every`` so many seconds the background work throws away what is over; None leaves it to an operator.
    """

    what: Prunable
    kept_for: timedelta
    at_most: int | None = None
    every: float | None = None


# What a stranger can add to, or what nobody looks at again, goes by itself. What Midtrans said goes only
# when an operator says so: a database that was just adopted may hold years of it.
RETENTION: Final = (
    Rule(what=Prunable.PROCESSED_NOTIFICATIONS, kept_for=timedelta(days=90)),
    Rule(what=Prunable.FORGED_NOTIFICATIONS, kept_for=timedelta(days=7), at_most=10_000, every=60.0),
    Rule(what=Prunable.IDEMPOTENCY_KEYS, kept_for=LIFE, every=3600.0),
    Rule(what=Prunable.DELIVERED_EVENTS, kept_for=timedelta(days=30), every=3600.0),
)
