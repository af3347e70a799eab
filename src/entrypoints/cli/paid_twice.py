"""Which money of a payment that was paid twice went back, and which is still here."""

from collections.abc import Sequence
from typing import Any

from domain.payment import Payment
from domain.refund import Refund, back_of, paid_transactions
from entrypoints.cli.output import rupiah, show_table


def show_transactions(payment: Payment, refunds: Sequence[Refund]) -> None:
    """A line for each of its paid transactions; nothing where there are no two."""
    found = plain_transactions(payment, refunds)
    if len(found) > 1:
        show_table(
            ["paid transaction", "amount", "went back", "kept"],
            [
                [one["transaction_id"], *(rupiah(one[part]) for part in ("amount", "refunded", "kept"))]
                for one in found
            ],
        )


def plain_transactions(payment: Payment, refunds: Sequence[Refund]) -> list[dict[str, Any]]:
    """The same as JSON, of however many there are; of a second one only our own refunds are known."""
    paid = payment.gross_amount
    backs = {one: back_of(payment, refunds, one) for one in paid_transactions(payment)}
    return [
        {"transaction_id": one, "amount": paid, "refunded": back, "kept": paid - back}
        for one, back in backs.items()
    ]
