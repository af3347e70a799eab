"""What an operator asks for may take as long as it has to; what a caller waits for may not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import asyncpg
import pytest

from adapters.postgres.evidence_log import PostgresEvidenceLog
from adapters.postgres.retention import PostgresPruner
from adapters.postgres.work import PostgresUnitOfWork
from domain.retention import RETENTION
from support.merchant import listens

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from adapters.postgres.pool import Pool

_IMPATIENT: Final = 0.1
_WAITS: Final = """
SELECT count(*) FROM pg_stat_activity
 WHERE wait_event_type = 'Lock' AND query_start < clock_timestamp() - make_interval(secs => $1)
"""


@pytest.fixture
async def hasty(database_url: str) -> AsyncIterator[asyncpg.Pool[asyncpg.Record]]:
    """A pool whose statements are given up at once unless they say otherwise."""
    async with asyncpg.create_pool(database_url, min_size=0, command_timeout=_IMPATIENT) as pool:
        yield pool


async def _count(pool: Pool) -> int:
    return await PostgresPruner(pool=pool).count(RETENTION[0])


async def _count_entries(pool: Pool) -> int:
    return await PostgresEvidenceLog(pool=pool).count(None)


async def _read_chains(pool: Pool) -> int:
    async with PostgresEvidenceLog(pool=pool).chains(None) as chains:
        return len([chain async for chain in chains])


async def _enable(pool: Pool) -> int:
    async with PostgresUnitOfWork(pool=pool, on_commit=lambda _: None)() as work:
        (endpoint,) = await work.endpoints.page()
        return int(not await work.endpoints.enable(endpoint.id))


@pytest.mark.parametrize(
    ("table", "work"),
    [
        ("payment_webhook_events", _count),
        ("payment_events", _count_entries),
        ("payment_events", _read_chains),
        ("merchant_deliveries", _enable),
    ],
)
async def test_what_takes_long_is_waited_for(
    pool: Pool,
    begin: PostgresUnitOfWork,
    hasty: asyncpg.Pool[asyncpg.Record],
    table: str,
    work: Callable[[Pool], Awaitable[int]],
) -> None:
    await listens(begin)
    async with pool.acquire() as other, pool.acquire() as watcher:
        holding = other.transaction()
        await holding.start()
        await other.execute(f"LOCK TABLE {table}")
        asked = asyncio.ensure_future(work(hasty))
        async with asyncio.timeout(20):
            while not asked.done() and not await watcher.fetchval(_WAITS, 2 * _IMPATIENT):
                pass
        await holding.rollback()

    assert await asked == 0
