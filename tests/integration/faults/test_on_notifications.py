"""Every fault that can strike a notification, here of the customer's money."""

from typing import Final

import pytest

from integration.faults import desk
from integration.http.harness import Shop
from simulator.core.faults import FAULTS, Fault, Point
from support.service import eventually

# The money is seen by itself.
SEEN: Final = frozenset(
    {
        Fault.MISSING_FIELDS,
        Fault.UNKNOWN_FIELDS,
        Fault.UPPERCASE_STATUS,
        Fault.NOTIFICATION_DUPLICATED,
        Fault.NOTIFICATION_REORDERED,
        Fault.NOTIFICATION_DELAYED,
        Fault.FORGED_SETTLEMENT,
    }
)
# The background work finds it; and whether what was kept of the notification is verified.
ASKED: Final = {
    Fault.NOTIFICATION_DROPPED: [],
    Fault.NOTIFICATION_FORGED: [False],
    Fault.NOTIFICATION_WRONG_AMOUNT: [True],
    Fault.NOTIFICATION_WRONG_CODE: [True],
}


def test_no_fault_is_left_out() -> None:
    assert SEEN | set(ASKED) == {fault for fault, kind in FAULTS.items() if Point.NOTIFICATION in kind.points}


@pytest.mark.parametrize(
    "fault",
    sorted(SEEN - {Fault.NOTIFICATION_REORDERED, Fault.NOTIFICATION_DELAYED, Fault.FORGED_SETTLEMENT}),
)
async def test_the_money_is_seen_by_itself(shop: Shop, fault: str) -> None:
    await desk.create(shop)
    await shop.has_events(1, "pending")
    await desk.arm(shop, fault, on="notification")

    await desk.pay(shop)
    await shop.reaches(desk.ORDER, "settlement")
    if fault == Fault.NOTIFICATION_DUPLICATED:
        await shop.has_events(2)

    assert await desk.is_over(shop)
    assert [entry.what for entry in await shop.log(desk.ORDER)].count("settlement") == 1
    assert await desk.is_true(shop, "settlement")


async def test_an_older_notification_that_comes_later_changes_nothing(shop: Shop) -> None:
    await desk.arm(shop, Fault.NOTIFICATION_REORDERED)
    await desk.create(shop)

    await desk.pay(shop)
    await shop.has_events(1, "pending")

    assert await desk.is_true(shop, "settlement")
    settled, pending = await shop.events("settlement"), await shop.events("pending")
    assert settled[0]["received_at"] < pending[0]["received_at"]


async def test_a_notification_that_comes_later_moves_the_payment_then(shop: Shop) -> None:
    await desk.create(shop)
    await shop.has_events(1, "pending")
    await desk.arm(shop, Fault.NOTIFICATION_DELAYED)
    await desk.pay(shop)
    meanwhile = await shop.status_of(desk.ORDER)

    await desk.let_pass(shop, 60)
    await shop.reaches(desk.ORDER, "settlement")

    assert meanwhile == "pending"
    assert await desk.is_true(shop, "settlement")


async def test_what_a_stranger_claims_moves_nothing(shop: Shop) -> None:
    await desk.arm(shop, Fault.FORGED_SETTLEMENT)

    await desk.create(shop)
    await shop.has_events(1, "settlement")

    assert await desk.is_true(shop, "pending")
    assert [event["is_verified"] for event in await shop.events()] == [False]
    await desk.pay(shop)
    await shop.reaches(desk.ORDER, "settlement")
    assert await desk.is_true(shop, "settlement")


@pytest.mark.parametrize("fault", sorted(ASKED))
async def test_what_the_notification_did_not_tell_is_found_without_it(shop: Shop, fault: Fault) -> None:
    await desk.create(shop)
    await shop.has_events(1, "pending")
    await desk.arm(shop, fault)
    await desk.pay(shop)
    await shop.has_events(len(ASKED[fault]))
    assert await desk.is_over(shop)
    meanwhile = await shop.stored(desk.ORDER)

    await desk.reconcile(shop)

    assert (meanwhile.status, meanwhile.paid_at) == ("pending", None)
    kept = await shop.events()
    assert [event["is_verified"] for event in kept] == ASKED[fault]
    assert not any(event["processed"] for event in kept)
    assert await desk.is_true(shop, "settlement")


async def test_a_forged_notification_is_refused_each_time_it_is_repeated(shop: Shop) -> None:
    await desk.create(shop)
    await shop.has_events(1, "pending")
    await desk.arm(shop, Fault.NOTIFICATION_FORGED)
    await desk.pay(shop)
    await shop.has_events(1)

    await desk.let_pass(shop, 120)

    async def was_refused_again() -> bool:
        out = {"direction": "out", "status": "403"}
        return len((await shop.midtrans.get("/simulator/log", params=out)).json()["exchanges"]) == 2

    await eventually(was_refused_again)
    assert await shop.status_of(desk.ORDER) == "pending"
