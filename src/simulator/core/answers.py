"""What Midtrans can answer, before it becomes JSON."""

from typing import Final

import msgspec

from simulator.core.refund import Refund
from simulator.core.transaction import Transaction


class _Answer(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """One of those below."""


class Charged(_Answer, frozen=True):
    """The charge was taken."""

    transaction: Transaction


class Denied(_Answer, frozen=True):
    """The charge was taken down and denied at once. Body code 202, so no SDK takes it for an error."""

    transaction: Transaction


class Found(_Answer, frozen=True):
    """The status that was asked for."""

    transaction: Transaction


class Cancelled(_Answer, frozen=True):
    """The transaction was cancelled as asked."""

    transaction: Transaction


class Expired(_Answer, frozen=True):
    """The transaction was expired as asked."""

    transaction: Transaction


class Refunded(_Answer, frozen=True):
    """A refund was accepted; `directly` when asked for at the address of direct refunds."""

    transaction: Transaction
    refund: Refund
    directly: bool


class RefundDenied(_Answer, frozen=True):
    """The bank refused the refund. Body code 202, so no SDK takes it for an error."""

    transaction: Transaction
    key: str


class InProcess(_Answer, frozen=True):
    """The first request under this Idempotency-Key has not been answered yet."""


class Refused(_Answer, frozen=True):
    """Nothing was done. Most refusals travel under HTTP 200 with the code in the body."""

    status_code: int
    status_message: str
    http_status: int = 200
    validation_messages: tuple[str, ...] = ()


Answer = Charged | Denied | Found | Cancelled | Expired | Refunded | RefundDenied | InProcess | Refused

# Codes: docs.midtrans.com/reference/code-4xx. The HTTP statuses and texts are those that
# merchants have seen, which the documentation does not list.
UNKNOWN_SERVER_KEY: Final = Refused(401, "Unknown Merchant server_key/id", 401)
TRANSACTION_NOT_FOUND: Final = Refused(404, "Transaction doesn't exist.")
DUPLICATE_ORDER_ID: Final = Refused(
    406,
    "The request could not be completed due to a conflict with the current state of the target "
    "resource, please try again",
)
STATUS_CANNOT_CHANGE: Final = Refused(412, "Merchant cannot modify the status of the transaction")
DUPLICATE_REFUND: Final = Refused(406, "Duplicate refund ID")
INVALID_REFUND_AMOUNT: Final = Refused(414, "Refund request is rejected due to invalid amount")
CHANNEL_INACTIVE: Final = Refused(402, "Payment channel is not activated.")
MALFORMED: Final = Refused(
    413, "The request cannot be processed due to syntax error in the request body.", 413
)
UNAVAILABLE: Final = Refused(503, "Bank/partner is experiencing connection issue.", 503)
UNEXPECTED: Final = Refused(500, "Sorry. Our system is recovering from unexpected issues. Please retry.", 500)


def invalid(validation_messages: tuple[str, ...]) -> Refused:
    """Refuse a request for what is in it; docs.midtrans.com/reference/charge-transactions-1."""
    return Refused(400, "One or more parameters in the payload is invalid.", 400, validation_messages)
