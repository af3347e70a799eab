import asyncio
import re
import uuid
from datetime import UTC, timedelta

from simulator.system import RandomIdentifiers, SystemClock


def test_the_clock_speaks_utc() -> None:
    assert SystemClock().now().tzinfo is UTC


async def test_waiting_ends_with_the_event() -> None:
    event = asyncio.Event()
    event.set()

    async with asyncio.timeout(5):
        await SystemClock().wait(event, None)
        await SystemClock().wait(event, timedelta(days=180))


async def test_waiting_ends_with_the_time() -> None:
    event = asyncio.Event()

    async with asyncio.timeout(5):
        await SystemClock().wait(event, timedelta(0))

    assert not event.is_set()


def test_identifiers_look_right_and_do_not_repeat() -> None:
    ids = RandomIdentifiers()

    assert str(uuid.UUID(ids.uuid())) != ids.uuid()
    assert re.fullmatch(r"[A-Za-z0-9]{10}", ids.code(10))
    assert len({ids.uuid() for _ in range(100)} | {ids.code(10) for _ in range(100)}) == 200
