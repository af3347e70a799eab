"""The background work goes on whatever happens, until it is told to stop."""

import asyncio

import pytest

from domain.errors import DatabaseUnavailable
from domain.ports.gateway import RefundTaken, Unanswered
from domain.status import Status
from entrypoints import worker
from entrypoints.container import Container
from entrypoints.worker import Chore, chores, work
from support import builders
from support.service import eventually
from unit.entrypoints.harness import Logs, Service

QUIET, BUSY = "nothing to do", "more to do"


async def done(*rounds: Exception | str, every: float = 0.0005) -> int:
    """Have a chore go through these rounds and then stop; how many rounds it had."""
    stop, left, had = asyncio.Event(), list(rounds), 0

    async def do() -> bool:
        nonlocal had
        had += 1
        if not left:
            stop.set()
            return False
        outcome = left.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome == BUSY

    async with asyncio.timeout(5):
        await worker._repeat(Chore(name="a chore", every=every, do=do), stop, worker.Outage())
    return had


async def test_a_chore_is_done_again_and_again() -> None:
    assert await done(QUIET, QUIET, QUIET) == 4


async def test_a_fault_is_told_and_does_not_end_the_work(logs: Logs) -> None:
    assert await done(RuntimeError("a fault"), QUIET) == 3

    (line,) = logs.of("worker.failed")
    assert line["chore"] == "a chore"
    assert "RuntimeError: a fault" in line["exception"]


async def test_a_database_that_is_away_is_told_once_and_without_a_traceback(logs: Logs) -> None:
    await done(DatabaseUnavailable(), DatabaseUnavailable(), DatabaseUnavailable())

    (line,) = logs.lines
    assert (line["event"], line["level"]) == ("worker.database_away", "warning")
    assert "exception" not in line


async def test_an_outage_is_one_line_however_many_chores_and_lanes_meet_it(
    logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, had = asyncio.Event(), 0

    async def do() -> bool:
        nonlocal had
        had += 1
        if had > 20:
            stop.set()
        raise DatabaseUnavailable

    several = [Chore(name=name, every=0.0005, do=do, lanes=3) for name in ("one", "other")]
    monkeypatch.setattr(worker, "chores", lambda _container: several)
    async with asyncio.timeout(5):
        await work(Container(), stop)

    assert len(logs.of("worker.database_away")) == 1


async def test_a_database_that_goes_away_again_is_told_again(logs: Logs) -> None:
    await done(DatabaseUnavailable(), QUIET, DatabaseUnavailable())

    assert len(logs.of("worker.database_away")) == 2


async def test_a_chore_with_more_to_do_does_not_wait() -> None:
    assert await done(BUSY, BUSY, BUSY, every=3600) == 4


async def test_a_chore_that_waits_stops_at_once_when_told() -> None:
    stop = asyncio.Event()

    async def do() -> bool:
        stop.set()
        return False

    async with asyncio.timeout(5):
        await worker._repeat(Chore(name="a chore", every=3600, do=do), stop, worker.Outage())


async def test_the_round_in_hand_is_finished_before_the_work_ends() -> None:
    stop, finished = asyncio.Event(), []

    async def do() -> bool:
        stop.set()
        await asyncio.sleep(0)
        finished.append(True)
        return True

    await worker._repeat(Chore(name="a chore", every=3600, do=do), stop, worker.Outage())

    assert finished == [True]


async def test_the_work_confirms_what_notifications_left_in_doubt(service: Service) -> None:
    await service.given(status=Status.CREATED)
    await service.notify()
    service.gateway.answers_status_of("t-1", builders.a_status_reply())
    service.gateway.answers_status_of("order-1", builders.a_status_reply())
    stop = asyncio.Event()

    async def is_settled() -> bool:
        return service.stored().status is Status.SETTLEMENT

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(work(service.container, stop))
        await eventually(is_settled, every=0)
        stop.set()

    assert [event.processed for event in service.begin.notifications] == [True]


@pytest.mark.parametrize("name", ["confirm notifications", "repeat refunds", "prune forged notifications"])
async def test_every_chore_works_on_an_empty_database(service: Service, name: str) -> None:
    (chore,) = [chore for chore in chores(service.container) if chore.name == name]

    assert await chore.do() is False


async def test_doubtful_notifications_are_looked_for_often_enough(service: Service) -> None:
    """The contract gives ten seconds from the notification to the confirmed payment."""
    every = {chore.name: chore.every for chore in chores(service.container)}

    assert every["confirm notifications"] <= 2


async def test_the_work_repeats_a_refund_without_an_outcome(service: Service) -> None:
    await service.given(status=Status.SETTLEMENT, transaction_id="t-1", paid_at=builders.NOW)
    service.gateway.answers_refunds_with(
        Unanswered(reason="no answer in time"), RefundTaken(transaction_id="t-1")
    )
    assert (await service.refund()).status_code == 504
    service.clock.advance(5)
    stop = asyncio.Event()

    async def is_refunded() -> bool:
        return service.stored().status is Status.REFUND

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(work(service.container, stop))
        await eventually(is_refunded, every=0)
        stop.set()

    assert len({order.key for order in service.gateway.refunds}) == 1


async def test_a_round_that_takes_long_does_not_hold_up_the_other_lanes(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, hanging, done_beside = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def do() -> bool:
        if not hanging.is_set():
            hanging.set()
            await stop.wait()
        elif hanging.is_set():
            done_beside.set()
        return False

    lanes = [Chore(name="a chore", every=0.0005, do=do, lanes=2)]
    monkeypatch.setattr(worker, "chores", lambda _: lanes)

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(work(service.container, stop))
        await done_beside.wait()
        stop.set()

    assert hanging.is_set()


async def test_confirming_has_several_lanes(service: Service) -> None:
    confirming = [c for c in chores(service.container) if c.name == "confirm notifications"]

    assert [chore.lanes > 1 for chore in confirming] == [True]
