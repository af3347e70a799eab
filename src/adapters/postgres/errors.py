"""Which of Postgres's errors mean that the database is away or too busy; all others are our own faults."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import asyncpg

from domain.errors import DatabaseUnavailable

_AWAY: Final = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.TransactionRollbackError,
    asyncpg.InternalClientError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    # An option in DATABASE_URL that the server does not know.
    asyncpg.UndefinedObjectError,
)
_NOT_MIGRATED: Final = (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError)


@contextmanager
def translated() -> Iterator[None]:
    """Raise DatabaseUnavailable for every way in which the database may be away, or behind."""
    try:
        yield
    except _NOT_MIGRATED as behind:
        reason = "The database is not at this release's tables; run bayar migrate."
        raise DatabaseUnavailable(reason) from behind
    except _AWAY as trouble:
        raise DatabaseUnavailable from trouble
