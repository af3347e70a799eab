"""What only a real database shows of pruning: other connections, many rows, and the tables it may touch."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from adapters.postgres.retention import SQL, PostgresPruner
from domain.delivery import Answered
from domain.retention import RETENTION, Prunable
from domain.usecases.prune import Prune
from support.builders import a_received, an_id
from support.merchant import is_paid, listens, settle, take
from support.rows import run

if TYPE_CHECKING:
    from datetime import datetime

    from adapters.postgres.pool import Pool
    from adapters.postgres.work import PostgresUnitOfWork
    from domain.retention import Rule

RULES: Final = {rule.what: rule for rule in RETENTION}
PROCESSED, FORGED = RULES[Prunable.PROCESSED_NOTIFICATIONS], RULES[Prunable.FORGED_NOTIFICATIONS]
EVENTS: Final = RULES[Prunable.DELIVERED_EVENTS]
DAY: Final = timedelta(days=1)
# Whatever is added here is no money: neither payments and their log, nor refunds.
MAY_BE_PRUNED: Final = {"payment_webhook_events", "payment_idempotency_keys", "merchant_events"}


def test_no_statement_deletes_from_another_table() -> None:
    for name, statement in SQL.items():
        written = re.findall(r"(?:DELETE FROM|(?<!FOR )UPDATE|INSERT INTO|TRUNCATE)\s+(\w+)", statement)

        assert set(written) <= MAY_BE_PRUNED, name
        assert name.startswith("delete_") == bool(written), name


@pytest.fixture
def pruner(pool: Pool) -> PostgresPruner:
    return PostgresPruner(pool=pool)


async def test_the_newest_ten_thousand_forged_notifications_are_kept(
    pool: Pool, begin: PostgresUnitOfWork, pruner: PostgresPruner
) -> None:
    await run(
        pool,
        "INSERT INTO payment_webhook_events (received_at, raw_body, forged)"
        " SELECT (now() AT TIME ZONE 'utc') - n * interval '1 second', '{}', true"
        " FROM generate_series(1, 10050) AS n",
    )
    async with begin() as work:
        await work.notifications.add(a_received())

    gone = await pruner.delete(FORGED, limit=2000)

    assert gone == 50
    assert await run(pool, "SELECT count(*) FROM payment_webhook_events WHERE forged") == 10_000
    assert await run(pool, "SELECT count(*) FROM payment_webhook_events WHERE is_verified") == 1


async def test_many_rows_go_in_several_transactions(pool: Pool, pruner: PostgresPruner) -> None:
    await run(
        pool,
        "INSERT INTO payment_webhook_events (received_at, raw_body, is_verified, processed)"
        " SELECT now() - interval '100 days', '{}', true, true FROM generate_series(1, 5000)",
    )
    heard: list[int] = []

    gone = await Prune(pruner=pruner)(PROCESSED, tell=heard.append)

    assert (gone, heard) == (5000, [2000, 4000, 5000])
    assert await run(pool, "SELECT count(*) FROM payment_webhook_events") == 0


async def test_what_somebody_else_works_on_is_left_and_not_waited_for(
    pool: Pool, begin: PostgresUnitOfWork, pruner: PostgresPruner, now: datetime
) -> None:
    async with begin() as work:
        for name in ("held", "free"):
            kept = a_received(name, received_at=now - 100 * DAY, processed=True)
            await work.notifications.add(kept)

    async with asyncio.timeout(5), begin() as other:
        await other.notifications.mark_processed([an_id("held")])
        gone = await pruner.delete(PROCESSED, limit=10)

    assert gone == 1
    assert await run(pool, "SELECT id FROM payment_webhook_events") == an_id("held")


async def test_an_event_that_is_just_being_sent_again_is_left_and_not_waited_for(
    pool: Pool, begin: PostgresUnitOfWork, pruner: PostgresPruner
) -> None:
    await listens(begin)
    await is_paid(begin, "order-1", "order-2")
    for due in await take(begin):
        await settle(begin, due, Answered(status=200))
    await run(pool, "UPDATE merchant_events SET created_at = now() - interval '40 days'")
    await run(pool, "UPDATE merchant_deliveries SET delivered_at = now() - interval '40 days'")
    again = await run(pool, "SELECT id FROM merchant_events LIMIT 1")

    async with asyncio.timeout(5), begin() as other:
        await other.deliveries.resend([again])
        gone = await pruner.delete(EVENTS, limit=10)

    assert gone == 1
    assert [due.event_id for due in await take(begin)] == [again]


async def test_two_at_once_share_the_work(pool: Pool, pruner: PostgresPruner) -> None:
    await run(
        pool,
        "INSERT INTO payment_webhook_events (received_at, raw_body, is_verified, processed)"
        " SELECT now() - interval '100 days', '{}', true, true FROM generate_series(1, 3000)",
    )

    async with asyncio.timeout(30):
        gone = await asyncio.gather(*(Prune(pruner=pruner)(PROCESSED) for _ in range(3)))

    assert sum(gone) == 3000


@pytest.mark.parametrize("rule", RETENTION, ids=lambda rule: str(rule.what))
async def test_what_goes_next_is_found_by_an_index(pool: Pool, rule: Rule) -> None:
    async with pool.acquire() as connection:
        await connection.execute("INSERT INTO users (id) VALUES (1)")
        await connection.execute(
            "WITH paid AS ("
            "  INSERT INTO payment_transactions (user_id, order_id, gross_amount, payment_type, status)"
            "  SELECT 1, 'order-' || n, 1, 'gopay', 'settlement' FROM generate_series(1, 20000) AS n"
            "  RETURNING id)"
            " INSERT INTO payment_idempotency_keys (user_id, key, fingerprint, payment_id, leased_until)"
            " SELECT 1, id::text, '', id, now() FROM paid"
        )
        await connection.execute(
            "INSERT INTO payment_webhook_events (received_at, raw_body, is_verified, processed, forged)"
            " SELECT now() - n * interval '1 minute', '{}', n % 50 > 0, n % 50 > 0, n % 50 = 0"
            " FROM generate_series(1, 20000) AS n"
        )
        await connection.execute(
            "WITH told AS ("
            "  INSERT INTO merchant_events (id, payment_id, seq, type, body, created_at)"
            "  SELECT gen_random_uuid(), id, 1, '', '', now() - row_number() OVER () * interval '1 minute'"
            "  FROM payment_transactions"
            "  RETURNING id, payment_id, created_at)"
            " INSERT INTO merchant_deliveries (event_id, endpoint_id, payment_id, seq, delivered_at)"
            " SELECT id, gen_random_uuid(), payment_id, 1, created_at FROM told"
        )
        await connection.execute(
            "ANALYZE payment_webhook_events, payment_idempotency_keys, merchant_events, merchant_deliveries"
        )
        at_most = () if rule.at_most is None else (100,)
        name = f"delete_{rule.what.removesuffix(' notifications').replace(' ', '_')}"

        rows = await connection.fetch(f"EXPLAIN {SQL[name]}", 5 * DAY, 100, *at_most)

    plan = "\n".join(row["QUERY PLAN"] for row in rows)
    assert "Seq Scan" not in plan, plan
