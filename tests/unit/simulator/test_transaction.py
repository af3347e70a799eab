from collections.abc import Callable

import pytest

from simulator.core.transaction import (
    IllegalTransitionError,
    PaidBy,
    Settlement,
    Transaction,
    TransactionStatus,
)
from unit.simulator.harness import START, a_transaction

MOVES: dict[TransactionStatus, Callable[[Transaction], Transaction]] = {
    TransactionStatus.SETTLEMENT: lambda transaction: transaction.settled(
        Settlement(settlement_time=START, paid_by=PaidBy.DEEPLINK, merchant_cross_reference_id="x")
    ),
    TransactionStatus.EXPIRE: Transaction.expired,
    TransactionStatus.CANCEL: Transaction.cancelled,
}


@pytest.mark.parametrize("to", MOVES)
def test_a_pending_transaction_can_end_in_every_way(to: TransactionStatus) -> None:
    pending = a_transaction(1)

    assert MOVES[to](pending).status is to
    assert pending.status is TransactionStatus.PENDING


@pytest.mark.parametrize("end", MOVES)
@pytest.mark.parametrize("to", MOVES)
def test_an_end_is_the_end(end: TransactionStatus, to: TransactionStatus) -> None:
    ended = MOVES[end](a_transaction(1))

    with pytest.raises(IllegalTransitionError):
        MOVES[to](ended)
