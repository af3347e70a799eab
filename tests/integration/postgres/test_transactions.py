"""Transactions over real connections: locks, races, cancellation, durability."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from adapters.postgres.payments import PostgresPaymentReader
from adapters.postgres.pool import create_pool
from adapters.postgres.work import PostgresUnitOfWork
from domain.decide import decide
from domain.errors import DatabaseUnavailable, TransactionTaken, UnknownUser
from domain.status import Status
from entrypoints.migrations import migrate_up
from support.builders import (
    USER_ID,
    a_charge_answer,
    a_received,
    a_status_reply,
    an_opened_payment,
    given,
)
from support.log import is_intact
from support.rows import run, until_somebody_waits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.postgres.pool import Pool
    from adapters.postgres.work import PostgresWork
    from domain.history import Entry
    from domain.payment import Payment


async def found(reader: PostgresPaymentReader, order_id: str = "order-1") -> Payment:
    payment = await reader.find(order_id)
    assert payment is not None
    return payment


async def test_hostile_text_is_stored_and_read_back_as_it_is(
    begin: PostgresUnitOfWork, reader: PostgresPaymentReader
) -> None:
    hostile = "'; DROP TABLE users; -- \" \\ $1 %s {} \u2028 \U0001f600"
    payment, entries = an_opened_payment(callback_url=f"app://{hostile}", metadata={hostile: hostile, "": ""})

    async with begin() as work:
        await work.users.add(USER_ID)
        await work.payments.add(payment, entries)

    assert await found(reader) == payment


async def test_times_are_kept_to_the_microsecond_and_in_utc(
    pool: Pool, begin: PostgresUnitOfWork, reader: PostgresPaymentReader
) -> None:
    at = datetime(2026, 2, 6, 3, 0, 0, 123456, tzinfo=UTC)

    await given(begin, created_at=at)
    async with begin() as work:
        await work.notifications.add(a_received(received_at=at))

    assert (await found(reader)).created_at == at
    kept = await run(pool, "SELECT received_at FROM payment_webhook_events")
    assert kept == at.replace(tzinfo=None)


async def test_entries_are_told_once_they_are_durable_and_not_before(pool: Pool) -> None:
    told: list[Entry] = []
    visible_when_told = []
    reader = PostgresPaymentReader(pool=pool)

    def tell(entries: Sequence[Entry]) -> None:
        told.extend(entries)

    begin = PostgresUnitOfWork(pool=pool, on_commit=tell)
    payment, entries = an_opened_payment()
    async with begin() as work:
        await work.users.add(USER_ID)
        await work.payments.add(payment, entries)
        visible_when_told.append(list(told))

    assert visible_when_told == [[]]
    assert told == list(entries)
    assert await reader.log(payment.id) == told


async def test_entries_of_an_undone_transaction_are_not_told(pool: Pool) -> None:
    told: list[Entry] = []
    begin = PostgresUnitOfWork(pool=pool, on_commit=told.extend)

    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - it leaves by the exception
        async with begin() as work:
            await work.users.add(USER_ID)
            await work.payments.add(*an_opened_payment())
            raise ZeroDivisionError

    assert told == []


async def test_a_transaction_whose_statement_failed_cannot_pretend_to_be_committed(
    begin: PostgresUnitOfWork, reader: PostgresPaymentReader
) -> None:
    payment = await given(begin)
    stranger, entries = an_opened_payment(order_id="strangers", user_id=404)

    with pytest.raises(RuntimeError, match="not committed"):  # noqa: PT012 - it shows on leaving
        async with begin() as work:
            await work.payments.lock("order-1")
            await work.payments.save(replace(payment, late=True), ())
            with suppress(UnknownUser):
                await work.payments.add(stranger, entries)

    assert await found(reader) == payment


async def test_a_lock_that_is_not_had_in_two_seconds_is_an_outage_and_costs_no_connection(
    database_url: str,
) -> None:
    async with create_pool(dsn=database_url, size=2) as pool:
        begin = PostgresUnitOfWork(pool=pool, on_commit=lambda _: None)
        await given(begin)

        # Well before anything else would give up.
        async with asyncio.timeout(5), begin() as work:
            await work.payments.lock("order-1")
            with pytest.raises(DatabaseUnavailable):
                async with begin() as second:
                    await second.payments.lock("order-1")

        async with begin() as one, begin() as other:
            locked = await one.payments.lock("order-1")
            exists = await other.users.exists(USER_ID)

    assert locked is not None
    assert exists


async def test_two_transactions_that_wait_for_each_other_do_not_wait_for_ever(
    begin: PostgresUnitOfWork,
) -> None:
    for order_id in ("one", "other"):
        await given(begin, order_id=order_id)
    both = asyncio.Barrier(2)

    async def take(*order_ids: str) -> bool:
        try:
            async with begin() as work:
                await work.payments.lock(order_ids[0])
                await both.wait()
                await work.payments.lock(order_ids[1])
        except DatabaseUnavailable:
            return False
        return True

    async with asyncio.timeout(10):
        ended = await asyncio.gather(take("one", "other"), take("other", "one"))

    assert True in ended
    assert False in ended


async def test_an_uncommitted_transaction_id_makes_another_payment_wait_and_then_is_taken(
    pool: Pool, begin: PostgresUnitOfWork, reader: PostgresPaymentReader
) -> None:
    """The second does not see the first's uncommitted row: only the unique index stops it."""
    for order_id in ("one", "other"):
        await given(begin, order_id=order_id)

    async def take(order_id: str) -> None:
        async with begin() as work:
            await _save_transaction(work, order_id)

    async with asyncio.timeout(10):
        async with begin() as work:
            await _save_transaction(work, "one")
            second = asyncio.create_task(take("other"))
            await until_somebody_waits(pool)
        with pytest.raises(TransactionTaken, match="t-1"):
            await second

    assert (await found(reader, "one")).transaction_id == "t-1"
    assert (await found(reader, "other")).transaction_id is None


async def test_a_second_locker_waits_and_sees_what_the_first_committed(
    pool: Pool, begin: PostgresUnitOfWork
) -> None:
    await given(begin)

    async def look() -> Payment | None:
        async with begin() as work:
            return await work.payments.lock("order-1")

    async with asyncio.timeout(10):
        async with begin() as work:
            await _save_transaction(work, "order-1")
            second = asyncio.create_task(look())
            await until_somebody_waits(pool)
        seen = await second

    assert seen is not None
    assert seen.transaction_id == "t-1"


async def _save_transaction(work: PostgresWork, order_id: str) -> None:
    payment = await work.payments.lock(order_id)
    assert payment is not None
    await work.payments.save(replace(payment, transaction_id="t-1"), ())


async def test_a_commit_is_durable_whatever_the_servers_default_is(empty_database_url: str) -> None:
    migrate_up(empty_database_url)
    connection = await asyncpg.connect(empty_database_url)
    name = await connection.fetchval("SELECT current_database()")
    await connection.execute(f"ALTER DATABASE {name} SET synchronous_commit TO off")
    await connection.close()

    async with create_pool(dsn=empty_database_url, size=1) as pool:
        begin = PostgresUnitOfWork(pool=pool, on_commit=lambda _: None)
        default = await run(pool, "SHOW synchronous_commit")
        async with begin() as work:
            payments: Any = work.payments
            inside = await payments._connection.fetchval("SHOW synchronous_commit")
        afterwards = await run(pool, "SHOW synchronous_commit")

    assert (default, inside, afterwards) == ("off", "on", "off")


@pytest.mark.parametrize("steps", range(0, 60, 3))
async def test_a_task_cancelled_anywhere_leaves_no_transaction_and_no_lock_behind(
    pool: Pool, begin: PostgresUnitOfWork, reader: PostgresPaymentReader, steps: int
) -> None:
    payment = await given(begin)

    async def settle() -> None:
        async with begin() as work:
            before = await work.payments.lock("order-1")
            assert before is not None
            decision = decide(before, a_status_reply())
            await work.payments.save(decision.payment, decision.entries)

    task = asyncio.create_task(settle())
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task

    async with asyncio.timeout(10):
        async with begin() as work:
            locked = await work.payments.lock("order-1")
        open_ones = await run(
            pool,
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND state LIKE 'idle in transaction%'",
        )
    assert locked is not None
    assert locked == await found(reader)
    assert locked.status in {payment.status, Status.SETTLEMENT}
    assert is_intact(await reader.log(payment.id), locked)
    assert open_ones == 0


async def test_an_edited_row_of_the_log_is_found_out(
    pool: Pool, begin: PostgresUnitOfWork, reader: PostgresPaymentReader
) -> None:
    await given(begin)
    async with begin() as work:
        before = await work.payments.lock("order-1")
        assert before is not None
        decision = decide(before, a_charge_answer())
        await work.payments.save(decision.payment, decision.entries)
    payment = await found(reader)
    untouched = is_intact(await reader.log(payment.id), payment)

    await run(
        pool,
        "UPDATE payment_events SET detail = detail || '{\"gross_amount\": 1}' WHERE seq = 1",
    )

    assert untouched
    assert not is_intact(await reader.log(payment.id), payment)
