"""One transaction on one connection."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from adapters.postgres.budget import PostgresAskingBudget
from adapters.postgres.deliveries import PostgresDeliveries
from adapters.postgres.endpoints import PostgresEndpoints
from adapters.postgres.errors import translated
from adapters.postgres.idempotency import PostgresIdempotencyKeys
from adapters.postgres.notifications import PostgresNotifications
from adapters.postgres.payments import PostgresPayments
from adapters.postgres.pool import ACQUIRE_SECONDS
from adapters.postgres.refunds import PostgresRefunds
from adapters.postgres.users import PostgresUsers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from adapters.postgres.pool import Connection, Pool
    from domain.history import Entry

# One round trip. Durable whatever the server's default is: an answer must never promise more than the disk.
BEGIN: Final = """
BEGIN;
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '8s';
SET LOCAL idle_in_transaction_session_timeout = '30s';
SELECT set_config('synchronous_commit', 'on', true)
 WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply');
"""


class PostgresWork:
    """The repositories of one open transaction."""

    def __init__(self, connection: Connection, *, ask_rate: float) -> None:
        self.recorded: list[Entry] = []
        self.payments = PostgresPayments(connection, self.recorded)
        self.notifications = PostgresNotifications(connection)
        self.idempotency = PostgresIdempotencyKeys(connection)
        self.budget = PostgresAskingBudget(connection, rate=ask_rate)
        self.refunds = PostgresRefunds(connection)
        self.users = PostgresUsers(connection)
        self.endpoints = PostgresEndpoints(connection)
        self.deliveries = PostgresDeliveries(connection)


class PostgresUnitOfWork:
    """Begins transactions; ``on_commit`` hears of every log entry once it is durable.

    ``ask_rate`` is how many questions a second the background work may ask of Midtrans; after ``patience``
    seconds without a free connection the database counts as away.
    """

    def __init__(
        self,
        *,
        pool: Pool,
        on_commit: Callable[[Sequence[Entry]], None],
        ask_rate: float = 20.0,
        patience: float = ACQUIRE_SECONDS,
    ) -> None:
        self._pool, self._on_commit = pool, on_commit
        self._ask_rate, self._patience = ask_rate, patience

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[PostgresWork]:
        with translated():
            async with self._pool.acquire(timeout=self._patience) as connection:
                await connection.execute(BEGIN)
                work = PostgresWork(connection, ask_rate=self._ask_rate)
                try:
                    yield work
                except BaseException:
                    await _roll_back(connection)
                    raise
                await _commit(connection)
        if work.recorded:
            self._on_commit(work.recorded)


async def _commit(connection: Connection) -> None:
    tag = await connection.execute("COMMIT")
    if tag != "COMMIT":
        message = f"the transaction was not committed ({tag})"
        raise RuntimeError(message)


async def _roll_back(connection: Connection) -> None:
    """Leave the connection clean; one that cannot be left clean is closed, and the server rolls back."""
    try:
        await asyncio.wait_for(connection.execute("ROLLBACK"), 2)
    except BaseException:
        connection.terminate()
        raise
