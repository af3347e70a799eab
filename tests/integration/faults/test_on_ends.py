"""Every fault that can strike when a charge is ended at Midtrans: cancelled, or expired.

A charge whose QR is lost is cancelled by the next call of the shop; one that is long overdue is expired by
the background work.
"""

from typing import Final

import pytest

from adapters.midtrans import gateway
from integration.faults import desk
from integration.http.harness import Shop
from simulator.core.faults import FAULTS, Fault, Point

ENDED: Final = frozenset({Fault.MISSING_FIELDS, Fault.UNKNOWN_FIELDS, Fault.UPPERCASE_STATUS})
# An answer about something else is a break, and no word about this one.
BREAKS: Final = {Fault.WRONG_AMOUNT: "amount", Fault.WRONG_ORDER_ID: "order_id"}
NO_WORD: Final = frozenset(
    {
        Fault.ANSWER_LOST,
        Fault.CONNECTION_CLOSED,
        Fault.SLOW_ANSWER,
        Fault.ERROR_500,
        Fault.ERROR_500_TAKEN,
        Fault.BAD_GATEWAY,
        Fault.BAD_GATEWAY_TAKEN,
        Fault.UNAVAILABLE,
        Fault.RATE_LIMITED,
        Fault.UNAUTHORIZED,
        Fault.FRAMEWORK_404,
        Fault.IN_PROCESS,
    }
)


def test_no_fault_is_left_out() -> None:
    told = ENDED | set(BREAKS) | NO_WORD

    for point in (Point.CANCEL, Point.EXPIRE):
        assert told == {fault for fault, kind in FAULTS.items() if point in kind.points}


@pytest.fixture
async def lost(quiet_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop with a charge whose QR was told once, to nobody, and longer ago than its key is known."""
    await desk.arm(quiet_shop, Fault.ANSWER_LOST, on="charge", times=100)
    await desk.create(quiet_shop)
    await desk.disarm(quiet_shop)
    await desk.forget_the_key(quiet_shop)
    monkeypatch.setattr(gateway, "_ATTEMPT", 1.0)
    return quiet_shop


@pytest.fixture
async def overdue(quiet_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop with a payment whose time is long over, and which Midtrans does not end by itself.

    Midtrans's clock was put forward and the shop's was not, so Midtrans tells no end: none is over for both.
    """
    await desk.create(quiet_shop)
    await desk.arm(quiet_shop, Fault.EXPIRED_LATE, seconds=86_400)
    await desk.let_pass(quiet_shop, 4 * desk.QUARTER_OF_AN_HOUR)
    await desk.make_overdue(quiet_shop)
    await desk.arm(quiet_shop, Fault.MISSING_FIELDS, on="status")
    monkeypatch.setattr(gateway, "_ATTEMPT", 1.0)
    return quiet_shop


@pytest.mark.parametrize("fault", sorted(ENDED))
async def test_an_odd_answer_to_a_cancel_is_read_for_what_it_says(lost: Shop, fault: str) -> None:
    await desk.arm(lost, fault, on="cancel")

    answer = await desk.create(lost)

    assert (answer.status_code, answer.json()["code"]) == (502, "charge-lost")
    assert await desk.is_over(lost)
    assert await desk.is_true(lost, "cancel")


@pytest.mark.parametrize("fault", sorted(NO_WORD | set(BREAKS)))
async def test_without_a_word_on_a_cancel_the_next_call_ends_it(lost: Shop, fault: Fault) -> None:
    await desk.arm(lost, fault, on="cancel")

    unknown = await desk.create(lost)
    breaks = [found.reason for found in (await lost.stored(desk.ORDER)).breaks]
    answer = await desk.create(lost)

    assert (unknown.status_code, unknown.json()["code"]) == (504, "outcome-unknown")
    assert breaks == ([BREAKS[fault]] if fault in BREAKS else [])
    assert (answer.status_code, answer.json()["code"]) == (502, "charge-lost")
    assert await desk.is_true(lost, "cancel")


@pytest.mark.parametrize("fault", [None, *sorted(ENDED)])
async def test_an_overdue_payment_is_expired_by_itself(overdue: Shop, fault: str | None) -> None:
    if fault:
        await desk.arm(overdue, fault, on="expire")

    await desk.reconcile(overdue)

    assert await desk.is_over(overdue)
    assert await desk.is_true(overdue, "expire")


@pytest.mark.parametrize("fault", sorted(NO_WORD | set(BREAKS)))
async def test_without_a_word_on_an_expiry_the_next_round_ends_it(overdue: Shop, fault: Fault) -> None:
    await desk.arm(overdue, fault, on="expire")

    await desk.reconcile(overdue)
    meanwhile = await overdue.stored(desk.ORDER)
    await desk.arm(overdue, Fault.MISSING_FIELDS, on="status")
    await desk.reconcile(overdue)

    assert meanwhile.status == "pending"
    assert [found.reason for found in meanwhile.breaks] == ([BREAKS[fault]] if fault in BREAKS else [])
    assert await desk.is_true(overdue, "expire")


async def test_one_that_lives_longer_at_midtrans_than_its_row_says_is_not_ended(overdue: Shop) -> None:
    await desk.disarm(overdue)

    await desk.reconcile(overdue)

    assert await desk.is_true(overdue, "pending")


async def test_money_that_is_faster_than_the_expiry_is_settled(overdue: Shop) -> None:
    await desk.pay(overdue)

    await desk.reconcile(overdue)

    assert not (await overdue.stored(desk.ORDER)).late
    assert await desk.is_true(overdue, "settlement")
