"""Time that is made up, an order that is drawn, and owners that die or stand still."""

import asyncio
from random import Random

import pytest

from simulation.virtual_loop import NEVER, OTHERS_FIRST, OwnedTask, Owner, TooManySteps, VirtualLoop


def a_loop(seed: int = 1, *, grid: float = 0.0, most_steps: int = 10_000) -> VirtualLoop:
    return VirtualLoop(Random(seed), most_steps=most_steps, grid=grid)  # noqa: S311 - a drawn order


def test_waiting_takes_no_time_and_time_passes() -> None:
    loop, at = a_loop(), list[float]()

    async def wait() -> None:
        for _ in range(3):
            await asyncio.sleep(1000)
            at.append(loop.time())

    loop.start(Owner("one"), "wait", wait())
    loop.run(2500)

    assert at == [1000, 2000]
    assert loop.time() == 2500


def test_a_timeout_comes_when_its_time_comes() -> None:
    loop, at = a_loop(), list[float]()

    async def wait() -> None:
        lock = asyncio.Lock()
        await lock.acquire()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2):
                await lock.acquire()
        at.append(loop.time())

    loop.start(Owner("one"), "wait", wait())
    loop.run(100)

    assert at == [2]


def test_what_is_ready_at_once_goes_on_in_an_order_that_the_seed_draws() -> None:
    def order(seed: int) -> tuple[int, ...]:
        loop, went = a_loop(seed), list[int]()

        async def go(number: int) -> None:
            await OTHERS_FIRST
            went.append(number)

        for number in range(4):
            loop.start(Owner("one"), "go", go(number))
        loop.run(1)
        return tuple(went)

    assert order(1) == order(1)
    assert len({order(seed) for seed in range(200)}) == 24


def test_on_a_grid_much_happens_at_once() -> None:
    loop, at = a_loop(grid=1.0), list[float]()

    for when in (0.1, 0.5, 1.0, 1.01):
        loop.call_later(when, lambda: at.append(loop.time()))
    loop.run(5)

    assert sorted(at) == [1, 1, 1, 2]


def test_a_killed_owner_does_nothing_more_and_neither_does_what_it_started() -> None:
    loop, owner, did = a_loop(), Owner("one"), list[str]()

    async def child() -> None:
        await asyncio.sleep(2)
        did.append("child")

    async def parent() -> None:
        await asyncio.gather(child(), child())
        did.append("parent")

    async def other() -> None:
        await asyncio.sleep(3)
        did.append("other")

    loop.start(owner, "work", parent())
    loop.start(Owner("two"), "work", other())
    loop.call_later(1, loop.kill, owner)
    loop.run(10)

    assert did == ["other"]
    assert not owner.tasks


def test_a_killed_owner_lets_go_of_its_locks_and_does_not_clean_up() -> None:
    loop, owner, did = a_loop(), Owner("one"), list[str]()
    lock = asyncio.Lock()

    async def hold() -> None:
        try:
            async with lock:
                await asyncio.sleep(100)
        finally:
            await asyncio.sleep(1)
            did.append("cleaned up")

    async def wait() -> None:
        async with lock:
            did.append(f"had at {loop.time():.0f}")

    loop.start(owner, "hold", hold())
    loop.call_later(1, lambda: loop.start(Owner("two"), "wait", wait()))
    loop.call_later(2, loop.kill, owner)
    loop.run(200)

    assert did == ["had at 2"]


def test_an_owner_that_stands_still_goes_on_where_it_was() -> None:
    loop, owner, at = a_loop(), Owner("one"), list[tuple[str, float]]()

    async def tick(name: str) -> None:
        for _ in range(3):
            await asyncio.sleep(1)
            at.append((name, loop.time()))

    loop.start(owner, "tick", tick("still"))
    loop.start(Owner("two"), "tick", tick("other"))
    loop.call_later(1.5, loop.pause, owner, 10)
    loop.run(30)

    assert [when for name, when in at if name == "other"] == [1, 2, 3]
    assert [when for name, when in at if name == "still"] == [1, 11.5, 12.5]


def test_a_crash_can_be_asked_for_after_any_step_and_hears_whose_it_was() -> None:
    loop, heard = a_loop(), list[tuple[int, str]]()

    def on_step(owner: Owner) -> float:
        heard.append((loop.steps, owner.name))
        return NEVER

    async def go() -> None:
        for _ in range(10):
            await OTHERS_FIRST

    loop.stop_at, loop.on_step = 5, on_step
    loop.start(Owner("one"), "go", go())
    loop.run(1)

    assert heard == [(5, "one")]


def test_a_task_inherits_what_it_is_for() -> None:
    loop, seen = a_loop(), list[tuple[str, str]]()

    async def child() -> None:
        task = asyncio.current_task()
        assert isinstance(task, OwnedTask)
        assert task.owner is not None
        seen.append((task.owner.name, task.purpose))

    async def parent() -> None:
        await asyncio.gather(child(), asyncio.create_task(child()))

    loop.start(Owner("one"), "work", parent())
    loop.run(1)

    assert seen == [("one", "work")] * 2


def test_what_goes_round_and_round_is_found() -> None:
    loop = a_loop(most_steps=100)

    async def spin() -> None:
        while True:
            await OTHERS_FIRST

    loop.start(Owner("one"), "spin", spin())

    with pytest.raises(TooManySteps):
        loop.run(1)
