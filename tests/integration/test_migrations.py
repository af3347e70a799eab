from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from adapters.postgres.health import PostgresHealth
from adapters.postgres.notification_reader import PostgresNotificationReader
from adapters.postgres.payments import PostgresPaymentReader
from adapters.postgres.pool import create_pool
from adapters.postgres.work import PostgresUnitOfWork
from domain.ports.notification_reader import Kind, Standing
from domain.status import Status
from entrypoints import migrations
from entrypoints.embedded_postgres import embedded_postgres
from entrypoints.migrations import (
    DIRECTORY,
    MigrationError,
    migrate_up,
    migration_status,
    rollback,
    versions,
)
from support import schema
from support.database import connected, open_directory

_FILES: Final = sorted(file.name for file in DIRECTORY.iterdir())
_EARLIER: Final = (Path(__file__).parent / "data" / "earlier_service.sql").read_text()
_EARLIER_TABLES: Final = ("users", "payment_transactions", "payment_webhook_events")
_NOBODY: Final = "postgresql://bayar:p%5Ess@127.0.0.1:1/bayar"


async def _tables(url: str) -> set[str]:
    async with connected(url) as connection:
        rows = await connection.fetch(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        )
    return {row["table_name"] for row in rows}


async def _earlier_rows(url: str) -> dict[str, list[dict[str, object]]]:
    """The rows of the earlier tables, by the columns that they had then."""
    earlier_columns = {
        "users": "id, email, full_name, preferences",
        "payment_transactions": "id, user_id, order_id, gross_amount, payment_type, status,"
        " midtrans_transaction_id, midtrans_response_json, created_at, updated_at, paid_at",
        "payment_webhook_events": "id, received_at, order_id, midtrans_transaction_id, raw_body,"
        " signature_key, is_verified, processed, processing_error",
    }
    async with connected(url) as connection:
        return {
            table: [
                dict(row)
                for row in await connection.fetch(f"SELECT {columns} FROM {table} ORDER BY id")  # noqa: S608 - the names above
            ]
            for table, columns in earlier_columns.items()
        }


@pytest.fixture
async def earlier_url(empty_database_url: str) -> str:
    """The database of an earlier service, with rows in it."""
    async with connected(empty_database_url) as connection:
        await connection.execute(_EARLIER)
    return empty_database_url


def test_every_migration_has_an_up_and_a_down() -> None:
    for file in DIRECTORY.iterdir():
        assert re.fullmatch(r"[0-9]{14}_[a-z_]+\.sql", file.name)
        _, up, down = re.split(r"^-- migrate:(?:up|down)\b.*$", file.read_text(), flags=re.MULTILINE)
        assert ";" in up, file.name
        assert ";" in down, file.name


async def test_up_then_down_then_up(empty_database_url: str, tmp_path: Path) -> None:
    assert migrate_up(empty_database_url) == _FILES
    schema.dump(empty_database_url, tmp_path / "first.sql")

    assert [rollback(empty_database_url) for _ in _FILES] == _FILES[::-1]
    assert await _tables(empty_database_url) == {"schema_migrations"}

    assert migrate_up(empty_database_url) == _FILES
    schema.dump(empty_database_url, tmp_path / "second.sql")
    assert (tmp_path / "second.sql").read_text() == (tmp_path / "first.sql").read_text()


@pytest.fixture
def some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands where the migrations are, with none in it at first."""
    directory = tmp_path / "migrations"
    directory.mkdir()
    monkeypatch.setattr(migrations, "DIRECTORY", directory)
    return directory


async def test_every_down_undoes_exactly_its_up(empty_database_url: str, tmp_path: Path, some: Path) -> None:
    for name in _FILES:
        schema.dump(empty_database_url, tmp_path / "before.sql")
        (some / name).write_text((DIRECTORY / name).read_text())

        migrate_up(empty_database_url)
        rollback(empty_database_url)

        schema.dump(empty_database_url, tmp_path / "after.sql")
        assert (tmp_path / "after.sql").read_text() == (tmp_path / "before.sql").read_text(), name
        migrate_up(empty_database_url)


def test_the_dump_in_the_repository_is_the_migrated_schema(database_url: str, tmp_path: Path) -> None:
    schema.dump(database_url, tmp_path / "schema.sql")

    assert _statements(tmp_path / "schema.sql") == _statements(schema.FILE)


def _statements(file: Path) -> list[str]:
    """Without the lines that name the server's and pg_dump's own release."""
    return [line for line in file.read_text().splitlines() if not line.startswith("-- Dumped")]


def test_status_tells_what_is_applied(empty_database_url: str) -> None:
    assert migration_status(empty_database_url) == [(name, False) for name in _FILES]

    migrate_up(empty_database_url)
    assert migration_status(empty_database_url) == [(name, True) for name in _FILES]

    rollback(empty_database_url)
    assert migration_status(empty_database_url)[-1] == (_FILES[-1], False)


async def test_health_misses_the_versions_that_are_not_applied(empty_database_url: str) -> None:
    async with create_pool(dsn=empty_database_url, size=1) as pool:
        health = PostgresHealth(pool=pool, migrations=versions())
        assert (await health.condition()).missing_migrations == versions()

        migrate_up(empty_database_url)
        assert (await health.condition()).missing_migrations == ()

        rollback(empty_database_url)
        assert (await health.condition()).missing_migrations == versions()[-1:]


async def test_two_at_once_apply_every_migration_once(empty_database_url: str) -> None:
    async with asyncio.timeout(60):
        applied = await asyncio.gather(*(asyncio.to_thread(migrate_up, empty_database_url) for _ in range(4)))

    assert sorted(name for files in applied for name in files) == _FILES


async def test_an_earlier_service_is_adopted_with_its_rows(earlier_url: str) -> None:
    before = await _earlier_rows(earlier_url)

    migrate_up(earlier_url)

    assert await _earlier_rows(earlier_url) == before
    assert all(before.values())


async def test_the_service_reads_adopted_payments(earlier_url: str) -> None:
    migrate_up(earlier_url)

    async with create_pool(dsn=earlier_url, size=1) as pool:
        reader = PostgresPaymentReader(pool=pool)
        pending = await reader.find("earlier-pending")
        payments = await reader.page(user_id=None, status=None, after=None, limit=10)

    assert pending is not None
    assert pending.expires_at.isoformat() == "2026-02-06T03:30:00+00:00"
    assert [action.name for action in pending.actions] == ["qr-code"]
    assert {payment.order_id: payment.status for payment in payments} == {
        "earlier-pending": Status.PENDING,
        "earlier-settlement": Status.SETTLEMENT,
        "earlier-without-an-answer": Status.PENDING,
        "earlier-word-of-its-own": Status.PENDING,
    }


async def test_what_is_open_in_an_adopted_database_is_due_at_once(earlier_url: str) -> None:
    await asyncio.to_thread(migrate_up, earlier_url)

    async with connected(earlier_url) as connection:
        due = await connection.fetch(
            "SELECT order_id FROM payment_transactions WHERE due_at <= now() ORDER BY order_id"
        )

    assert [row["order_id"] for row in due] == [
        "earlier-pending",
        "earlier-without-an-answer",
        "earlier-word-of-its-own",
    ]


async def test_what_an_earlier_service_writes_still_fits(earlier_url: str) -> None:
    """It may run on for a while beside this one."""
    migrate_up(earlier_url)

    async with connected(earlier_url) as connection:
        await connection.execute("SET timezone TO 'Asia/Jakarta'")
        await connection.execute(
            "INSERT INTO payment_transactions (user_id, order_id, gross_amount, payment_type, status)"
            " VALUES (7, 'later', 5000, 'gopay', 'pending')"
        )
        event = await connection.fetchrow(
            "INSERT INTO payment_webhook_events (raw_body) VALUES ('{}')"
            " RETURNING abs(extract(epoch FROM received_at - (now() AT TIME ZONE 'utc'))) AS off"
        )

    assert event is not None
    assert event["off"] < 60


async def test_adopted_rows_without_times_get_them(earlier_url: str) -> None:
    async with connected(earlier_url) as connection:
        await connection.execute(
            "ALTER TABLE payment_transactions ALTER created_at DROP NOT NULL, ALTER updated_at DROP NOT NULL;"
            "UPDATE payment_transactions SET created_at = NULL, updated_at = NULL"
        )

    await asyncio.to_thread(migrate_up, earlier_url)

    async with create_pool(dsn=earlier_url, size=1) as pool:
        reader = PostgresPaymentReader(pool=pool)
        paid = await reader.find("earlier-settlement")
        everything = await reader.page(user_id=None, status=None, after=None, limit=9)
    assert paid is not None
    assert paid.created_at == paid.updated_at == paid.paid_at
    assert len(everything) == 4


@pytest.fixture
async def sparse_url(earlier_url: str) -> str:
    """The same database, but its service left out what its tables let it leave out."""
    async with connected(earlier_url) as connection:
        await connection.execute(
            "ALTER TABLE payment_transactions ALTER status DROP NOT NULL;"
            "ALTER TABLE payment_webhook_events ALTER received_at DROP NOT NULL,"
            " ALTER raw_body DROP NOT NULL, ALTER is_verified DROP NOT NULL, ALTER processed DROP NOT NULL;"
            "UPDATE payment_transactions SET status = NULL;"
            "UPDATE payment_webhook_events SET received_at = NULL, raw_body = NULL, processed = NULL,"
            " is_verified = nullif(is_verified, false)"
        )
    return earlier_url


async def test_an_adopted_payment_without_a_status_is_due_unless_it_was_paid(sparse_url: str) -> None:
    await asyncio.to_thread(migrate_up, sparse_url)

    async with connected(sparse_url) as connection:
        due = await connection.fetch(
            "SELECT order_id FROM payment_transactions WHERE due_at <= now() ORDER BY order_id"
        )

    assert [row["order_id"] for row in due] == [
        "earlier-pending",
        "earlier-without-an-answer",
        "earlier-word-of-its-own",
    ]


async def test_adopted_notifications_that_lack_everything_are_listed_and_looked_at(sparse_url: str) -> None:
    """One that was verified is to do, as nobody said that it was done; one with an error is set aside."""
    await asyncio.to_thread(migrate_up, sparse_url)

    async with create_pool(dsn=sparse_url, size=2) as pool:
        inbox = PostgresNotificationReader(pool=pool)
        everything = await inbox.page(Kind.ANY, order_id=None, after=None, limit=9)
        failed = await inbox.page(Kind.FAILED, order_id=None, after=None, limit=9)
        of_order = await inbox.page(Kind.FAILED, order_id="earlier-pending", after=None, limit=9)
        shown = [await inbox.find(kept.id) for kept in everything]
        now = await pool.fetchval("SELECT now()")
        async with PostgresUnitOfWork(pool=pool, on_commit=lambda _: None)() as work:
            taken = await work.notifications.take_doubtful(limit=9)
            dismissed = await work.notifications.dismiss([kept.id for kept in failed], "a test")
            await work.notifications.set_aside([one.id for one in taken], "Midtrans does not confirm it")
        after = await inbox.page(Kind.FAILED, order_id=None, after=None, limit=9)

    assert {kept.order_id: kept.standing for kept in everything} == {
        "earlier-settlement": Standing.TO_DO,
        "earlier-pending": Standing.SET_ASIDE,
        None: Standing.NOT_VERIFIED,
    }
    assert {abs(kept.received_at - now) < timedelta(minutes=10) for kept in everything} == {True}
    assert [whole.kept for whole in shown if whole] == everything
    assert [kept.order_id for kept in failed] == [kept.order_id for kept in of_order] == ["earlier-pending"]
    assert [(one.order_id, one.transaction_status) for one in taken] == [("earlier-settlement", "")]
    assert dismissed == [kept.id for kept in failed]
    assert [kept.order_id for kept in after] == ["earlier-settlement"]


def _roll_everything_back(url: str) -> None:
    for _ in versions():
        rollback(url)


async def test_an_evidence_log_with_entries_is_never_dropped(earlier_url: str) -> None:
    await asyncio.to_thread(migrate_up, earlier_url)
    async with connected(earlier_url) as connection:
        await connection.execute(
            "INSERT INTO payment_events SELECT id, 1, now(), 'adopted', 'earlier service', status, '{}', 'x' "
            "FROM payment_transactions LIMIT 1"
        )

    with pytest.raises(MigrationError, match="evidence log is not dropped"):
        await asyncio.to_thread(_roll_everything_back, earlier_url)

    async with connected(earlier_url) as connection:
        assert await connection.fetchval("SELECT count(*) FROM payment_events") == 1


async def test_refunds_are_never_dropped(earlier_url: str) -> None:
    await asyncio.to_thread(migrate_up, earlier_url)
    async with connected(earlier_url) as connection:
        await connection.execute(
            "INSERT INTO payment_refunds"
            " (id, payment_id, user_id, key, fingerprint, transaction, amount, created_at, leased_until) "
            "SELECT id, id, user_id, 'key', '', order_id, 1, now(), now() FROM payment_transactions LIMIT 1"
        )

    with pytest.raises(MigrationError, match="refunds are not dropped"):
        await asyncio.to_thread(_roll_everything_back, earlier_url)


async def test_payments_of_the_release_before_keep_when_they_changed(earlier_url: str, some: Path) -> None:
    """Those that are asked about; when none of the others changed matters any more."""
    first = _FILES.index("20261126000003_changed.sql")
    for name in _FILES[:first]:
        (some / name).write_text((DIRECTORY / name).read_text())
    await asyncio.to_thread(migrate_up, earlier_url)
    async with connected(earlier_url) as connection:
        await connection.execute(
            "UPDATE payment_transactions"
            " SET created_at = now() - interval '9 days', updated_at = now() - interval '2 days',"
            " due_at = CASE WHEN order_id = 'earlier-pending' THEN now() END"
        )

    for name in _FILES[first:]:
        (some / name).write_text((DIRECTORY / name).read_text())
    await asyncio.to_thread(migrate_up, earlier_url)

    async with connected(earlier_url) as connection:
        changed = await connection.fetch(
            "SELECT order_id, updated_at FROM payment_transactions WHERE changed_at = updated_at"
        )
        empty = await connection.fetchval(
            "SELECT count(*) FROM payment_transactions WHERE changed_at IS NULL"
        )
        every = await connection.fetchval("SELECT count(*) FROM payment_transactions")
    assert [row["order_id"] for row in changed] == ["earlier-pending"]
    assert empty == every - 1 > 0


async def test_checkout_tokens_are_never_dropped(earlier_url: str) -> None:
    """They are kept nowhere else, and customers have them open."""
    await asyncio.to_thread(migrate_up, earlier_url)
    async with connected(earlier_url) as connection:
        await connection.execute(
            "UPDATE payment_transactions SET checkout_token = 'token' WHERE order_id = 'earlier-pending'"
        )

    with pytest.raises(MigrationError, match="checkout tokens are not dropped"):
        await asyncio.to_thread(_roll_everything_back, earlier_url)

    async with connected(earlier_url) as connection:
        assert await connection.fetchval("SELECT count(checkout_token) FROM payment_transactions") == 1


async def test_idempotency_keys_are_never_dropped(earlier_url: str) -> None:
    """Without its key, a call that is repeated after that makes a second payment."""
    await asyncio.to_thread(migrate_up, earlier_url)
    async with connected(earlier_url) as connection:
        await connection.execute(
            "INSERT INTO payment_idempotency_keys (user_id, key, fingerprint, payment_id, leased_until) "
            "SELECT user_id, 'key', '', id, now() FROM payment_transactions LIMIT 1"
        )

    with pytest.raises(MigrationError, match="payment_idempotency_keys has rows"):
        await asyncio.to_thread(_roll_everything_back, earlier_url)

    async with connected(earlier_url) as connection:
        assert await connection.fetchval("SELECT count(*) FROM payment_idempotency_keys") == 1


async def test_an_endpoint_and_what_it_is_to_be_told_are_never_dropped(empty_database_url: str) -> None:
    migrate_up(empty_database_url)
    async with connected(empty_database_url) as connection:
        await connection.execute(
            "INSERT INTO merchant_endpoints (id, url, secret)"
            " VALUES (gen_random_uuid(), 'https://shop.example', 'whsec_')"
        )

    def roll_everything_back() -> None:
        for _ in versions():
            rollback(empty_database_url)

    with pytest.raises(MigrationError, match="merchant_endpoints has rows: not dropped"):
        await asyncio.to_thread(roll_everything_back)

    assert "merchant_endpoints" in await _tables(empty_database_url)


async def test_the_tables_of_an_earlier_service_are_never_dropped(earlier_url: str) -> None:
    before = await _earlier_rows(earlier_url)
    migrate_up(earlier_url)
    for _ in _FILES[1:]:
        rollback(earlier_url)

    with pytest.raises(MigrationError, match="has rows: not dropped"):
        rollback(earlier_url)

    assert await _earlier_rows(earlier_url) == before


@pytest.mark.parametrize("table", _EARLIER_TABLES)
async def test_one_row_is_enough_to_keep_the_tables(empty_database_url: str, table: str) -> None:
    migrate_up(empty_database_url)
    for _ in _FILES[1:]:
        rollback(empty_database_url)
    async with connected(empty_database_url) as connection:
        # A payment alone, without its user: only so is each of the three checks needed.
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(
            {
                "users": "INSERT INTO users DEFAULT VALUES",
                "payment_transactions": "INSERT INTO payment_transactions"
                " (user_id, order_id, gross_amount, payment_type, status)"
                " VALUES (1, 'one', 1, 'gopay', 'created')",
                "payment_webhook_events": "INSERT INTO payment_webhook_events (raw_body) VALUES ('{}')",
            }[table]
        )

    with pytest.raises(MigrationError, match="has rows: not dropped"):
        rollback(empty_database_url)

    assert table in await _tables(empty_database_url)


async def test_surroundings_do_not_change_what_is_migrated(
    empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("DBMATE_MIGRATIONS_TABLE=from_a_file\n")
    monkeypatch.setenv("DBMATE_MIGRATIONS_TABLE", "from_the_environment")
    monkeypatch.setenv("DATABASE_URL", _NOBODY)
    monkeypatch.chdir(tmp_path)

    assert migrate_up(empty_database_url) == _FILES

    assert "schema_migrations" in await _tables(empty_database_url)


def test_the_url_is_not_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = f'echo "$@" > {tmp_path}/line; echo "$DATABASE_URL" > {tmp_path}/url'
    monkeypatch.setattr(migrations, "_program", lambda: _stand_in(tmp_path, program))

    migrate_up(_NOBODY)

    assert "postgresql:" not in (tmp_path / "line").read_text()
    assert "127.0.0.1" in (tmp_path / "url").read_text()


def test_trouble_is_one_plain_sentence() -> None:
    with pytest.raises(MigrationError) as refused:
        migrate_up(_NOBODY)

    assert re.fullmatch(r"dbmate up failed: .*connection refused\.", str(refused.value))


def test_the_password_is_not_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = 'echo "Error: $DATABASE_URL or p^ss is wrong" >&2; exit 2'
    monkeypatch.setattr(migrations, "_program", lambda: _stand_in(tmp_path, program))

    with pytest.raises(MigrationError, match="is wrong") as refused:
        migrate_up(_NOBODY)

    assert "bayar:***@" in str(refused.value)
    assert "p^ss" not in str(refused.value)


def _stand_in(directory: Path, program: str) -> str:
    """Something else in dbmate's place."""
    stand_in = directory / "dbmate"
    stand_in.write_text(f"#!/bin/sh\n{program}\n")
    stand_in.chmod(0o755)
    return str(stand_in)


def test_rollback_with_nothing_applied_is_said_plainly(empty_database_url: str) -> None:
    with pytest.raises(MigrationError, match="no migrations have been applied"):
        rollback(empty_database_url)


@pytest.mark.parametrize(
    ("given", "handed_on"),
    [
        (
            "postgresql://u@/db?host=/run/pg",
            "postgresql://u@/db?host=/run/pg&port=5432",
        ),
        (
            "postgres://u:p%5Es%2F@db.example/db?sslmode=require",
            "postgresql://u:p%5Es%2F@/db?host=db.example&port=5432&sslmode=require",
        ),
        ("postgresql://u:p^s@db:6543/d%2Fb", "postgresql://u:p%5Es@/d%2Fb?host=db&port=6543"),
        ("postgresql://u@%2Frun%2Fpg/db", "postgresql://u@/db?host=/run/pg&port=5432"),
        ("postgresql://u@[::1]:6543/db", "postgresql://u@/db?host=%3A%3A1&port=6543"),
        ("postgresql://u@/db?host=db&port=6543", "postgresql://u@/db?host=db&port=6543"),
    ],
)
def test_every_form_of_a_url_is_handed_on_in_one(given: str, handed_on: str) -> None:
    assert migrations._read(given).url == handed_on


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("postgresql://u@a,b:6543/db", [("a", "5432"), ("b", "6543")]),
        ("postgresql://u@/db?host=a,/run/pg&port=1,2", [("a", "1"), ("/run/pg", "2")]),
        ("postgresql://u@/db?host=a,b&port=6543", [("a", "6543"), ("b", "6543")]),
    ],
)
def test_every_host_of_a_url_is_read(url: str, hosts: list[tuple[str, str]]) -> None:
    assert list(migrations._read(url).hosts) == hosts


@pytest.mark.parametrize(
    "url", ["postgresql://u:secret/x@h/db", "postgresql://u@h:x/db", "postgresql://u@/db?port=1,2"]
)
def test_a_url_that_cannot_be_read_is_not_repeated(url: str) -> None:
    with pytest.raises(MigrationError) as refused:
        migrate_up(url)

    assert str(refused.value) == "DATABASE_URL names a host or a port that cannot be read."


async def test_a_server_without_tls_is_migrated_over_tcp(empty_database_url: str) -> None:
    database = migrations._read(empty_database_url)
    [(host, port)] = database.hosts

    async def forward(client: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        if host.startswith("/"):
            server, to_server = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        else:
            server, to_server = await asyncio.open_connection(host, int(port))
        await asyncio.gather(_copy(client, to_server), _copy(server, answer))

    async with asyncio.timeout(60), await asyncio.start_server(forward, "127.0.0.1", 0) as tcp:
        local_port = str(tcp.sockets[0].getsockname()[1])
        over_tcp = replace(database, hosts=(("127.0.0.1", local_port),)).url
        assert await asyncio.to_thread(migrate_up, over_tcp) == _FILES


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        target.write(data)
    target.close()


def test_of_several_hosts_the_primary_is_migrated_and_served() -> None:
    with open_directory() as directory:
        standby_home = directory / "standby"
        with embedded_postgres(standby_home, database="bayar"):
            pass
        (standby_home / "pgdata" / "standby.signal").touch()
        with (
            embedded_postgres(standby_home, database="bayar") as standby,
            embedded_postgres(directory / "primary", database="bayar") as primary,
        ):
            hosts = [str(directory), _host(standby), _host(primary)]

            assert migrate_up(_with_hosts(hosts, "bayar")) == _FILES
            assert migration_status(primary)[0] == (_FILES[0], True)
            assert migrate_up(_with_hosts(hosts, "made_by_migrating")) == _FILES
            assert not asyncio.run(_is_served_by_a_standby(_with_hosts(hosts, "bayar")))
            with pytest.raises(MigrationError, match=r"is a primary .*: a standby"):
                migrate_up(_with_hosts(hosts[:2], "bayar"))


async def _is_served_by_a_standby(url: str) -> bool:
    async with create_pool(dsn=url, size=1) as pool, pool.acquire() as connection:
        return bool(await connection.fetchval("SELECT pg_is_in_recovery()"))


def _host(url: str) -> str:
    return migrations._read(url).hosts[0][0]


def _with_hosts(hosts: list[str], name: str) -> str:
    return f"postgresql://bayar@/{name}?host={','.join(hosts)}"
