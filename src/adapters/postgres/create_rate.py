from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.postgres.errors import translated
from adapters.postgres.payments import SQL
from adapters.postgres.pool import ACQUIRE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.postgres.pool import Pool

_TAKE_CREATE: Final = SQL["take_create"]


class PostgresCreateRate:
    """Creates per user in a running minute, counted in the database for all processes.

    The table is unlogged and the statement its own transaction: its commit waits for no disk, so the lock
    on a busy user's row is short.
    """

    def __init__(self, *, pool: Pool, per_minute: int, patience: float = ACQUIRE_SECONDS) -> None:
        self._pool, self._per_minute, self._patience = pool, per_minute, patience

    async def take(self, user_ids: Sequence[int]) -> list[int | None]:
        with translated():
            async with self._pool.acquire(timeout=self._patience) as connection:
                rows = await connection.fetch(_TAKE_CREATE, user_ids)
        seconds_left = {row["user_id"]: max(int(row["seconds_left"]), 1) for row in rows}
        counted = {row["user_id"]: row["created"] - user_ids.count(row["user_id"]) for row in rows}
        waits: list[int | None] = []
        for user_id in user_ids:
            counted[user_id] += 1
            is_within = counted[user_id] <= self._per_minute
            waits.append(None if is_within else seconds_left[user_id])
        return waits
