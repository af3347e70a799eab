"""What only many rows and many connections show of the inbox."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from support.builders import a_forged
from support.rows import run

if TYPE_CHECKING:
    from adapters.postgres.pool import Pool
    from adapters.postgres.work import PostgresUnitOfWork


async def test_a_flood_of_forged_notifications_on_many_connections_stays_bounded(
    pool: Pool, begin: PostgresUnitOfWork
) -> None:
    async def flood(connection: int) -> None:
        for number in range(60):
            async with begin() as work:
                await work.notifications.add_forged(a_forged(f"{connection}-{number}"))

    async with asyncio.timeout(30):
        await asyncio.gather(*(flood(connection) for connection in range(8)))

    # Those that look at the same instant do not see each other: one more for each connection at most.
    assert 200 <= await run(pool, "SELECT count(*) FROM payment_webhook_events") <= 208
