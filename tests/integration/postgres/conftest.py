"""What the contract suites need to see of, and do to, a real database."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from datetime import UTC
from typing import TYPE_CHECKING, Final

import pytest

from domain.errors import DatabaseUnavailable
from support.fakes import StoredNotification

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from adapters.postgres.pool import Pool
    from support.contracts.notifications import Inbox
    from support.contracts.payments import Kill
    from support.contracts.time import PassTime

DELIVERY_TIMES: Final = (
    "queued_at",
    "due_at",
    "leased_until",
    "first_attempted_at",
    "last_attempted_at",
    "delivered_at",
    "gave_up_at",
)


@pytest.fixture
def pass_time(pool: Pool) -> PassTime:
    """The database's clock cannot be turned, so what is stored moves into the past."""

    async def pass_time(seconds: float) -> None:
        async with pool.acquire() as connection:
            for table, column in (
                ("payment_webhook_events", "due_at"),
                ("payment_transactions", "asked_at"),
                ("payment_transactions", "due_at"),
                ("midtrans_budget", "refilled_at"),
                ("midtrans_budget", "paused_until"),
                ("payment_transactions", "charged_first_at"),
                ("payment_transactions", "charged_last_at"),
                ("payment_transactions", "changed_at"),
                ("payment_transactions", "expires_at"),
                ("payment_idempotency_keys", "created_at"),
                ("payment_idempotency_keys", "leased_until"),
                ("payment_refunds", "requested_at"),
                ("payment_refunds", "leased_until"),
                ("payment_refunds", "due_at"),
                ("payment_create_rates", "window_started_at"),
                *(
                    ("merchant_endpoints", name)
                    for name in ("previous_until", "failing_since", "paused_until")
                ),
                ("merchant_events", "created_at"),
                *(("merchant_deliveries", name) for name in DELIVERY_TIMES),
            ):
                await connection.execute(
                    f"UPDATE {table} SET {column} = {column} - make_interval(secs => $1)",  # noqa: S608
                    seconds,
                )

    return pass_time


@pytest.fixture
async def kill(pool: Pool) -> AsyncIterator[Kill]:
    """The server sees the connection break; whoever held it hears of nothing."""
    killed: list[asyncio.Task[None]] = []

    async def kill(task: asyncio.Task[None]) -> None:
        killed.append(task)
        async with pool.acquire() as connection:
            await connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND state = 'idle in transaction'"
            )

    yield kill
    for task in killed:
        task.cancel()
        with suppress(asyncio.CancelledError, DatabaseUnavailable):
            await task


@pytest.fixture
async def now(pool: Pool) -> datetime:
    async with pool.acquire() as connection:
        found: datetime = await connection.fetchval("SELECT now()")
    return found


@pytest.fixture
def inbox(pool: Pool) -> Inbox:
    async def inbox() -> list[StoredNotification]:
        async with pool.acquire() as connection:
            rows = await connection.fetch("SELECT * FROM payment_webhook_events ORDER BY received_at")
        return [
            StoredNotification(
                id=row["id"],
                received_at=row["received_at"].replace(tzinfo=UTC),
                order_id=row["order_id"],
                transaction_id=row["midtrans_transaction_id"],
                transaction_status=json.loads(row["raw_body"]).get("transaction_status"),
                signature_key=row["signature_key"],
                body=row["raw_body"],
                is_verified=row["is_verified"],
                processed=row["processed"],
                error=row["processing_error"],
                forged=row["forged"],
                repeats=row["repeats"],
                attempts=row["attempts"],
                due_at=row["due_at"],
            )
            for row in rows
        ]

    return inbox
