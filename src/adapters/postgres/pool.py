from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

import asyncpg
from asyncpg.connect_utils import SessionAttribute

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]
    Connection = asyncpg.pool.PoolConnectionProxy[asyncpg.Record]

# Somebody waits for the answer: a pool without a free connection for so long is a database too busy.
ACQUIRE_SECONDS: Final = 2.0
# Nobody waits for the background work: of many at once each takes its turn.
BACKGROUND_ACQUIRE_SECONDS: Final = 30.0


def create_pool(*, dsn: str, size: int) -> Pool:
    """A pool that is not open yet and connects on demand, so that a database that is away can come back."""
    parts = urlsplit(dsn)
    several = "," in parts.netloc + "".join(parse_qs(parts.query).get("host", []))
    return asyncpg.create_pool(
        dsn,
        min_size=0,
        max_size=size,
        timeout=5,
        command_timeout=10,
        max_inactive_connection_lifetime=300,
        # Only a writing server will do where several hosts are named; the list may include standbys.
        target_session_attrs=SessionAttribute.read_write if several else SessionAttribute.any,
        reset=_keep,
        server_settings={"application_name": "bayar", "timezone": "UTC"},
    )


async def _keep(_connection: Any) -> None:
    """Nothing to reset: settings are made with SET LOCAL, and every transaction here ends itself."""
