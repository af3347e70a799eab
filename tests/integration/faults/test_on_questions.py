"""Every fault that can strike GET status, after money came of which no notification told."""

from typing import Final

import pytest

from adapters.midtrans import gateway
from integration.faults import desk
from integration.http.harness import Shop
from simulator.core.faults import FAULTS, Fault, Point

READ: Final = frozenset({Fault.MISSING_FIELDS, Fault.UNKNOWN_FIELDS, Fault.UPPERCASE_STATUS})
NO_WORD: Final = frozenset(
    {
        Fault.CONNECTION_CLOSED,
        Fault.SLOW_ANSWER,
        Fault.ERROR_500,
        Fault.BAD_GATEWAY,
        Fault.UNAVAILABLE,
        Fault.RATE_LIMITED,
        Fault.UNAUTHORIZED,
        Fault.FRAMEWORK_404,
    }
)
BREAKS: Final = {Fault.WRONG_AMOUNT: "amount", Fault.WRONG_ORDER_ID: "order_id"}


def test_no_fault_is_left_out() -> None:
    told = READ | NO_WORD | set(BREAKS) | {Fault.NOT_FOUND}

    assert told == {fault for fault, kind in FAULTS.items() if Point.STATUS in kind.points}


@pytest.mark.parametrize("fault", sorted(READ))
async def test_an_odd_answer_is_read_for_what_it_says(quiet_shop: Shop, fault: str) -> None:
    await desk.create(quiet_shop)
    await desk.pay(quiet_shop)
    await desk.arm(quiet_shop, fault, on="status")

    assert await desk.ask(quiet_shop)
    assert await desk.is_over(quiet_shop)
    assert await desk.is_true(quiet_shop, "settlement")


@pytest.mark.parametrize("fault", sorted(READ | NO_WORD | set(BREAKS) | {Fault.NOT_FOUND}))
async def test_the_background_work_finds_the_money_whatever_the_first_answer(
    quiet_shop: Shop, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "_ATTEMPT", 1.0)
    await desk.create(quiet_shop)
    await desk.pay(quiet_shop)
    await desk.arm(quiet_shop, fault, on="status")

    for _ in range(2):
        await desk.reconcile(quiet_shop)

    assert await desk.is_over(quiet_shop)
    assert await desk.is_true(quiet_shop, "settlement")


@pytest.mark.parametrize("fault", sorted(NO_WORD))
async def test_no_answer_proves_nothing_and_the_next_one_does(
    quiet_shop: Shop, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "_ATTEMPT", 1.0)
    await desk.create(quiet_shop)
    await desk.pay(quiet_shop)
    await desk.arm(quiet_shop, fault, on="status")

    answered, status = await desk.ask(quiet_shop), await quiet_shop.status_of(desk.ORDER)

    assert (answered, status) == (False, "pending")
    assert await desk.ask(quiet_shop)
    assert await desk.is_true(quiet_shop, "settlement")


@pytest.mark.parametrize("fault", sorted(BREAKS))
async def test_an_answer_about_something_else_is_a_break_and_moves_nothing(
    quiet_shop: Shop, fault: Fault
) -> None:
    await desk.create(quiet_shop)
    await desk.pay(quiet_shop)
    await desk.arm(quiet_shop, fault, on="status")

    await desk.ask(quiet_shop)
    meanwhile = await quiet_shop.stored(desk.ORDER)
    await desk.ask(quiet_shop)

    assert (meanwhile.status, meanwhile.paid_at) == ("pending", None)
    assert [found.reason for found in meanwhile.breaks] == [BREAKS[fault]]
    assert await desk.is_true(quiet_shop, "settlement")


async def test_that_a_charge_is_unknown_proves_nothing_once_it_was_answered(quiet_shop: Shop) -> None:
    await desk.create(quiet_shop)
    await desk.pay(quiet_shop)
    await desk.arm(quiet_shop, Fault.NOT_FOUND)

    answered, status = await desk.ask(quiet_shop), await quiet_shop.status_of(desk.ORDER)

    assert (answered, status) == (True, "pending")
    assert await desk.ask(quiet_shop)
    assert await desk.is_true(quiet_shop, "settlement")


async def test_that_a_charge_is_unknown_proves_nothing_while_it_may_be_under_way(quiet_shop: Shop) -> None:
    await desk.arm(quiet_shop, Fault.ANSWER_LOST, on="charge", times=100)
    await desk.create(quiet_shop)
    await desk.disarm(quiet_shop)
    await desk.arm(quiet_shop, Fault.NOT_FOUND)

    answered, status = await desk.ask(quiet_shop), await quiet_shop.status_of(desk.ORDER)

    assert (answered, status) == (True, "created")
    assert await desk.ask(quiet_shop)
    assert await desk.is_true(quiet_shop, "pending")
