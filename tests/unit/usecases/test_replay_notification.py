"""Replaying a stored notification: its own signature proves it, and its row says what became of it."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.errors import DatabaseUnavailable, NotificationNotFound, NotReplayable
from domain.payment import Payment
from domain.ports.notification_reader import WholeNotification
from domain.signature import ServerKeys
from domain.status import Status
from domain.usecases.confirm_notifications import ConfirmNotifications
from domain.usecases.judging import Outcome
from domain.usecases.receive_notification import ReceiveNotification
from domain.usecases.replay_notification import ReplayNotification
from support.builders import MINUTE, NOW, SERVER_KEY, a_delivery, a_status_reply, an_id, given
from support.fake_notification_reader import InMemoryNotificationReader
from support.fakes import (
    CountingIdentifiers,
    InMemoryPaymentReader,
    InMemoryPayments,
    InMemoryUnitOfWork,
    ManualClock,
    ScriptedGateway,
    StoredNotification,
)
from support.log import is_intact

EVENT = an_id("event")
KEYS = ServerKeys(current=SERVER_KEY, previous="the key before")


@pytest.fixture
def inbox_reader(begin: InMemoryUnitOfWork) -> InMemoryNotificationReader:
    return InMemoryNotificationReader(begin)


@pytest.fixture
def replay(
    begin: InMemoryUnitOfWork, inbox_reader: InMemoryNotificationReader, clock: ManualClock
) -> ReplayNotification:
    clock.advance(86_400)
    return ReplayNotification(begin=begin, reader=inbox_reader, keys=KEYS, clock=clock, confirm_always=False)


@pytest.fixture
async def pending(begin: InMemoryUnitOfWork) -> Payment:
    return await given(begin, status=Status.PENDING, transaction_id="t-1")


def kept(begin: InMemoryUnitOfWork, body: object = None, *, key: str = SERVER_KEY, **row: Any) -> None:
    """A notification in the inbox, set aside unless told; its body is a settlement unless told."""
    delivery = a_delivery(key)
    text = delivery.body if body is None else json.dumps(body)
    stored: dict[str, Any] = {
        "id": EVENT,
        "received_at": NOW + MINUTE,
        "order_id": "order-1",
        "transaction_id": "t-1",
        "transaction_status": "settlement",
        "signature_key": delivery.signature_key,
        "body": text,
        "is_verified": True,
        "processed": False,
        "error": "there is no payment order-1",
        "forged": False,
        "repeats": 0,
        "attempts": 3,
        "due_at": NOW,
    } | row
    begin.state.notifications[stored["id"]] = StoredNotification(**stored)


def a_body(key: str = SERVER_KEY, **said: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(a_delivery(key, **said).body)
    return body


def the_row(begin: InMemoryUnitOfWork) -> StoredNotification:
    (row,) = begin.notifications
    return row


async def stored(reader: InMemoryPaymentReader) -> Payment:
    payment = await reader.find("order-1")
    assert payment is not None
    assert is_intact(await reader.log(payment.id), payment)
    return payment


@pytest.mark.usefixtures("pending")
async def test_one_that_can_be_applied_by_now_pays_the_payment_and_is_processed(
    replay: ReplayNotification, begin: InMemoryUnitOfWork, reader: InMemoryPaymentReader
) -> None:
    kept(begin)

    verdict = await replay(EVENT)

    assert (verdict.outcome, verdict.why) == (Outcome.APPLIED, "the payment is settlement now")
    assert (await stored(reader)).status is Status.SETTLEMENT
    row = the_row(begin)
    assert (row.id, row.is_verified, row.processed, row.error) == (EVENT, True, True, None)


async def test_a_delivery_that_was_set_aside_is_replayed_as_it_was_stored(
    replay: ReplayNotification,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    ids: CountingIdentifiers,
) -> None:
    receive = ReceiveNotification(begin=begin, ids=ids, keys=KEYS, confirm_always=False)
    await receive(a_delivery())
    await given(begin, status=Status.PENDING, transaction_id="t-1")

    verdict = await replay(the_row(begin).id)

    assert verdict.outcome is Outcome.APPLIED
    assert (await stored(reader)).status is Status.SETTLEMENT


@pytest.mark.usefixtures("pending")
async def test_the_log_tells_of_the_replay_and_the_payment_of_when_the_money_came(
    replay: ReplayNotification,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    clock: ManualClock,
) -> None:
    kept(begin)

    await replay(EVENT)

    payment = await stored(reader)
    log = await reader.log(payment.id)
    assert payment.paid_at == NOW + MINUTE
    assert (log[-1].recorded_at, log[-1].source) == (clock.now(), "notification")


@pytest.mark.usefixtures("pending")
async def test_midtrans_s_own_time_of_the_payment_wins(
    replay: ReplayNotification, begin: InMemoryUnitOfWork, reader: InMemoryPaymentReader
) -> None:
    kept(begin, a_body() | {"settlement_time": "2026-02-06 10:00:40"})

    await replay(EVENT)

    assert (await stored(reader)).paid_at == NOW + timedelta(seconds=40)


@pytest.mark.usefixtures("pending")
async def test_one_that_is_replayed_twice_tells_nothing_new(
    replay: ReplayNotification, begin: InMemoryUnitOfWork, reader: InMemoryPaymentReader
) -> None:
    kept(begin)
    await replay(EVENT)
    once = await stored(reader)

    verdict = await replay(EVENT)

    assert (verdict.outcome, verdict.why) == (
        Outcome.KNOWN,
        "it tells nothing new; the payment is settlement",
    )
    assert await stored(reader) == once
    assert the_row(begin).processed


@pytest.mark.usefixtures("pending")
async def test_replayed_and_delivered_at_once_it_pays_once(
    replay: ReplayNotification,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    ids: CountingIdentifiers,
) -> None:
    receive = ReceiveNotification(begin=begin, ids=ids, keys=KEYS, confirm_always=False)
    kept(begin)

    async with asyncio.timeout(5):
        await asyncio.gather(replay(EVENT), receive(a_delivery()), replay(EVENT), receive(a_delivery()))

    log = await reader.log((await stored(reader)).id)
    assert [entry.what for entry in log] == ["created", "settlement"]
    assert all(row.processed for row in begin.notifications)


async def test_a_doubtful_one_is_due_at_once_and_confirmed_by_midtrans(
    replay: ReplayNotification,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    clock: ManualClock,
) -> None:
    await given(begin)
    kept(begin, due_at=NOW + timedelta(days=99))

    verdict = await replay(EVENT)

    assert (verdict.outcome, verdict.why) == (Outcome.DOUBTFUL, "the payment has no transaction yet")
    assert (await stored(reader)).status is Status.CREATED
    row = the_row(begin)
    assert (row.processed, row.error, row.attempts) == (False, None, 0)
    gateway.answers_status_of("t-1", a_status_reply())
    gateway.answers_status_of("order-1", a_status_reply())
    await ConfirmNotifications(begin=begin, reader=reader, gateway=gateway, clock=clock)(limit=9)
    assert (await stored(reader)).status is Status.SETTLEMENT
    assert the_row(begin).processed


@pytest.mark.usefixtures("pending")
async def test_one_signed_with_the_previous_key_is_doubtful(
    replay: ReplayNotification, begin: InMemoryUnitOfWork
) -> None:
    kept(begin, key="the key before")

    verdict = await replay(EVENT)

    assert (verdict.outcome, verdict.why) == (Outcome.DOUBTFUL, "signed with the previous server key")


@pytest.mark.usefixtures("pending")
async def test_where_every_one_is_confirmed_a_replayed_one_is_too(
    begin: InMemoryUnitOfWork, inbox_reader: InMemoryNotificationReader, clock: ManualClock
) -> None:
    replay = ReplayNotification(begin=begin, reader=inbox_reader, keys=KEYS, clock=clock, confirm_always=True)
    kept(begin)

    assert (await replay(EVENT)).outcome is Outcome.DOUBTFUL


async def test_one_that_still_differs_is_set_aside_again_with_its_reason(
    replay: ReplayNotification,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    pending: Payment,
) -> None:
    kept(begin, a_body(gross_amount="9999.00"), error="an older reason")

    verdict = await replay(EVENT)

    assert (verdict.outcome, verdict.why) == (Outcome.SET_ASIDE, "amount 9999.00 instead of 10000")
    assert await stored(reader) == pending
    row = the_row(begin)
    assert (row.processed, row.error) == (False, "amount 9999.00 instead of 10000")


async def test_one_for_an_order_that_is_still_unknown_stays_set_aside(
    replay: ReplayNotification, begin: InMemoryUnitOfWork
) -> None:
    kept(begin)

    assert (await replay(EVENT)).outcome is Outcome.UNKNOWN_ORDER
    assert the_row(begin).error == "there is no payment order-1"


async def refused(
    replay: ReplayNotification, begin: InMemoryUnitOfWork, reader: InMemoryPaymentReader, before: Payment
) -> str:
    """Why it was refused, once it is sure that nothing changed."""
    row = the_row(begin)
    with pytest.raises(NotReplayable) as told:
        await replay(EVENT)
    assert the_row(begin) == row
    assert await stored(reader) == before
    assert str(told.value) == f"Notification {EVENT} cannot be replayed, for {told.value.why}."
    return told.value.why


async def test_a_forged_one_is_refused(
    replay: ReplayNotification,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    pending: Payment,
) -> None:
    kept(begin, a_body(), forged=True, is_verified=False, error=None)

    why = await refused(replay, begin, reader, pending)

    assert why == "it was kept as forged, without its signature"


@pytest.mark.parametrize(
    "body",
    [
        a_body("another key"),
        a_body() | {"gross_amount": "10000"},
        a_body() | {"order_id": "order-2"},
        a_body() | {"status_code": "201"},
        a_body() | {"signature_key": a_body()["signature_key"].upper()},
        a_body() | {"signature_key": "0" * 128},
    ],
    ids=["other key", "other amount", "other order", "other code", "upper case", "made up"],
)
@pytest.mark.parametrize("is_verified", [True, False])
async def test_one_whose_signature_does_not_go_with_a_key_is_refused_whatever_its_row_says(
    replay: ReplayNotification,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    pending: Payment,
    body: dict[str, Any],
    is_verified: bool,  # noqa: FBT001 - a case
) -> None:
    kept(begin, body, is_verified=is_verified)

    why = await refused(replay, begin, reader, pending)

    assert why == "its signature does not go with our server key"


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        "text",
        7,
        json.dumps(a_body()),
        {"body": a_body()},
        [a_body()],
        a_body() | {"gross_amount": 10_000},
        a_body() | {"signature_key": None},
        a_body() | {"signature_key": ["x"]},
        {"transaction_status": "settlement", "status_code": "200"},
    ],
)
async def test_whatever_an_earlier_service_kept_is_refused_unless_it_proves_itself(
    replay: ReplayNotification,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    pending: Payment,
    body: object,
) -> None:
    kept(begin, body, signature_key=None)

    why = await refused(replay, begin, reader, pending)

    assert why.startswith("its body is not one of Midtrans's: ")


async def test_a_body_that_is_nested_too_deep_is_refused(
    replay: ReplayNotification,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    pending: Payment,
) -> None:
    kept(begin)
    begin.state.notifications[EVENT] = replace(the_row(begin), body="[" * 9999 + "]" * 9999)

    assert "not an object" in await refused(replay, begin, reader, pending)


@pytest.mark.usefixtures("pending")
async def test_an_earlier_service_s_own_mistake_about_a_signature_does_not_count(
    replay: ReplayNotification, begin: InMemoryUnitOfWork, reader: InMemoryPaymentReader
) -> None:
    kept(begin, is_verified=False, error="bad signature", order_id=None, transaction_id=None)

    verdict = await replay(EVENT)

    assert verdict.outcome is Outcome.APPLIED
    assert (await stored(reader)).status is Status.SETTLEMENT
    row = the_row(begin)
    assert (row.is_verified, row.order_id, row.transaction_id) == (True, "order-1", "t-1")


@pytest.mark.usefixtures("pending")
async def test_a_signature_that_an_earlier_service_kept_in_its_column_only_counts(
    replay: ReplayNotification, begin: InMemoryUnitOfWork
) -> None:
    body = a_body()
    del body["signature_key"]
    kept(begin, body)

    assert (await replay(EVENT)).outcome is Outcome.APPLIED


async def test_payment_and_row_are_committed_together_or_not_at_all(
    replay: ReplayNotification,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    pending: Payment,
) -> None:
    kept(begin)
    before = the_row(begin)
    begin.fail_next_commits = 1

    with pytest.raises(DatabaseUnavailable):
        await replay(EVENT)

    assert (await stored(reader), the_row(begin)) == (pending, before)


async def test_one_that_is_gone_is_told_so(replay: ReplayNotification) -> None:
    with pytest.raises(NotificationNotFound, match=rf"^There is no notification {EVENT}\.$"):
        await replay(EVENT)


async def test_one_that_goes_while_it_is_replayed_moves_nothing(
    begin: InMemoryUnitOfWork, reader: InMemoryPaymentReader, clock: ManualClock, pending: Payment
) -> None:
    class Forgetting(InMemoryNotificationReader):
        async def find(self, notification_id: UUID) -> WholeNotification | None:
            found = await super().find(notification_id)
            begin.state.notifications.clear()
            return found

    kept(begin)
    replay = ReplayNotification(
        begin=begin, reader=Forgetting(begin), keys=KEYS, clock=clock, confirm_always=False
    )

    with pytest.raises(NotificationNotFound):
        await replay(EVENT)

    assert await stored(reader) == pending


async def test_one_that_cannot_be_applied_is_left_to_the_background_work(
    replay: ReplayNotification,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    pending: Payment,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fail(*_: object) -> None:
        raise ZeroDivisionError("a body, perhaps")

    monkeypatch.setattr(InMemoryPayments, "save", fail)
    kept(begin)

    verdict = await replay(EVENT)

    assert (verdict.outcome, verdict.why) == (Outcome.FAILED, "ZeroDivisionError")
    assert await stored(reader) == pending
    row = the_row(begin)
    assert (row.processed, row.error) == (False, None)
