"""The life cycle of a payment, as data."""

from enum import StrEnum
from typing import Final


class Status(StrEnum):
    """In the order of their rank: of two true claims, the later one here is the payment's status."""

    CREATED = "created"
    FAILURE = "failure"
    PENDING = "pending"
    DENY = "deny"
    EXPIRE = "expire"
    CANCEL = "cancel"
    SETTLEMENT = "settlement"
    PARTIAL_REFUND = "partial_refund"
    REFUND = "refund"
    PARTIAL_CHARGEBACK = "partial_chargeback"
    CHARGEBACK = "chargeback"

    @property
    def rank(self) -> int:
        return _RANK[self]

    @property
    def is_open(self) -> bool:
        """Nobody knows yet how this payment ends."""
        return self in OPEN

    @property
    def is_paid(self) -> bool:
        """Money came; it may have gone back since."""
        return self in PAID

    @property
    def is_unpaid_end(self) -> bool:
        """It ended without money, as far as we were told."""
        return self in UNPAID_ENDS


_BY_WORD: Final = {str(status): status for status in Status}


def status_of(word: str) -> Status | None:
    """The status of this name, however it is written; None when it is none of ours."""
    return _BY_WORD.get(word.lower())


_RANK: Final = {status: rank for rank, status in enumerate(Status)}

OPEN: Final = frozenset({Status.CREATED, Status.PENDING})
UNPAID_ENDS: Final = frozenset({Status.FAILURE, Status.DENY, Status.EXPIRE, Status.CANCEL})
PAID: Final = frozenset(set(Status) - OPEN - UNPAID_ENDS)
MONEY_BACK: Final = PAID - {Status.SETTLEMENT}
REFUNDS: Final = frozenset({Status.PARTIAL_REFUND, Status.REFUND})

# What Midtrans may say of one transaction, and with which status_code: a notification and a reply to
# GET status differ (docs.midtrans.com: HTTP notification, Get transaction status; deny is nowhere shown
# for these two payment types, so a reply may carry either code).
NOTIFIED: Final[dict[Status, frozenset[str]]] = {
    Status.PENDING: frozenset({"201"}),
    Status.DENY: frozenset({"202"}),
    Status.EXPIRE: frozenset({"202", "407"}),
    Status.CANCEL: frozenset({"202"}),
    Status.SETTLEMENT: frozenset({"200"}),
    Status.PARTIAL_REFUND: frozenset({"200"}),
    Status.REFUND: frozenset({"200"}),
    Status.PARTIAL_CHARGEBACK: frozenset({"200"}),
    Status.CHARGEBACK: frozenset({"200"}),
}
REPLIED: Final[dict[Status, frozenset[str]]] = NOTIFIED | {
    Status.DENY: frozenset({"200", "202"}),
    Status.EXPIRE: frozenset({"407"}),
    Status.CANCEL: frozenset({"200"}),
}
STATUS_CODES: Final = frozenset().union(*NOTIFIED.values())
