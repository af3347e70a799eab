"""The databases of the integration tests, all on one server."""

import os
import secrets
import shutil
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import urlsplit

import asyncpg

from entrypoints.embedded_postgres import embedded_postgres
from entrypoints.migrations import migrate_up

# Short paths, for the sockets. The tests' own part of them is not to be guessed.
_MEMORY: Final = Path("/dev/shm")  # noqa: S108
_DISK: Final = Path("/tmp")  # noqa: S108


@contextmanager
def serving(url: str | None) -> Iterator[str]:
    """The server behind ``url``, or an embedded one; gives the URL of a database for administration."""
    if url is not None:
        yield url
        return
    with open_directory() as directory, embedded_postgres(directory, database="admin") as ours:
        yield ours


@contextmanager
def open_directory() -> Iterator[Path]:
    """A directory that the account of an embedded Postgres can enter; pytest's own ones are closed."""
    # A suite of database servers runs in half the time where their files are in memory.
    roomy = _MEMORY.exists() and shutil.disk_usage(_MEMORY).free > 4 * 1024**3
    with TemporaryDirectory(prefix="bayar-test-", dir=_MEMORY if roomy else _DISK) as made:
        directory = Path(made)
        if os.geteuid() == 0:
            directory.chmod(stat.S_IRWXU | stat.S_IXGRP | stat.S_IXOTH)
        yield directory


class Databases:
    """Makes databases on the server of the tests, which other runs may share."""

    def __init__(self, server_url: str) -> None:
        self._server_url = server_url
        self._run = f"bayar_test_{secrets.token_hex(4)}"
        self._made: list[str] = []
        self._migrated: tuple[str, str] | None = None

    async def create(self) -> str:
        """A database with nothing in it, not even tables."""
        name = f"{self._run}_{len(self._made)}"
        async with connected(self._server_url) as connection:
            await connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")
        self._made.append(name)
        return urlsplit(self._server_url)._replace(path=f"/{name}").geturl()

    async def migrated(self) -> str:
        """A migrated database with no rows in it, whatever tests did to the one before.

        Mostly that is the same one, emptied, in milliseconds. One per test would cost its 300 files,
        and ext4 is slow to make as many where as many were deleted a moment ago.
        """
        if self._migrated:
            url, schema = self._migrated
            async with connected(url) as connection:
                if await connection.fetchval(_SCHEMA) == schema:
                    await _empty(connection)
                    return url
        url = await self.create()
        migrate_up(url)
        async with connected(url) as connection:
            self._migrated = url, await connection.fetchval(_SCHEMA)
        return url

    async def drop_all(self) -> None:
        async with connected(self._server_url) as connection:
            for name in self._made:
                await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@asynccontextmanager
async def connected(url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


# Changes with every change of a table, a constraint or a function, and not with TRUNCATE.
_SCHEMA: Final = """
SELECT string_agg(state, ' ' ORDER BY state)
  FROM (SELECT concat('columns ', count(*), ' ', max(xmin::text::bigint)) FROM pg_attribute
        UNION ALL
        SELECT concat('defaults ', count(*), ' ', max(xmin::text::bigint)) FROM pg_attrdef
        UNION ALL
        SELECT concat('constraints ', count(*), ' ', max(xmin::text::bigint)) FROM pg_constraint
        UNION ALL
        SELECT concat('triggers ', count(*), ' ', max(xmin::text::bigint)) FROM pg_trigger
        UNION ALL
        SELECT concat('functions ', count(*), ' ', max(xmin::text::bigint)) FROM pg_proc) AS catalog (state)
"""


async def _empty(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    tables = await connection.fetchval(
        "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables"
        " WHERE schemaname = 'public' AND tablename <> 'schema_migrations'"
    )
    await connection.execute(f"TRUNCATE {tables} RESTART IDENTITY")
