"""The process is killed (-9) at one exact instant; the next one's background work finds the truth alone."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import pytest

from integration.disasters.world import World, kill
from support.service import Program

Kill = Callable[[World, Program, str], Awaitable[None]]
# What has to pass until an orphan is asked about, and until an unknown order id proves something.
ORPHANED: Final = 41
NO_CHARGE: Final = 640
LEASE: Final = 31


@asynccontextmanager
async def killed_after(
    world: World, program: Program, change: str, order_id: str, status: str
) -> AsyncIterator[None]:
    """The change that the block brings about is committed; the process dies before it hears of that."""
    async with world.gate(change) as gate:
        yield
        await gate.somebody_waits()
        program.signal(signal.SIGSTOP)
        await gate.opens()
        await world.reaches(order_id, status)
        await kill(program)


@asynccontextmanager
async def killed_before(world: World, program: Program, change: str) -> AsyncIterator[None]:
    """The process dies in the commit of the change that the block brings about, and nothing is stored."""
    async with world.gate(change) as gate:
        yield
        backend = await gate.somebody_waits()
        await kill(program)
        await gate.turns_away(backend)


async def after_the_row(world: World, program: Program, order_id: str) -> None:
    """The row is on disk, and nothing was sent to Midtrans."""
    async with killed_after(world, program, "INSERT ON payment_transactions", order_id, "created"):
        creating = asyncio.create_task(world.create(order_id))
    await asyncio.gather(creating, return_exceptions=True)


async def after_the_charge(world: World, program: Program, order_id: str) -> None:
    """Midtrans has charged, and its answer is on the way."""
    await world.misbehaves("slow-answer", order_id, on="charge")
    creating = asyncio.create_task(world.create(order_id))
    await world.is_charged(order_id)
    await kill(program)
    await asyncio.gather(creating, return_exceptions=True)


async def after_the_answer(world: World, program: Program, order_id: str) -> None:
    """Midtrans's answer was being written, and is lost."""
    async with killed_before(world, program, "UPDATE ON payment_transactions"):
        creating = asyncio.create_task(world.create(order_id))
    await asyncio.gather(creating, return_exceptions=True)
    assert await world.stored(order_id) == "created"


async def after_the_commit(world: World, program: Program, order_id: str) -> None:
    """Midtrans's answer is on disk, and the shop has not been told."""
    async with killed_after(world, program, "UPDATE ON payment_transactions", order_id, "pending"):
        creating = asyncio.create_task(world.create(order_id))
    await asyncio.gather(creating, return_exceptions=True)


def named(kill: Kill) -> str:
    return getattr(kill, "__name__", "")


@pytest.mark.parametrize("killed", [after_the_charge, after_the_answer, after_the_commit], ids=named)
async def test_a_charged_payment_is_found_paid_and_settled_and_nobody_asked(
    world: World, killed: Kill
) -> None:
    order_id = f"found-{named(killed)}"
    await world.misbehaves("notification-dropped", order_id)
    async with world.serving("--no-worker") as program:
        await killed(world, program, order_id)
    await world.pass_time(order_id, ORPHANED)

    async with world.serving():
        await world.ends_as(order_id, "pending")
        await world.happens("pay", order_id)
        await world.ends_as(order_id, "settlement")


async def test_a_payment_that_was_never_charged_ends_as_a_failure(world: World) -> None:
    order_id = "found-after_the_row"
    async with world.serving("--no-worker") as program:
        await after_the_row(world, program, order_id)
    await world.pass_time(order_id, NO_CHARGE)

    async with world.serving():
        await world.reaches(order_id, "failure")

    assert await world.charges(order_id) == []


@pytest.mark.parametrize(
    "killed", [after_the_row, after_the_charge, after_the_answer, after_the_commit], ids=named
)
async def test_the_shop_that_repeats_its_call_gets_one_payment_with_its_qr(
    world: World, killed: Kill
) -> None:
    order_id = f"repeated-{named(killed)}"
    async with world.serving("--no-worker") as program:
        await killed(world, program, order_id)
    await world.pass_time(order_id, LEASE)

    async with world.serving("--no-worker"):
        payment = await world.created(order_id)
        await world.happens("pay", order_id)
        await world.ends_as(order_id, "settlement")

    assert [action["name"] for action in payment["actions"]] == ["qr-code", "deeplink-redirect"]


async def test_an_orphan_is_asked_about_within_a_minute_of_the_start(world: World) -> None:
    """In real time: nothing is moved into the past, and no notification helps."""
    order_id = "orphan"
    await world.misbehaves("notification-dropped", order_id)
    async with world.serving("--no-worker") as program:
        await after_the_charge(world, program, order_id)

    async with world.serving():
        await world.ends_as(order_id, "pending", within=60)


async def test_a_notification_whose_answer_was_lost_with_the_process_is_applied_once(world: World) -> None:
    order_id = "notified-and-killed"
    async with world.serving() as program:
        await world.created(order_id)
        await world.is_told(order_id, "pending")
        async with killed_after(world, program, "INSERT ON payment_webhook_events", order_id, "settlement"):
            await world.happens("pay", order_id)

    async with world.serving():
        await world.midtrans_repeats_itself()
        await world.is_told(order_id, "settlement", times=2)
        await world.ends_as(order_id, "settlement")

    assert await world.changes(order_id) == ["created", "pending", "settlement"]


async def test_a_notification_that_was_not_stored_is_sent_again_to_the_next_process(world: World) -> None:
    order_id = "notified-in-vain"
    async with world.serving() as program:
        await world.created(order_id)
        await world.is_told(order_id, "pending")
        async with killed_before(world, program, "INSERT ON payment_webhook_events"):
            await world.happens("pay", order_id)
    assert await world.stored(order_id) == "pending"

    async with world.serving():
        await world.midtrans_repeats_itself()
        await world.is_told(order_id, "settlement")
        await world.ends_as(order_id, "settlement")


async def test_a_worker_that_dies_with_a_doubtful_notification_in_hand_leaves_it_to_the_next(
    world: World,
) -> None:
    order_id = "doubtful"
    async with world.serving("--no-worker") as program:
        await after_the_charge(world, program, order_id)
    async with world.serving("--no-worker"):
        await world.happens("pay", order_id)
        await world.is_told(order_id, "settlement", processed=False)
        assert await world.stored(order_id) == "created"
        await world.misbehaves("slow-answer", order_id, on="status", times=10)
        async with world.working() as worker:
            await world.is_taken_up(order_id)
            await kill(worker)
        await world.midtrans.delete("/simulator/faults")
        await world.pass_time(order_id, LEASE)

        async with world.working():
            await world.is_told(order_id, "settlement")
            await world.ends_as(order_id, "settlement")
