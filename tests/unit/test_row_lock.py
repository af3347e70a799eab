"""The lock of the fakes, when tasks are cancelled or killed while they wait for it."""

import asyncio
from collections.abc import Callable

import pytest

from support.killed import end_abruptly
from support.row_lock import RowLock

End = Callable[["asyncio.Task[None]"], object]


async def begun() -> None:
    """Let every task that is ready make a step."""
    await asyncio.sleep(0)


async def test_those_who_wait_get_it_in_their_order() -> None:
    lock, got = RowLock(), list[int]()

    async def take(number: int) -> None:
        await lock.acquire()
        got.append(number)
        lock.release()

    await lock.acquire()
    waiting = [asyncio.create_task(take(number)) for number in range(3)]
    await begun()
    assert got == []
    lock.release()
    await asyncio.gather(*waiting)

    assert got == [0, 1, 2]
    assert not lock.locked()


@pytest.mark.parametrize("end", [end_abruptly, asyncio.Task.cancel])
@pytest.mark.parametrize("has_its_turn", [True, False])
async def test_it_goes_on_from_one_who_ends_before_or_as_its_turn_comes(
    end: End, *, has_its_turn: bool
) -> None:
    lock = RowLock()
    await lock.acquire()
    first, second = asyncio.create_task(lock.acquire()), asyncio.create_task(lock.acquire())
    await begun()

    if has_its_turn:
        lock.release()
        end(first)
    else:
        end(first)
        await begun()
        lock.release()
    async with asyncio.timeout(1):
        await second
    lock.release()

    assert not lock.locked()
