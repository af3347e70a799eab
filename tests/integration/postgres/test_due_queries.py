"""The few payments that are due among very many are found by the index of due times.

Whatever Postgres knows of them, or believes to know. `bench/due.py` measures how long a million takes.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from adapters.postgres.statements import load
from support.plans import steps

if TYPE_CHECKING:
    from adapters.postgres.pool import Connection, Pool

ROWS: Final = 20_000
DUE: Final = 10
FILL: Final = """
INSERT INTO payment_transactions (user_id, order_id, gross_amount, payment_type, status, due_at)
SELECT 1, 'order-' || n, 10000, 'gopay', 'pending',
       now() + interval '1 hour' * CASE WHEN n <= $2 THEN -1 ELSE 1 END
  FROM generate_series(1, $1::int) AS n
"""
FEWER: Final = """
UPDATE payment_transactions SET due_at = now() + interval '1 hour'
 WHERE id NOT IN (SELECT id FROM payment_transactions LIMIT $1)
"""
TAKE_DUE: Final = load("payments.sql")["take_due"]
ANY_DUE: Final = load("payments.sql")["any_due"]
BEHIND: Final = load("health.sql")["behind"]


async def fill(connection: Connection, *, due: int) -> None:
    await connection.execute("INSERT INTO users (id) VALUES (1)")
    await connection.execute(FILL, ROWS, due)


async def nothing_known(connection: Connection) -> None:
    """As after an adoption: the rows are there, and no statistics of them."""
    await fill(connection, due=DUE)


async def all_known(connection: Connection) -> None:
    await fill(connection, due=DUE)
    await connection.execute("ANALYZE payment_transactions")


async def outdated(connection: Connection) -> None:
    """As after Midtrans was away: all were due when they were counted last, and few are left."""
    await fill(connection, due=ROWS)
    await connection.execute("ANALYZE payment_transactions")
    await connection.execute(FEWER, DUE)


@pytest.mark.parametrize("known", [nothing_known, all_known, outdated])
@pytest.mark.parametrize(
    ("statement", "arguments"),
    [(TAKE_DUE, "(25)"), (ANY_DUE, ""), (BEHIND, "")],
    ids=["take", "any", "behind"],
)
async def test_what_is_due_is_found_by_the_index(
    pool: Pool, known: Any, statement: str, arguments: str
) -> None:
    async with pool.acquire() as connection:
        await known(connection)
        await connection.execute(f"PREPARE asked AS {statement}")
        told = await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE asked {arguments}")
        await connection.execute("DEALLOCATE asked")

    plan = json.loads(told)
    assert "payment_transactions_due_index" in told
    read_whole = [step["Relation Name"] for step in steps(plan) if step["Node Type"] == "Seq Scan"]
    # Other tables are empty here, and no index is better than that.
    assert "payment_transactions" not in read_whole
