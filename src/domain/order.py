"""What a shop asks for, checked by the rules that hold before anybody is charged."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from domain import order_id as order_ids
from domain.errors import AmountOutOfBounds, InvalidPayment
from domain.payment import Payment
from domain.rupiah import MOST, PaymentType
from domain.status import Status


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    name: str
    price: int
    quantity: int
    id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Customer:
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Defaults:
    """What a payment is when the shop does not say; ``amount`` in rupiah."""

    amount: int
    payment_type: PaymentType
    life: timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """A create call as the shop made it; what it leaves out is None or empty."""

    user_id: int
    order_id: str | None = None
    gross_amount: int | None = None
    payment_type: PaymentType | None = None
    life: timedelta | None = None
    callback_url: str | None = None
    customer: Customer | None = None
    items: tuple[Item, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)

    def order(self, defaults: Defaults, *, generated_id: str) -> "Order":
        """The order with every default in its place.

        Raises InvalidPayment when items and amount contradict each other or the order id is not one that a
        shop may choose, and AmountOutOfBounds.
        """
        if self.order_id is not None and not order_ids.may_be_chosen(self.order_id):
            raise InvalidPayment("order_id", f"must be {order_ids.RULE}")
        items_total = sum(item.price * item.quantity for item in self.items)
        amount = self.gross_amount
        if amount is None:
            amount = items_total if self.items else defaults.amount
        elif self.items and amount != items_total:
            raise InvalidPayment("gross_amount", f"is {amount}, but the items add up to {items_total}")
        payment_type = self.payment_type or defaults.payment_type
        if not 1 <= amount <= MOST[payment_type]:
            raise AmountOutOfBounds(amount, payment_type, MOST[payment_type])
        return Order(
            user_id=self.user_id,
            order_id=self.order_id or generated_id,
            gross_amount=amount,
            payment_type=payment_type,
            life=self.life or defaults.life,
            callback_url=self.callback_url,
            customer=self.customer,
            items=self.items,
            metadata=self.metadata,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """One create call, complete and within the rules."""

    user_id: int
    order_id: str
    gross_amount: int
    payment_type: PaymentType
    life: timedelta
    callback_url: str | None
    customer: Customer | None
    items: tuple[Item, ...]
    metadata: Mapping[str, str]

    def payment(self, payment_id: UUID, *, at: datetime, checkout_token: str) -> Payment:
        """The payment that this order starts."""
        return Payment(
            id=payment_id,
            user_id=self.user_id,
            order_id=self.order_id,
            gross_amount=self.gross_amount,
            payment_type=self.payment_type,
            status=Status.CREATED,
            created_at=at,
            updated_at=at,
            expires_at=at + self.life,
            checkout_token=checkout_token,
            callback_url=self.callback_url,
            metadata=self.metadata,
        )
