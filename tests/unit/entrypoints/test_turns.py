"""A crowd begins one after another, in rounds of the event loop."""

import asyncio
import itertools

import pytest

from entrypoints.http.turns import Turns


@pytest.fixture
def turns() -> Turns:
    return Turns()


async def test_whoever_comes_alone_waits_for_nobody(turns: Turns) -> None:
    waiting = turns()

    with pytest.raises(StopIteration):
        waiting.send(None)


async def test_of_a_crowd_one_begins_in_each_round_whoever_came_first(turns: Turns) -> None:
    begun: list[int] = []

    async def one(number: int) -> None:
        await turns()
        begun.append(number)

    crowd = [asyncio.create_task(one(number)) for number in range(20)]
    seen = [0]
    while not all(task.done() for task in crowd):
        await asyncio.sleep(0)
        seen.append(len(begun))

    assert begun == sorted(begun)
    assert max(after - before for before, after in itertools.pairwise(seen)) == 1


async def test_whoever_left_keeps_nobody_waiting(turns: Turns) -> None:
    first, second, third = (asyncio.create_task(turns()) for _ in range(3))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    second.cancel()

    async with asyncio.timeout(5):
        await asyncio.gather(first, third)

    assert second.cancelled()


async def test_after_a_crowd_whoever_comes_alone_waits_for_nobody(turns: Turns) -> None:
    await asyncio.gather(*(turns() for _ in range(3)))
    await asyncio.sleep(0)

    await test_whoever_comes_alone_waits_for_nobody(turns)
