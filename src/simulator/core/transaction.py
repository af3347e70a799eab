"""A transaction and its life cycle."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final


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
    EXPIRE = "expire"
    CANCEL = "cancel"


class PaidBy(StrEnum):
    """How the customer's wallet came to the transaction."""

    DEEPLINK = "deeplink"
    QR = "qr"


# docs.midtrans.com/docs/https-notification-webhooks, "Status Definition".
_NEXT: Final[Mapping[TransactionStatus, frozenset[TransactionStatus]]] = {
    TransactionStatus.PENDING: frozenset(
        {TransactionStatus.SETTLEMENT, TransactionStatus.EXPIRE, TransactionStatus.CANCEL}
    ),
    TransactionStatus.SETTLEMENT: frozenset(),
    TransactionStatus.EXPIRE: frozenset(),
    TransactionStatus.CANCEL: frozenset(),
}


class IllegalTransitionError(Exception):
    """The transaction's status does not lead there."""

    def __init__(self, status: TransactionStatus, to: TransactionStatus) -> None:
        super().__init__(f"{status} does not become {to}")
        self.status = status
        self.to = to


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """The customer as notifications name them."""

    full_name: str | None
    email: str | None
    phone: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How a transaction was paid."""

    settlement_time: datetime
    paid_by: PaidBy
    merchant_cross_reference_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
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

    @property
    def gross_amount(self) -> str:
        """The amount as every answer and every signature spells it."""
        return f"{self.amount}.00"

    @property
    def payment_type(self) -> PaymentType:
        """The type as Midtrans reports it: a gopay charge paid by its QR code becomes qris."""
        return PaymentType.QRIS if self.paid_by is PaidBy.QR else self.charged_as

    @property
    def paid_by(self) -> PaidBy | None:
        return self.settlement.paid_by if self.settlement else None

    @property
    def is_pending(self) -> bool:
        return self.status is TransactionStatus.PENDING

    @property
    def frees_order_id(self) -> bool:
        """Whether its order id may be charged again.

        Source: docs.midtrans.com/reference/expire-transaction.
        """
        return self.status in {TransactionStatus.EXPIRE, TransactionStatus.CANCEL}

    def is_overdue(self, now: datetime) -> bool:
        """Whether it waits for a payment that may no longer come."""
        return self.is_pending and now >= self.expiry_time

    def settled(self, settlement: Settlement) -> "Transaction":
        self._require(TransactionStatus.SETTLEMENT)
        return replace(self, status=TransactionStatus.SETTLEMENT, settlement=settlement)

    def expired(self) -> "Transaction":
        self._require(TransactionStatus.EXPIRE)
        return replace(self, status=TransactionStatus.EXPIRE)

    def cancelled(self) -> "Transaction":
        self._require(TransactionStatus.CANCEL)
        return replace(self, status=TransactionStatus.CANCEL)

    def _require(self, to: TransactionStatus) -> None:
        if to not in _NEXT[self.status]:
            raise IllegalTransitionError(self.status, to)
