"""A refund: money of one paid transaction that goes back, asked for under a key of its own."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from domain.errors import IllegalTransition, InvalidPayment, RefundExceedsPayment
from domain.payment import Payment
from domain.status import REFUNDS, Status

# One that has no outcome for so long is repeated in vain: a person has to look why.
STUCK_AFTER: Final = timedelta(hours=1)

_REFUNDABLE: Final = REFUNDS | {Status.SETTLEMENT}


class RefundStatus(StrEnum):
    """A requested one is, or may be, at Midtrans; only it and an accepted one count against the payment."""

    REQUESTED = "requested"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    NOT_SENT = "not_sent"


@dataclass(frozen=True, kw_only=True, slots=True)
class Refund:
    """One refund as stored; its ``id`` is the ``refund_key`` at Midtrans.

    ``user_id`` is who asked, under which ``key``; ``transaction`` is Midtrans's id of what is refunded, or
    the order id where that is not known; ``attempts`` counts how often it was taken up, and names the try.
    """

    id: UUID
    payment_id: UUID
    user_id: int
    key: str
    fingerprint: bytes = field(repr=False)
    transaction: str
    amount: int
    reason: str | None = None
    status: RefundStatus = RefundStatus.REQUESTED
    attempts: int = 1
    created_at: datetime
    accepted_at: datetime | None = None
    confirmed_at: datetime | None = None
    gateway_code: str | None = None
    gateway_message: str | None = None


def own_transaction(payment: Payment) -> str:
    """What the payment itself is known by at Midtrans."""
    return payment.transaction_id or payment.order_id


def accepted_of(payment: Payment, refunds: Iterable[Refund], transaction: str) -> int:
    """What Midtrans took of our refunds of one of the payment's transactions, in rupiah."""
    return _sum(payment, refunds, transaction, RefundStatus.ACCEPTED)


def left_of(payment: Payment, refunds: Iterable[Refund], transaction: str) -> int:
    """What can still be refunded of one of the payment's transactions, in rupiah.

    What went back already counts, also by the dashboard, and what is being refunded. Of a second transaction
    only our own refunds are known.
    """
    refunds = list(refunds)
    back = back_of(payment, refunds, transaction)
    reserved = _sum(payment, refunds, transaction, RefundStatus.REQUESTED)
    return max(payment.gross_amount - back - reserved, 0)


def back_of(payment: Payment, refunds: Iterable[Refund], transaction: str) -> int:
    """What of one of the payment's transactions went back, as far as it is known here, in rupiah."""
    back = accepted_of(payment, refunds, transaction)
    return max(back, payment.refunded_amount) if transaction == own_transaction(payment) else back


def paid_transactions(payment: Payment) -> tuple[str, ...]:
    """What was paid for it, first the transaction that it stands for; several when it was paid twice."""
    if not payment.status.is_paid:
        return ()
    own = own_transaction(payment)
    return (own, *sorted(_paid_twice(payment) - {own}))


def amount_to_refund(
    payment: Payment, refunds: Iterable[Refund], *, transaction: str, amount: int | None
) -> int:
    """The amount if it can be refunded; all that is left unless one is named.

    Raises IllegalTransition, RefundExceedsPayment, and InvalidPayment for a transaction that is neither the
    payment's own nor a second one that was paid for it.
    """
    own = transaction == own_transaction(payment)
    if not own and transaction not in _paid_twice(payment):
        raise InvalidPayment("transaction", f"{transaction} is no paid transaction of {payment.order_id}")
    if payment.status not in _REFUNDABLE and (own or not payment.status.is_paid):
        raise IllegalTransition(payment.order_id, payment.status, "be refunded", payment)
    left = left_of(payment, refunds, transaction)
    wanted = left if amount is None else amount
    if not 1 <= wanted <= left:
        raise RefundExceedsPayment(payment.order_id, wanted, left)
    return wanted


def _paid_twice(payment: Payment) -> set[str]:
    return {found.subject for found in payment.breaks if found.reason == "paid_twice"}


def _sum(payment: Payment, refunds: Iterable[Refund], transaction: str, status: RefundStatus) -> int:
    return sum(
        refund.amount
        for refund in refunds
        if refund.status is status and transaction_of(payment, refund) == transaction
    )


def transaction_of(payment: Payment, refund: Refund) -> str:
    """One that was asked for by order id is of the payment's own transaction, known by now or not."""
    by_order_id = refund.transaction == payment.order_id
    return own_transaction(payment) if by_order_id else refund.transaction
