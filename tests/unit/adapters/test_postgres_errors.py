import asyncpg
import pytest

from adapters.postgres.errors import translated
from domain.errors import DatabaseUnavailable, OrderIdTaken


@pytest.mark.parametrize(
    "trouble",
    [
        ConnectionRefusedError(),
        ConnectionResetError(),
        FileNotFoundError("the socket is gone"),
        TimeoutError(),
        asyncpg.InterfaceError("the connection is closed"),
        asyncpg.ConnectionDoesNotExistError(),
        asyncpg.ConnectionFailureError(),
        asyncpg.CannotConnectNowError(),
        asyncpg.AdminShutdownError(),
        asyncpg.CrashShutdownError(),
        asyncpg.QueryCanceledError(),
        asyncpg.TooManyConnectionsError(),
        asyncpg.DiskFullError(),
        asyncpg.OutOfMemoryError(),
        asyncpg.LockNotAvailableError(),
        asyncpg.DeadlockDetectedError(),
        asyncpg.SerializationError(),
        asyncpg.ReadOnlySQLTransactionError(),
        asyncpg.InvalidPasswordError(),
        asyncpg.InvalidCatalogNameError(),
        asyncpg.UndefinedObjectError(),
        asyncpg.UndefinedTableError(),
        asyncpg.UndefinedColumnError(),
    ],
    ids=lambda trouble: type(trouble).__name__,
)
def test_every_way_in_which_the_database_may_be_away_is_one_error(trouble: Exception) -> None:
    with pytest.raises(DatabaseUnavailable) as unavailable, translated():
        raise trouble

    assert unavailable.value.__cause__ is trouble


@pytest.mark.parametrize(
    "fault",
    [
        asyncpg.UniqueViolationError("x"),
        asyncpg.ForeignKeyViolationError("x"),
        asyncpg.CheckViolationError("x"),
        asyncpg.PostgresSyntaxError("x"),
        asyncpg.InvalidTextRepresentationError("x"),
        asyncpg.DataError("x"),
        asyncpg.InFailedSQLTransactionError("x"),
        ZeroDivisionError("x"),
        OrderIdTaken("x"),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_our_own_faults_are_not_taken_for_an_outage(fault: Exception) -> None:
    with pytest.raises(type(fault)), translated():
        raise fault


def test_a_database_that_is_behind_says_what_to_do() -> None:
    with pytest.raises(DatabaseUnavailable, match="run bayar migrate"), translated():
        raise asyncpg.UndefinedTableError
