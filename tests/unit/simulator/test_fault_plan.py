import pytest

from simulator.core.fault_plan import Armed, FaultPlan, Occasion, first_that_strikes
from simulator.core.faults import FAULTS, Fault, Point
from simulator.core.transaction import TransactionStatus


def a_call(point: Point = Point.CHARGE) -> Occasion:
    return Occasion(point=point, order_id="o-1", transaction_id="t-1")


def test_every_fault_has_a_name_and_one_line_that_tells_what_it_does() -> None:
    assert set(FAULTS) == set(Fault)
    for fault, kind in FAULTS.items():
        assert fault == fault.lower()
        assert kind.description.endswith(".")
        assert "\n" not in kind.description
        assert kind.points


@pytest.mark.parametrize(
    ("armed", "strikes"),
    [
        (Armed(fault=Fault.ERROR_500), True),
        (Armed(fault=Fault.ERROR_500, on=Point.CHARGE), True),
        (Armed(fault=Fault.ERROR_500, on=Point.STATUS), False),
        (Armed(fault=Fault.ERROR_500, order_id="o-1"), True),
        (Armed(fault=Fault.ERROR_500, order_id="o-2"), False),
        (Armed(fault=Fault.ERROR_500, transaction_id="t-1"), True),
        (Armed(fault=Fault.ERROR_500, transaction_id="t-2"), False),
        (Armed(fault=Fault.ERROR_500, order_id="o-1", transaction_id="t-2"), False),
        (Armed(fault=Fault.NOT_FOUND), False),
        (Armed(fault=Fault.SLOW_ANSWER), False),
    ],
)
def test_a_fault_strikes_what_fits_all_that_it_names(armed: Armed, strikes: bool) -> None:  # noqa: FBT001
    carried_out_here = (Fault.ERROR_500, Fault.NOT_FOUND)

    assert (first_that_strikes([armed], a_call(), carried_out_here) is armed) is strikes


@pytest.mark.parametrize("status", list(TransactionStatus))
def test_a_wrong_code_is_for_settlements_only(status: TransactionStatus) -> None:
    armed = Armed(fault=Fault.NOTIFICATION_WRONG_CODE)
    told = Occasion(point=Point.NOTIFICATION, order_id="o", transaction_id="t", status=status)

    found = first_that_strikes([armed], told, [Fault.NOTIFICATION_WRONG_CODE])

    assert (found is armed) is (status is TransactionStatus.SETTLEMENT)


def test_a_fault_strikes_as_often_as_commanded_and_the_first_commanded_first() -> None:
    plan = FaultPlan()
    plan.arm(Armed(fault=Fault.ERROR_500, times=2))
    plan.arm(Armed(fault=Fault.UNAVAILABLE))
    both = (Fault.UNAVAILABLE, Fault.ERROR_500)

    struck = [plan.take(a_call(), *both) for _ in range(4)]

    assert [one and one.fault for one in struck] == [
        Fault.ERROR_500,
        Fault.ERROR_500,
        Fault.UNAVAILABLE,
        None,
    ]
    assert plan.armed == ()


def test_only_so_many_faults_wait() -> None:
    plan = FaultPlan(limit=1)

    assert plan.arm(Armed(fault=Fault.ERROR_500))
    assert not plan.arm(Armed(fault=Fault.ERROR_500))

    plan.reset()
    assert plan.arm(Armed(fault=Fault.ERROR_500))
