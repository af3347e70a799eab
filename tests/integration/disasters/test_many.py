"""Many at once: callers with one key, payments that are due, and several processes that do the work."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import httpx
import pytest

from support.counting_midtrans import CountingMidtrans, counting_midtrans
from support.database import connected
from support.filled import charged, fill
from support.service import CREATE, bearer, environment, eventually, serving, started

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from integration.disasters.world import World

OVERDUE: Final = 10_000
CALLS: Final = 50
# In seconds.
SAVED: Final = 1
LOCKED: Final = 2


async def test_fifty_calls_with_one_key_to_two_processes_are_one_payment_and_one_charge(
    world: World,
) -> None:
    async with world.serving("--no-worker"), serving("--no-worker", env=world.env) as other:
        urls = [str(world.shop.base_url), other.url]

        async def create(number: int) -> httpx.Response:
            async with httpx.AsyncClient(base_url=urls[number % 2], trust_env=False, timeout=60) as shop:
                return await shop.post(
                    CREATE, json={"order_id": "fifty"}, headers=bearer() | {"Idempotency-Key": "fifty"}
                )

        answers = await asyncio.gather(*(create(number) for number in range(CALLS)))
        again = await asyncio.gather(*(create(number) for number in range(2)))
        await world.ends_as("fifty", "pending")

    first = [answer for answer in answers if answer.status_code == 201 and not is_replayed(answer)]
    assert len(first) == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert all(answer.json() == first[0].json() for answer in answers if answer.status_code == 201)
    assert [(is_replayed(answer), answer.json()) for answer in again] == [(True, first[0].json())] * 2


def is_replayed(answer: httpx.Response) -> bool:
    return answer.headers.get("idempotent-replayed") == "true"


@pytest.fixture
async def midtrans() -> AsyncIterator[tuple[CountingMidtrans, str]]:
    async with counting_midtrans() as listening:
        yield listening


async def overdue(database_url: str, number: int) -> None:
    """So many pending payments whose time has been over for a while, all due."""
    async with connected(database_url) as connection:
        now = await connection.fetchval("SELECT now()")
        created_at = now.replace(microsecond=0) - timedelta(minutes=16)
        payments = (charged(f"{number:05}", created_at=created_at) for number in range(number))
        await fill(connection, payments, due_at=now - timedelta(seconds=30))


async def is_done(database_url: str) -> bool:
    async with connected(database_url) as connection:
        return bool(
            await connection.fetchval(
                "SELECT NOT EXISTS (SELECT FROM payment_transactions WHERE status <> 'expire')"
            )
        )


async def bring_home(database_url: str, url: str, *, rate: int, within: float) -> None:
    """Two workers, until nothing is open any more."""
    env = environment(
        DATABASE_URL=database_url, MIDTRANS_BASE_URL=url, BAYAR_ASK_RATE=str(rate), LOG_LEVEL="warning"
    )
    async with AsyncExitStack() as stack:
        workers = [await stack.enter_async_context(started("worker", env=env)) for _ in range(2)]
        await eventually(lambda: is_done(database_url), within=within, every=0.2)
        for worker in workers:
            assert "Traceback" not in worker.said


async def keeps_to_the_rate(database_url: str, rate: int) -> None:
    """By the database's clock: no stretch of time has more questions than its budget.

    A second's worth may be saved up before. A question is taken at the start of its transaction and counted
    once the transaction has the budget's lock, at most two seconds later: else it is not asked.
    """
    async with connected(database_url) as connection:
        rows = await connection.fetch(
            "SELECT extract(epoch FROM asked_at)::double precision AS at FROM payment_transactions"
            " ORDER BY asked_at"
        )
    at = [row["at"] for row in rows]
    for number in (len(at) // 4, len(at) // 2, len(at) - 1):
        shortest = min(later - earlier for earlier, later in zip(at, at[number:], strict=False))
        assert shortest >= number / rate - SAVED - LOCKED, f"{number} questions in {shortest} s"


async def test_ten_thousand_overdue_payments_are_each_asked_about_once_by_two_workers(
    database_url: str, midtrans: tuple[CountingMidtrans, str]
) -> None:
    counting, url = midtrans
    await overdue(database_url, OVERDUE)

    await bring_home(database_url, url, rate=1000, within=500)

    assert len(counting.asked) == OVERDUE
    assert len(set(counting.asked)) == OVERDUE
    await keeps_to_the_rate(database_url, 1000)


async def test_two_workers_together_keep_to_the_rate(
    database_url: str, midtrans: tuple[CountingMidtrans, str]
) -> None:
    counting, url = midtrans
    # At the rate of one worker alone it would take eight seconds, at that of two it would take four.
    rate, number = 40, 320
    await overdue(database_url, number)

    await bring_home(database_url, url, rate=rate, within=120)

    assert len(counting.asked) == number
    await keeps_to_the_rate(database_url, rate)
