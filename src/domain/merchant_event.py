"""What a payment's changes tell the shop: an event for each that is news to it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid5

from domain.history import Entry
from domain.payment import Payment
from domain.status import MONEY_BACK, PAID

PAID_TWICE: Final = "payment.paid_twice"
_SECOND_PAYMENT: Final = "break_paid_twice"
# Made once: every change of a payment passes here.
_JSON: Final = json.JSONEncoder(separators=(",", ":"))


@dataclass(frozen=True, kw_only=True, slots=True)
class MerchantEvent:
    """One change as the shop is told of it.

    ``id`` is the same however often it is told, for the shop to tell repeats by; ``body`` is JSON, and the
    same to the byte each time. ``seq`` is the log entry's, so later changes of a payment have a higher one.
    """

    id: UUID
    payment_id: UUID
    seq: int
    type: str
    body: str = field(repr=False)


def news(payment: Payment, entries: Sequence[Entry]) -> tuple[MerchantEvent, ...]:
    """The events of a change: of its log entries, and of the payment as it is stored with them.

    That a payment was created is no news, as the call that creates it is answered with it.
    """
    return tuple(_event(payment, entry, kind) for entry in entries for kind in _kinds(entry))


def _kinds(entry: Entry) -> tuple[str, ...]:
    moved = "from" in entry.detail or "refunded_amount" in entry.detail
    twice = _SECOND_PAYMENT in entry.detail
    return (*([f"payment.{entry.status}"] if moved else []), *([PAID_TWICE] if twice else []))


def _event(payment: Payment, entry: Entry, kind: str) -> MerchantEvent:
    body = {
        "type": kind,
        "timestamp": _rfc3339(entry.recorded_at),
        "data": _data(payment, entry) | _more(entry, kind),
    }
    return MerchantEvent(
        id=uuid5(payment.id, f"{entry.seq} {kind}"),
        payment_id=payment.id,
        seq=entry.seq,
        type=kind,
        body=_JSON.encode(body),
    )


def _data(payment: Payment, entry: Entry) -> dict[str, Any]:
    """The payment after the entry: of several in one change, an earlier one tells no more than its own."""
    is_paid = entry.status in PAID
    return {
        "order_id": payment.order_id,
        "status": entry.status,
        "late": payment.late and is_paid,
        "gross_amount": payment.gross_amount,
        "refunded_amount": payment.refunded_amount if entry.status in MONEY_BACK else 0,
        "currency": "IDR",
        "payment_type": payment.payment_type,
        "transaction_id": payment.transaction_id,
        "metadata": dict(payment.metadata),
        "created_at": _rfc3339(payment.created_at),
        "updated_at": _rfc3339(payment.updated_at),
        "expires_at": _rfc3339(payment.expires_at),
        "paid_at": _rfc3339(payment.paid_at) if payment.paid_at and is_paid else None,
    }


def _more(entry: Entry, kind: str) -> dict[str, Any]:
    """Of a second payment its transaction, which is what to refund it by."""
    return {"second_transaction_id": entry.detail[_SECOND_PAYMENT]} if kind == PAID_TWICE else {}


def _rfc3339(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
