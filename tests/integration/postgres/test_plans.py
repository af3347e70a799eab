"""What is asked most, of a payment or of a user's payments, is found by an index however many there are.

`bench/growth.py` measures what ten million payments cost.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from adapters.postgres.payments import PostgresPaymentReader
from adapters.postgres.pool import create_pool
from adapters.postgres.statements import load
from domain.status import Status
from support.builders import an_id
from support.plans import steps

if TYPE_CHECKING:
    from adapters.postgres.pool import Connection, Pool

_MANY: Final = 30_000
_FEW: Final = 300
# A few were charged back, and all of those long ago.
_CHARGED_BACK: Final = 30
_FILL: Final = """
INSERT INTO payment_transactions (user_id, order_id, gross_amount, payment_type, status, created_at,
    midtrans_transaction_id, checkout_token, needs_attention)
SELECT CASE WHEN n % 30 = 0 THEN 2 ELSE 1 END, 'order-' || n, 10000, 'gopay',
       CASE WHEN n > $1::int - $2::int THEN 'chargeback' WHEN n < 100 THEN 'pending' ELSE 'settlement' END,
       now() - n * interval '1 minute', 't-' || n, 'token-' || n, n % 1000 = 0
  FROM generate_series(1, $1::int) AS n;
"""
_NOTIFY: Final = """
INSERT INTO payment_webhook_events (received_at, order_id, midtrans_transaction_id, raw_body, signature_key,
    is_verified, processed, forged)
SELECT now() AT TIME ZONE 'utc' - n * interval '1 minute', 'order-' || n, 't-' || n,
       '{"transaction_status": "settlement"}', 'key-' || n, n % 100 > 0, n % 50 > 0, n % 100 = 0
  FROM generate_series(1, $1::int) AS n
"""
_LOG: Final = """
INSERT INTO payment_events (payment_id, seq, recorded_at, what, source, status, detail, digest)
SELECT id, 1, created_at, 'created', 'shop', 'created', '{}', '' FROM payment_transactions
"""
_REFUND: Final = """
UPDATE payment_transactions SET status = 'refund'
 WHERE status = 'settlement' AND substr(order_id, 7)::int % 50 = 1;
ANALYZE payment_transactions
"""
_LATER: Final = datetime(2100, 1, 1, tzinfo=UTC)
_RECEIVED: Final = datetime(2026, 2, 6)  # noqa: DTZ001 - as the column is
_REPEATED: Final = (an_id("event"), _RECEIVED, "order-7", "t-7", "{}", "key-7", True, None, "settlement")
_FORGED: Final = (an_id("event"), _RECEIVED, "order-7", "{}")


async def fill(connection: Connection) -> None:
    await connection.execute("INSERT INTO users (id) VALUES (1), (2)")
    await connection.execute(_FILL, _MANY, _CHARGED_BACK)
    await connection.execute(_NOTIFY, _MANY)
    await connection.execute(_LOG)
    await connection.execute("ANALYZE payment_transactions, payment_webhook_events, payment_events")


async def explained(
    connection: Connection, file: str, block: str, arguments: tuple[Any, ...]
) -> tuple[str, list[dict[str, Any]]]:
    """The plan as text and its steps, run and taken back."""
    transaction = connection.transaction()
    await transaction.start()
    told = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {load(file)[block]}", *arguments)
    await transaction.rollback()
    return told, steps(json.loads(told))


_FOUND_BY: Final = (
    ("payments.sql", "find", ("order-7",), "payment_transactions_order_id_key"),
    ("payments.sql", "lock", ("order-7",), "payment_transactions_order_id_key"),
    ("payments.sql", "lock_free", (["order-7", "order-9"],), "payment_transactions_order_id_key"),
    ("payments.sql", "take_turn", (an_id("payment"), 10), "payment_transactions_pkey"),
    ("payments.sql", "log", (an_id("payment"),), "payment_events_pkey"),
    ("payments.sql", "attention", (50,), "payment_transactions_attention_index"),
    ("payments.sql", "page_of_all", (None, None, None, 50), "payment_transactions_newest_index"),
    ("payments.sql", "page_of_all", (None, _LATER, an_id("a"), 50), "payment_transactions_newest_index"),
    ("payments.sql", "page_of_user", (2, None, None, None, 50), "payment_transactions_user_newest_index"),
    (
        "payments.sql",
        "page_of_user",
        (2, None, _LATER, an_id("a"), 50),
        "payment_transactions_user_newest_index",
    ),
    ("checkouts.sql", "find", ("token-7",), "payment_transactions_checkout_token_index"),
    ("checkouts.sql", "since", ([an_id("payment")], [1]), "payment_transactions_pkey"),
    ("notifications.sql", "add_repeat", _REPEATED, "payment_webhook_events_order_id_index"),
    ("notifications.sql", "add_forged", _FORGED, "payment_webhook_events_forged_index"),
    ("notifications.sql", "take_doubtful", (20,), "payment_webhook_events_due_index"),
)


def _reads_all(step: dict[str, Any]) -> bool:
    return step["Node Type"] == "Seq Scan" and step["Relation Name"].startswith("payment_")


async def test_each_is_found_by_its_index(pool: Pool) -> None:
    otherwise = {}
    async with pool.acquire() as connection:
        await fill(connection)
        for file, block, arguments, index in _FOUND_BY:
            told, plan = await explained(connection, file, block, arguments)
            if index not in told or any(map(_reads_all, plan)):
                otherwise[block, str(arguments)] = [
                    (step["Node Type"], step.get("Index Name")) for step in plan
                ]

    assert otherwise == {}


async def test_a_list_of_one_status_reads_few_others(pool: Pool) -> None:
    """Also of a status that only the oldest have, or none at all, and of a user who has nearly all."""
    passed_over = {}
    async with pool.acquire() as connection:
        await fill(connection)
        for status in ("chargeback", "pending", "refund", "settlement"):
            for block, whose in (("page_of_all", ()), ("page_of_user", (1,)), ("page_of_user", (2,))):
                _, plan = await explained(connection, "payments.sql", block, (*whose, status, None, None, 20))
                passed_over[status, block, whose] = sum(
                    step.get("Rows Removed by Filter", 0) * step["Actual Loops"] for step in plan
                )

    assert {asked: rows for asked, rows in passed_over.items() if rows > _FEW} == {}


async def test_a_list_of_a_status_that_one_in_fifty_has_reads_no_other(pool: Pool) -> None:
    """Thousands have it in a large shop: too many to sort, and the newest of all are mostly others."""
    async with pool.acquire() as connection:
        await fill(connection)
        await connection.execute(_REFUND)
        told, plan = await explained(
            connection, "payments.sql", "page_of_user", (1, "refund", None, None, 20)
        )

    assert "payment_transactions_user_rare_index" in told
    assert sum(step.get("Actual Rows", 0) * step["Actual Loops"] for step in plan) == 40  # read, and limited


async def test_a_list_is_planned_for_the_status_that_is_asked_for(database_url: str) -> None:
    """After some lists Postgres may take one plan for all, and read a whole table for a status of none."""
    async with create_pool(dsn=database_url, size=1) as pool:
        async with pool.acquire() as connection:
            await connection.execute("INSERT INTO users (id) VALUES (1)")
            await connection.execute("SET plan_cache_mode = force_generic_plan")
        reader = PostgresPaymentReader(pool=pool)
        await reader.page(user_id=1, status=Status.REFUND, after=None, limit=20)

        async with pool.acquire() as connection:
            plans = await connection.fetchval(
                "SELECT sum(generic_plans) FROM pg_prepared_statements WHERE statement LIKE $1",
                "%LIMIT $5%",
            )

    assert plans == 0
