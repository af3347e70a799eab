"""What it costs to find and take the payments that are due, in a table of a million.

Runs an embedded Postgres of its own, on disk, and ends by itself:

    .venv/bin/python bench/due.py                  # a million rows, 100 due; about two minutes
    .venv/bin/python bench/due.py --rows 100000 --json
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import asyncpg

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))

from adapters.postgres.statements import load
from entrypoints.embedded_postgres import embedded_postgres
from entrypoints.migrations import migrate_up

INDEX: Final = "payment_transactions_due_index"
LIMIT_MS: Final = 5.0
# What the background work takes up at once.
TAKEN: Final = 25
SERVED: Final = 100_000

# A year of a shop: most are paid and done, one in five ended unpaid this week and is looked after for late
# money, one in twenty is open. Nothing but the last rows is due.
FILL: Final = """
INSERT INTO payment_transactions (user_id, order_id, gross_amount, payment_type, status, created_at,
    updated_at, expires_at, paid_at, midtrans_transaction_id, due_at)
SELECT 1, 'bench-' || n, 25000, 'gopay',
       CASE WHEN n % 20 = 0 THEN 'pending' WHEN n % 5 = 1 THEN 'expire' ELSE 'settlement' END,
       now() - interval '1 minute' * (n % 525600), now(), now() + interval '1 hour',
       CASE WHEN n % 20 <> 0 AND n % 5 <> 1 THEN now() END, 't-' || n,
       CASE WHEN n > $1::int - $2::int THEN now() - interval '1 minute'
            WHEN n % 20 = 0 THEN now() + interval '1 hour' * random()
            WHEN n % 5 = 1 THEN now() + interval '7 days' * random() END
  FROM generate_series(1, $1::int) AS n
"""
# As the background work does it: taken, asked about, and due again another day.
SERVE: Final = """
UPDATE payment_transactions
   SET due_at = now() + interval '1 day' * (1 + random()), asked_at = now(), updated_at = now()
 WHERE id IN (SELECT id FROM payment_transactions WHERE due_at > now() ORDER BY due_at LIMIT $1)
"""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One statement in one situation; times are of the whole round trip."""

    situation: str
    statement: str
    median_ms: float
    most_ms: float
    by_index: bool

    @property
    def is_good(self) -> bool:
        return self.by_index and self.median_ms < LIMIT_MS


@dataclass(frozen=True, kw_only=True)
class Statement:
    name: str
    text: str
    arguments: tuple[Any, ...] = ()


STATEMENTS: Final = (
    Statement(name="take_due", text=load("payments.sql")["take_due"], arguments=(TAKEN,)),
    Statement(name="any_due", text=load("payments.sql")["any_due"]),
    Statement(name="behind", text=load("health.sql")["behind"]),
)


async def measure(
    connection: "asyncpg.Connection[Any]", situation: str, statement: Statement, *, times: int
) -> Measured:
    """Each run is rolled back, so that as many are due for the next."""
    taken = []
    prepared = await connection.prepare(statement.text)
    for _ in range(times):
        transaction = connection.transaction()
        await transaction.start()
        started = time.perf_counter()
        await prepared.fetch(*statement.arguments)
        taken.append((time.perf_counter() - started) * 1000)
        await transaction.rollback()
    places = ", ".join(str(argument) for argument in statement.arguments)
    await connection.execute(f"PREPARE measured AS {statement.text}")
    plan = await connection.fetchval(
        f"EXPLAIN (FORMAT JSON) EXECUTE measured {f'({places})' if places else ''}"
    )
    await connection.execute("DEALLOCATE measured")
    return Measured(
        situation=situation,
        statement=statement.name,
        median_ms=round(statistics.median(taken), 3),
        most_ms=round(max(taken), 3),
        by_index=INDEX in plan and not _reads_whole_table(json.loads(plan)),
    )


def _reads_whole_table(plan: Any) -> bool:
    if isinstance(plan, list):
        return any(map(_reads_whole_table, plan))
    if not isinstance(plan, dict):
        return False
    whole = plan.get("Node Type") == "Seq Scan" and plan.get("Relation Name") == "payment_transactions"
    return whole or any(map(_reads_whole_table, plan.values()))


@asynccontextmanager
async def a_snapshot(url: str) -> AsyncIterator[None]:
    """Somebody reads for a long time, as `bayar verify` does, so that nothing dead can be cleaned up."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            await connection.fetchval("SELECT count(*) FROM users")
            yield
    finally:
        await connection.close()


async def run(url: str, *, rows: int, due: int, times: int) -> list[Measured]:
    connection = await asyncpg.connect(url)
    found: list[Measured] = []

    async def measure_all(situation: str) -> None:
        found.extend([await measure(connection, situation, one, times=times) for one in STATEMENTS])

    try:
        await connection.execute("ALTER TABLE payment_transactions SET (autovacuum_enabled = false)")
        await connection.execute("INSERT INTO users (id) VALUES (1)")
        await connection.execute(FILL, rows, due)
        await measure_all("just filled, no statistics yet")
        await connection.execute("VACUUM ANALYZE payment_transactions")
        await measure_all("with statistics")
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        await measure_all("with one plan for all arguments")
        await connection.execute("SET plan_cache_mode = auto")
        async with a_snapshot(url):
            await connection.execute(SERVE, min(SERVED, rows // 10))
            await measure_all(f"{min(SERVED, rows // 10)} served since, none cleaned up")
    finally:
        await connection.close()
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--due", type=int, default=100)
    parser.add_argument("--times", type=int, default=100, help="runs of each statement")
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    with TemporaryDirectory(prefix="bayar-bench-") as made:
        Path(made).chmod(0o711)  # Postgres may run as an account of its own
        with embedded_postgres(Path(made) / "data", database="bench") as url:
            migrate_up(url)
            found = asyncio.run(run(url, rows=wanted.rows, due=wanted.due, times=wanted.times))
    if wanted.json:
        print(json.dumps([asdict(one) for one in found], indent=2))
    else:
        print(f"{wanted.rows} payments, {wanted.due} of them due\n")
        print(f"{'situation':44} {'statement':10} {'median ms':>10} {'most ms':>9}  index")
        for one in found:
            index = "yes" if one.by_index else "NO"
            print(f"{one.situation:44} {one.statement:10} {one.median_ms:10.2f} {one.most_ms:9.2f}  {index}")
    return 0 if all(one.is_good for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
