from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.postgres.errors import translated
from adapters.postgres.payments import SQL
from adapters.postgres.pool import ACQUIRE_SECONDS

if TYPE_CHECKING:
    from adapters.postgres.pool import Pool

_TAKE_CREATE: Final = SQL["take_create"]


class PostgresCreateRate:
    """Creates per user in a running minute, counted in the database for all processes.

    The table is unlogged and the statement its own transaction: its commit waits for no disk, so the lock
    on a busy user's row is short.
    """

    def __init__(self, *, pool: Pool, per_minute: int, patience: float = ACQUIRE_SECONDS) -> None:
        self._pool, self._per_minute, self._patience = pool, per_minute, patience

    async def take(self, user_id: int) -> int | None:
        with translated():
            async with self._pool.acquire(timeout=self._patience) as connection:
                row = await connection.fetchrow(_TAKE_CREATE, user_id)
        if row is None or row["created"] <= self._per_minute:
            return None
        return max(int(row["seconds_left"]), 1)
