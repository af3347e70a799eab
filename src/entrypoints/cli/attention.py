"""What needs a person, and what to do about each of it."""

import shlex
from typing import Final

from domain.payment import LATE, MISSING_THERE, NOT_CONFIRMED, Break, Payment
from domain.status import REFUNDS
from entrypoints.cli.output import rupiah, show_json, show_table
from entrypoints.cli.session import DATABASE, with_container
from entrypoints.container import Container

_NOTE: Final = '--note "…"'
# A refund without an outcome: no disagreement yet, and off the list by itself once there is one.
_STUCK: Final = "refund_stuck"
# An event that an enabled endpoint did not take for a day, until it is sent again.
_GAVE_UP: Final = "event_gave_up"


def show_attention(*, limit: int, as_json: bool) -> None:
    """One line for each thing that needs a person, with the next command to run."""

    async def do(container: Container) -> list[tuple[Payment, Break]]:
        payments = await container.reader().attention(limit=limit)
        found = [(payment, what) for payment in payments for what in payment.attention]
        async with container.begin()() as work:
            stuck = await work.refunds.stuck(limit=limit)
            gave_up = await work.deliveries.page(failed=True, enabled=True, limit=limit)
        for one in stuck:
            payment = await container.reader().find(one.order_id)
            if payment is not None:
                found.append((payment, Break(reason=_STUCK, subject=str(one.refund.id))))
        found.sort(key=lambda line: line[0].updated_at, reverse=True)
        # After all that is about money: what the shop was not told it may know by reading.
        for order_id, event_id in dict.fromkeys((one.order_id, one.event_id) for one in gave_up):
            payment = await container.reader().find(order_id) if len(found) < limit else None
            if payment is not None:
                found.append((payment, Break(reason=_GAVE_UP, subject=str(event_id))))
        return found[:limit]

    found = with_container(DATABASE, do)
    if as_json:
        show_json(
            [
                {
                    "order_id": payment.order_id,
                    "status": payment.status,
                    "gross_amount": payment.gross_amount,
                    "user_id": payment.user_id,
                    "updated_at": payment.updated_at.isoformat(),
                    "reason": what.reason,
                    "subject": what.subject,
                    "next": next_command(payment, what),
                }
                for payment, what in found
            ]
        )
        return
    show_table(
        ["order id", "status", "amount", "changed (UTC)", "what", "next"],
        [
            [
                payment.order_id,
                payment.status,
                rupiah(payment.gross_amount),
                payment.updated_at,
                f"{what.reason} ({what.subject})",
                next_command(payment, what),
            ]
            for payment, what in found
        ],
    )


def next_command(payment: Payment, what: Break) -> str:
    """The command that goes on from here, ready to copy."""
    # An earlier service may have allowed blanks in its ids, and worse.
    order_id = shlex.quote(payment.order_id)
    attended = f"bayar payments attend {order_id} {_NOTE}"
    if what.reason == LATE:
        return f"bayar payments refund {order_id}, or deliver and {attended}"
    if what.reason == "paid_twice" and payment.status in REFUNDS:
        # The payment stands for the refunded one of the two now; the other one's money is the order's.
        back = f"{rupiah(payment.refunded_amount)} of transaction {payment.transaction_id} went back"
        kept = f"bayar payments show {order_id} says what is kept"
        return f"{back}, and {what.subject} was paid, too; {kept}, then {attended}"
    if what.reason == "paid_twice":
        return f"bayar payments refund {order_id} --transaction {shlex.quote(what.subject)}, then {attended}"
    if what.reason in {"refund_unknown", "refund_after_refusal", "refund_amount"}:
        return f"compare refund {what.subject} with the dashboard, then {attended}"
    if what.reason == _STUCK:
        return f"bayar doctor, then bayar payments sync {order_id}; the refund is repeated by itself"
    if what.reason == _GAVE_UP:
        return f"bayar deliveries list {order_id}, then bayar deliveries resend {what.subject}"
    if what.reason in {MISSING_THERE, NOT_CONFIRMED}:
        return f"bayar payments sync {order_id}, then {attended}"
    return f"bayar payments show {order_id}, then {attended}"
