"""Every way in which the simulator misbehaves on command: names and descriptions, as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from simulator.core.transaction import TransactionStatus


class Point(StrEnum):
    """Where a fault can strike: a call of the API, a notification, or a turn of events."""

    CHARGE = "charge"
    STATUS = "status"
    CANCEL = "cancel"
    EXPIRE = "expire"
    REFUND = "refund"
    NOTIFICATION = "notification"
    OVERDUE = "overdue"
    PAYMENT = "payment"
    UNPAID_END = "unpaid-end"


class Fault(StrEnum):
    """The names by which faults are commanded."""

    ANSWER_LOST = "answer-lost"
    CONNECTION_CLOSED = "connection-closed"
    SLOW_ANSWER = "slow-answer"
    ERROR_500 = "error-500"
    ERROR_500_TAKEN = "error-500-taken"
    BAD_GATEWAY = "bad-gateway"
    BAD_GATEWAY_TAKEN = "bad-gateway-taken"
    UNAVAILABLE = "unavailable"
    RATE_LIMITED = "rate-limited"
    UNAUTHORIZED = "unauthorized"
    CHANNEL_INACTIVE = "channel-inactive"
    FRAMEWORK_404 = "framework-404"
    IN_PROCESS = "in-process"
    WRONG_AMOUNT = "wrong-amount"
    WRONG_ORDER_ID = "wrong-order-id"
    MISSING_FIELDS = "missing-fields"
    UNKNOWN_FIELDS = "unknown-fields"
    UPPERCASE_STATUS = "uppercase-status"
    QR_V2_MISSING = "qr-v2-missing"
    EXPIRY_MISSPELT = "expiry-misspelt"
    DENIED = "denied"
    DUPLICATE_ORDER_ID = "duplicate-order-id"
    NOT_FOUND = "not-found"
    REFUND_REFUSED = "refund-refused"
    NOTIFICATION_FIRST = "notification-first"
    NOTIFICATION_DUPLICATED = "notification-duplicated"
    NOTIFICATION_REORDERED = "notification-reordered"
    NOTIFICATION_DELAYED = "notification-delayed"
    NOTIFICATION_DROPPED = "notification-dropped"
    NOTIFICATION_FORGED = "notification-forged"
    NOTIFICATION_WRONG_AMOUNT = "notification-wrong-amount"
    NOTIFICATION_WRONG_CODE = "notification-wrong-code"
    FORGED_SETTLEMENT = "forged-settlement"
    EXPIRED_LATE = "expired-late"
    PAID_BY_QR = "paid-by-qr"
    PAID_LATE = "paid-late"
    PAID_TWICE = "paid-twice"


@dataclass(frozen=True, slots=True)
class Kind:
    """What a fault does and where; `seconds` is how long it lasts unless told otherwise."""

    description: str
    points: tuple[Point, ...]
    seconds: float | None = None
    only: TransactionStatus | None = None


_ACTS: Final = (Point.CHARGE, Point.CANCEL, Point.EXPIRE, Point.REFUND)
_CALLS: Final = (*_ACTS, Point.STATUS)
_ALL_BODIES: Final = (*_CALLS, Point.NOTIFICATION)
_NOTIFICATION: Final = (Point.NOTIFICATION,)

FAULTS: Final[Mapping[Fault, Kind]] = {
    Fault.ANSWER_LOST: Kind("The call is carried out, and the connection breaks before its answer.", _ACTS),
    Fault.CONNECTION_CLOSED: Kind("The connection breaks before anything is carried out.", _CALLS),
    Fault.SLOW_ANSWER: Kind(
        "The call is carried out, and its answer takes some seconds.", _CALLS, seconds=30
    ),
    Fault.ERROR_500: Kind("HTTP 500 with an id; nothing is carried out.", _CALLS),
    Fault.ERROR_500_TAKEN: Kind("HTTP 500 with an id, though the call is carried out.", _ACTS),
    Fault.BAD_GATEWAY: Kind("HTTP 502 with an HTML page; nothing is carried out.", _CALLS),
    Fault.BAD_GATEWAY_TAKEN: Kind("HTTP 502 with an HTML page, though the call is carried out.", _ACTS),
    Fault.UNAVAILABLE: Kind("HTTP 503; nothing is carried out.", _CALLS),
    Fault.RATE_LIMITED: Kind("HTTP 429 without a status_code; nothing is carried out.", _CALLS),
    Fault.UNAUTHORIZED: Kind("HTTP 401, as if the server key were wrong.", _CALLS),
    Fault.CHANNEL_INACTIVE: Kind(
        "HTTP 200 with body code 402: GoPay or QRIS is not activated; nothing is carried out.",
        (Point.CHARGE,),
    ),
    Fault.FRAMEWORK_404: Kind(
        "HTTP 404 in the words of Midtrans's framework, without a status_code; nothing is carried out.",
        _CALLS,
    ),
    Fault.IN_PROCESS: Kind("HTTP 202, still in process; the call is carried out.", _ACTS),
    Fault.WRONG_AMOUNT: Kind("The answer tells one rupiah more.", _CALLS),
    Fault.WRONG_ORDER_ID: Kind("The answer tells another order id.", _CALLS),
    Fault.MISSING_FIELDS: Kind("Every optional field is missing.", _ALL_BODIES),
    Fault.UNKNOWN_FIELDS: Kind("Fields appear that nobody has heard of.", _ALL_BODIES),
    Fault.UPPERCASE_STATUS: Kind("The transaction_status is written in capitals.", _ALL_BODIES),
    Fault.QR_V2_MISSING: Kind("The answer has no generate-qr-code-v2, as before 2025.", (Point.CHARGE,)),
    Fault.EXPIRY_MISSPELT: Kind("The answer spells expiry_time as expire_time.", (Point.CHARGE,)),
    Fault.DENIED: Kind("The charge is denied: HTTP 200 with body code 202.", (Point.CHARGE,)),
    Fault.DUPLICATE_ORDER_ID: Kind(
        "The charge is taken, and its answer is body code 406, as to a repeat.", (Point.CHARGE,)
    ),
    Fault.NOT_FOUND: Kind("The status answers body code 404 for a transaction that exists.", (Point.STATUS,)),
    Fault.REFUND_REFUSED: Kind("The bank refuses the refund: HTTP 200 with body code 202.", (Point.REFUND,)),
    Fault.NOTIFICATION_FIRST: Kind(
        "The first notification arrives before the charge's answer; after some seconds it waits no longer.",
        (Point.CHARGE,),
        seconds=15,
    ),
    Fault.NOTIFICATION_DUPLICATED: Kind("The notification is posted twice at the same time.", _NOTIFICATION),
    Fault.NOTIFICATION_REORDERED: Kind(
        "The notification is held back until the transaction's next one has been posted.", _NOTIFICATION
    ),
    Fault.NOTIFICATION_DELAYED: Kind("The notification comes some seconds later.", _NOTIFICATION, seconds=60),
    Fault.NOTIFICATION_DROPPED: Kind("The notification is never posted.", _NOTIFICATION),
    Fault.NOTIFICATION_FORGED: Kind(
        "The notification and its repeats carry a signature that is not Midtrans's.", _NOTIFICATION
    ),
    Fault.NOTIFICATION_WRONG_AMOUNT: Kind(
        "The notification tells one rupiah more, with a valid signature.", _NOTIFICATION
    ),
    Fault.NOTIFICATION_WRONG_CODE: Kind(
        "The notification of a settlement has status_code 201, with a valid signature.",
        _NOTIFICATION,
        only=TransactionStatus.SETTLEMENT,
    ),
    Fault.FORGED_SETTLEMENT: Kind(
        "With the notification comes a stranger's, a settlement with a wrong signature.", _NOTIFICATION
    ),
    Fault.EXPIRED_LATE: Kind(
        "The transaction expires some seconds after its time, and can be paid until then.",
        (Point.OVERDUE,),
        seconds=90,
    ),
    Fault.PAID_BY_QR: Kind(
        "The payment counts as made by QR code, so that gopay becomes qris.", (Point.PAYMENT,)
    ),
    Fault.PAID_LATE: Kind(
        "The customer's money arrives after the transaction ended unpaid.", (Point.UNPAID_END,), seconds=0
    ),
    Fault.PAID_TWICE: Kind("A second transaction settles for the same order.", (Point.PAYMENT,)),
}
