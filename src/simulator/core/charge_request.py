"""Reading the body of a charge."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from simulator.core.answers import MALFORMED, UNEXPECTED, Refused, invalid
from simulator.core.expiry import longest_expiry, read_expiry_time
from simulator.core.fields import Fields
from simulator.core.transaction import Acquirer, Customer, PaymentType

# docs.midtrans.com/reference/transaction-details-object.
_ORDER_ID: Final = re.compile(r"[A-Za-z0-9\-_~.]*")
_LONGEST_ORDER_ID: Final = 50
# docs.midtrans.com, page on minimum and maximum transaction amounts.
_LARGEST_AMOUNT: Final[Mapping[PaymentType, int]] = {
    PaymentType.GOPAY: 20_000_000,
    PaymentType.QRIS: 10_000_000,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeRequest:
    """A charge that can be taken, unless its order id is in use."""

    payment_type: PaymentType
    acquirer: Acquirer
    order_id: str
    amount: int
    expiry_time: datetime
    callback_url: str | None
    custom_fields: tuple[str | None, str | None, str | None]
    metadata: bytes | None
    customer: Customer | None


def read_charge_request(body: bytes, *, at: datetime) -> ChargeRequest | Refused:
    """Read a charge that arrives at that time, or refuse it with everything that is wrong."""
    try:
        parts = msgspec.json.decode(body.decode(), type=dict[str, msgspec.Raw])
        # Echoed as it came, never looked into: it may hold numbers that Python cannot.
        metadata = bytes(parts.pop("metadata", b"null"))
        values = {name: msgspec.json.decode(part) for name, part in parts.items()}
    except (msgspec.DecodeError, ValueError, RecursionError):
        return UNEXPECTED if body.strip() == b"null" else MALFORMED

    complaints: list[str] = []
    charge = Fields(values, complaints)
    payment_type = _read_payment_type(charge)
    details = charge.section("transaction_details")
    order_id = _read_order_id(details)
    amount = _read_amount(details, payment_type)
    if amount is not None and _read_sum_of_items(charge) not in {None, amount}:
        details.complain("gross_amount", "is not equal to the sum of item_details")
    acquirer = _read_acquirer(charge, payment_type)
    gopay = charge.section("gopay")
    callback_url = gopay.text("callback_url") if gopay.flag("enable_callback") else None
    expiry_time = read_expiry_time(charge, at=at)
    customer = _read_customer(charge)
    custom_fields = (
        charge.text("custom_field1"),
        charge.text("custom_field2"),
        charge.text("custom_field3"),
    )
    if metadata != b"null" and not metadata.startswith(b"{"):
        charge.complain("metadata", "is not an object")

    if complaints or payment_type is None or order_id is None or amount is None:
        return invalid(tuple(complaints))
    return ChargeRequest(
        payment_type=payment_type,
        acquirer=acquirer,
        order_id=order_id,
        amount=amount,
        expiry_time=min(expiry_time, at + longest_expiry(payment_type, acquirer)),
        callback_url=callback_url,
        custom_fields=custom_fields,
        metadata=None if metadata == b"null" else metadata,
        customer=customer,
    )


def _read_payment_type(charge: Fields) -> PaymentType | None:
    text = charge.text("payment_type", required=True)
    if text is None:
        return None
    try:
        return PaymentType(text)
    except ValueError:
        charge.complain("payment_type", "is not supported")
        return None


def _read_order_id(details: Fields) -> str | None:
    order_id = details.text("order_id", required=True, longest=_LONGEST_ORDER_ID)
    if order_id is not None and not _ORDER_ID.fullmatch(order_id):
        details.complain("order_id", "contains characters that are not allowed")
    return order_id


def _read_amount(details: Fields, payment_type: PaymentType | None) -> int | None:
    amount = details.number("gross_amount", required=True)
    if amount is None:
        return None
    if amount < 1:
        details.complain("gross_amount", "must be greater than or equal to 1")
    elif payment_type is not None and amount > _LARGEST_AMOUNT[payment_type]:
        largest = _LARGEST_AMOUNT[payment_type]
        details.complain("gross_amount", f"must be less than or equal to {largest}")
    return amount


def _read_sum_of_items(charge: Fields) -> int | None:
    """Sum the items up; None when there are none, or none that can be summed up."""
    prices: list[int] = []
    items = charge.sections("item_details")
    for item in items:
        item.text("name", required=True)
        price = item.number("price", required=True)
        quantity = item.number("quantity", required=True)
        if price is not None and quantity is not None:
            prices.append(price * quantity)
    return sum(prices) if items and len(prices) == len(items) else None


def _read_acquirer(charge: Fields, payment_type: PaymentType | None) -> Acquirer:
    qris = charge.section("qris")
    text = qris.text("acquirer")
    if payment_type is not PaymentType.QRIS or text is None:
        return Acquirer.GOPAY
    try:
        return Acquirer(text)
    except ValueError:
        qris.complain("acquirer", "is not supported")
        return Acquirer.GOPAY


def _read_customer(charge: Fields) -> Customer | None:
    details = charge.section("customer_details")
    names = (details.text("first_name"), details.text("last_name"))
    customer = Customer(
        full_name=" ".join(name for name in names if name) or None,
        email=details.text("email"),
        phone=details.text("phone"),
    )
    return None if customer == Customer(full_name=None, email=None, phone=None) else customer
