from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import parse_qs, urlsplit

import asyncpg
from asyncpg.connect_utils import SessionAttribute

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    Connection = asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
    Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record] | Share"

# Prepared statements that a connection keeps.
STATEMENTS_KEPT: Final = 100
# Somebody waits for the answer: a pool without a free connection for so long is a database too busy.
ACQUIRE_SECONDS: Final = 2.0
# A crowd of creates comes through after a while: with it before and after a charge of 25 s a call is answered
# within the 40 s that a proxy gives it.
CREATE_ACQUIRE_SECONDS: Final = 7.0
# Nobody waits for the background work: of many at once each takes its turn.
BACKGROUND_ACQUIRE_SECONDS: Final = 30.0
# For an operator who waits for a whole table to be read: a timeout of None would be the pool's own.
PATIENT_SECONDS: Final = 86_400.0


class Share:
    """A part of a pool: so many of its connections at a time at most, so that the others stay free.

    Whoever comes first is served first, and a crowd that uses one share waits for nobody but itself.
    """

    def __init__(self, *, pool: Pool, part: float) -> None:
        self._pool = pool
        self._most = max(int(pool.get_max_size() * part), 1)
        self._free = asyncio.Semaphore(self._most)

    def get_max_size(self) -> int:
        return self._most

    @asynccontextmanager
    async def acquire(self, *, timeout: float) -> AsyncIterator[Connection]:  # noqa: ASYNC109 - as a pool's own
        """Raises TimeoutError after so many seconds without a connection."""
        until = asyncio.get_running_loop().time() + timeout
        async with asyncio.timeout_at(until):
            await self._free.acquire()
        try:
            left = max(until - asyncio.get_running_loop().time(), 0.001)
            async with self._pool.acquire(timeout=left) as connection:
                yield connection
        finally:
            self._free.release()


def create_pool(*, dsn: str, size: int, statements: int = STATEMENTS_KEPT) -> asyncpg.Pool[asyncpg.Record]:
    """A pool that is not open yet and connects on demand, so that a database that is away can come back.

    Where transactions are pooled ``statements`` has to be 0: the next one may run on another connection of
    the server, which knows none that was prepared.
    """
    parts = urlsplit(dsn)
    several = "," in parts.netloc + "".join(parse_qs(parts.query).get("host", []))
    return asyncpg.create_pool(
        dsn,
        min_size=0,
        max_size=size,
        timeout=5,
        command_timeout=10,
        max_inactive_connection_lifetime=300,
        statement_cache_size=statements,
        # Only a writing server will do where several hosts are named; the list may include standbys.
        target_session_attrs=SessionAttribute.read_write if several else SessionAttribute.any,
        reset=_keep,
        server_settings={"application_name": "bayar", "timezone": "UTC"},
    )


async def _keep(_connection: Any) -> None:
    """Nothing to reset: settings are made with SET LOCAL, and every transaction here ends itself."""
