from collections.abc import Callable
from datetime import timedelta

import pytest

from simulator.core.refund import Refund
from simulator.core.transaction import (
    IllegalTransitionError,
    PaidBy,
    Settlement,
    Transaction,
    TransactionStatus,
)
from support.simulator_desk import START, a_transaction


def a_refund(number: int, amount: int) -> Refund:
    return Refund(
        number=number,
        uuid=f"u-{number}",
        key=f"k-{number}",
        amount=amount,
        reason=None,
        created_at=START + timedelta(minutes=number),
    )


def settled(transaction: Transaction) -> Transaction:
    return transaction.settled(
        Settlement(
            settlement_time=START, paid_by=PaidBy.DEEPLINK, issuer="gopay", merchant_cross_reference_id="x"
        )
    )


MOVES: dict[TransactionStatus, Callable[[Transaction], Transaction]] = {
    TransactionStatus.SETTLEMENT: settled,
    TransactionStatus.DENY: Transaction.denied,
    TransactionStatus.EXPIRE: Transaction.expired,
    TransactionStatus.CANCEL: Transaction.cancelled,
    TransactionStatus.REFUND: lambda transaction: transaction.refunded(
        a_refund(1, transaction.refundable_amount)
    ),
    TransactionStatus.PARTIAL_REFUND: lambda transaction: transaction.refunded(a_refund(1, 1)),
    TransactionStatus.CHARGEBACK: lambda transaction: transaction.charged_back(whole=True),
    TransactionStatus.PARTIAL_CHARGEBACK: lambda transaction: transaction.charged_back(whole=False),
}
# How to come there from pending.
PATHS: dict[TransactionStatus, list[TransactionStatus]] = {
    TransactionStatus.PENDING: [],
    TransactionStatus.SETTLEMENT: [TransactionStatus.SETTLEMENT],
    TransactionStatus.DENY: [TransactionStatus.DENY],
    TransactionStatus.EXPIRE: [TransactionStatus.EXPIRE],
    TransactionStatus.CANCEL: [TransactionStatus.CANCEL],
    TransactionStatus.REFUND: [TransactionStatus.SETTLEMENT, TransactionStatus.REFUND],
    TransactionStatus.PARTIAL_REFUND: [TransactionStatus.SETTLEMENT, TransactionStatus.PARTIAL_REFUND],
    TransactionStatus.CHARGEBACK: [TransactionStatus.SETTLEMENT, TransactionStatus.CHARGEBACK],
    TransactionStatus.PARTIAL_CHARGEBACK: [
        TransactionStatus.SETTLEMENT,
        TransactionStatus.PARTIAL_CHARGEBACK,
    ],
}
# docs.midtrans.com/docs/https-notification-webhooks, drawn once more.
LEGAL = {
    ("pending", "settlement"),
    ("pending", "deny"),
    ("pending", "expire"),
    ("pending", "cancel"),
    ("settlement", "refund"),
    ("settlement", "partial_refund"),
    ("settlement", "chargeback"),
    ("settlement", "partial_chargeback"),
    ("partial_refund", "partial_refund"),
    ("partial_refund", "refund"),
    ("partial_chargeback", "chargeback"),
}


@pytest.mark.parametrize("to", list(MOVES))
@pytest.mark.parametrize("start", list(TransactionStatus))
def test_a_status_leads_only_where_the_picture_says(start: TransactionStatus, to: TransactionStatus) -> None:
    transaction = a_transaction(1)
    for step in PATHS[start]:
        transaction = MOVES[step](transaction)

    if (start, to) in LEGAL:
        assert MOVES[to](transaction).status == to
        assert transaction.status == start
    else:
        with pytest.raises(IllegalTransitionError):
            MOVES[to](transaction)


def test_the_refund_that_was_confirmed_last_is_the_latest() -> None:
    transaction = settled(a_transaction(1)).refunded(a_refund(1, 1)).refunded(a_refund(2, 2))
    assert transaction.latest_refund == a_refund(2, 2)

    confirmed = transaction.with_refund_confirmed("u-1", START + timedelta(hours=1))

    assert confirmed.latest_refund is not None
    assert confirmed.latest_refund.key == "k-1"
    assert confirmed.refunded_amount == 3


def test_only_the_first_refusal_under_a_key_counts() -> None:
    once = settled(a_transaction(1)).with_refund_refused("k", START)

    assert once.with_refund_refused("k", START + timedelta(days=1)) == once
