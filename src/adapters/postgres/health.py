"""What the service needs of its database, asked of the database itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.postgres.errors import translated
from adapters.postgres.pool import ACQUIRE_SECONDS
from adapters.postgres.statements import load
from domain.ports.database import Condition

if TYPE_CHECKING:
    from adapters.postgres.pool import Pool

SQL: Final = load("health.sql")
_MIGRATED, _VERSIONS, _CONDITION = SQL["migrated"], SQL["versions"], SQL["condition"]
_BEHIND: Final = SQL["behind"]
_DURABLE: Final = frozenset({"on", "remote_apply"})


class PostgresHealth:
    """``migrations`` are the versions that this release comes with."""

    def __init__(self, *, pool: Pool, migrations: tuple[str, ...]) -> None:
        self._pool, self._migrations = pool, migrations

    async def condition(self) -> Condition:
        """Raises DatabaseUnavailable."""
        with translated():
            async with self._pool.acquire(timeout=ACQUIRE_SECONDS) as connection:
                row = await connection.fetchrow(_CONDITION)
                known = await connection.fetchval(_MIGRATED)
                applied = {r["version"] for r in await connection.fetch(_VERSIONS)} if known else set()
                missing = tuple(v for v in self._migrations if v not in applied)
                behind = 0.0 if missing else await connection.fetchval(_BEHIND)
        assert row is not None  # a SELECT without FROM
        return Condition(
            version=row["version"],
            now=row["now"],
            encoding=row["encoding"],
            durable=row["synchronous_commit"] in _DURABLE and row["fsync"] == "on",
            missing_migrations=missing,
            behind_seconds=behind,
        )
