"""Telling the shop: every event, in order per payment, at least once, whatever happens on the way."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable
from typing import Final

import pytest

from domain.delivery import Answer, Answered, Delivered, Failed, Unreached
from domain.errors import DatabaseUnavailable
from domain.ports.deliveries import DeliveryState
from domain.ports.merchant import Message
from domain.usecases.deliver_events import Attempt, DeliverEvents
from support.fake_merchant import ScriptedMerchant, SteadyChance
from support.fakes import InMemoryUnitOfWork, ManualClock
from support.merchant import OTHER_SECRET, SECRET, happens, is_paid, listens, paid, pending, refunded
from support.service import eventually

HOUR: Final = 3600
AWAY: Final = Unreached(reason="no connection: Connection refused")


@pytest.fixture
def merchant(begin: InMemoryUnitOfWork) -> ScriptedMerchant:
    return ScriptedMerchant(begin=begin)


@pytest.fixture
def attempts() -> list[Attempt]:
    return []


@pytest.fixture
def worker_of(
    begin: InMemoryUnitOfWork, merchant: ScriptedMerchant, clock: ManualClock, attempts: list[Attempt]
) -> Callable[[], DeliverEvents]:
    """A worker; each is as if in a process of its own."""

    def worker() -> DeliverEvents:
        return DeliverEvents(
            begin=begin, merchant=merchant, clock=clock, chance=SteadyChance(), tell=attempts.append
        )

    return worker


@pytest.fixture
def deliver(worker_of: Callable[[], DeliverEvents]) -> DeliverEvents:
    return worker_of()


async def work(deliver: DeliverEvents, clock: ManualClock, *, seconds: float) -> None:
    """Let a worker do its rounds for so long, one each second."""
    for _ in range(int(seconds)):
        while await deliver(at_once=100):
            await deliver.finish()
        await deliver.finish()
        clock.advance(1)


async def got(merchant: ScriptedMerchant, number: int) -> bool:
    return len(merchant.got) == number


def order_of(message: Message) -> str:
    order_id: str = json.loads(message.body)["data"]["order_id"]
    return order_id


async def test_a_change_is_told_at_the_next_round(
    begin: InMemoryUnitOfWork, deliver: DeliverEvents, merchant: ScriptedMerchant, clock: ManualClock
) -> None:
    await listens(begin, allow_private=True)
    await is_paid(begin)

    assert await deliver(at_once=100) == 1
    await deliver.finish()

    (message,) = merchant.got
    assert json.loads(message.body)["type"] == "payment.settlement"
    assert (message.secrets, message.allow_private, message.sent_at) == ((SECRET,), True, clock.now())
    assert await deliver(at_once=100) == 0


async def test_an_endpoint_that_was_down_for_an_hour_gets_every_event_afterwards_in_order(
    begin: InMemoryUnitOfWork, deliver: DeliverEvents, merchant: ScriptedMerchant, clock: ManualClock
) -> None:
    orders = [f"order-{number}" for number in range(12)]
    got: list[Message] = []
    is_up = False

    def answer(message: Message) -> Answer:
        if not is_up:
            return AWAY
        got.append(message)
        return Answered(status=200)

    merchant.answers = answer
    await listens(begin)
    for order_id in orders:
        await pending(begin, order_id)
        await happens(begin, paid(order_id), order_id=order_id)
        await work(deliver, clock, seconds=60)
    for order_id in orders[::2]:
        await happens(begin, refunded(1_000, order_id), refunded(10_000, order_id), order_id=order_id)
    await work(deliver, clock, seconds=HOUR - 12 * 60)
    tried_in_vain = list(merchant.got)
    is_up = True
    await work(deliver, clock, seconds=90)

    told: dict[str, list[str]] = defaultdict(list)
    for message in got:
        told[order_of(message)].append(json.loads(message.body)["type"])
    all_three = ["payment.settlement", "payment.partial_refund", "payment.refund"]
    assert told == {
        order_id: all_three if place % 2 == 0 else all_three[:1] for place, order_id in enumerate(orders)
    }
    # The same event had the same id and the same bytes each time, and the dead endpoint was not flooded.
    bodies = {message.id: message.body for message in tried_in_vain}
    assert all(bodies.get(message.id, message.body) == message.body for message in got)
    assert len({message.id for message in got}) == len(got) == 24
    assert len(tried_in_vain) < 100


async def test_what_was_sent_by_a_process_that_died_is_sent_again_by_another(
    begin: InMemoryUnitOfWork,
    worker_of: Callable[[], DeliverEvents],
    merchant: ScriptedMerchant,
    clock: ManualClock,
) -> None:
    await listens(begin)
    await is_paid(begin)
    merchant.held = asyncio.Event()
    dying, living = worker_of(), worker_of()
    await dying(at_once=100)
    await eventually(lambda: got(merchant, 1), every=0)
    (task,) = dying._sending
    task.cancel()
    await asyncio.wait([task])
    merchant.held = None

    clock.advance(29)
    assert await living(at_once=100) == 0
    clock.advance(2)
    assert await living(at_once=100) == 1
    await living.finish()

    first, again = merchant.got
    assert (first.id, first.body) == (again.id, again.body)
    assert await living(at_once=100) == 0


async def test_with_the_database_away_after_the_answer_the_event_is_sent_again(
    begin: InMemoryUnitOfWork, deliver: DeliverEvents, merchant: ScriptedMerchant, clock: ManualClock
) -> None:
    await listens(begin)
    await is_paid(begin)

    def answer(_message: Message) -> Answer:
        begin.fail_next_commits = 100
        return Answered(status=200)

    merchant.answers = answer
    await deliver(at_once=100)
    with pytest.raises(DatabaseUnavailable):
        await deliver.finish()
    await deliver.finish()
    begin.fail_next_commits = 0
    merchant.answers = lambda _message: Answered(status=200)
    clock.advance(31)
    await work(deliver, clock, seconds=1)

    first, again = merchant.ids
    assert first == again


async def test_an_answer_that_cannot_be_stored_at_once_is_stored_a_moment_later(
    begin: InMemoryUnitOfWork, deliver: DeliverEvents, merchant: ScriptedMerchant, clock: ManualClock
) -> None:
    await listens(begin)
    await is_paid(begin)

    def answer(_message: Message) -> Answer:
        begin.fail_next_commits = 3
        return Answered(status=200)

    merchant.answers = answer
    await work(deliver, clock, seconds=60)

    assert len(merchant.got) == 1


async def test_a_fault_with_one_event_leaves_the_others_alone(
    begin: InMemoryUnitOfWork, deliver: DeliverEvents, merchant: ScriptedMerchant
) -> None:
    await listens(begin)
    await is_paid(begin, "order-1", "order-2", "order-3")

    def answer(message: Message) -> Answer:
        if order_of(message) == "order-2":
            raise RuntimeError("a fault")
        return Answered(status=200)

    merchant.answers = answer
    await deliver(at_once=100)
    with pytest.raises(RuntimeError, match="a fault"):
        await deliver.finish()
    await deliver.finish()

    async with begin() as opened:
        states = {one.order_id: one.state for one in await opened.deliveries.page(failed=False, limit=10)}
    assert states == {
        "order-1": DeliveryState.DELIVERED,
        "order-2": DeliveryState.WAITING,
        "order-3": DeliveryState.DELIVERED,
    }


async def test_a_slow_endpoint_holds_up_no_other(
    begin: InMemoryUnitOfWork, deliver: DeliverEvents, merchant: ScriptedMerchant
) -> None:
    await listens(begin, "slow", url="https://slow.example", user_id=2)
    await pending(begin, "slow", user_id=2)
    await happens(begin, paid("slow"), order_id="slow")
    merchant.held = asyncio.Event()
    await deliver(at_once=100)
    await eventually(lambda: got(merchant, 1), every=0)
    held, merchant.held = merchant.held, None

    await listens(begin, "quick", url="https://quick.example")
    await is_paid(begin, "quick")
    await deliver(at_once=100)
    await eventually(lambda: got(merchant, 2), every=0)

    assert [message.url for message in merchant.got] == ["https://slow.example", "https://quick.example"]
    assert merchant.under_way["https://slow.example"] == 1
    held.set()
    await deliver.finish()


async def test_what_a_process_that_stood_still_finds_in_its_hand_is_not_sent_any_more(
    begin: InMemoryUnitOfWork, deliver: DeliverEvents, merchant: ScriptedMerchant, clock: ManualClock
) -> None:
    await listens(begin)
    await is_paid(begin)

    await deliver(at_once=100)
    clock.advance(11)
    await deliver.finish()
    in_vain = list(merchant.got)
    clock.advance(20)
    await work(deliver, clock, seconds=1)

    assert in_vain == []
    assert len(merchant.got) == 1


async def test_the_next_is_started_as_soon_as_one_is_answered(
    begin: InMemoryUnitOfWork, deliver: DeliverEvents, merchant: ScriptedMerchant
) -> None:
    await listens(begin)
    await is_paid(begin, *(f"order-{number}" for number in range(11)))
    merchant.held = asyncio.Event()

    assert not await deliver.waits_for_one(within=60)
    assert await deliver(at_once=100) == 10
    assert await deliver.waits_for_one(within=0)
    assert await deliver(at_once=100) == 0
    merchant.held.set()
    assert await deliver.waits_for_one(within=60)
    assert await deliver(at_once=100) == 1
    await deliver.finish()
    assert not await deliver.waits_for_one(within=60)


async def test_no_more_than_so_many_are_under_way_in_all(
    begin: InMemoryUnitOfWork, deliver: DeliverEvents, merchant: ScriptedMerchant
) -> None:
    for name in ("one", "two", "three"):
        await listens(begin, name, url=f"https://{name}.example")
    await is_paid(begin, *(f"order-{number}" for number in range(10)))
    merchant.held = asyncio.Event()

    counts = [await deliver(at_once=12) for _ in range(3)]
    merchant.held.set()
    await deliver.finish()

    assert counts == [12, 0, 0]
    assert await deliver(at_once=12) == 12
    await deliver.finish()


async def test_ten_are_under_way_to_one_endpoint_over_all_workers(
    begin: InMemoryUnitOfWork, worker_of: Callable[[], DeliverEvents], merchant: ScriptedMerchant
) -> None:
    await listens(begin, url="https://shop.example")
    await is_paid(begin, *(f"order-{number}" for number in range(30)))
    workers = [worker_of() for _ in range(3)]

    for worker in workers:
        while await worker(at_once=100):
            await worker.finish()

    assert len(merchant.got) == 30
    assert merchant.most_under_way["https://shop.example"] <= 10


async def test_who_watches_hears_of_every_try(
    begin: InMemoryUnitOfWork,
    deliver: DeliverEvents,
    merchant: ScriptedMerchant,
    clock: ManualClock,
    attempts: list[Attempt],
) -> None:
    await listens(begin)
    await is_paid(begin)
    answers = iter([AWAY, Answered(status=500), Answered(status=200)])

    def answer(_message: Message) -> Answer:
        clock.advance(0.25)
        return next(answers)

    merchant.answers = answer
    await work(deliver, clock, seconds=20)

    assert [attempt.due.attempt for attempt in attempts] == [1, 2, 3]
    assert [type(attempt.verdict) for attempt in attempts] == [Failed, Failed, Delivered]
    assert {attempt.seconds for attempt in attempts} == {0.25}
    assert all(attempt.settled.counts for attempt in attempts)


async def test_both_secrets_sign_while_one_is_rotated(
    begin: InMemoryUnitOfWork, deliver: DeliverEvents, merchant: ScriptedMerchant
) -> None:
    endpoint = await listens(begin)
    async with begin() as opened:
        await opened.endpoints.rotate(endpoint, OTHER_SECRET)
    await is_paid(begin)

    await deliver(at_once=100)
    await deliver.finish()

    assert merchant.got[0].secrets == (OTHER_SECRET, SECRET)


async def test_a_dead_endpoint_with_ten_thousand_payments_is_tried_with_one_at_a_time(
    begin: InMemoryUnitOfWork, deliver: DeliverEvents, merchant: ScriptedMerchant, clock: ManualClock
) -> None:
    """Ten times fewer here: the fake looks through all of them."""
    await listens(begin)
    await is_paid(begin, *(f"order-{number}" for number in range(300)))
    merchant.answers = lambda _message: AWAY

    await work(deliver, clock, seconds=120)
    tried = len(merchant.got)

    assert tried < 20
    merchant.answers = lambda _message: Answered(status=200)
    await work(deliver, clock, seconds=70)
    assert len(set(merchant.ids)) == 300
