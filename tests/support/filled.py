"""Very many payments at once, with the logs that the service itself would have written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from domain.decide import decide
from domain.history import Entry
from support.builders import a_charge_answer, a_status_reply, an_opened_payment

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    import asyncpg

    from domain.evidence import Evidence
    from domain.payment import Payment

Logged = tuple["Payment", tuple[Entry, ...]]
_PAYMENT: Final = (
    "id",
    "user_id",
    "order_id",
    "gross_amount",
    "payment_type",
    "status",
    "created_at",
    "updated_at",
    "expires_at",
    "paid_at",
    "log_length",
    "log_head",
)
_ENTRY: Final = ("payment_id", "seq", "recorded_at", "what", "source", "status", "digest")


def charged(order_id: str, **changes: Any) -> Logged:
    """A pending payment, of transaction ``t-`` and its order id."""
    opened = an_opened_payment(order_id=order_id, **changes)
    answer = a_charge_answer(transaction_id=f"t-{order_id}", raw=f'{{"charged": "{order_id}"}}'.encode())
    return _after(opened, answer)


def settled(order_id: str, **changes: Any) -> Logged:
    """A paid one: three entries, two of them proven by bytes."""
    reply = a_status_reply(
        order_id=order_id, transaction_id=f"t-{order_id}", raw=f'{{"settled": "{order_id}"}}'.encode()
    )
    return _after(charged(order_id, **changes), reply)


def _after(logged: Logged, evidence: Evidence) -> Logged:
    payment, entries = logged
    decision = decide(payment, evidence)
    return decision.payment, entries + decision.entries


async def fill(
    connection: asyncpg.Connection[Any], payments: Iterable[Logged], *, due_at: datetime | None
) -> None:
    """Store them, and a user 1 that has them; Midtrans is to be asked about each at ``due_at``, or never."""
    logged = list(payments)
    entries = [entry for _, log in logged for entry in log]
    rows = [
        (*(getattr(payment, name) for name in _PAYMENT), payment.transaction_id, due_at)
        for payment, _ in logged
    ]
    await connection.execute("INSERT INTO users (id) VALUES (1) ON CONFLICT DO NOTHING")
    await connection.copy_records_to_table(
        "payment_transactions", records=rows, columns=(*_PAYMENT, "midtrans_transaction_id", "due_at")
    )
    await connection.copy_records_to_table(
        "payment_events",
        records=[
            (*(getattr(entry, name) for name in _ENTRY), json.dumps(dict(entry.detail)), entry.raw or None)
            for entry in entries
        ],
        columns=(*_ENTRY, "detail", "evidence"),
    )
