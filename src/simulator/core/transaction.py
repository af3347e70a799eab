"""A transaction and its life cycle."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec
from msgspec.structs import replace

from simulator.core.refund import Refund


class PaymentType(StrEnum):
    """The two payment types simulated."""

    GOPAY = "gopay"
    QRIS = "qris"


class Acquirer(StrEnum):
    """Who makes the QR code; docs.midtrans.com/reference/qris-object."""

    GOPAY = "gopay"
    AIRPAY_SHOPEE = "airpay shopee"


class TransactionStatus(StrEnum):
    """Midtrans's words for where a transaction stands."""

    PENDING = "pending"
    SETTLEMENT = "settlement"
    DENY = "deny"
    EXPIRE = "expire"
    CANCEL = "cancel"
    REFUND = "refund"
    PARTIAL_REFUND = "partial_refund"
    CHARGEBACK = "chargeback"
    PARTIAL_CHARGEBACK = "partial_chargeback"


class PaidBy(StrEnum):
    """How the customer's wallet came to the transaction."""

    DEEPLINK = "deeplink"
    QR = "qr"


# docs.midtrans.com/docs/https-notification-webhooks, "Status Definition".
_NEXT: Final[Mapping[TransactionStatus, frozenset[TransactionStatus]]] = {
    TransactionStatus.PENDING: frozenset(
        {
            TransactionStatus.SETTLEMENT,
            TransactionStatus.DENY,
            TransactionStatus.EXPIRE,
            TransactionStatus.CANCEL,
        }
    ),
    TransactionStatus.SETTLEMENT: frozenset(
        {
            TransactionStatus.REFUND,
            TransactionStatus.PARTIAL_REFUND,
            TransactionStatus.CHARGEBACK,
            TransactionStatus.PARTIAL_CHARGEBACK,
        }
    ),
    TransactionStatus.PARTIAL_REFUND: frozenset({TransactionStatus.PARTIAL_REFUND, TransactionStatus.REFUND}),
    TransactionStatus.PARTIAL_CHARGEBACK: frozenset({TransactionStatus.CHARGEBACK}),
    TransactionStatus.DENY: frozenset(),
    TransactionStatus.EXPIRE: frozenset(),
    TransactionStatus.CANCEL: frozenset(),
    TransactionStatus.REFUND: frozenset(),
    TransactionStatus.CHARGEBACK: frozenset(),
}
_UNPAID_ENDS: Final = frozenset({TransactionStatus.DENY, TransactionStatus.EXPIRE, TransactionStatus.CANCEL})


class IllegalTransitionError(Exception):
    """The transaction's status does not lead there."""

    def __init__(self, status: TransactionStatus, to: TransactionStatus) -> None:
        super().__init__(f"{status} does not become {to}")
        self.status = status
        self.to = to


class Customer(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """The customer as notifications name them."""

    full_name: str | None
    email: str | None
    phone: str | None


class Settlement(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """How a transaction was paid."""

    settlement_time: datetime
    paid_by: PaidBy
    issuer: str
    merchant_cross_reference_id: str


class Transaction(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One charge. Every change is a new value; an illegal one raises IllegalTransitionError."""

    transaction_id: str
    qr_id: str
    order_id: str
    amount: int
    charged_as: PaymentType
    acquirer: Acquirer
    transaction_time: datetime
    expiry_time: datetime
    callback_url: str | None
    custom_fields: tuple[str | None, str | None, str | None]
    metadata: bytes | None
    customer: Customer | None
    notification_urls: tuple[str, ...]
    status: TransactionStatus = TransactionStatus.PENDING
    settlement: Settlement | None = None
    refunds: tuple[Refund, ...] = ()
    # When a refund_key was first refused by the bank.
    refused_refunds: tuple[tuple[str, datetime], ...] = ()

    @property
    def gross_amount(self) -> str:
        """The amount as every answer and every signature spells it."""
        return f"{self.amount}.00"

    @property
    def payment_type(self) -> PaymentType:
        """The type as Midtrans reports it: a gopay charge paid by its QR code becomes qris."""
        return PaymentType.QRIS if self.paid_by is PaidBy.QR else self.charged_as

    @property
    def is_off_us(self) -> bool:
        """Whether somebody else's wallet scanned the acquirer's QR code."""
        return (
            self.paid_by is PaidBy.QR
            and self.settlement is not None
            and self.settlement.issuer != self.acquirer
        )

    @property
    def paid_by(self) -> PaidBy | None:
        return self.settlement.paid_by if self.settlement else None

    @property
    def fraud_status(self) -> str:
        return "deny" if self.status is TransactionStatus.DENY else "accept"

    @property
    def is_pending(self) -> bool:
        return self.status is TransactionStatus.PENDING

    @property
    def frees_order_id(self) -> bool:
        """Whether its order id may be charged again.

        Source: docs.midtrans.com/reference/expire-transaction.
        """
        return self.status in _UNPAID_ENDS

    @property
    def can_be_refunded(self) -> bool:
        return TransactionStatus.REFUND in _NEXT[self.status]

    @property
    def refunded_amount(self) -> int:
        return sum(refund.amount for refund in self.refunds)

    @property
    def refundable_amount(self) -> int:
        return self.amount - self.refunded_amount

    @property
    def latest_refund(self) -> Refund | None:
        """The refund that was accepted or confirmed last."""
        return max(self.refunds, key=lambda refund: (refund.changed_at, refund.number), default=None)

    def is_overdue(self, now: datetime) -> bool:
        """Whether it waits for a payment that may no longer come."""
        return self.is_pending and now >= self.expiry_time

    def settled(self, settlement: Settlement) -> "Transaction":
        self._require(TransactionStatus.SETTLEMENT)
        return replace(self, status=TransactionStatus.SETTLEMENT, settlement=settlement)

    def expired(self) -> "Transaction":
        return self._moved(TransactionStatus.EXPIRE)

    def cancelled(self) -> "Transaction":
        return self._moved(TransactionStatus.CANCEL)

    def denied(self) -> "Transaction":
        return self._moved(TransactionStatus.DENY)

    def refunded(self, refund: Refund) -> "Transaction":
        whole = refund.amount == self.refundable_amount
        to = TransactionStatus.REFUND if whole else TransactionStatus.PARTIAL_REFUND
        return replace(self._moved(to), refunds=(*self.refunds, refund))

    def settled_late(self, settlement: Settlement) -> "Transaction":
        """Settle it though it ended unpaid: the customer's money was under way."""
        if self.status not in _UNPAID_ENDS:
            raise IllegalTransitionError(self.status, TransactionStatus.SETTLEMENT)
        return replace(self, status=TransactionStatus.SETTLEMENT, settlement=settlement)

    def with_refund_confirmed(self, uuid: str, at: datetime) -> "Transaction":
        """Note the bank's word on one refund; the status stays."""
        refunds = tuple(
            replace(refund, bank_confirmed_at=at) if refund.uuid == uuid else refund
            for refund in self.refunds
        )
        return replace(self, refunds=refunds)

    def with_refund_refused(self, key: str, at: datetime) -> "Transaction":
        """Note that the bank refused; only the first time under a key counts."""
        if key in dict(self.refused_refunds):
            return self
        return replace(self, refused_refunds=(*self.refused_refunds, (key, at)))

    def charged_back(self, *, whole: bool) -> "Transaction":
        return self._moved(TransactionStatus.CHARGEBACK if whole else TransactionStatus.PARTIAL_CHARGEBACK)

    def _moved(self, to: TransactionStatus) -> "Transaction":
        self._require(to)
        return replace(self, status=to)

    def _require(self, to: TransactionStatus) -> None:
        if to not in _NEXT[self.status]:
            raise IllegalTransitionError(self.status, to)
