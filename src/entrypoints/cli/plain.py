"""What commands show of a payment as JSON: what the API tells, and what only an operator may know."""

from typing import Any

import msgspec

from domain.history import Entry
from domain.payment import Payment
from domain.refund import Refund
from domain.usecases.refund_changes import by
from entrypoints.http.schemas import event_view, payment_view, refund_view


def plain_payment(payment: Payment) -> dict[str, Any]:
    view: dict[str, Any] = msgspec.to_builtins(payment_view(payment))
    breaks = [{"reason": found.reason, "subject": found.subject} for found in payment.breaks]
    attention = [{"reason": found.reason, "subject": found.subject} for found in payment.attention]
    return view | {"user_id": payment.user_id, "breaks": breaks, "attention": attention}


def plain_refund(refund: Refund, order_id: str) -> dict[str, Any]:
    view: dict[str, Any] = msgspec.to_builtins(refund_view(refund, order_id))
    return view | {"key": refund.key, "by": by(refund.user_id), "attempts": refund.attempts}


def plain_entry(entry: Entry) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(event_view(entry))
    return told
