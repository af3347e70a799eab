"""What only many rows, many workers and the planner show of the events on their way."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from adapters.postgres.deliveries import SQL
from adapters.system.chance import SystemChance
from adapters.system.clock import SystemClock
from domain.delivery import FAILING_FROM, Answered, Unreached
from domain.usecases.deliver_events import DeliverEvents
from support.merchant import happens, is_paid, listens, refunded
from support.rows import run

if TYPE_CHECKING:
    from uuid import UUID

    from adapters.postgres.pool import Pool
    from adapters.postgres.work import PostgresUnitOfWork
    from domain.delivery import Answer
    from domain.ports.merchant import Message

WORKERS: Final = 6


class CarelessMerchant:
    """Fails now and then, in every way, and remembers what it was sent of which order."""

    def __init__(self) -> None:
        self.got: dict[str, list[str]] = defaultdict(list)
        self.taken: dict[str, list[str]] = defaultdict(list)
        self.overlaps: list[str] = []
        self._open: set[str] = set()
        self._number = 0

    async def send(self, message: Message, *, within: float) -> Answer:  # noqa: ARG002 - as the real one
        self._number += 1
        number = self._number
        said = json.loads(message.body)
        order_id = said["data"]["order_id"]
        if order_id in self._open:
            self.overlaps.append(order_id)
        self._open.add(order_id)
        await asyncio.sleep(0.002 * (number % 3))
        self._open.discard(order_id)
        self.got[order_id].append(message.id)
        if number % 11 == 0:
            return Unreached(reason="no connection: Connection refused")
        if number % 5 == 0:
            return Answered(status=500)
        self.taken[order_id].append(said["type"])
        return Answered(status=200)


async def test_many_workers_and_a_careless_shop_and_still_every_event_in_order(
    pool: Pool, begin: PostgresUnitOfWork
) -> None:
    orders = [f"order-{number}" for number in range(15)]
    await listens(begin)
    merchant = CarelessMerchant()
    workers = [
        DeliverEvents(
            begin=begin,
            merchant=merchant,
            clock=SystemClock(),
            chance=SystemChance(),
            tell=lambda _attempt: None,
        )
        for _ in range(WORKERS)
    ]

    async def happen(order_id: str) -> None:
        await is_paid(begin, order_id)
        for amount in (1_000, 2_000, 10_000):
            await happens(begin, refunded(amount, order_id), order_id=order_id)

    async def work(worker: DeliverEvents) -> None:
        while any(len(merchant.taken[order_id]) < 4 for order_id in orders):
            await worker(at_once=20)
            await worker.finish()

    async def hurry() -> None:  # nobody waits for a retry; a lease lasts
        while True:
            await asyncio.sleep(0.05)
            await run(pool, "UPDATE merchant_endpoints SET paused_until = least(paused_until, now())")
            await run(
                pool,
                "UPDATE merchant_deliveries SET due_at = now() WHERE (event_id, endpoint_id) IN"
                # What the workers have locked is left to them: nothing may wait for it, holding others.
                " (SELECT event_id, endpoint_id FROM merchant_deliveries"
                " WHERE due_at > now() FOR UPDATE SKIP LOCKED)",
            )

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        hurrying = group.create_task(hurry())
        happening = [group.create_task(happen(order_id)) for order_id in orders]
        working = [group.create_task(work(worker)) for worker in workers]
        await asyncio.gather(*happening, *working)
        hurrying.cancel()

    assert merchant.overlaps == []
    for order_id in orders:
        told = ["payment.settlement", "payment.partial_refund", "payment.partial_refund", "payment.refund"]
        assert merchant.taken[order_id] == told
        seen = merchant.got[order_id]
        assert seen == sorted(seen, key=seen.index), "an earlier event came after a later one"
        assert len(set(seen)) == 4
    assert await run(pool, "SELECT count(*) FROM merchant_deliveries WHERE delivered_at IS NULL") == 0


async def _many_rows(pool: Pool, endpoint: UUID) -> None:
    """A month of delivered events, a few that wait, and a hundred other endpoints."""
    await run(pool, "INSERT INTO users (id) VALUES (1)")
    await run(
        pool,
        "WITH payments AS ("
        " INSERT INTO payment_transactions (user_id, order_id, gross_amount, payment_type, status)"
        " SELECT 1, 'many-' || n, 1, 'gopay', 'settlement' FROM generate_series(1, 20000) AS n RETURNING id"
        "), events AS ("
        " INSERT INTO merchant_events (id, payment_id, seq, type, body)"
        " SELECT gen_random_uuid(), id, 2, 'payment.settlement', '{}' FROM payments RETURNING id, payment_id"
        ") INSERT INTO merchant_deliveries (event_id, endpoint_id, payment_id, seq, delivered_at)"
        " SELECT id, $1, payment_id, 2, CASE WHEN random() < 0.999 THEN now() END FROM events",
        endpoint,
    )
    await run(
        pool,
        "INSERT INTO merchant_endpoints (id, url, secret)"
        " SELECT gen_random_uuid(), 'https://shop.example', 'whsec_' FROM generate_series(1, 100)",
    )
    for table in ("payment_transactions", "merchant_events", "merchant_deliveries", "merchant_endpoints"):
        await run(pool, f"ANALYZE {table}")


async def _plan(pool: Pool, statement: str, *arguments: object) -> str:
    async with pool.acquire() as connection:
        rows = await connection.fetch(f"EXPLAIN {statement}", *arguments)
    return "\n".join(row[0] for row in rows)


async def test_what_is_due_is_found_by_its_index_however_much_was_delivered(
    pool: Pool, begin: PostgresUnitOfWork
) -> None:
    endpoint = await listens(begin)
    await _many_rows(pool, endpoint)

    ready = await _plan(pool, SQL["ready"], 100)
    take = await _plan(pool, SQL["take"], [endpoint], 10, FAILING_FROM, 100)

    for plan in (ready, take):
        assert "Seq Scan on merchant_deliveries" not in plan, plan
        assert "Seq Scan on merchant_events" not in plan, plan
        assert "merchant_deliveries_due_index" in plan, plan


async def test_a_long_backlog_is_given_up_in_parts(pool: Pool, begin: PostgresUnitOfWork) -> None:
    """All at once it could take longer than a statement may."""
    endpoint = await listens(begin)
    await run(pool, "INSERT INTO users (id) VALUES (1)")
    await run(
        pool,
        "WITH payment AS ("
        " INSERT INTO payment_transactions (user_id, order_id, gross_amount, payment_type, status)"
        " VALUES (1, 'order-1', 1, 'gopay', 'settlement') RETURNING id"
        "), events AS ("
        " INSERT INTO merchant_events (id, payment_id, seq, type, body)"
        " SELECT gen_random_uuid(), id, n, 'payment.settlement', '{}'"
        " FROM payment, generate_series(1, 20500) AS n"
        " RETURNING id, payment_id, seq"
        ") INSERT INTO merchant_deliveries (event_id, endpoint_id, payment_id, seq, queued_at)"
        " SELECT id, $1, payment_id, seq, now() - interval '2 days' FROM events",
        endpoint,
    )

    async with pool.acquire() as connection:
        given_up = [
            await connection.fetchval(SQL["give_up_older"], endpoint, timedelta(days=1)) for _ in range(3)
        ]

    assert given_up == [20_000, 500, 0]


@pytest.mark.parametrize(
    "statement", ["delivered", "failed", "give_up_older", "oldest_waiting", "of_payment"]
)
async def test_nothing_looks_through_all_that_was_ever_delivered(
    pool: Pool, begin: PostgresUnitOfWork, statement: str
) -> None:
    endpoint = await listens(begin)
    await _many_rows(pool, endpoint)
    arguments = {
        "delivered": (endpoint, endpoint, 1, 200),
        "failed": (endpoint, endpoint, 1, 500, None, 1, timedelta(seconds=5)),
        "give_up_older": (endpoint, timedelta(days=1)),
        "oldest_waiting": (),
        "of_payment": (endpoint,),
    }[statement]

    plan = await _plan(pool, SQL[statement], *arguments)

    assert "Seq Scan on merchant_deliveries" not in plan, plan
    assert "Seq Scan on merchant_events" not in plan, plan
