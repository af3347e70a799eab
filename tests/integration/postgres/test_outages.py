"""The database away, too busy, or lost in the middle is one error, and over when it is back."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import asyncpg
import pytest

from adapters.postgres.create_rate import PostgresCreateRate
from adapters.postgres.payments import PostgresPaymentReader
from adapters.postgres.pool import create_pool
from adapters.postgres.work import PostgresUnitOfWork
from domain.errors import DatabaseUnavailable
from support.builders import an_id, an_opened_payment
from support.rows import run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from adapters.postgres.pool import Pool


async def _begin(pool: Pool) -> object:
    async with PostgresUnitOfWork(pool=pool, on_commit=lambda _: None)() as work:
        return await work.users.exists(1)


USES: Final[dict[str, Callable[[Pool], Awaitable[object]]]] = {
    "begin": _begin,
    "find": lambda pool: PostgresPaymentReader(pool=pool).find("order-1"),
    "log": lambda pool: PostgresPaymentReader(pool=pool).log(an_id("order-1")),
    "page": lambda pool: PostgresPaymentReader(pool=pool).page(user_id=1, status=None, after=None, limit=1),
    "rate": lambda pool: PostgresCreateRate(pool=pool, per_minute=1).take([1]),
}


async def end_all_connections(database_url: str) -> None:
    killer = await asyncpg.connect(database_url)
    await killer.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await killer.close()


@pytest.mark.parametrize("use", USES)
async def test_a_server_that_is_not_there_is_an_outage(use: str) -> None:
    async with create_pool(dsn="postgresql://u@127.0.0.1:1/nothing", size=1) as pool:
        with pytest.raises(DatabaseUnavailable):
            await USES[use](pool)


async def test_a_pool_without_a_free_connection_is_an_outage(database_url: str) -> None:
    async with create_pool(dsn=database_url, size=1) as pool, pool.acquire(), asyncio.timeout(10):
        ended = await asyncio.gather(*(use(pool) for use in USES.values()), return_exceptions=True)

    assert [type(outcome) for outcome in ended] == [DatabaseUnavailable] * len(USES)


@pytest.mark.parametrize("use", USES)
async def test_a_connection_that_the_server_ended_is_replaced(database_url: str, use: str) -> None:
    async with create_pool(dsn=database_url, size=1) as pool:
        await USES[use](pool)
        await end_all_connections(database_url)

        with suppress(DatabaseUnavailable):
            await USES[use](pool)
        await USES[use](pool)


async def test_a_connection_lost_inside_a_transaction_is_an_outage_and_leaves_nothing(
    pool: Pool, begin: PostgresUnitOfWork, reader: PostgresPaymentReader, database_url: str
) -> None:
    await run(pool, "INSERT INTO users (id) VALUES (1)")

    with pytest.raises(DatabaseUnavailable):  # noqa: PT012 - the loss comes in the middle
        async with begin() as work:
            await work.payments.add(*an_opened_payment())
            await end_all_connections(database_url)

    with suppress(DatabaseUnavailable):
        await reader.find("order-1")
    assert await reader.find("order-1") is None
