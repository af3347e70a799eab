"""What is handed in at the same time is done in one go, and what one does wrong is not the others' fault."""

import asyncio
from collections.abc import Sequence

import pytest

from domain.errors import DatabaseUnavailable
from domain.usecases.together import Together


class Desk:
    """Does groups when it is let; remembers which."""

    def __init__(self, *, most: int = 100, lanes: int = 1, waiting: int = 100, crowd: int = 1) -> None:
        self.groups: list[list[int]] = []
        self.open = asyncio.Event()
        self.trouble: Exception | None = None
        self.hand_in = Together(self._do, most=most, lanes=lanes, waiting=waiting, crowd=crowd)

    async def _do(self, things: Sequence[int]) -> list[str]:
        self.groups.append(list(things))
        await self.open.wait()
        if self.trouble is not None:
            raise self.trouble
        return [f"done {thing}" for thing in things]


async def turn() -> None:
    """Let everybody come as far as they can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_with_nothing_in_hand_a_thing_is_done_at_once() -> None:
    desk = Desk()
    desk.open.set()

    assert await desk.hand_in(1) == "done 1"
    assert desk.groups == [[1]]


async def test_what_comes_meanwhile_is_done_in_one_go_and_each_gets_its_own_result() -> None:
    desk = Desk()
    tasks = [asyncio.create_task(desk.hand_in(1))]
    await turn()
    tasks += [asyncio.create_task(desk.hand_in(number)) for number in (2, 3, 4)]
    await turn()
    desk.open.set()

    assert await asyncio.gather(*tasks) == ["done 1", "done 2", "done 3", "done 4"]
    assert desk.groups == [[1], [2, 3, 4]]


async def test_a_group_is_never_larger_than_it_may_be() -> None:
    desk = Desk(most=2)
    tasks = [asyncio.create_task(desk.hand_in(number)) for number in range(5)]
    await turn()
    desk.open.set()
    await asyncio.gather(*tasks)

    assert max(map(len, desk.groups)) == 2


async def test_only_so_many_groups_are_done_at_a_time() -> None:
    desk = Desk(lanes=2, most=1)
    tasks = [asyncio.create_task(desk.hand_in(number)) for number in range(5)]
    await turn()

    assert desk.groups == [[0], [1]]
    desk.open.set()
    await asyncio.gather(*tasks)


async def test_a_second_group_is_done_at_the_same_time_only_once_a_crowd_waits() -> None:
    desk = Desk(lanes=2, crowd=3)
    tasks = [asyncio.create_task(desk.hand_in(number)) for number in range(3)]
    await turn()
    before = list(desk.groups)

    tasks.append(asyncio.create_task(desk.hand_in(3)))
    await turn()

    assert (before, desk.groups) == ([[0, 1, 2]], [[0, 1, 2]]), "one in hand, one waits"
    tasks += [asyncio.create_task(desk.hand_in(number)) for number in (4, 5)]
    await turn()
    assert desk.groups == [[0, 1, 2], [3, 4, 5]]
    desk.open.set()
    assert await asyncio.gather(*tasks) == [f"done {number}" for number in range(6)]


async def test_beyond_what_may_wait_more_are_refused_and_nobody_else_is() -> None:
    desk = Desk(most=1, waiting=2)
    tasks = [asyncio.create_task(desk.hand_in(number)) for number in range(4)]
    await turn()
    desk.open.set()

    told = await asyncio.gather(*tasks, return_exceptions=True)

    assert [isinstance(one, DatabaseUnavailable) for one in told].count(True) == 2
    assert len([one for one in told if isinstance(one, str)]) == 2


async def test_what_a_group_fails_with_is_told_to_each_of_it_and_the_next_is_done() -> None:
    desk = Desk()
    desk.open.set()
    desk.trouble = DatabaseUnavailable("away")
    for _ in range(2):
        with pytest.raises(DatabaseUnavailable, match="away"):
            await desk.hand_in(1)
    desk.trouble = None

    assert await desk.hand_in(2) == "done 2"


async def test_one_who_leaves_takes_nothing_from_the_others() -> None:
    desk = Desk()
    leaver, stayer = (asyncio.create_task(desk.hand_in(number)) for number in (1, 2))
    await turn()
    leaver.cancel()
    await turn()
    desk.open.set()

    assert await stayer == "done 2"
    assert 1 in desk.groups[0]


async def test_a_lane_that_is_cancelled_leaves_nobody_waiting() -> None:
    desk = Desk()
    task = asyncio.create_task(desk.hand_in(1))
    await turn()
    for lane in list(desk.hand_in._running):
        lane.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
