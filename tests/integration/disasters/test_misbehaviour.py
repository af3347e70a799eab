"""Midtrans misbehaves; nobody asks for the payment again, and it ends as what Midtrans holds true."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import pytest

from integration.disasters.world import World
from support.service import Program

# What has to pass until an open payment is asked about, an orphan, and one that ended unpaid.
NEXT_LOOK: Final = 125
ORPHANED: Final = 41
LATE_MONEY: Final = 11 * 60
# More often than the service attempts anything.
ALWAYS: Final = 100


@pytest.fixture(scope="module", autouse=True)
async def service(world: World) -> AsyncIterator[Program]:
    """One service with its background work, for all of these."""
    async with world.serving() as program:
        yield program


@pytest.mark.parametrize(
    "fault",
    [
        "answer-lost",
        "connection-closed",
        "error-500-taken",
        "bad-gateway-taken",
        "in-process",
        "wrong-amount",
        "missing-fields",
        "notification-first",
    ],
)
async def test_a_charge_that_goes_wrong_once_is_one_charge_and_settles(world: World, fault: str) -> None:
    order_id = f"charge-{fault}"
    await world.misbehaves(fault, order_id, on="charge")

    payment = await world.created(order_id)
    await world.happens("pay", order_id)

    await world.ends_as(order_id, "settlement")
    assert payment["actions"]


async def test_a_charge_whose_answer_is_lost_for_good_is_found(world: World) -> None:
    order_id = "never-answered"
    await world.misbehaves("notification-dropped", order_id)
    await world.misbehaves("answer-lost", order_id, on="charge", times=ALWAYS)

    answer = await world.create(order_id)
    assert (answer.status_code, answer.json()["code"]) == (504, "outcome-unknown")
    await world.pass_time(order_id, ORPHANED)

    await world.ends_as(order_id, "pending")


async def test_a_customer_who_pays_before_the_charge_is_answered_has_paid(world: World) -> None:
    order_id = "paid-before-the-answer"
    await world.misbehaves("slow-answer", order_id, on="charge", seconds=5)

    creating = asyncio.create_task(world.create(order_id))
    await world.is_charged(order_id)
    await world.happens("pay", order_id)

    await world.ends_as(order_id, "settlement")
    answer = await creating
    assert (answer.status_code, answer.json()["status"]) == (201, "settlement")
    await world.ends_as(order_id, "settlement")


@pytest.mark.parametrize("fault", ["notification-duplicated", "forged-settlement", "uppercase-status"])
async def test_a_settlement_that_is_told_oddly_settles_once(world: World, fault: str) -> None:
    order_id = f"settled-{fault}"
    await world.created(order_id)
    await world.is_told(order_id, "pending")
    await world.misbehaves(fault, order_id, on="notification")

    await world.happens("pay", order_id)

    await world.ends_as(order_id, "settlement")
    assert await world.changes(order_id) == ["created", "pending", "settlement"]


async def test_a_settlement_that_is_told_before_the_pending_settles_once(world: World) -> None:
    order_id = "reordered"
    await world.misbehaves("notification-reordered", order_id)

    await world.created(order_id)
    await world.happens("pay", order_id)

    await world.is_told(order_id, "pending")
    await world.ends_as(order_id, "settlement")
    assert await world.changes(order_id) == ["created", "pending", "settlement"]


@pytest.mark.parametrize(
    "fault",
    [
        "notification-dropped",
        "notification-forged",
        "notification-wrong-amount",
        "notification-wrong-code",
    ],
)
async def test_a_settlement_that_no_good_notification_tells_is_asked_for(world: World, fault: str) -> None:
    order_id = f"untold-{fault}"
    await world.created(order_id)
    await world.is_told(order_id, "pending")
    await world.misbehaves(fault, order_id, on="notification")

    await world.happens("pay", order_id)
    assert await world.stored(order_id) == "pending"
    await world.pass_time(order_id, NEXT_LOOK)

    await world.ends_as(order_id, "settlement")


async def test_a_forged_settlement_moves_nothing(world: World) -> None:
    order_id = "forged"
    await world.misbehaves("forged-settlement", order_id)

    await world.created(order_id)

    await world.has_refused_a_forgery(order_id)
    await world.is_told(order_id, "pending")
    await world.ends_as(order_id, "pending")


@pytest.mark.parametrize("told", [True, False], ids=["told", "untold"])
async def test_money_that_comes_after_the_expiry_is_late_and_waits_for_a_person(
    world: World, *, told: bool
) -> None:
    order_id = f"late-{told}".lower()
    await world.created(order_id)
    await world.is_told(order_id, "pending")
    await world.happens("expire", order_id)
    await world.ends_as(order_id, "expire")
    await world.is_told(order_id, "expire")
    if not told:
        await world.misbehaves("notification-dropped", order_id)

    await world.misbehaves("paid-late", order_id)
    await world.pass_time(order_id, LATE_MONEY)

    await world.ends_as(order_id, "settlement")
    assert await world.needs_a_person(order_id)


async def test_an_expiry_and_late_money_that_nobody_told_is_found(world: World) -> None:
    order_id = "expired-and-paid-untold"
    await world.created(order_id)
    await world.is_told(order_id, "pending")
    await world.misbehaves("notification-dropped", order_id, times=ALWAYS)
    await world.misbehaves("paid-late", order_id)
    await world.happens("expire", order_id)
    await world.pass_time(order_id, NEXT_LOOK)

    await world.ends_as(order_id, "settlement")
