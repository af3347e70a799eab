from datetime import timedelta

import msgspec

from simulator.core.fault_plan import Armed, FaultPlan
from simulator.core.faults import Fault
from simulator.core.midtrans import Midtrans
from simulator.core.transaction import PaidBy, Transaction
from simulator.core.transactions import Transactions
from support.simulator_desk import START, CountingIdentifiers, ManualClock, a_charge


def a_midtrans(told: list[Transaction], *, limit: int, faults: FaultPlan | None = None) -> Midtrans:
    return Midtrans(
        transactions=Transactions(limit),
        clock=ManualClock(),
        ids=CountingIdentifiers(),
        dashboard_url=None,
        notify=told.append,
        refund_confirmation=timedelta(days=1),
        faults=faults or FaultPlan(),
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


def test_nothing_waits_for_a_transaction_that_left() -> None:
    faults = FaultPlan()
    midtrans = a_midtrans([], limit=1, faults=faults)
    for number in range(10):
        midtrans.charge(msgspec.json.encode(a_charge(f"paid-{number}")))
        paid = midtrans.pay(found(midtrans, f"paid-{number}"), PaidBy.QR)
        midtrans.refund(paid.transaction_id, b'{"amount":1}', directly=False)
        midtrans.refund(paid.transaction_id, b'{"amount":1}', directly=False)
        faults.arm(Armed(fault=Fault.PAID_LATE))
        midtrans.charge(msgspec.json.encode(a_charge(f"cancelled-{number}")))
        midtrans.cancel(f"cancelled-{number}")

    waiting = (midtrans._expiries, midtrans._confirmations, midtrans._late_payments)
    assert [len(schedule) for schedule in waiting] == [0, 0, 1]


def found(midtrans: Midtrans, any_id: str) -> Transaction:
    transaction = midtrans.find(any_id)
    assert transaction is not None
    return transaction
