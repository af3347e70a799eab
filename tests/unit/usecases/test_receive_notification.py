"""Every row of the webhook's table: what is kept, what moves, what is told."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.errors import DatabaseUnavailable
from domain.payment import Payment
from domain.signature import ServerKeys
from domain.status import Status
from domain.usecases.receive_notification import Outcome, ReceiveNotification
from support.builders import MINUTE, NOW, SERVER_KEY, a_delivery, given
from support.fakes import (
    CountingIdentifiers,
    InMemoryPaymentReader,
    InMemoryPayments,
    InMemoryUnitOfWork,
    StoredNotification,
)
from support.log import is_intact


@pytest.fixture
def receive(begin: InMemoryUnitOfWork, ids: CountingIdentifiers) -> ReceiveNotification:
    keys = ServerKeys(current=SERVER_KEY, previous="the key before")
    return ReceiveNotification(begin=begin, ids=ids, keys=keys, confirm_always=False)


@pytest.fixture
async def pending(begin: InMemoryUnitOfWork) -> Payment:
    return await given(begin, status=Status.PENDING, transaction_id="t-1")


def the_only(begin: InMemoryUnitOfWork) -> StoredNotification:
    (row,) = begin.notifications
    return row


async def test_a_signed_settlement_pays_the_payment_and_is_kept_as_processed(
    receive: ReceiveNotification,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    pending: Payment,
) -> None:
    delivery = a_delivery(settled_at=NOW + timedelta(seconds=90))

    told = await receive(delivery)

    assert told == (Outcome.APPLIED, None)
    payment = await reader.find("order-1")
    assert payment is not None
    assert payment.status is Status.SETTLEMENT
    assert payment.paid_at == NOW + timedelta(seconds=90)
    log = await reader.log(pending.id)
    assert [(entry.what, entry.source) for entry in log[1:]] == [("settlement", "notification")]
    assert is_intact(log, payment)
    row = the_only(begin)
    assert (row.is_verified, row.processed, row.error) == (True, True, None)
    assert (row.order_id, row.transaction_id) == ("order-1", "t-1")
    assert (row.body, row.signature_key) == (delivery.body, delivery.signature_key)
    assert row.received_at == NOW + MINUTE


async def test_payment_and_notification_are_committed_together_or_not_at_all(
    receive: ReceiveNotification,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    pending: Payment,
) -> None:
    begin.fail_next_commits = 1

    with pytest.raises(DatabaseUnavailable):
        await receive(a_delivery())

    assert await reader.find("order-1") == pending
    assert begin.notifications == []


async def test_without_the_database_nothing_is_told_as_kept(
    receive: ReceiveNotification, begin: InMemoryUnitOfWork
) -> None:
    begin.is_away = True

    with pytest.raises(DatabaseUnavailable):
        await receive(a_delivery())


async def test_a_duplicate_is_kept_and_changes_nothing(
    receive: ReceiveNotification,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    pending: Payment,
) -> None:
    await receive(a_delivery())
    once = await reader.find("order-1")

    told = await receive(a_delivery(received_at=NOW + 2 * MINUTE))

    assert told == (Outcome.KNOWN, None)
    assert await reader.find("order-1") == once
    assert len(await reader.log(pending.id)) == 2
    assert [row.processed for row in begin.notifications] == [True, True]


async def test_while_the_payment_is_locked_too_long_nothing_is_told_as_kept(
    receive: ReceiveNotification,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    pending: Payment,
) -> None:
    async with begin() as work:
        await work.payments.lock("order-1")
        with pytest.raises(DatabaseUnavailable):
            await receive(a_delivery())

    assert await reader.find("order-1") == pending
    assert begin.notifications == []


@pytest.mark.usefixtures("pending")
async def test_older_news_is_kept_and_changes_nothing(
    receive: ReceiveNotification, begin: InMemoryUnitOfWork, reader: InMemoryPaymentReader
) -> None:
    await receive(a_delivery())
    settled = await reader.find("order-1")

    told = await receive(a_delivery(transaction_status="pending"))

    assert told == (Outcome.KNOWN, None)
    assert await reader.find("order-1") == settled
    assert [(row.processed, row.error) for row in begin.notifications] == [(True, None)] * 2


@pytest.mark.usefixtures("pending")
async def test_beyond_a_hundred_a_day_identical_deliveries_are_counted_and_not_stored(
    receive: ReceiveNotification, begin: InMemoryUnitOfWork
) -> None:
    for _ in range(120):
        await receive(a_delivery())

    assert len(begin.notifications) == 100
    assert sum(row.repeats for row in begin.notifications) == 20


@pytest.mark.usefixtures("pending")
async def test_the_same_notification_on_two_connections_at_once_pays_once(
    receive: ReceiveNotification, begin: InMemoryUnitOfWork, reader: InMemoryPaymentReader
) -> None:
    told = await asyncio.gather(*(receive(a_delivery()) for _ in range(5)))

    payment = await reader.find("order-1")
    assert payment is not None
    log = await reader.log(payment.id)
    assert sorted(outcome for outcome, _ in told) == [Outcome.APPLIED] + [Outcome.KNOWN] * 4
    assert [entry.what for entry in log] == ["created", "settlement"]
    assert is_intact(log, payment)
    assert len(begin.notifications) == 5


@pytest.mark.parametrize(
    ("state", "said", "key"),
    [
        ({}, {}, SERVER_KEY),
        ({"status": Status.EXPIRE, "transaction_id": "t-1"}, {}, SERVER_KEY),
        (
            {"status": Status.SETTLEMENT, "transaction_id": "t-1"},
            {"transaction_status": "refund"},
            SERVER_KEY,
        ),
        (
            {"status": Status.SETTLEMENT, "transaction_id": "t-1"},
            {"transaction_status": "expire"},
            SERVER_KEY,
        ),
        (
            {"status": Status.PENDING, "transaction_id": "t-1"},
            {"transaction_id": "t-2"},
            SERVER_KEY,
        ),
        ({"status": Status.PENDING, "transaction_id": "t-1"}, {}, "the key before"),
        (
            {
                "status": Status.PENDING,
                "transaction_id": "t-1",
                "order_id": "x2001",
                "gross_amount": 500,
            },
            {"order_id": "x2001", "gross_amount": "500.00"},
            SERVER_KEY,
        ),
    ],
    ids=[
        "no transaction yet",
        "unpaid end",
        "refund",
        "contradiction",
        "other transaction",
        "previous key",
        "second reading",
    ],
)
async def test_a_doubtful_one_is_kept_to_do_and_moves_nothing(
    receive: ReceiveNotification,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    state: dict[str, Any],
    said: dict[str, Any],
    key: str,
) -> None:
    payment = await given(begin, **state)

    told = await receive(a_delivery(key, **said))

    assert told == (Outcome.DOUBTFUL, None)
    assert await reader.find(payment.order_id) == payment
    row = the_only(begin)
    assert (row.is_verified, row.processed, row.error) == (True, False, None)
    async with begin() as work:
        assert [d.id for d in await work.notifications.take_doubtful(limit=9)] == [row.id]


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"gross_amount": "9999.00"}, "amount 9999.00 instead of 10000"),
        ({"currency": "USD"}, "currency USD instead of IDR"),
        (
            {"status_code": "201"},
            "status settlement does not go with code 201, fraud status accept",
        ),
        (
            {"fraud_status": "challenge"},
            "status settlement does not go with code 200, fraud status challenge",
        ),
        (
            {"transaction_status": "expire", "status_code": "200", "fraud_status": None},
            "status expire does not go with code 200",
        ),
    ],
)
async def test_one_that_differs_is_set_aside_with_its_reason(
    receive: ReceiveNotification,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    pending: Payment,
    said: dict[str, Any],
    error: str,
) -> None:
    told = await receive(a_delivery(**said))

    assert told == (Outcome.SET_ASIDE, None)
    assert await reader.find("order-1") == pending
    row = the_only(begin)
    assert (row.is_verified, row.processed, row.error) == (True, False, error)


async def test_one_for_an_unknown_order_is_kept_with_its_reason(
    receive: ReceiveNotification, begin: InMemoryUnitOfWork
) -> None:
    told = await receive(a_delivery(order_id="nobody's"))

    assert told == (Outcome.UNKNOWN_ORDER, None)
    row = the_only(begin)
    assert (row.is_verified, row.processed) == (True, False)
    assert row.error == "there is no payment nobody's"


async def test_a_forged_one_moves_nothing_and_little_of_it_is_kept(
    receive: ReceiveNotification,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    pending: Payment,
) -> None:
    told = await receive(a_delivery("another key", transaction_id="t-9"))

    assert told == (Outcome.FORGED, None)
    assert await reader.find("order-1") == pending
    row = the_only(begin)
    assert (row.is_verified, row.processed, row.forged) == (False, False, True)
    assert (row.order_id, row.transaction_status) == ("order-1", "settlement")
    assert (row.signature_key, row.transaction_id, row.body) == (None, None, "")


async def test_what_is_kept_of_a_forged_one_is_cut_to_size(
    receive: ReceiveNotification, begin: InMemoryUnitOfWork
) -> None:
    huge = a_delivery(order_id="x" * 10_000, transaction_status="y" * 10_000)

    await receive(replace(huge, signature_key="forged"))

    row = the_only(begin)
    assert (row.order_id, row.transaction_status) == ("x" * 64, "y" * 64)


@pytest.mark.usefixtures("pending")
async def test_a_flood_of_forged_ones_fills_nothing_and_keeps_no_genuine_one_out(
    receive: ReceiveNotification, begin: InMemoryUnitOfWork, reader: InMemoryPaymentReader
) -> None:
    for _ in range(300):
        await receive(a_delivery("another key"))

    told = await receive(a_delivery())

    payment = await reader.find("order-1")
    assert told == (Outcome.APPLIED, None)
    assert payment is not None
    assert payment.status is Status.SETTLEMENT
    assert len(begin.notifications) == 201


async def test_where_every_one_is_confirmed_news_waits_and_repeats_do_not(
    begin: InMemoryUnitOfWork,
    ids: CountingIdentifiers,
    reader: InMemoryPaymentReader,
    pending: Payment,
) -> None:
    keys = ServerKeys(current=SERVER_KEY)
    receive = ReceiveNotification(begin=begin, ids=ids, keys=keys, confirm_always=True)

    news = await receive(a_delivery())
    repeat = await receive(a_delivery(transaction_status="pending"))

    assert [news, repeat] == [(Outcome.DOUBTFUL, None), (Outcome.KNOWN, None)]
    assert await reader.find("order-1") == pending
    assert sorted(row.processed for row in begin.notifications) == [False, True]


async def test_one_that_cannot_be_applied_is_kept_to_do_and_says_why(
    receive: ReceiveNotification,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    pending: Payment,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(InMemoryPayments, "save", fail)

    outcome, why = await receive(a_delivery())

    assert outcome is Outcome.FAILED
    assert isinstance(why, ZeroDivisionError)
    assert await reader.find("order-1") == pending
    row = the_only(begin)
    assert (row.is_verified, row.processed, row.error) == (True, False, None)


async def test_one_that_can_be_neither_applied_nor_kept_is_not_told_as_kept(
    receive: ReceiveNotification, begin: InMemoryUnitOfWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    await given(begin, status=Status.PENDING, transaction_id="t-1")

    async def fail(*_: object) -> None:
        begin.is_away = True
        raise ZeroDivisionError

    monkeypatch.setattr(InMemoryPayments, "save", fail)

    with pytest.raises(DatabaseUnavailable):
        await receive(a_delivery())

    assert begin.notifications == []


async def test_a_notification_settles_a_payment_of_an_earlier_service(
    receive: ReceiveNotification, begin: InMemoryUnitOfWork, reader: InMemoryPaymentReader
) -> None:
    adopted = await given(begin, status=Status.PENDING, transaction_id="t-1", log_length=0)

    await receive(a_delivery())

    payment = await reader.find("order-1")
    assert payment is not None
    assert payment.status is Status.SETTLEMENT
    log = await reader.log(adopted.id)
    assert [entry.what for entry in log] == ["adopted", "settlement"]
    assert is_intact(log, payment)


def test_a_delivery_does_not_show_its_signature_or_body() -> None:
    delivery = a_delivery()

    assert delivery.signature_key not in repr(delivery)
    assert delivery.body not in repr(delivery)
