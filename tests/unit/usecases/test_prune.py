"""Pruning goes on in small steps until nothing is left over, and says how far it is."""

from datetime import timedelta

import pytest

from domain.errors import DatabaseUnavailable
from domain.retention import RETENTION, Prunable, Rule
from domain.usecases.prune import BATCH, Prune
from support.builders import a_received
from support.fake_pruner import InMemoryPruner
from support.fakes import InMemoryUnitOfWork, ManualClock

PROCESSED, *_ = RETENTION


@pytest.fixture
def prune(begin: InMemoryUnitOfWork, clock: ManualClock) -> Prune:
    return Prune(pruner=InMemoryPruner(begin, clock))


async def old_ones(begin: InMemoryUnitOfWork, clock: ManualClock, number: int) -> None:
    old = clock.now() - timedelta(days=91)
    async with begin() as work:
        for one in range(number):
            await work.notifications.add(a_received(f"{one}", received_at=old, processed=True))


@pytest.mark.parametrize(
    ("number", "told"),
    [(0, [0]), (3, [3]), (BATCH, [BATCH, BATCH]), (2 * BATCH + 1, [BATCH, 2 * BATCH, 2 * BATCH + 1])],
)
async def test_it_goes_on_until_nothing_is_left_over(
    prune: Prune, begin: InMemoryUnitOfWork, clock: ManualClock, number: int, told: list[int]
) -> None:
    await old_ones(begin, clock, number)
    heard: list[int] = []

    gone = await prune(PROCESSED, tell=heard.append)

    assert (gone, heard, begin.notifications) == (number, told, [])


async def test_the_background_work_takes_one_step_at_a_time(
    prune: Prune, begin: InMemoryUnitOfWork, clock: ManualClock
) -> None:
    await old_ones(begin, clock, BATCH + 1)

    assert [await prune.some(PROCESSED) for _ in range(3)] == [True, False, False]
    assert begin.notifications == []


async def test_with_the_database_away_it_says_so(prune: Prune, begin: InMemoryUnitOfWork) -> None:
    begin.is_away = True

    with pytest.raises(DatabaseUnavailable):
        await prune(PROCESSED)


def test_every_thing_that_may_be_thrown_away_has_one_rule() -> None:
    assert sorted(rule.what for rule in RETENTION) == sorted(Prunable)


@pytest.mark.parametrize("rule", RETENTION, ids=lambda rule: str(rule.what))
def test_no_rule_is_shorter_than_what_others_rely_on(rule: Rule) -> None:
    """Midtrans repeats a notification for six hours, and an Idempotency-Key is promised for 72."""
    assert rule.kept_for >= timedelta(hours=72)


def test_what_midtrans_said_goes_only_when_an_operator_says_so() -> None:
    by_itself = {rule.what for rule in RETENTION if rule.every is not None}

    assert by_itself == set(Prunable) - {Prunable.PROCESSED_NOTIFICATIONS}
