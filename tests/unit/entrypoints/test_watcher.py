"""One look at the database for all who follow a payment in a process."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from uuid import UUID

import pytest

from domain.errors import TooManyStreams
from domain.payment import Payment
from domain.status import Status
from entrypoints.watcher import Watcher
from support.builders import a_payment
from support.fake_checkouts import InMemoryPaymentChanges
from support.fakes import InMemoryUnitOfWork, ManualClock
from support.service import eventually
from unit.entrypoints.harness import Logs

PENDING = a_payment(status=Status.PENDING)
PAID = replace(PENDING, status=Status.SETTLEMENT, log_length=2)
REFUNDED = replace(PAID, status=Status.REFUND, log_length=3)


@pytest.fixture
def begin() -> InMemoryUnitOfWork:
    begin = InMemoryUnitOfWork(clock=ManualClock())
    put(begin, PENDING)
    return begin


@pytest.fixture
def changes(begin: InMemoryUnitOfWork) -> InMemoryPaymentChanges:
    return InMemoryPaymentChanges(begin)


@pytest.fixture
async def watcher(changes: InMemoryPaymentChanges) -> AsyncIterator[Watcher]:
    """It looks only when it is told to."""
    watcher = Watcher(changes=changes, most=10, pause=3600)
    yield watcher
    watcher.close()


@pytest.fixture
async def busy_watcher(changes: InMemoryPaymentChanges) -> AsyncIterator[Watcher]:
    """It looks by itself, again and again."""
    watcher = Watcher(changes=changes, most=10, pause=0.0005)
    yield watcher
    watcher.close()


def put(begin: InMemoryUnitOfWork, payment: Payment) -> None:
    begin.state.payments[payment.order_id] = payment


async def test_a_change_is_told_to_whoever_follows_the_payment(
    watcher: Watcher, begin: InMemoryUnitOfWork
) -> None:
    with watcher.watch(PENDING) as one, watcher.watch(PENDING) as other:
        put(begin, PAID)
        await watcher.look()

        assert await one.change(within=5) == PAID
        assert await other.change(within=5) == PAID


async def test_somebody_who_waits_is_woken(watcher: Watcher, begin: InMemoryUnitOfWork) -> None:
    with watcher.watch(PENDING) as watch:
        waiting = asyncio.create_task(watch.change(within=5))
        await asyncio.sleep(0)
        put(begin, PAID)
        await watcher.look()

        assert await waiting == PAID


async def test_a_wait_without_a_change_ends_with_nothing(watcher: Watcher) -> None:
    with watcher.watch(PENDING) as watch:
        assert await watch.change(within=0.001) is None
        assert not watch.is_over


async def test_a_change_is_told_once(watcher: Watcher, begin: InMemoryUnitOfWork) -> None:
    with watcher.watch(PENDING) as watch:
        put(begin, PAID)
        await watcher.look()
        await watcher.look()

        assert await watch.change(within=5) == PAID
        assert await watch.change(within=0.001) is None


async def test_a_slow_viewer_is_told_the_newest_and_nothing_is_kept_for_it(
    watcher: Watcher, begin: InMemoryUnitOfWork
) -> None:
    with watcher.watch(PENDING) as watch:
        for payment in (PAID, REFUNDED):
            put(begin, payment)
            await watcher.look()

        assert await watch.change(within=5) == REFUNDED
        assert await watch.change(within=0.001) is None


async def test_viewers_with_different_states_are_each_told_what_is_new_to_them(
    watcher: Watcher, begin: InMemoryUnitOfWork
) -> None:
    put(begin, PAID)

    with watcher.watch(PAID) as up_to_date, watcher.watch(PENDING) as behind:
        await watcher.look()

        assert await behind.change(within=5) == PAID
        assert await up_to_date.change(within=0.001) is None
        put(begin, REFUNDED)
        await watcher.look()
        assert await behind.change(within=5) == await up_to_date.change(within=5) == REFUNDED


async def test_whoever_comes_while_the_question_is_asked_misses_nothing(begin: InMemoryUnitOfWork) -> None:
    class SlowChanges(InMemoryPaymentChanges):
        """Answers about the moment of the question, a while later."""

        async def since(self, seen: Mapping[UUID, int]) -> list[Payment]:
            found = await super().since(seen)
            asked.set()
            await answer.wait()
            return found

    asked, answer = asyncio.Event(), asyncio.Event()
    watcher = Watcher(changes=SlowChanges(begin), most=10, pause=3600)
    put(begin, PAID)
    with watcher.watch(PAID) as first:
        looking = asyncio.create_task(watcher.look())
        await asked.wait()
        with watcher.watch(PENDING) as behind:
            answer.set()
            await looking
            await watcher.look()

            assert await behind.change(within=5) == PAID
            assert await first.change(within=0.001) is None
    watcher.close()


async def test_nobody_is_asked_while_nobody_watches(
    busy_watcher: Watcher, changes: InMemoryPaymentChanges
) -> None:
    assert changes.questions == 0
    with busy_watcher.watch(PENDING):

        async def is_asked() -> bool:
            return changes.questions > 2

        await eventually(is_asked, every=0.001)

    async def has_stopped() -> bool:
        return busy_watcher._looking is None

    await eventually(has_stopped, every=0.001)
    before = changes.questions
    await asyncio.sleep(0.01)
    assert changes.questions == before


async def test_it_starts_again_with_the_next_viewer(busy_watcher: Watcher, begin: InMemoryUnitOfWork) -> None:
    with busy_watcher.watch(PENDING):
        pass
    await asyncio.sleep(0.01)

    with busy_watcher.watch(PENDING) as watch:
        put(begin, PAID)
        assert await watch.change(within=5) == PAID


async def test_a_database_that_was_away_is_asked_again_and_told_of_once(
    busy_watcher: Watcher, begin: InMemoryUnitOfWork, changes: InMemoryPaymentChanges, logs: Logs
) -> None:
    begin.is_away = True
    with busy_watcher.watch(PENDING) as watch:

        async def is_asked() -> bool:
            return changes.questions >= 3

        await eventually(is_asked, every=0.001)
        put(begin, PAID)
        begin.is_away = False

        assert await watch.change(within=5) == PAID

    (line,) = logs.lines
    assert (line["event"], line["level"]) == ("watcher.database_away", "warning")


async def test_while_the_database_is_away_it_is_asked_less_and_less(begin: InMemoryUnitOfWork) -> None:
    changes = InMemoryPaymentChanges(begin)
    begin.is_away = True
    watcher = Watcher(changes=changes, most=1, pause=0.01)

    with watcher.watch(PENDING):
        await asyncio.sleep(0.2)
    watcher.close()

    assert 1 <= changes.questions <= 5


async def test_a_fault_of_our_own_is_told_and_does_not_end_the_watching(
    begin: InMemoryUnitOfWork, logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    class FaultyOnce(InMemoryPaymentChanges):
        async def since(self, seen: Mapping[UUID, int]) -> list[Payment]:
            found = await super().since(seen)
            if self.questions == 1:
                raise RuntimeError("a fault")
            return found

    monkeypatch.setattr("entrypoints.watcher._LONGEST_PAUSE", 0.001)
    put(begin, PAID)
    watcher = Watcher(changes=FaultyOnce(begin), most=1, pause=0.0005)

    with watcher.watch(PENDING) as watch:
        assert await watch.change(within=5) == PAID
    watcher.close()

    (line,) = logs.of("watcher.failed")
    assert "RuntimeError: a fault" in line["exception"]


async def test_there_is_room_for_so_many_and_again_when_some_left(begin: InMemoryUnitOfWork) -> None:
    watcher = Watcher(changes=InMemoryPaymentChanges(begin), most=1, pause=3600)

    with watcher.watch(PENDING), pytest.raises(TooManyStreams), watcher.watch(PENDING):
        pass
    with watcher.watch(PENDING):
        pass
    watcher.close()


async def test_closing_lets_everybody_go_at_once_and_whoever_comes_later(watcher: Watcher) -> None:
    with watcher.watch(PENDING) as watch:
        waiting = asyncio.create_task(watch.change(within=3600))
        await asyncio.sleep(0)
        watcher.close()

        async with asyncio.timeout(5):
            assert await waiting is None
        assert watch.is_over
    with watcher.watch(PENDING) as late:
        assert late.is_over
        assert await late.change(within=3600) is None
