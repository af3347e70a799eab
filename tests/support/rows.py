"""Looking at the tables, and writing to them, past the repositories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from support.builders import NOW, ORDER_ID, USER_ID

if TYPE_CHECKING:
    from adapters.postgres.pool import Pool

ADOPTED: Final = UUID("0190f1de-0000-7000-8000-000000000001")


async def run(pool: Pool, statement: str, *arguments: Any) -> Any:
    async with pool.acquire() as connection:
        return await connection.fetchval(statement, *arguments)


async def adopt(pool: Pool, **columns: Any) -> None:
    """A row as an earlier service wrote it: only the columns that its table had."""
    row = {
        "id": ADOPTED,
        "user_id": USER_ID,
        "order_id": ORDER_ID,
        "gross_amount": 10_000,
        "payment_type": "gopay",
        "status": "pending",
        "midtrans_transaction_id": "t-1",
        "created_at": NOW,
        "updated_at": NOW,
        "expires_at": None,
    } | columns
    names = ", ".join(row)
    places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
    await run(pool, "INSERT INTO users (id) VALUES (1) ON CONFLICT DO NOTHING")
    await run(pool, f"INSERT INTO payment_transactions ({names}) VALUES ({places})", *row.values())  # noqa: S608


async def until_somebody_waits(pool: Pool) -> None:
    """Return once another connection to this database waits for a lock."""
    while not await run(
        pool,
        "SELECT EXISTS (SELECT FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock')",
    ):
        pass
