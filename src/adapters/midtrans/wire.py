"""Midtrans's JSON, as it goes over the wire."""

from typing import Any, Final

import msgspec

from adapters.midtrans.client import Reply
from domain import jakarta
from domain.ports.gateway import Charge, RefundOrder
from domain.rupiah import PaymentType

# docs.midtrans.com, "Item Details Object" and "Customer Details Object".
_ITEM_TEXT: Final = 50
LARGEST_REQUEST: Final = 16_000


def charge_body(charge: Charge) -> bytes:
    """The body of POST /v2/charge; optional parts only where the shop gave them."""
    order = charge.order
    body: dict[str, Any] = {
        "payment_type": order.payment_type,
        "transaction_details": {"order_id": order.order_id, "gross_amount": order.gross_amount},
        # From the moment the row was made, so that Midtrans and the row agree on the end.
        "custom_expiry": {
            "order_time": jakarta.with_offset(charge.ordered_at),
            "expiry_duration": int(order.life.total_seconds() // 60),
            "unit": "minute",
        },
    }
    if order.payment_type is PaymentType.QRIS:
        body["qris"] = {"acquirer": "gopay"}
    elif order.callback_url:
        body["gopay"] = {"enable_callback": True, "callback_url": order.callback_url}
    if order.items:
        body["item_details"] = [
            {
                **({"id": item.id[:_ITEM_TEXT]} if item.id else {}),
                "name": item.name[:_ITEM_TEXT],
                "price": item.price,
                "quantity": item.quantity,
            }
            for item in order.items
        ]
    if order.customer:
        customer = order.customer
        told = {
            "first_name": customer.first_name,
            "last_name": customer.last_name,
            "email": customer.email,
            "phone": customer.phone,
        }
        body["customer_details"] = {name: text for name, text in told.items() if text}
    return msgspec.json.encode(body)


def refund_body(refund: RefundOrder) -> bytes:
    """The body of POST /v2/{id}/refund."""
    body: dict[str, Any] = {"refund_key": refund.key, "amount": refund.amount}
    if refund.reason:
        body["reason"] = refund.reason
    return msgspec.json.encode(body)


class Fields:
    """The fields of one JSON object, read for what they should be."""

    def __init__(self, body: dict[str, Any]) -> None:
        self._body = body

    def _text(self, name: str) -> str | None:
        value = self._body.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        return value if isinstance(value, str) else None

    def text(self, name: str, most: int = 255) -> str | None:
        """A field as text; None where it is absent, empty, over-long or no scalar."""
        value = self._text(name)
        return value if value and len(value) <= most else None

    def objects(self, name: str) -> "list[Fields]":
        """The objects in a list; empty where there is no such list."""
        found = self._body.get(name)
        return [Fields(one) for one in found if isinstance(one, dict)] if isinstance(found, list) else []


class Answer(Fields):
    """A reply read as Midtrans means it: the body's own ``status_code`` counts, HTTP's only without one."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(_object(reply.body))
        self.raw = reply.body
        self.http_status = reply.status
        self.headers = reply.headers
        told = self.text("status_code", 3)
        self.body_code = int(told) if told and told.isascii() and told.isdigit() else None
        self.code = self.body_code or reply.status

    @property
    def message(self) -> str:
        """Midtrans's own words about the reply, with what its validation found."""
        said = [self.text("status_message") or f"HTTP {self.http_status} without a message"]
        found = self._body.get("validation_messages")
        if isinstance(found, list):
            said += [text for text in found if isinstance(text, str)]
        return "; ".join(said)[:500]

    @property
    def json(self) -> str:
        return msgspec.json.encode(self._body).decode()


def _object(body: bytes) -> dict[str, Any]:
    """The body as a JSON object; an empty one for anything that is none, or that Postgres could not keep."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return {}
    return value if isinstance(value, dict) and rb"\u0000" not in body else {}
