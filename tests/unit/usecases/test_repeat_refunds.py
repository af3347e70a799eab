"""Refunds without an outcome are repeated until Midtrans says; accepted ones wait for the bank's word."""

import asyncio
import json
from datetime import timedelta
from typing import Final

import pytest

from domain.errors import DatabaseUnavailable, GatewayUnavailable, RefundExceedsPayment, RefundUnknown
from domain.payment import Break
from domain.ports.gateway import (
    AlreadyThere,
    Declined,
    NotTaken,
    RefundOrder,
    RefundOutcome,
    RefundTaken,
)
from domain.refund import RefundStatus
from domain.status import Status
from support.builders import NOW, a_received, a_status_reply
from support.contracts.refunds import DAY
from unit.usecases.refunding import DENIED, LOST, TAKEN, TOO_LATE, Desk, key_of, listing

AWAY: Final = GatewayUnavailable("ReadError")


async def unanswered(desk: Desk) -> None:
    """A refund of 4,000 rupiah whose answer is lost."""
    await desk.paid()
    desk.gateway.answers_refunds_with(LOST)
    with pytest.raises(RefundUnknown):
        await desk.refund(4_000)


async def accepted(desk: Desk) -> None:
    """A refund of 4,000 rupiah that Midtrans took."""
    await desk.paid()
    desk.gateway.answers_refunds_with(TAKEN)
    await desk.refund(4_000)


async def test_one_without_an_answer_is_repeated_with_its_key(desk: Desk) -> None:
    await unanswered(desk)
    desk.gateway.answers_refunds_with(TAKEN)

    early = await desk.repeat(limit=10)
    desk.clock.advance(5)
    late = await desk.repeat(limit=10)

    assert (early, late) == (0, 1)
    assert desk.gateway.refunds == [desk.gateway.refunds[0]] * 2
    assert (await desk.only_refund()).status is RefundStatus.ACCEPTED
    assert (await desk.payment()).refunded_amount == 4_000


async def test_one_whose_process_died_is_repeated(desk: Desk) -> None:
    await desk.paid()

    async def die(_refund: RefundOrder, _within: float) -> RefundOutcome:
        raise asyncio.CancelledError

    desk.gateway.answers_refunds_with(die, TAKEN)
    with pytest.raises(asyncio.CancelledError):
        await desk.refund(4_000)
    desk.clock.advance(31)

    await desk.repeat(limit=10)

    assert (await desk.only_refund()).status is RefundStatus.ACCEPTED


@pytest.mark.parametrize("answer", [AlreadyThere(), TOO_LATE])
async def test_a_repeat_that_midtrans_knows_is_accepted_if_it_is_listed(
    desk: Desk, answer: RefundOutcome
) -> None:
    await unanswered(desk)
    desk.gateway.answers_refunds_with(answer)
    desk.gateway.answers_status_of("t-1", listing(key_of(), raw=b"listed"))
    desk.clock.advance(5)

    await desk.repeat(limit=10)

    assert (await desk.only_refund()).status is RefundStatus.ACCEPTED
    assert [entry.raw for entry in await desk.log()][-2:] == [b"listed", b"listed"]
    assert await desk.told() == [
        ("refund requested", "shop"),
        ("partial_refund", "status reply"),
        ("refund accepted", "status reply"),
    ]


@pytest.mark.parametrize(
    "answer",
    [
        LOST,
        NotTaken(reason="ConnectError"),
        NotTaken(reason="too many", retry_after=7),
        AlreadyThere(),
        TOO_LATE,
        Declined(code="401", message="Unknown key"),
    ],
)
async def test_a_repeat_that_proves_nothing_comes_again_later_and_later(
    desk: Desk, answer: RefundOutcome
) -> None:
    await unanswered(desk)
    desk.gateway.answers_refunds_with(answer, answer, TAKEN)
    desk.gateway.answers_status_of("t-1", listing("of-the-dashboard"))

    taken = []
    for seconds in (5, 9, 1, 19, 1):
        desk.clock.advance(seconds)
        taken.append(await desk.repeat(limit=10))

    assert taken == [1, 0, 1, 0, 1]
    assert (await desk.only_refund()).status is RefundStatus.ACCEPTED


async def test_the_bank_s_refusal_ends_it_and_gives_its_amount_back(desk: Desk) -> None:
    await unanswered(desk)
    desk.gateway.answers_refunds_with(DENIED, TAKEN)
    desk.clock.advance(5)

    await desk.repeat(limit=10)

    assert (await desk.only_refund()).status is RefundStatus.REFUSED
    assert (await desk.refund(key="two")).refund.amount == 10_000


async def test_several_are_repeated_side_by_side_and_one_s_trouble_is_its_own(desk: Desk) -> None:
    await desk.paid()
    desk.gateway.answers_refunds_with(LOST, LOST)
    for key in ("one", "two"):
        with pytest.raises(RefundUnknown):
            await desk.refund(4_000, key=key)

    async def lose_the_database(_refund: RefundOrder, _within: float) -> RefundOutcome:
        raise DatabaseUnavailable

    desk.gateway.answers_refunds_with(lose_the_database, TAKEN)
    desk.clock.advance(5)
    with pytest.raises(DatabaseUnavailable):
        await desk.repeat(limit=10)

    assert sorted(refund.status for refund in await desk.refunds()) == ["accepted", "requested"]


async def test_one_taken_for_another_payments_transaction_is_a_break_and_stops_no_other(desk: Desk) -> None:
    await desk.paid(transaction_id=None)
    await desk.paid(order_id="order-2", transaction_id="t-2")
    desk.gateway.answers_refunds_with(*[RefundTaken(transaction_id="t-2")] * 2)

    with pytest.raises(RefundUnknown):
        await desk.refund(4_000)
    told = (await desk.payment()).breaks
    desk.clock.advance(60)
    repeated = await desk.repeat(limit=10)
    desk.clock.advance(5)
    early = await desk.repeat(limit=10)

    assert told == (Break(reason="transaction_taken", subject="t-2"),)
    assert (repeated, early) == (1, 0)
    assert (await desk.only_refund()).status is RefundStatus.REQUESTED
    assert (await desk.payment()).transaction_id is None


async def test_after_seven_days_it_is_a_break_and_keeps_its_amount(desk: Desk) -> None:
    await unanswered(desk)
    desk.gateway.answers_status_of("t-1", a_status_reply())
    desk.clock.advance(7 * DAY)

    await desk.repeat(limit=10)
    again = []
    for _ in range(3):
        desk.clock.advance(30 * DAY)
        again.append(await desk.repeat(limit=10))

    payment = await desk.payment()
    assert payment.breaks == (Break(reason="refund_unknown", subject=key_of()),)
    assert (await desk.log())[-1].what == "break"
    assert again == [0, 0, 0]
    assert len(desk.gateway.refunds) == 1
    assert (await desk.only_refund()).status is RefundStatus.REQUESTED
    with pytest.raises(RefundExceedsPayment):
        await desk.refund(6_001, key="two")


async def test_after_seven_days_midtrans_is_asked_once_more(desk: Desk) -> None:
    await unanswered(desk)
    desk.gateway.answers_status_of("t-1", listing(key_of()))
    desk.clock.advance(7 * DAY)

    await desk.repeat(limit=10)

    assert (await desk.payment()).breaks == ()
    assert (await desk.only_refund()).status is RefundStatus.ACCEPTED


async def test_with_midtrans_away_it_is_a_break_all_the_same(desk: Desk) -> None:
    await unanswered(desk)
    desk.gateway.answers_status_of("t-1", AWAY)
    desk.clock.advance(7 * DAY)

    await desk.repeat(limit=10)

    assert [found.reason for found in (await desk.payment()).breaks] == ["refund_unknown"]


async def test_one_that_was_given_up_is_accepted_when_midtrans_lists_it_after_all(desk: Desk) -> None:
    await unanswered(desk)
    desk.gateway.answers_status_of("t-1", a_status_reply(), listing(key_of()))
    desk.clock.advance(7 * DAY)
    await desk.repeat(limit=10)

    await notified(desk, "dashboard")

    assert (await desk.only_refund()).status is RefundStatus.ACCEPTED


async def notified(desk: Desk, name: str, *, refunded: int = 4_000) -> None:
    """Midtrans notifies of a refund; nothing of it is believed before Midtrans is asked."""
    body = {"transaction_status": "partial_refund", "refund_amount": f"{refunded}.00"}
    async with desk.begin() as work:
        await work.notifications.add(
            a_received(
                name,
                transaction_status="partial_refund",
                received_at=desk.clock.now(),
                body=json.dumps(body),
            )
        )
    await desk.confirm(limit=10)
    assert all(event.processed for event in desk.begin.notifications)


async def test_the_two_notifications_of_a_refund_end_in_accepted_then_confirmed(desk: Desk) -> None:
    await accepted(desk)
    bank = NOW + timedelta(hours=20)
    desk.gateway.answers_status_of("t-1", listing(key_of()), listing(key_of(), confirmed_at=bank))

    await notified(desk, "first")
    first = await desk.only_refund()
    desk.clock.advance(DAY)
    await notified(desk, "second")
    second = await desk.only_refund()

    assert (first.status, first.confirmed_at) == (RefundStatus.ACCEPTED, None)
    assert (second.status, second.confirmed_at) == (RefundStatus.ACCEPTED, bank)
    assert second.accepted_at == NOW
    assert (await desk.told())[-1] == ("refund confirmed", "status reply")
    assert (await desk.payment()).refunded_amount == 4_000


async def test_a_refund_s_notification_finds_one_whose_answer_was_lost(desk: Desk) -> None:
    await unanswered(desk)
    desk.gateway.answers_status_of("t-1", listing(key_of()))

    await notified(desk, "first")

    assert (await desk.only_refund()).status is RefundStatus.ACCEPTED
    assert (await desk.payment()).status is Status.PARTIAL_REFUND
    desk.clock.advance(5)
    assert await desk.repeat(limit=10) == 0


async def test_one_that_was_confirmed_at_once_is_accepted_and_confirmed(desk: Desk) -> None:
    await unanswered(desk)
    desk.gateway.answers_status_of("t-1", listing(key_of(), confirmed_at=NOW))

    await notified(desk, "second")

    refund = await desk.only_refund()
    assert (refund.status, refund.confirmed_at) == (RefundStatus.ACCEPTED, NOW)
    assert [what for what, _ in await desk.told()][-2:] == ["refund accepted", "refund confirmed"]


async def test_the_bank_s_word_is_written_once(desk: Desk) -> None:
    await accepted(desk)
    replies = [listing(key_of(), confirmed_at=NOW + timedelta(hours=hours)) for hours in (20, 30)]
    desk.gateway.answers_status_of("t-1", *replies)

    await notified(desk, "one")
    log = await desk.log()
    await notified(desk, "another")

    assert (await desk.only_refund()).confirmed_at == NOW + timedelta(hours=20)
    assert await desk.log() == log


async def test_a_second_word_that_was_lost_is_asked_for_daily(desk: Desk) -> None:
    await accepted(desk)
    desk.gateway.answers_status_of(
        "t-1", AWAY, listing(key_of()), listing(key_of(), confirmed_at=NOW + timedelta(hours=30))
    )

    asked = []
    for _ in range(6):
        desk.clock.advance(DAY / 2)
        await desk.repeat(limit=10)
        asked.append(len(desk.gateway.asked))

    assert asked == [0, 1, 1, 2, 2, 3]
    assert (await desk.only_refund()).confirmed_at == NOW + timedelta(hours=30)


async def test_a_second_word_that_never_comes_is_not_asked_for_after_a_week(desk: Desk) -> None:
    await accepted(desk)
    desk.gateway.answers_status_of("t-1", listing(key_of()))

    for _ in range(12):
        desk.clock.advance(DAY)
        await desk.repeat(limit=10)

    assert len(desk.gateway.asked) == 7
    assert (await desk.payment()).breaks == ()


async def test_a_refused_one_that_midtrans_lists_is_accepted_and_a_break(desk: Desk) -> None:
    """Whoever asked was told that no money goes back, and may have given it back otherwise."""
    await desk.paid()
    desk.gateway.answers_refunds_with(TOO_LATE)
    await asyncio.gather(desk.refund(4_000), return_exceptions=True)
    desk.gateway.answers_status_of("t-1", listing(key_of()))

    await notified(desk, "odd")

    refund, payment = await desk.only_refund(), await desk.payment()
    assert (refund.status, refund.gateway_code) == (RefundStatus.ACCEPTED, None)
    assert payment.breaks == (Break(reason="refund_after_refusal", subject=key_of()),)
    assert payment.refunded_amount == 4_000


async def test_one_that_is_listed_with_another_amount_is_a_break_and_stays_unknown(desk: Desk) -> None:
    await unanswered(desk)
    desk.gateway.answers_status_of("t-1", listing(key_of(), amount=5_000))

    await notified(desk, "odd")

    payment = await desk.payment()
    assert (await desk.only_refund()).status is RefundStatus.REQUESTED
    assert payment.breaks == (
        Break(reason="refund_amount", subject=f"refund {key_of()}: 5000 instead of 4000"),
    )
    assert payment.refunded_amount == 5_000


async def test_a_listed_refund_counts_also_where_the_status_does_not_tell_of_it(desk: Desk) -> None:
    await unanswered(desk)
    desk.gateway.answers_status_of("t-1", listing(key_of(), transaction_status="settlement"))
    desk.gateway.answers_refunds_with(AlreadyThere())
    desk.clock.advance(5)

    await desk.repeat(limit=10)

    payment = await desk.payment()
    assert (payment.status, payment.refunded_amount) == (Status.PARTIAL_REFUND, 4_000)


@pytest.mark.parametrize("odd", [{"order_id": "another"}, {"gross_amount": "1.00", "order_id": "another"}])
async def test_a_reply_about_another_order_says_nothing_about_our_refunds(
    desk: Desk, odd: dict[str, str]
) -> None:
    await unanswered(desk)
    desk.gateway.answers_status_of("t-1", listing(key_of(), **odd))
    desk.gateway.answers_refunds_with(AlreadyThere())
    desk.clock.advance(5)

    await desk.repeat(limit=10)

    assert (await desk.only_refund()).status is RefundStatus.REQUESTED


async def test_a_refund_of_the_dashboard_is_counted_and_not_listed(desk: Desk) -> None:
    await desk.paid()
    desk.gateway.answers_status_of("t-1", listing("of-the-dashboard", amount=3_000))

    await notified(desk, "dashboard", refunded=3_000)

    assert await desk.refunds() == []
    assert (await desk.payment()).refunded_amount == 3_000


async def test_a_second_refund_of_the_dashboard_is_counted_too(desk: Desk) -> None:
    await desk.paid()
    both = listing("one", "two", amount=3_000)
    desk.gateway.answers_status_of("t-1", listing("one", amount=3_000), both)

    await notified(desk, "one", refunded=3_000)
    await notified(desk, "two", refunded=6_000)

    assert (await desk.payment()).refunded_amount == 6_000


async def test_of_two_workers_one_repeats_it(desk: Desk) -> None:
    await unanswered(desk)
    desk.gateway.answers_refunds_with(TAKEN)
    desk.clock.advance(5)

    taken = await asyncio.gather(desk.repeat(limit=10), desk.repeat(limit=10))

    assert sorted(taken) == [0, 1]
