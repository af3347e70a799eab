"""What is known about a payment, and from whom; ``decide`` says what follows.

``raw`` are the very bytes that Midtrans sent, where it sent any: the evidence log keeps them by digest.
"""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from domain.status import Status


@dataclass(frozen=True, kw_only=True, slots=True)
class ChargeAnswer:
    """Midtrans took the charge (pending) or denied it; it echoed our order id and amount.

    ``answer`` is Midtrans's JSON as text, ``message`` what it says to people.
    """

    status: Status
    transaction_id: str
    answer: str
    message: str = ""
    received_at: datetime
    raw: bytes = field(default=b"", repr=False, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class ChargeRefused:
    """Midtrans refused every attempt of the charge: it has no transaction for this payment."""

    code: str
    message: str
    received_at: datetime
    raw: bytes = field(default=b"", repr=False, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Notification:
    """A notification whose signature is right. The strings are as received.

    The signature covers order id, status code and amount, nothing else; ``previous_key`` says that it was
    made with the server key before the current one.
    """

    order_id: str
    status_code: str
    gross_amount: str
    transaction_status: str
    transaction_id: str | None = None
    fraud_status: str | None = None
    currency: str | None = None
    settled_at: datetime | None = None
    received_at: datetime
    previous_key: bool = False
    raw: bytes = field(default=b"", repr=False, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportedRefund:
    """One refund in a status reply; ``confirmed_at`` is the bank's word on it, some time later."""

    key: str
    amount: int
    confirmed_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusReply:
    """Midtrans's answer to GET status: what it holds true of one transaction.

    ``expires_at`` is until when a pending one can be paid, where it says so.
    """

    order_id: str
    status_code: str
    gross_amount: str
    transaction_status: str
    transaction_id: str
    fraud_status: str | None = None
    currency: str | None = None
    settled_at: datetime | None = None
    expires_at: datetime | None = None
    refund_amount: int | None = None
    refunds: tuple[ReportedRefund, ...] = ()
    received_at: datetime
    raw: bytes = field(default=b"", repr=False, compare=False)

    def refunded_of(self, gross_amount: int) -> int:
        """How many rupiah went back by it; a refund that tells no amount is of all."""
        is_whole = self.refund_amount is None and self.transaction_status.lower() == Status.REFUND
        return gross_amount if is_whole else self.refund_amount or 0


@dataclass(frozen=True, kw_only=True, slots=True)
class NoTransaction:
    """Midtrans knows no transaction under the id that we asked for."""

    received_at: datetime
    raw: bytes = field(default=b"", repr=False, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class TransactionElsewhere:
    """A transaction that was named for this payment already belongs to another one of ours."""

    transaction_id: str
    received_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Attended:
    """An operator has looked at everything that needed a person, and says what was done about it."""

    note: str
    received_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class RefundAccepted:
    """Midtrans took a refund of ours; ``total`` is what it took of that transaction from us so far."""

    refund_id: UUID
    amount: int
    total: int
    transaction_id: str
    received_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class RefundInDoubt:
    """A refund that a person has to look at; ``reason`` is the name of the break."""

    reason: str
    subject: str
    received_at: datetime
    raw: bytes = field(default=b"", repr=False, compare=False)


Evidence = (
    ChargeAnswer
    | ChargeRefused
    | Notification
    | StatusReply
    | NoTransaction
    | TransactionElsewhere
    | Attended
    | RefundAccepted
    | RefundInDoubt
)
