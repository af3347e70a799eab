import msgspec

from simulator.core.midtrans import Midtrans
from simulator.core.transaction import Transaction
from simulator.core.transactions import Transactions
from unit.simulator.harness import START, CountingIdentifiers, ManualClock, a_charge


def a_midtrans(told: list[Transaction], *, limit: int) -> Midtrans:
    return Midtrans(
        transactions=Transactions(limit),
        clock=ManualClock(),
        ids=CountingIdentifiers(),
        dashboard_url=None,
        notify=told.append,
    )


def test_every_change_is_told_once() -> None:
    told: list[Transaction] = []
    midtrans = a_midtrans(told, limit=10)
    midtrans.charge(msgspec.json.encode(a_charge()))
    midtrans.status("o-1")
    midtrans.cancel("o-1")
    midtrans.cancel("o-1")
    midtrans.charge(msgspec.json.encode(a_charge(payment_type="paper")))

    assert [transaction.status for transaction in told] == ["pending", "cancel"]
    assert all(transaction.transaction_time <= START for transaction in told)


def test_only_what_is_pending_and_kept_waits_for_its_expiry() -> None:
    midtrans = a_midtrans([], limit=2)
    for order_id in ("o-1", "o-2"):
        midtrans.charge(msgspec.json.encode(a_charge(order_id)))
    assert len(midtrans._expiries) == 2

    midtrans.cancel("o-2")
    assert len(midtrans._expiries) == 1

    for order_id in ("o-3", "o-4"):
        midtrans.charge(msgspec.json.encode(a_charge(order_id)))
    assert len(midtrans._expiries) == 2
