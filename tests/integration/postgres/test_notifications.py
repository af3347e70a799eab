"""What only many rows and many connections show of the inbox."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from domain.errors import DatabaseUnavailable
from domain.signature import ServerKeys
from domain.status import Status
from domain.usecases.receive_notification import Outcome, ReceiveNotification
from support.builders import SERVER_KEY, a_delivery, a_forged, given
from support.fakes import CountingIdentifiers
from support.rows import run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from adapters.postgres.pool import Pool
    from adapters.postgres.work import PostgresUnitOfWork
    from domain.ports.work import Work


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


async def test_a_group_whose_commit_was_not_heard_of_is_answered_and_kept_once(
    pool: Pool, begin: PostgresUnitOfWork
) -> None:
    orders = [(f"order-{number}", f"t-{number}") for number in range(4)]
    for order_id, transaction_id in orders:
        await given(begin, order_id=order_id, transaction_id=transaction_id, status=Status.PENDING)
    unheard = iter([True])

    @asynccontextmanager
    async def losing() -> AsyncIterator[Work]:
        async with begin() as work:
            yield work
        if next(unheard, False):
            raise DatabaseUnavailable

    receive = ReceiveNotification(
        begin=losing, ids=CountingIdentifiers(), keys=ServerKeys(current=SERVER_KEY), confirm_always=False
    )
    said = [a_delivery(order_id=order_id, transaction_id=known) for order_id, known in orders]

    told = await asyncio.gather(*map(receive, said))

    assert told == [(Outcome.KNOWN, None)] * 4
    assert await run(pool, "SELECT count(*) FROM payment_webhook_events WHERE processed") == 4
    assert await run(pool, "SELECT count(*) FROM payment_transactions WHERE status = 'settlement'") == 4
