import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from domain.errors import DatabaseUnavailable, GatewayUnavailable
from domain.evidence import NoTransaction, ReportedRefund, StatusReply
from domain.payment import Break, Payment
from domain.refund import RefundStatus
from domain.status import Status
from domain.usecases.confirm_notifications import ConfirmNotifications
from support.builders import NOW, a_received, a_refund, a_status_reply, given
from support.fakes import (
    InMemoryPaymentReader,
    InMemoryUnitOfWork,
    ManualClock,
    ScriptedGateway,
)
from support.log import is_intact

AWAY = GatewayUnavailable("ReadError")


@pytest.fixture
def confirm(
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    clock: ManualClock,
) -> ConfirmNotifications:
    return ConfirmNotifications(begin=begin, reader=reader, gateway=gateway, clock=clock)


async def received(begin: InMemoryUnitOfWork, *names: str, **said: Any) -> None:
    async with begin() as work:
        for name in names or ("event",):
            await work.notifications.add(a_received(name, **said))


async def stored(reader: InMemoryPaymentReader, order_id: str = "order-1") -> Payment:
    payment = await reader.find(order_id)
    assert payment is not None
    assert is_intact(await reader.log(payment.id), payment)
    return payment


def closed(begin: InMemoryUnitOfWork) -> list[tuple[bool, str | None]]:
    return [(row.processed, row.error) for row in begin.notifications]


async def test_what_midtrans_confirms_is_applied_and_processed(
    confirm: ConfirmNotifications,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
) -> None:
    await given(begin)
    await received(begin)
    gateway.answers_status_of("t-1", a_status_reply())
    gateway.answers_status_of("order-1", a_status_reply())

    taken = await confirm(limit=20)

    payment = await stored(reader)
    assert taken == 1
    assert (payment.status, payment.transaction_id) == (Status.SETTLEMENT, "t-1")
    assert closed(begin) == [(True, None)]


async def test_with_nothing_to_do_nobody_is_asked(
    confirm: ConfirmNotifications, gateway: ScriptedGateway
) -> None:
    assert await confirm(limit=20) == 0
    assert gateway.asked == []


async def test_with_midtrans_silent_the_doubtful_ones_put_off_no_probe(
    confirm: ConfirmNotifications, begin: InMemoryUnitOfWork, clock: ManualClock
) -> None:
    """However many of them come: else nobody would find out that Midtrans is back."""
    await given(begin)
    for _ in range(3):
        async with begin() as work:
            await work.budget.report(answered=False)
    clock.advance(2)

    for name in "ab":
        await received(begin, name)
        await confirm(limit=20)

    async with begin() as work:
        assert await work.budget.allowance() == 1


async def test_what_is_counted_is_questions_and_not_notifications(
    confirm: ConfirmNotifications, begin: InMemoryUnitOfWork, gateway: ScriptedGateway
) -> None:
    """Ten of one payment are two questions here; what is known, or nobody's, is none."""
    await given(begin, status=Status.PENDING, transaction_id="t-1")
    await given(begin, order_id="paid", status=Status.SETTLEMENT, transaction_id="t-3", paid_at=NOW)
    await received(begin, *"abcde")
    await received(begin, *"fghij", transaction_id="t-2")
    await received(begin, *"klmno", order_id="paid", transaction_id="t-3")
    await received(begin, "p", order_id="nobody's")

    await confirm(limit=20)

    async with begin() as work:
        assert await work.budget.allowance() == 20 - len(gateway.asked) == 18


async def test_questions_that_midtrans_does_not_answer_are_counted_too(
    confirm: ConfirmNotifications, begin: InMemoryUnitOfWork, gateway: ScriptedGateway
) -> None:
    await given(begin, status=Status.PENDING, transaction_id="t-1")
    await received(begin)
    gateway.answers_status_of("t-1", AWAY)

    await confirm(limit=20)

    async with begin() as work:
        assert await work.budget.allowance() == 19


async def test_what_cannot_be_counted_at_once_is_asked_all_the_same(
    confirm: ConfirmNotifications,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
) -> None:
    await given(begin, status=Status.PENDING, transaction_id="t-1")
    await received(begin)
    gateway.answers_status_of("t-1", a_status_reply())

    async with begin() as work:
        await work.budget.allowance()
        with pytest.raises(DatabaseUnavailable):
            await confirm(limit=20)

    assert (await stored(reader)).status is Status.SETTLEMENT
    assert closed(begin) == [(True, None)]


async def test_midtrans_is_asked_under_the_claimed_transaction_and_the_rows(
    confirm: ConfirmNotifications, begin: InMemoryUnitOfWork, gateway: ScriptedGateway
) -> None:
    await given(begin, status=Status.PENDING, transaction_id="t-1")
    await received(begin, transaction_id="t-2")

    await confirm(limit=20)

    assert sorted(gateway.asked) == ["t-1", "t-2"]


async def test_several_claims_about_one_payment_are_asked_about_together(
    confirm: ConfirmNotifications,
    begin: InMemoryUnitOfWork,
    gateway: ScriptedGateway,
    reader: InMemoryPaymentReader,
) -> None:
    await given(begin, status=Status.SETTLEMENT, transaction_id="t-1", paid_at=NOW)
    await received(begin, "a", "b", "c", transaction_status="refund")
    gateway.answers_status_of("t-1", a_status_reply(transaction_status="refund"))

    taken = await confirm(limit=20)

    assert taken == 3
    assert gateway.asked == ["t-1"]
    assert (await stored(reader)).status is Status.REFUND
    assert closed(begin) == [(True, None)] * 3


async def test_what_midtrans_itself_already_told_needs_no_question(
    confirm: ConfirmNotifications, begin: InMemoryUnitOfWork, gateway: ScriptedGateway
) -> None:
    await given(begin, status=Status.SETTLEMENT, transaction_id="t-1", paid_at=NOW)
    await received(begin)

    await confirm(limit=20)

    assert gateway.asked == []
    assert closed(begin) == [(True, None)]


async def test_midtrans_away_leaves_it_to_do_and_it_comes_again(
    confirm: ConfirmNotifications,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    clock: ManualClock,
) -> None:
    payment = await given(begin, status=Status.EXPIRE, transaction_id="t-1")
    await received(begin)
    gateway.answers_status_of("t-1", AWAY, a_status_reply())

    await confirm(limit=20)
    meanwhile = await stored(reader), closed(begin)
    again_at_once = await confirm(limit=20)
    clock.advance(30)
    await confirm(limit=20)

    assert meanwhile == (payment, [(False, None)])
    assert again_at_once == 0
    settled = await stored(reader)
    assert (settled.status, settled.late) == (Status.SETTLEMENT, True)
    assert closed(begin) == [(True, None)]


async def test_midtrans_away_for_hours_loses_nothing(
    confirm: ConfirmNotifications,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    clock: ManualClock,
) -> None:
    await given(begin, status=Status.EXPIRE, transaction_id="t-1")
    await received(begin)
    gateway.answers_status_of("t-1", *[AWAY] * 20, a_status_reply())

    for _ in range(21):
        await confirm(limit=20)
        clock.advance(3600)

    assert (await stored(reader)).status is Status.SETTLEMENT
    assert closed(begin) == [(True, None)]


@pytest.mark.parametrize(
    ("state", "claim", "reply"),
    [
        ("settlement", "expire", "settlement"),
        ("settlement", "deny", "settlement"),
        ("cancel", "expire", "cancel"),
    ],
)
async def test_a_claim_that_midtrans_contradicts_is_set_aside(
    confirm: ConfirmNotifications,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    state: str,
    claim: str,
    reply: str,
) -> None:
    payment = await given(begin, status=Status(state), transaction_id="t-1")
    await received(begin, transaction_status=claim)
    gateway.answers_status_of("t-1", a_status_reply(transaction_status=reply))

    await confirm(limit=20)

    assert (await stored(reader)).status is payment.status
    assert closed(begin) == [(False, f"Midtrans does not confirm it; the payment is {state}")]


@pytest.mark.parametrize(
    ("state", "claim", "stale"),
    [
        ("created", "settlement", "pending"),
        ("pending", "settlement", "pending"),
        ("expire", "settlement", "expire"),
        ("cancel", "settlement", "cancel"),
        ("settlement", "refund", "settlement"),
        ("partial_refund", "refund", "partial_refund"),
        ("settlement", "chargeback", "settlement"),
    ],
)
async def test_news_that_has_not_reached_midtranss_own_status_yet_is_asked_about_again(
    confirm: ConfirmNotifications,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    clock: ManualClock,
    state: str,
    claim: str,
    stale: str,
) -> None:
    await given(begin, status=Status(state), transaction_id=None if state == "created" else "t-1")
    await received(begin, transaction_status=claim)
    replies = [a_status_reply(transaction_status=status) for status in (stale, claim)]
    gateway.answers_status_of("t-1", *replies)

    await confirm(limit=20)
    meanwhile = closed(begin)
    clock.advance(30)
    await confirm(limit=20)

    assert meanwhile == [(False, None)]
    assert (await stored(reader)).status is Status(claim)
    assert closed(begin) == [(True, None)]


def refund_body(**told: Any) -> str:
    return json.dumps({"transaction_status": "partial_refund", **told})


def a_partial_refund(amount: int, *refunds: ReportedRefund) -> StatusReply:
    return a_status_reply(transaction_status="partial_refund", refund_amount=amount, refunds=refunds)


FIRST, SECOND = ReportedRefund(key="one", amount=3_000), ReportedRefund(key="two", amount=2_000)
LISTED_FIRST = {"refund_key": "one", "refund_amount": "3000.00"}
LISTED_SECOND = {"refund_key": "two", "refund_amount": "2000.00"}


@pytest.fixture
async def once_refunded(begin: InMemoryUnitOfWork) -> Payment:
    """A payment of 10,000 of which 3,000 went back."""
    return await given(
        begin, status=Status.PARTIAL_REFUND, transaction_id="t-1", paid_at=NOW, refunded_amount=3_000
    )


@pytest.mark.usefixtures("once_refunded")
@pytest.mark.parametrize(
    "told",
    [
        {"refund_amount": "5000.00"},
        {"refund_key": "two"},
        {"refunds": [LISTED_FIRST, LISTED_SECOND]},
        {"refund_amount": "5000.00", "refund_key": "two", "refunds": [LISTED_FIRST, LISTED_SECOND]},
        # Should it be this refund's alone, the key tells.
        {"refund_amount": "2000.00", "refund_key": "two"},
        {},
    ],
    ids=["amount", "key", "list", "all", "own amount", "nothing"],
)
async def test_a_second_refund_that_has_not_reached_midtranss_own_status_yet_is_asked_about_again(
    confirm: ConfirmNotifications,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    clock: ManualClock,
    told: dict[str, Any],
) -> None:
    await received(begin, transaction_status="partial_refund", body=refund_body(**told))
    stale, fresh = a_partial_refund(3_000, FIRST), a_partial_refund(5_000, FIRST, SECOND)
    gateway.answers_status_of("t-1", stale, fresh)

    await confirm(limit=20)
    meanwhile = (await stored(reader)).refunded_amount, closed(begin)
    clock.advance(30)
    await confirm(limit=20)

    assert meanwhile == (3_000, [(False, None)])
    assert (await stored(reader)).refunded_amount == 5_000
    assert closed(begin) == [(True, None)]


@pytest.mark.usefixtures("once_refunded")
async def test_a_refund_that_is_known_is_confirmed_by_one_question(
    confirm: ConfirmNotifications, begin: InMemoryUnitOfWork, gateway: ScriptedGateway
) -> None:
    body = refund_body(refund_amount="3000.00", refund_key="one", refunds=[LISTED_FIRST])
    await received(begin, transaction_status="partial_refund", body=body)
    gateway.answers_status_of("t-1", a_partial_refund(3_000, FIRST))

    await confirm(limit=20)

    assert gateway.asked == ["t-1"]
    assert closed(begin) == [(True, None)]


async def test_the_banks_word_that_has_not_reached_midtranss_own_status_yet_is_asked_about_again(
    confirm: ConfirmNotifications,
    begin: InMemoryUnitOfWork,
    gateway: ScriptedGateway,
    clock: ManualClock,
    once_refunded: Payment,
) -> None:
    ours = a_refund(amount=3_000, status=RefundStatus.ACCEPTED, accepted_at=NOW)
    async with begin() as work:
        await work.refunds.add(ours)
    listed = {"refund_key": str(ours.id), "refund_amount": "3000.00", "bank_confirmed_at": "soon"}
    body = refund_body(refund_amount="3000.00", refunds=[listed])
    await received(begin, transaction_status="partial_refund", body=body)
    known = ReportedRefund(key=str(ours.id), amount=3_000)
    gateway.answers_status_of(
        "t-1", a_partial_refund(3_000, known), a_partial_refund(3_000, replace(known, confirmed_at=NOW))
    )

    await confirm(limit=20)
    clock.advance(30)
    await confirm(limit=20)

    async with begin() as work:
        (refund,) = await work.refunds.of_payment(once_refunded.id)
    assert refund.confirmed_at == NOW
    assert closed(begin) == [(True, None)]


async def test_a_refund_of_ours_is_no_word_on_one_of_the_dashboard_that_midtrans_does_not_list_yet(
    confirm: ConfirmNotifications,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    clock: ManualClock,
) -> None:
    await given(begin, status=Status.PARTIAL_REFUND, transaction_id="t-1", paid_at=NOW, refunded_amount=5_000)
    body = refund_body(refund_amount="3000.00", refund_key="one", refunds=[LISTED_FIRST])
    await received(begin, transaction_status="partial_refund", body=body)
    ours = ReportedRefund(key="ours", amount=5_000)
    gateway.answers_status_of("t-1", a_status_reply(), a_partial_refund(8_000, FIRST, ours))

    await confirm(limit=20)
    meanwhile = closed(begin)
    clock.advance(30)
    await confirm(limit=20)

    assert meanwhile == [(False, None)]
    assert (await stored(reader)).refunded_amount == 8_000
    assert closed(begin) == [(True, None)]


@pytest.mark.usefixtures("once_refunded")
async def test_the_banks_word_is_not_waited_for_for_ever(
    confirm: ConfirmNotifications, begin: InMemoryUnitOfWork, gateway: ScriptedGateway, clock: ManualClock
) -> None:
    listed = LISTED_FIRST | {"bank_confirmed_at": "2026-02-07 10:00:00"}
    body = refund_body(refund_amount="3000.00", refunds=[listed])
    await received(begin, transaction_status="partial_refund", body=body)
    gateway.answers_status_of("t-1", a_partial_refund(3_000, FIRST))

    for _ in range(30):
        await confirm(limit=20)
        clock.advance(3600)

    assert closed(begin) == [(True, None)]
    assert 2 <= len(gateway.asked) <= 10


@pytest.mark.usefixtures("once_refunded")
@pytest.mark.parametrize(
    ("told", "end"),
    [
        (
            {"refund_amount": "5000.00"},
            (False, "Midtrans does not confirm it; the payment is partial_refund"),
        ),
        ({}, (True, None)),
    ],
    ids=["a claim", "nothing"],
)
async def test_a_second_refund_that_midtrans_never_tells_is_not_asked_about_for_ever(
    confirm: ConfirmNotifications,
    begin: InMemoryUnitOfWork,
    gateway: ScriptedGateway,
    clock: ManualClock,
    told: dict[str, Any],
    end: tuple[bool, str | None],
) -> None:
    await received(begin, transaction_status="partial_refund", body=refund_body(**told))
    gateway.answers_status_of("t-1", a_partial_refund(3_000, FIRST))

    for _ in range(30):
        await confirm(limit=20)
        clock.advance(3600)

    assert closed(begin) == [end]
    assert 2 <= len(gateway.asked) <= 10


async def test_news_that_midtrans_never_confirms_is_set_aside_in_the_end(
    confirm: ConfirmNotifications,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    clock: ManualClock,
) -> None:
    await given(begin, status=Status.PENDING, transaction_id="t-1")
    await received(begin)
    gateway.answers_status_of("t-1", a_status_reply(transaction_status="pending"))

    for _ in range(30):
        await confirm(limit=20)
        clock.advance(3600)

    assert closed(begin) == [(False, "Midtrans does not confirm it; the payment is pending")]
    assert (await stored(reader)).status is Status.PENDING
    assert 2 <= len(gateway.asked) <= 10


async def test_a_second_settled_transaction_is_a_break_and_confirmed(
    confirm: ConfirmNotifications,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
) -> None:
    await given(begin, status=Status.SETTLEMENT, transaction_id="t-1", paid_at=NOW)
    await received(begin, transaction_id="t-2")
    for transaction_id in ("t-1", "t-2"):
        reply = a_status_reply(transaction_id=transaction_id)
        gateway.answers_status_of(transaction_id, reply)

    await confirm(limit=20)

    payment = await stored(reader)
    assert payment.transaction_id == "t-1"
    assert payment.breaks == (Break(reason="paid_twice", subject="t-2"),)
    assert closed(begin) == [(True, None)]


@pytest.mark.parametrize("status", ["refund", "chargeback"])
async def test_money_that_went_back_from_the_second_transaction_is_asked_about_too(
    confirm: ConfirmNotifications,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    status: str,
) -> None:
    twice = (Break(reason="paid_twice", subject="t-2"),)
    await given(begin, status=Status.SETTLEMENT, transaction_id="t-1", paid_at=NOW, breaks=twice)
    await received(begin, transaction_id="t-2", transaction_status=status)
    gateway.answers_status_of("t-1", a_status_reply())
    gateway.answers_status_of("t-2", a_status_reply(transaction_id="t-2", transaction_status=status))

    await confirm(limit=20)

    payment = await stored(reader)
    assert (payment.status, payment.transaction_id) == (Status(status), "t-2")
    assert payment.breaks == (Break(reason="paid_twice", subject="t-1"),)
    assert closed(begin) == [(True, None)]


async def test_what_the_second_transaction_did_before_the_first_went_back_is_confirmed(
    confirm: ConfirmNotifications, begin: InMemoryUnitOfWork, gateway: ScriptedGateway
) -> None:
    twice = (Break(reason="paid_twice", subject="t-2"),)
    await given(begin, status=Status.CHARGEBACK, transaction_id="t-1", paid_at=NOW, breaks=twice)
    await received(begin, transaction_id="t-2", transaction_status="refund")
    gateway.answers_status_of("t-1", a_status_reply(transaction_status="chargeback"))
    gateway.answers_status_of("t-2", a_status_reply(transaction_id="t-2", transaction_status="refund"))

    await confirm(limit=20)

    assert closed(begin) == [(True, None)]


async def test_a_claimed_transaction_that_is_anothers_is_a_break_here_and_nothing_there(
    confirm: ConfirmNotifications,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
) -> None:
    other = await given(begin, order_id="other", status=Status.PENDING, transaction_id="t-2")
    await given(begin, status=Status.EXPIRE, transaction_id="t-1")
    await received(begin, transaction_id="t-2")
    gateway.answers_status_of("t-1", a_status_reply(transaction_status="expire"))
    gateway.answers_status_of("t-2", a_status_reply(transaction_id="t-2"))

    await confirm(limit=20)

    payment = await stored(reader)
    assert (payment.status, payment.transaction_id) == (Status.EXPIRE, "t-1")
    assert payment.breaks == (Break(reason="transaction_taken", subject="t-2"),)
    assert await reader.find("other") == other


async def test_a_claimed_transaction_that_midtrans_does_not_know_says_nothing_about_the_order(
    confirm: ConfirmNotifications,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    clock: ManualClock,
) -> None:
    await given(begin)
    clock.advance(11 * 60)
    await received(begin, transaction_id="a-made-up-one")
    gateway.answers_status_of("a-made-up-one", NoTransaction(received_at=clock.now()))
    gateway.answers_status_of("order-1", a_status_reply())

    await confirm(limit=20)

    payment = await stored(reader)
    assert (payment.status, payment.late) == (Status.SETTLEMENT, False)


async def test_an_order_that_midtrans_does_not_know_by_its_id_is_no_failure_once_its_money_is_found(
    confirm: ConfirmNotifications,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    clock: ManualClock,
) -> None:
    await given(begin)
    clock.advance(11 * 60)
    await received(begin)
    gateway.answers_status_of("t-1", a_status_reply())

    await confirm(limit=20)

    payment = await stored(reader)
    assert (payment.status, payment.late) == (Status.SETTLEMENT, False)


async def test_that_midtrans_does_not_know_the_order_yet_is_no_break_once_a_transaction_of_it_is_found(
    confirm: ConfirmNotifications,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    clock: ManualClock,
) -> None:
    await given(begin)
    clock.advance(40 * 60)
    await received(begin, transaction_status="pending")
    gateway.answers_status_of("t-1", a_status_reply(transaction_status="pending"))
    gateway.answers_status_of("order-1", NoTransaction(received_at=clock.now()))

    await confirm(limit=20)

    payment = await stored(reader)
    assert (payment.status, payment.breaks) == (Status.PENDING, ())


async def test_an_order_that_midtrans_does_not_know_after_ten_minutes_is_a_failure(
    confirm: ConfirmNotifications,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    clock: ManualClock,
) -> None:
    await given(begin)
    clock.advance(11 * 60)
    await received(begin)

    await confirm(limit=20)

    assert (await stored(reader)).status is Status.FAILURE


async def test_a_claimed_transaction_without_an_answer_holds_no_other_claim_up(
    confirm: ConfirmNotifications,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
) -> None:
    await given(begin, status=Status.SETTLEMENT, transaction_id="t-1", paid_at=NOW)
    await received(begin, "genuine", transaction_status="refund")
    await received(begin, "odd", transaction_status="refund", transaction_id="a/b")
    gateway.answers_status_of("a/b", AWAY)
    gateway.answers_status_of("t-1", a_status_reply(transaction_status="refund"))

    await confirm(limit=20)

    assert (await stored(reader)).status is Status.REFUND
    assert sorted(closed(begin)) == [(False, None), (True, None)]


async def test_one_for_an_order_that_is_not_there_is_set_aside(
    confirm: ConfirmNotifications, begin: InMemoryUnitOfWork, gateway: ScriptedGateway
) -> None:
    await received(begin, order_id="nobody's")

    await confirm(limit=20)

    assert closed(begin) == [(False, "there is no payment nobody's")]
    assert gateway.asked == []


async def test_a_word_that_is_no_status_is_asked_about_and_set_aside(
    confirm: ConfirmNotifications, begin: InMemoryUnitOfWork, gateway: ScriptedGateway
) -> None:
    await given(begin, status=Status.SETTLEMENT, transaction_id="t-1", paid_at=NOW)
    await received(begin, transaction_status="unheard-of")
    gateway.answers_status_of("t-1", a_status_reply())

    await confirm(limit=20)

    assert closed(begin) == [(False, "Midtrans does not confirm it; the payment is settlement")]


async def test_payments_do_not_hold_each_other_up(
    confirm: ConfirmNotifications,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
) -> None:
    for number in (1, 2):
        await given(begin, order_id=f"order-{number}", status=Status.EXPIRE, transaction_id=f"t-{number}")
        await received(begin, f"event-{number}", order_id=f"order-{number}", transaction_id=f"t-{number}")
    gateway.answers_status_of("t-1", AWAY)
    gateway.answers_status_of("t-2", a_status_reply(order_id="order-2", transaction_id="t-2"))

    await confirm(limit=20)

    assert (await stored(reader, "order-1")).status is Status.EXPIRE
    assert (await stored(reader, "order-2")).status is Status.SETTLEMENT


async def test_one_payment_in_trouble_does_not_keep_the_others_from_being_confirmed(
    confirm: ConfirmNotifications,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
) -> None:
    for number in (1, 2):
        await given(begin, order_id=f"order-{number}", status=Status.EXPIRE, transaction_id=f"t-{number}")
        await received(begin, f"event-{number}", order_id=f"order-{number}", transaction_id=f"t-{number}")
        reply = a_status_reply(order_id=f"order-{number}", transaction_id=f"t-{number}")
        gateway.answers_status_of(f"t-{number}", reply)

    async with begin() as work:
        await work.payments.lock("order-1")
        with pytest.raises(DatabaseUnavailable):
            await confirm(limit=20)

    assert (await stored(reader, "order-1")).status is Status.EXPIRE
    assert (await stored(reader, "order-2")).status is Status.SETTLEMENT


async def test_two_workers_at_once_ask_once(
    confirm: ConfirmNotifications, begin: InMemoryUnitOfWork, gateway: ScriptedGateway
) -> None:
    await given(begin, status=Status.EXPIRE, transaction_id="t-1")
    await received(begin)
    gateway.answers_status_of("t-1", a_status_reply())

    taken = await asyncio.gather(confirm(limit=20), confirm(limit=20))

    assert sorted(taken) == [0, 1]
    assert gateway.asked == ["t-1"]


async def test_no_more_are_taken_up_than_asked_for(
    confirm: ConfirmNotifications, begin: InMemoryUnitOfWork, gateway: ScriptedGateway
) -> None:
    await given(begin, status=Status.EXPIRE, transaction_id="t-1")
    await received(begin, "a", "b", "c")
    gateway.answers_status_of("t-1", a_status_reply())

    taken = [await confirm(limit=2), await confirm(limit=2)]

    assert taken == [2, 1]
