"""Rows that an earlier service left are payments and notifications like any other."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from adapters.postgres.pool import create_pool
from adapters.postgres.work import PostgresUnitOfWork
from domain.decide import decide
from domain.errors import UserNotAdded
from domain.status import Status
from domain.usecases.applying import ApplyEvidence
from entrypoints.migrations import migrate_up
from support.builders import NOW, USER_ID, a_notification, a_status_reply, given
from support.log import is_intact
from support.recorded import QR_STRING, qris_charge
from support.rows import ADOPTED, adopt, run

if TYPE_CHECKING:
    from adapters.postgres.payments import PostgresPaymentReader
    from adapters.postgres.pool import Pool
    from domain.payment import Payment


async def found(reader: PostgresPaymentReader, order_id: str = "order-1") -> Payment:
    payment = await reader.find(order_id)
    assert payment is not None
    return payment


async def test_a_row_of_an_earlier_service_is_a_payment(pool: Pool, reader: PostgresPaymentReader) -> None:
    answer = qris_charge(expiry_time="2026-02-06 10:40:00")
    await adopt(pool, midtrans_response_json=json.dumps(answer))

    payment = await found(reader)

    assert (payment.id, payment.status, payment.transaction_id) == (ADOPTED, Status.PENDING, "t-1")
    assert payment.expires_at == NOW + timedelta(minutes=40)
    assert (payment.qr_string, len(payment.actions)) == (QR_STRING, 1)
    assert (payment.late, payment.refunded_amount, payment.breaks) == (False, 0, ())
    assert (payment.metadata, payment.callback_url) == ({}, None)
    assert (payment.log_length, payment.log_head) == (0, b"")


@pytest.mark.parametrize(
    ("answer", "expires_at"),
    [
        (None, NOW + timedelta(minutes=15)),
        ("null", NOW + timedelta(minutes=15)),
        ("[1]", NOW + timedelta(minutes=15)),
        ('"text"', NOW + timedelta(minutes=15)),
        ('{"expire_time": "2026-02-06 10:20:00"}', NOW + timedelta(minutes=20)),
    ],
)
async def test_a_row_without_an_end_has_one(
    pool: Pool, reader: PostgresPaymentReader, answer: str | None, expires_at: datetime
) -> None:
    await adopt(pool, midtrans_response_json=answer)

    payment = await found(reader)

    assert payment.expires_at == expires_at
    assert payment.actions == ()


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("SETTLEMENT", Status.SETTLEMENT),
        ("Expire", Status.EXPIRE),
        ("paid", Status.PENDING),
        ("", Status.PENDING),
    ],
)
async def test_an_earlier_services_own_words_for_a_status_are_read(
    pool: Pool, reader: PostgresPaymentReader, word: str, status: Status
) -> None:
    await adopt(pool, status=word)

    assert (await found(reader)).status is status


@pytest.mark.parametrize(
    ("word", "paid_at", "status"),
    [
        ("capture", NOW, Status.SETTLEMENT),
        ("capture", None, Status.SETTLEMENT),
        ("PAID", NOW, Status.SETTLEMENT),
        ("success", NOW, Status.SETTLEMENT),
        ("success", None, Status.PENDING),
        ("refund", NOW, Status.REFUND),
    ],
)
async def test_what_an_earlier_service_saw_paid_never_becomes_unpaid(
    pool: Pool, reader: PostgresPaymentReader, word: str, paid_at: datetime | None, status: Status
) -> None:
    await adopt(pool, status=word, paid_at=paid_at)
    expiry = a_notification(transaction_status="expire", status_code="202")

    before = await found(reader)
    decision = decide(before, expiry)

    assert before.status is status
    assert decision.payment.status is (Status.EXPIRE if status is Status.PENDING else status)


async def test_an_adopted_payment_is_settled_by_a_notification_and_its_log_begins(
    pool: Pool, begin: PostgresUnitOfWork, reader: PostgresPaymentReader
) -> None:
    await adopt(pool)

    async with begin() as work:
        payment = await work.payments.lock("order-1")
        assert payment is not None
        decision = decide(payment, a_notification())
        await work.payments.save(decision.payment, decision.entries)

    payment = await found(reader)
    log = await reader.log(ADOPTED)
    assert payment.status is Status.SETTLEMENT
    assert [entry.what for entry in log] == ["adopted", "settlement"]
    assert is_intact(log, payment)


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("capture", {"earlier_status": "capture"}),
        ("Waiting for bank", {"earlier_status": "Waiting for bank"}),
        ("", {"earlier_status": ""}),
        (None, {"earlier_status": ""}),
        ("pending", {}),
        ("PENDING", {}),
    ],
)
async def test_the_first_log_row_keeps_a_word_that_is_none_of_ours(
    pool: Pool,
    begin: PostgresUnitOfWork,
    reader: PostgresPaymentReader,
    word: str | None,
    told: dict[str, str],
) -> None:
    """The payment's row itself has our word from then on."""
    await run(pool, "ALTER TABLE payment_transactions ALTER status DROP NOT NULL")
    await adopt(pool, status=word)

    for reply in (a_status_reply(transaction_status="partial_refund", refund_amount=4_000), a_status_reply()):
        await ApplyEvidence(begin)("order-1", (reply,), at=NOW)

    first, *later = await reader.log(ADOPTED)
    assert first.what == "adopted"
    assert {
        "order_id",
        "gross_amount",
        "payment_type",
        "transaction_id",
        "paid_at",
    } == first.detail.keys() - told
    assert {name: first.detail[name] for name in told} == told
    assert not any("earlier_status" in entry.detail for entry in later)
    assert await run(pool, "SELECT status FROM payment_transactions") == "partial_refund"
    payment = await found(reader)
    assert payment.earlier_status is None
    assert is_intact([first, *later], payment)


async def test_adopted_and_new_payments_are_listed_together(
    pool: Pool, begin: PostgresUnitOfWork, reader: PostgresPaymentReader
) -> None:
    await adopt(pool, order_id="adopted")
    await given(begin, order_id="new", created_at=NOW + timedelta(hours=1))

    page = await reader.page(user_id=USER_ID, status=None, after=None, limit=9)

    assert [payment.order_id for payment in page] == ["new", "adopted"]


async def test_a_notification_of_an_earlier_service_that_is_still_to_do_is_taken(
    pool: Pool, begin: PostgresUnitOfWork
) -> None:
    await run(
        pool,
        "INSERT INTO payment_webhook_events (order_id, raw_body, is_verified)"
        " VALUES ('order-1', '{\"transaction_status\": \"settlement\"}', true), (NULL, '[]', true)",
    )

    async with begin() as work:
        taken = await work.notifications.take_doubtful(limit=9)

    assert {(doubtful.order_id, doubtful.transaction_status) for doubtful in taken} == {
        ("order-1", "settlement"),
        ("", ""),
    }


async def test_a_users_table_that_demands_more_than_an_id_says_so(empty_database_url: str) -> None:
    migrate_up(empty_database_url)
    async with create_pool(dsn=empty_database_url, size=2) as pool:
        await run(pool, "ALTER TABLE users ADD COLUMN email text NOT NULL")
        begin = PostgresUnitOfWork(pool=pool, on_commit=lambda _: None)

        for user_id in (None, 7):
            with pytest.raises(UserNotAdded, match="email"):
                async with begin() as work:
                    await work.users.add(user_id)
