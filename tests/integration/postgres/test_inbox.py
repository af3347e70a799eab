"""What only a real database shows of reading and replaying notifications: plans, and what others kept."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from adapters.postgres.notification_reader import SQL, PostgresNotificationReader
from domain.errors import NotReplayable
from domain.notification import readable
from domain.ports.notification_reader import Kind, Standing
from domain.signature import ServerKeys
from domain.status import Status
from domain.usecases.judging import Outcome
from domain.usecases.replay_notification import ReplayNotification
from support.builders import NOW, ORDER_ID, SERVER_KEY, a_delivery, a_received, an_id, given
from support.fakes import ManualClock
from support.rows import run

if TYPE_CHECKING:
    from adapters.postgres.payments import PostgresPaymentReader
    from adapters.postgres.pool import Pool
    from adapters.postgres.work import PostgresUnitOfWork

_MANY: Final = 30_000
_PLACE: Final = (datetime(2026, 2, 6), an_id("a place"))  # noqa: DTZ001 - as the column is


@pytest.fixture
def inbox_reader(pool: Pool) -> PostgresNotificationReader:
    return PostgresNotificationReader(pool=pool)


@pytest.fixture
def replay(begin: PostgresUnitOfWork, inbox_reader: PostgresNotificationReader) -> ReplayNotification:
    keys = ServerKeys(current=SERVER_KEY)
    return ReplayNotification(
        begin=begin, reader=inbox_reader, keys=keys, clock=ManualClock(), confirm_always=False
    )


@pytest.mark.parametrize(
    ("block", "arguments", "index"),
    [
        ("page", (*_PLACE, 100, None), "payment_webhook_events_newest_index"),
        ("page", (None, None, 100, None), "payment_webhook_events_newest_index"),
        ("page", (None, None, 100, False), "payment_webhook_events_newest_index"),
        ("page_of_failed", (*_PLACE, 100), "payment_webhook_events_failed_index"),
        ("page_of_failed", (None, None, 100), "payment_webhook_events_failed_index"),
        ("page_of_forged", (None, None, 100), "payment_webhook_events_forged_index"),
        ("page_of_order", (None, None, 100, None, "order-7", False), "payment_webhook_events_order_id_index"),
        ("find", (an_id("a place"),), "payment_webhook_events_pkey"),
    ],
)
async def test_every_page_is_read_by_an_index(
    pool: Pool, block: str, arguments: tuple[Any, ...], index: str
) -> None:
    async with pool.acquire() as connection:
        await connection.execute(
            "INSERT INTO payment_webhook_events (received_at, order_id, raw_body, is_verified, processed,"
            "                                    processing_error, forged)"
            " SELECT now() - n * interval '1 minute', 'order-' || n, '{}', n % 100 > 0, n % 50 > 0,"
            "        CASE WHEN n % 100 = 50 THEN 'why' END, n % 100 = 0"
            " FROM generate_series(1, $1::int) AS n",
            _MANY,
        )
        await connection.execute("ANALYZE payment_webhook_events")

        rows = await connection.fetch(f"EXPLAIN {SQL[block]}", *arguments)

    plan = "\n".join(row["QUERY PLAN"] for row in rows)
    assert index in plan, plan
    assert "Seq Scan" not in plan, plan


async def earlier(pool: Pool, body: object, **columns: Any) -> None:
    """A notification as an earlier service kept it: only the columns that its table had."""
    row = {
        "id": an_id("event"),
        "order_id": None,
        "midtrans_transaction_id": None,
        "raw_body": json.dumps(body),
        "signature_key": None,
        "is_verified": False,
        "processed": False,
        "processing_error": None,
    } | columns
    names = ", ".join(row)
    places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
    await run(pool, f"INSERT INTO payment_webhook_events ({names}) VALUES ({places})", *row.values())  # noqa: S608


BODIES: Final[list[object]] = [
    None,
    [],
    [1, "x"],
    "text",
    7,
    {},
    {"transaction_status": {"deep": "x" * 1000}},
    {"transaction_status": "settlement", "status_code": "200"},
    {"order_id": ORDER_ID, "gross_amount": 10_000},
    json.dumps({"order_id": ORDER_ID}),
]


@pytest.mark.parametrize("body", BODIES, ids=repr)
@pytest.mark.parametrize("is_verified", [True, False])
async def test_whatever_an_earlier_service_kept_is_listed_shown_and_not_trusted(
    pool: Pool,
    begin: PostgresUnitOfWork,
    reader: PostgresPaymentReader,
    inbox_reader: PostgresNotificationReader,
    replay: ReplayNotification,
    body: object,
    is_verified: bool,  # noqa: FBT001 - a case
) -> None:
    before = await given(begin, status=Status.PENDING, transaction_id="t-1")
    await earlier(pool, body, is_verified=is_verified)

    (listed,) = await inbox_reader.page(Kind.ANY, order_id=None, after=None, limit=9)
    found = await inbox_reader.find(an_id("event"))
    with pytest.raises(NotReplayable):
        await replay(an_id("event"))

    assert found is not None
    assert listed == found.kept
    assert listed.standing is (Standing.TO_DO if is_verified else Standing.NOT_VERIFIED)
    assert readable(found.body) == body
    assert await reader.find(ORDER_ID) == before


async def test_one_without_a_body_is_listed_shown_and_not_replayed(
    pool: Pool, inbox_reader: PostgresNotificationReader, replay: ReplayNotification
) -> None:
    await run(pool, "ALTER TABLE payment_webhook_events ALTER raw_body DROP NOT NULL")
    await earlier(pool, None, raw_body=None, is_verified=True)

    (listed,) = await inbox_reader.page(Kind.ANY, order_id=None, after=None, limit=9)
    found = await inbox_reader.find(an_id("event"))
    with pytest.raises(NotReplayable, match="its body is not one of Midtrans's"):
        await replay(an_id("event"))

    assert found is not None
    assert listed == found.kept
    assert readable(found.body) is None


async def test_a_number_as_long_as_jsonb_keeps_breaks_nothing(
    pool: Pool, inbox_reader: PostgresNotificationReader, replay: ReplayNotification
) -> None:
    await run(
        pool,
        "INSERT INTO payment_webhook_events (id, raw_body) VALUES ($1, '{\"gross_amount\": 1e130000}')",
        an_id("event"),
    )

    found = await inbox_reader.find(an_id("event"))
    with pytest.raises(NotReplayable):
        await replay(an_id("event"))

    assert found is not None
    assert readable(found.body) == {"gross_amount": "(a number of 130001 digits)"}


async def test_an_earlier_service_s_notification_that_proves_itself_is_applied(
    pool: Pool,
    begin: PostgresUnitOfWork,
    reader: PostgresPaymentReader,
    inbox_reader: PostgresNotificationReader,
    replay: ReplayNotification,
) -> None:
    await given(begin, status=Status.PENDING, transaction_id="t-1")
    await earlier(pool, json.loads(a_delivery().body), processing_error="bad signature")

    verdict = await replay(an_id("event"))

    payment = await reader.find(ORDER_ID)
    found = await inbox_reader.find(an_id("event"))
    assert verdict.outcome is Outcome.APPLIED
    assert payment is not None
    assert payment.status is Status.SETTLEMENT
    assert found is not None
    assert (found.kept.is_verified, found.kept.processed, found.kept.error) == (True, True, None)
    assert (found.kept.order_id, found.kept.transaction_id) == (ORDER_ID, "t-1")


async def test_replaying_and_delivering_never_wait_for_each_other(
    pool: Pool, begin: PostgresUnitOfWork, replay: ReplayNotification
) -> None:
    """Both lock the payment first and the notification's row after it."""
    delivery = a_delivery()
    await given(begin, status=Status.PENDING, transaction_id="t-1")
    same = {"signature_key": delivery.signature_key, "body": delivery.body}
    async with begin() as work:
        for number in range(100):
            at = NOW + timedelta(seconds=number)
            await work.notifications.add(a_received(f"{number}", received_at=at, **same))
    repeat = a_received("repeat", received_at=NOW + timedelta(seconds=101), **same)

    async def deliver() -> None:
        async with begin() as work:
            await work.payments.lock(ORDER_ID)
            await work.notifications.add_repeat(repeat)

    async with asyncio.timeout(20):
        await asyncio.gather(*(task() for _ in range(20) for task in (deliver, lambda: replay(an_id("99")))))

    counted = await run(pool, "SELECT repeats FROM payment_webhook_events WHERE id = $1", an_id("99"))
    assert counted == 20
