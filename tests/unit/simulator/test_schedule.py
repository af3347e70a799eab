import asyncio
from datetime import timedelta

from simulator.schedule import Schedule
from support.simulator_desk import START, ManualClock, everything_due

SECOND = timedelta(seconds=1)


async def test_things_come_out_in_the_order_of_their_times() -> None:
    clock = ManualClock()
    schedule = Schedule[str](clock)
    schedule.put("second", START + 2 * SECOND)
    schedule.put("first", START + SECOND)
    await clock.advance(2 * SECOND)

    assert [await schedule.next(), await schedule.next()] == ["first", "second"]
    assert len(schedule) == 0


async def test_an_earlier_thing_is_not_kept_waiting_by_a_later_one() -> None:
    clock = ManualClock()
    schedule = Schedule[str](clock)
    schedule.put("later", START + 10 * SECOND)
    coming = asyncio.create_task(schedule.next())
    await everything_due()

    schedule.put("sooner", START + SECOND)
    await everything_due()
    assert not coming.done()
    await clock.advance(SECOND)

    assert coming.done()
    assert await coming == "sooner"


async def test_a_discarded_thing_never_comes() -> None:
    clock = ManualClock()
    schedule = Schedule[str](clock)
    schedule.put("gone", START)
    schedule.put("here", START + SECOND)
    schedule.discard("gone")
    schedule.discard("never was")
    await clock.advance(SECOND)

    assert await schedule.next() == "here"


async def test_a_new_time_replaces_the_old_one() -> None:
    clock = ManualClock()
    schedule = Schedule[str](clock)
    schedule.put("moved", START)
    schedule.put("other", START + SECOND)
    schedule.put("moved", START + 2 * SECOND)
    await clock.advance(2 * SECOND)

    assert [await schedule.next(), await schedule.next()] == ["other", "moved"]


async def test_discarded_things_do_not_pile_up() -> None:
    schedule = Schedule[int](ManualClock())
    for number in range(10_000):
        schedule.put(number, START + timedelta(days=180))
        schedule.discard(number)

    assert len(schedule._queue) < 100
