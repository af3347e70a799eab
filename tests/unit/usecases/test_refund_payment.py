"""A refund: reserved under the payment's lock, sent once per key, and what each answer comes to."""

import asyncio
from dataclasses import replace
from typing import Final

import pytest

from domain.access import Caller
from domain.errors import (
    DatabaseUnavailable,
    GatewayUnavailable,
    IllegalTransition,
    InProgress,
    InvalidPayment,
    KeyReused,
    PaymentNotFound,
    RefundExceedsPayment,
    RefundNotSent,
    RefundRefused,
    RefundUnknown,
)
from domain.history import EVIDENCE, Source, digest_of
from domain.idempotency import IdempotentCall
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
from domain.usecases.refund_payment import Refunded, RefundWish
from domain.usecases.send_refund import Meaning, meaning
from support.builders import NOW, a_received, a_status_reply, an_id, given
from unit.usecases.refunding import DENIED, LOST, TAKEN, TOO_LATE, Desk, key_of, listing

UNREACHED: Final = NotTaken(reason="ConnectError")
BUSY: Final = NotTaken(reason="API rate limit exceeded", retry_after=17)
DAY: Final = 86_400


async def test_an_accepted_refund_is_counted_and_in_the_log(desk: Desk) -> None:
    await desk.paid()
    desk.gateway.answers_refunds_with(TAKEN)

    refunded = await desk.refund(4_000, reason="out of stock")

    assert refunded == Refunded(refund=await desk.only_refund())
    assert (refunded.refund.status, refunded.refund.amount) == (RefundStatus.ACCEPTED, 4_000)
    assert (refunded.refund.accepted_at, refunded.refund.confirmed_at) == (NOW, None)
    payment = await desk.payment()
    assert (payment.status, payment.refunded_amount) == (Status.PARTIAL_REFUND, 4_000)
    assert await desk.told() == [
        ("refund requested", "shop"),
        ("refund accepted", "refund"),
        ("partial_refund", "refund"),
    ]
    detail = {"refund": key_of(), "amount": 4_000, "by": "user 1"}
    assert [entry.detail for entry in await desk.log()][1:3] == [detail, detail]


async def test_what_midtrans_answered_is_kept_with_the_entry_that_it_proves(desk: Desk) -> None:
    await desk.paid()
    desk.gateway.answers_refunds_with(replace(TOO_LATE, raw=b'"no"'), replace(TAKEN, raw=b'"yes"'))

    with pytest.raises(RefundRefused):
        await desk.refund(4_000)
    await desk.refund(4_000, key="two")

    proven = {entry.what: entry for entry in await desk.log() if entry.raw}
    assert {what: entry.raw for what, entry in proven.items()} == {
        "refund refused": b'"no"',
        "refund accepted": b'"yes"',
    }
    assert proven["refund accepted"].detail[EVIDENCE] == digest_of(b'"yes"').hex()


async def test_midtrans_is_asked_with_the_refund_s_own_key(desk: Desk) -> None:
    await desk.paid()
    desk.gateway.answers_refunds_with(TAKEN)

    await desk.refund(4_000, reason="out of stock")

    assert desk.gateway.refunds == [
        RefundOrder(
            key=key_of(),
            transaction="t-1",
            order_id="order-1",
            gross_amount=10_000,
            amount=4_000,
            reason="out of stock",
        )
    ]


async def test_without_an_amount_all_that_is_left_goes_back(desk: Desk) -> None:
    await desk.paid(status=Status.PARTIAL_REFUND, refunded_amount=3_000)
    desk.gateway.answers_refunds_with(TAKEN)

    refunded = await desk.refund()

    assert refunded.refund.amount == 7_000


async def test_two_parts_make_the_whole(desk: Desk) -> None:
    await desk.paid()
    desk.gateway.answers_refunds_with(TAKEN, TAKEN)

    await desk.refund(4_000)
    await desk.refund(6_000, key="two")

    payment = await desk.payment()
    assert (payment.status, payment.refunded_amount) == (Status.REFUND, 10_000)
    assert [refund.amount for refund in await desk.refunds()] == [4_000, 6_000]


async def test_the_refund_and_what_it_takes_are_committed_before_midtrans_is_asked(desk: Desk) -> None:
    await desk.paid()
    seen = []

    async def look(_refund: RefundOrder, _within: float) -> RefundOutcome:
        seen.extend(await desk.refunds())
        with pytest.raises(RefundExceedsPayment, match="at most 6000"):
            await desk.refund(6_001, key="two")
        return TAKEN

    desk.gateway.answers_refunds_with(look)
    await desk.refund(4_000)

    assert [(refund.status, refund.amount) for refund in seen] == [(RefundStatus.REQUESTED, 4_000)]


async def test_two_whole_refunds_at_the_same_instant_are_one(desk: Desk) -> None:
    await desk.paid()
    desk.gateway.answers_refunds_with(TAKEN)

    ended = await asyncio.gather(
        *(desk.refund(key=f"key-{number}") for number in range(8)), return_exceptions=True
    )

    assert sum(isinstance(one, Refunded) for one in ended) == 1
    assert sum(isinstance(one, RefundExceedsPayment) for one in ended) == 7
    assert len(desk.gateway.refunds) == 1
    assert (await desk.payment()).refunded_amount == 10_000


async def test_many_parts_at_the_same_instant_never_exceed_the_payment(desk: Desk) -> None:
    await desk.paid()
    desk.gateway.answers_refunds_with(*[TAKEN] * 8)

    ended = await asyncio.gather(
        *(desk.refund(3_000, key=f"key-{number}") for number in range(8)), return_exceptions=True
    )

    assert sum(isinstance(one, Refunded) for one in ended) == 3
    assert (await desk.payment()).refunded_amount == 9_000


@pytest.mark.parametrize("status", [Status.CREATED, Status.PENDING, Status.EXPIRE, Status.CHARGEBACK])
async def test_what_is_not_paid_is_not_refunded(desk: Desk, status: Status) -> None:
    payment = await desk.paid(status=status)

    with pytest.raises(IllegalTransition) as refused:
        await desk.refund()

    assert refused.value.payment == payment
    assert (await desk.payment(), await desk.refunds()) == (payment, [])


async def test_another_user_s_payment_is_not_there(desk: Desk) -> None:
    await desk.paid(user_id=2)

    with pytest.raises(PaymentNotFound):
        await desk.refund()


async def test_a_refused_refund_is_over_and_gives_its_amount_back(desk: Desk) -> None:
    await desk.paid()
    desk.gateway.answers_refunds_with(TOO_LATE, TAKEN)

    with pytest.raises(RefundRefused, match="code 412") as refused:
        await desk.refund()
    again = await desk.refund(key="two")

    assert (refused.value.gateway_code, refused.value.gateway_message) == ("412", TOO_LATE.message)
    assert not refused.value.replayed
    assert [refund.status for refund in await desk.refunds()] == ["refused", "accepted"]
    assert again.refund.amount == 10_000
    detail = (await desk.log())[2].detail
    assert (detail["refused_code"], detail["refused_message"]) == ("412", TOO_LATE.message)


@pytest.mark.parametrize("code", ["202", "402", "412", "414"])
async def test_the_windows_for_refunds_are_told_where_they_may_be_the_reason(desk: Desk, code: str) -> None:
    await desk.paid()
    desk.gateway.answers_refunds_with(Declined(code=code, message="No.", by_bank=code == "202"))

    with pytest.raises(RefundRefused) as refused:
        await desk.refund()

    told = str(refused.value)
    assert told.startswith(f"Midtrans refused the refund with code {code}: No. ")
    for part in ("45 days", "7 days", "180 days", "deep link", "balance", "activated"):
        assert part in told


@pytest.mark.parametrize("code", ["400", "401", "404"])
async def test_a_refusal_for_another_reason_is_told_alone(desk: Desk, code: str) -> None:
    await desk.paid()
    desk.gateway.answers_refunds_with(Declined(code=code, message="No"))

    with pytest.raises(RefundRefused, match=f"^Midtrans refused the refund with code {code}: No$"):
        await desk.refund()


async def test_the_bank_s_refusal_is_a_refusal(desk: Desk) -> None:
    await desk.paid()
    desk.gateway.answers_refunds_with(DENIED)

    with pytest.raises(RefundRefused, match="denied by the bank"):
        await desk.refund()

    assert (await desk.only_refund()).status is RefundStatus.REFUSED
    assert (await desk.payment()).refunded_amount == 0


@pytest.mark.parametrize(("outcome", "wait"), [(UNREACHED, 5), (BUSY, 17)])
async def test_what_was_not_sent_gives_its_amount_back_and_is_not_repeated_by_itself(
    desk: Desk, outcome: NotTaken, wait: int
) -> None:
    await desk.paid()
    desk.gateway.answers_refunds_with(outcome, TAKEN)

    with pytest.raises(RefundNotSent) as unsent:
        await desk.refund()
    desk.clock.advance(30 * DAY)
    taken = await desk.repeat(limit=10)
    other = await desk.refund(key="two")

    assert unsent.value.retry_after == wait
    assert taken == 0
    assert other.refund.amount == 10_000
    assert [refund.status for refund in await desk.refunds()] == ["not_sent", "accepted"]


async def test_what_was_not_sent_is_sent_by_the_same_call(desk: Desk) -> None:
    await desk.paid()
    desk.gateway.answers_refunds_with(UNREACHED, TAKEN)
    with pytest.raises(RefundNotSent):
        await desk.refund(4_000)

    refunded = await desk.refund(4_000)

    assert refunded == Refunded(refund=await desk.only_refund())
    assert [order.key for order in desk.gateway.refunds] == [key_of()] * 2
    assert await desk.told() == [
        ("refund requested", "shop"),
        ("refund not sent", "refund"),
        ("refund requested", "shop"),
        ("refund accepted", "refund"),
        ("partial_refund", "refund"),
    ]


async def test_what_was_not_sent_is_reserved_anew_or_not_at_all(desk: Desk) -> None:
    await desk.paid()
    desk.gateway.answers_refunds_with(UNREACHED, TAKEN)
    with pytest.raises(RefundNotSent):
        await desk.refund(6_000)
    await desk.refund(6_000, key="two")

    with pytest.raises(RefundExceedsPayment, match="at most 4000"):
        await desk.refund(6_000)

    assert [refund.status for refund in await desk.refunds()] == ["not_sent", "accepted"]


async def test_what_was_not_sent_is_as_certain_the_second_time(desk: Desk) -> None:
    await desk.paid()
    desk.gateway.answers_refunds_with(UNREACHED, TOO_LATE)
    with pytest.raises(RefundNotSent):
        await desk.refund()

    with pytest.raises(RefundRefused):
        await desk.refund()

    assert (await desk.only_refund()).status is RefundStatus.REFUSED


async def test_without_an_answer_it_stays_requested_and_keeps_its_amount(desk: Desk) -> None:
    await desk.paid()
    desk.gateway.answers_refunds_with(LOST)

    with pytest.raises(RefundUnknown, match="do not refund anew") as unknown:
        await desk.refund(4_000)

    assert unknown.value.order_id == "order-1"
    assert (await desk.only_refund()).status is RefundStatus.REQUESTED
    with pytest.raises(RefundExceedsPayment, match="at most 6000"):
        await desk.refund(6_001, key="two")


async def test_the_same_call_goes_on_where_an_unanswered_one_stopped(desk: Desk) -> None:
    await desk.paid()
    desk.gateway.answers_refunds_with(LOST, TAKEN)
    with pytest.raises(RefundUnknown):
        await desk.refund(4_000)

    refunded = await desk.refund(4_000)

    assert refunded == Refunded(refund=await desk.only_refund())
    assert [order.key for order in desk.gateway.refunds] == [key_of()] * 2
    assert (await desk.payment()).refunded_amount == 4_000


@pytest.mark.parametrize("answer", [AlreadyThere(), TOO_LATE, Declined(code="414", message="No.")])
async def test_a_repeat_that_is_refused_is_accepted_if_midtrans_lists_it(
    desk: Desk, answer: RefundOutcome
) -> None:
    await desk.paid()
    desk.gateway.answers_refunds_with(LOST, answer)
    desk.gateway.answers_status_of("t-1", listing(key_of()))
    with pytest.raises(RefundUnknown):
        await desk.refund(4_000)

    refunded = await desk.refund(4_000)

    assert refunded.refund.status is RefundStatus.ACCEPTED
    assert (await desk.payment()).refunded_amount == 4_000


@pytest.mark.parametrize(
    "answer",
    [AlreadyThere(), TOO_LATE, Declined(code="401", message="Unknown key"), UNREACHED, BUSY, LOST],
)
@pytest.mark.parametrize("told", ["not listed", "away"])
async def test_a_repeat_that_proves_nothing_keeps_its_amount(
    desk: Desk, answer: RefundOutcome, told: str
) -> None:
    await desk.paid()
    desk.gateway.answers_refunds_with(LOST, answer)
    reply = a_status_reply() if told == "not listed" else GatewayUnavailable("ReadError")
    desk.gateway.answers_status_of("t-1", reply)
    with pytest.raises(RefundUnknown):
        await desk.refund(4_000)

    with pytest.raises(RefundUnknown):
        await desk.refund(4_000)

    assert (await desk.only_refund()).status is RefundStatus.REQUESTED
    with pytest.raises(RefundExceedsPayment):
        await desk.refund(6_001, key="two")


async def test_only_the_bank_s_refusal_ends_one_that_may_have_been_taken(desk: Desk) -> None:
    await desk.paid()
    desk.gateway.answers_refunds_with(LOST, DENIED, TAKEN)
    with pytest.raises(RefundUnknown):
        await desk.refund()

    with pytest.raises(RefundRefused):
        await desk.refund()
    other = await desk.refund(key="two")

    assert other.refund.amount == 10_000


async def test_a_duplicate_at_the_first_try_is_success_only_if_midtrans_lists_it(desk: Desk) -> None:
    await desk.paid()
    desk.gateway.answers_refunds_with(AlreadyThere(), AlreadyThere())
    desk.gateway.answers_status_of("t-1", a_status_reply(), listing(key_of()))

    with pytest.raises(RefundUnknown):
        await desk.refund(4_000)
    refunded = await desk.refund(4_000)

    assert refunded.refund.status is RefundStatus.ACCEPTED


async def test_the_same_call_again_has_the_first_outcome(desk: Desk) -> None:
    await desk.paid()
    desk.gateway.answers_refunds_with(TAKEN)
    first = await desk.refund(4_000)

    again = await desk.refund(4_000)

    assert again == Refunded(refund=first.refund, replayed=True)
    assert len(desk.gateway.refunds) == 1


async def test_a_refused_call_is_refused_again_however_much_later(desk: Desk) -> None:
    await desk.paid()
    desk.gateway.answers_refunds_with(TOO_LATE)
    with pytest.raises(RefundRefused) as first:
        await desk.refund()
    desk.clock.advance(400 * DAY)

    with pytest.raises(RefundRefused) as again:
        await desk.refund()

    assert (str(again.value), again.value.replayed) == (str(first.value), True)
    assert len(desk.gateway.refunds) == 1


@pytest.mark.parametrize("first", [TAKEN, TOO_LATE, UNREACHED, LOST])
async def test_other_values_under_the_key_are_refused(desk: Desk, first: RefundOutcome) -> None:
    await desk.paid()
    desk.gateway.answers_refunds_with(first)
    await asyncio.gather(desk.refund(4_000), return_exceptions=True)

    with pytest.raises(KeyReused):
        await desk.refund(4_001)

    assert len(desk.gateway.refunds) == 1


async def test_a_key_of_another_payment_is_refused(desk: Desk) -> None:
    await desk.paid()
    await given(desk.begin, order_id="other", status=Status.SETTLEMENT, transaction_id="t-9", paid_at=NOW)
    desk.gateway.answers_refunds_with(TAKEN)
    await desk.refund(4_000)

    call = IdempotentCall(user_id=1, key="one", fingerprint=b"other")
    with pytest.raises(KeyReused):
        await desk.refund_payment("other", Caller(user_id=1), RefundWish(), call)


async def test_a_repeat_while_the_first_is_at_it_is_told_to_wait(desk: Desk) -> None:
    await desk.paid()
    waits = []

    async def repeat(_refund: RefundOrder, _within: float) -> RefundOutcome:
        with pytest.raises(InProgress) as running:
            await desk.refund(4_000)
        waits.append(running.value.retry_after)
        return TAKEN

    desk.gateway.answers_refunds_with(repeat)
    await desk.refund(4_000)

    assert 1 <= waits[0] <= 30


async def test_many_repeats_at_the_same_instant_are_one_refund(desk: Desk) -> None:
    await desk.paid()
    desk.gateway.answers_refunds_with(TAKEN)

    ended = await asyncio.gather(*(desk.refund(4_000) for _ in range(8)), return_exceptions=True)

    assert sum(isinstance(one, Refunded) and not one.replayed for one in ended) == 1
    assert all(isinstance(one, Refunded | InProgress) for one in ended)
    assert len(desk.gateway.refunds) == 1


async def test_an_answer_that_came_too_late_is_not_the_last_word(desk: Desk) -> None:
    """A first try hangs past its lease; the second one is under way when the first is refused."""
    await desk.paid()

    async def hang(_refund: RefundOrder, _within: float) -> RefundOutcome:
        desk.clock.advance(31)
        with pytest.raises(RefundUnknown):
            await desk.refund(4_000)
        return TOO_LATE

    desk.gateway.answers_refunds_with(hang, LOST)
    with pytest.raises(RefundUnknown):
        await desk.refund(4_000)

    assert (await desk.only_refund()).status is RefundStatus.REQUESTED


async def test_an_acceptance_counts_however_late_it_comes(desk: Desk) -> None:
    await desk.paid()

    async def hang(_refund: RefundOrder, _within: float) -> RefundOutcome:
        desk.clock.advance(31)
        with pytest.raises(RefundUnknown):
            await desk.refund(4_000)
        return TAKEN

    desk.gateway.answers_refunds_with(hang, LOST)
    refunded = await desk.refund(4_000)

    assert refunded.refund.status is RefundStatus.ACCEPTED
    assert (await desk.payment()).refunded_amount == 4_000


async def test_one_that_was_accepted_meanwhile_stays_accepted(desk: Desk) -> None:
    """Midtrans's notification was faster than its answer, which is lost."""
    await desk.paid()

    async def notified(_refund: RefundOrder, _within: float) -> RefundOutcome:
        async with desk.begin() as work:
            await work.notifications.add(a_received(transaction_status="partial_refund"))
        await desk.confirm(limit=10)
        return LOST

    desk.gateway.answers_refunds_with(notified)
    desk.gateway.answers_status_of("t-1", listing(key_of()))
    refunded = await desk.refund(4_000)

    assert refunded.refund.status is RefundStatus.ACCEPTED
    assert (await desk.payment()).refunded_amount == 4_000


async def test_when_the_answer_cannot_be_stored_the_outcome_is_unknown(desk: Desk) -> None:
    await desk.paid()

    async def lose_the_database(_refund: RefundOrder, _within: float) -> RefundOutcome:
        desk.begin.fail_next_commits = 1
        return TAKEN

    desk.gateway.answers_refunds_with(lose_the_database)
    with pytest.raises(RefundUnknown):
        await desk.refund(4_000)

    assert (await desk.only_refund()).status is RefundStatus.REQUESTED


async def test_without_a_database_nothing_is_sent(desk: Desk) -> None:
    await desk.paid()
    desk.begin.fail_next_commits = 1

    with pytest.raises(DatabaseUnavailable):
        await desk.refund()

    assert desk.gateway.refunds == []


async def test_an_operator_s_refund_says_so(desk: Desk) -> None:
    await desk.paid()
    desk.gateway.answers_refunds_with(TAKEN)

    await desk.refund(4_000, source=Source.OPERATOR, id=an_id("chosen"))

    assert (await desk.only_refund()).id == an_id("chosen")
    entry = (await desk.log())[1]
    assert (entry.source, entry.detail["by"]) == (Source.OPERATOR, "operator")


async def test_a_second_paid_transaction_is_refunded_by_its_id(desk: Desk) -> None:
    await desk.paid(breaks=(Break(reason="paid_twice", subject="t-2"),))
    desk.gateway.answers_refunds_with(RefundTaken(transaction_id="t-2"), TAKEN)

    await desk.refund(transaction="t-2")
    first = await desk.refund(key="two", values=b"t-1", transaction="t-1")

    assert [order.transaction for order in desk.gateway.refunds] == ["t-2", "t-1"]
    assert first.refund.amount == 10_000
    assert (await desk.log())[1].detail["of_transaction"] == "t-2"


async def test_a_transaction_of_nobody_s_is_not_refunded(desk: Desk) -> None:
    await desk.paid()

    with pytest.raises(InvalidPayment):
        await desk.refund(transaction="t-2")


async def test_an_adopted_payment_without_a_transaction_is_refunded_by_order_id(desk: Desk) -> None:
    await desk.paid(transaction_id=None, log_length=0)
    desk.gateway.answers_refunds_with(RefundTaken(transaction_id="t-7"))

    await desk.refund()

    payment = await desk.payment()
    assert desk.gateway.refunds[0].transaction == "order-1"
    assert (payment.transaction_id, payment.status) == ("t-7", Status.REFUND)
    assert [entry.what for entry in await desk.log()][:2] == ["adopted", "refund requested"]


async def test_after_seven_days_the_same_call_only_asks(desk: Desk) -> None:
    await desk.paid()
    desk.gateway.answers_refunds_with(LOST)
    desk.gateway.answers_status_of("t-1", a_status_reply(), listing(key_of()))
    with pytest.raises(RefundUnknown):
        await desk.refund(4_000)
    desk.clock.advance(7 * DAY + 1)

    with pytest.raises(RefundUnknown):
        await desk.refund(4_000)
    refunded = await desk.refund(4_000)

    assert refunded.refund.status is RefundStatus.ACCEPTED
    assert len(desk.gateway.refunds) == 1


@pytest.mark.parametrize(
    ("outcome", "certain", "after_silence"),
    [
        (TAKEN, Meaning.ACCEPTED, Meaning.ACCEPTED),
        (DENIED, Meaning.REFUSED, Meaning.REFUSED),
        (Declined(code="400", message=""), Meaning.REFUSED, Meaning.ASK),
        (Declined(code="401", message=""), Meaning.REFUSED, Meaning.UNKNOWN),
        (Declined(code="404", message=""), Meaning.REFUSED, Meaning.ASK),
        (Declined(code="412", message=""), Meaning.REFUSED, Meaning.ASK),
        (Declined(code="414", message=""), Meaning.REFUSED, Meaning.ASK),
        (AlreadyThere(), Meaning.ASK, Meaning.ASK),
        (UNREACHED, Meaning.NOT_SENT, Meaning.UNKNOWN),
        (BUSY, Meaning.NOT_SENT, Meaning.UNKNOWN),
        (LOST, Meaning.UNKNOWN, Meaning.UNKNOWN),
    ],
)
def test_an_answer_means_less_once_an_earlier_one_is_missing(
    outcome: RefundOutcome, certain: Meaning, after_silence: Meaning
) -> None:
    assert meaning(outcome, may_exist=False) is certain
    assert meaning(outcome, may_exist=True) is after_silence
