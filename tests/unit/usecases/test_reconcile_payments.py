"""Payments reach the truth without anybody's help, whatever was lost on the way."""

import asyncio
from datetime import timedelta

import pytest

from domain.errors import GatewayUnavailable, PaymentNotFound
from domain.evidence import NoTransaction, StatusReply
from domain.payment import AFTER_FAILURE, MISSING_THERE, Break, Payment
from domain.ports.gateway import Declined
from domain.status import Status
from domain.usecases.applying import ApplyEvidence
from domain.usecases.reconcile_payments import ReconcilePayments, Rest, Round
from support.builders import MINUTE, a_status_reply, given
from support.fakes import InMemoryPaymentReader, InMemoryUnitOfWork, ManualClock, ScriptedGateway
from support.log import is_intact

AWAY = GatewayUnavailable("ReadError")
SILENT = Round(rest=Rest.MIDTRANS_SILENT)
NOTHING_DUE = Round(rest=Rest.NOTHING_DUE)


@pytest.fixture
def reconcile(
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    clock: ManualClock,
) -> ReconcilePayments:
    return ReconcilePayments(begin=begin, reader=reader, gateway=gateway, clock=clock)


async def stored(reader: InMemoryPaymentReader, order_id: str = "order-1") -> Payment:
    payment = await reader.find(order_id)
    assert payment is not None
    assert is_intact(await reader.log(payment.id), payment)
    return payment


async def notified(begin: InMemoryUnitOfWork, clock: ManualClock) -> None:
    """A payment that a notification alone has settled just now."""
    await given(
        begin,
        status=Status.SETTLEMENT,
        transaction_id="t-1",
        unconfirmed_since=clock.now(),
        paid_at=clock.now(),
    )


async def for_so_long(reconcile: ReconcilePayments, clock: ManualClock, seconds: float) -> None:
    """The background work, second by second."""
    for _ in range(int(seconds)):
        while (await reconcile(limit=25)).asked:
            pass
        clock.advance(1)


async def test_an_orphan_that_was_charged_is_found_within_a_minute(
    reconcile: ReconcilePayments,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    clock: ManualClock,
) -> None:
    await given(begin)
    gateway.answers_status_of("order-1", a_status_reply(transaction_status="pending"))

    await for_so_long(reconcile, clock, 60)

    payment = await stored(reader)
    assert (payment.status, payment.transaction_id) == (Status.PENDING, "t-1")
    assert gateway.asked == ["order-1"]


async def test_an_orphan_is_found_within_a_minute_while_doubtful_notifications_use_up_the_budget(
    reconcile: ReconcilePayments, begin: InMemoryUnitOfWork, gateway: ScriptedGateway, clock: ManualClock
) -> None:
    await given(begin)
    gateway.answers_status_of("order-1", a_status_reply(transaction_status="pending"))

    for _ in range(60):
        async with begin() as work:
            await work.budget.overspend(30)
        await for_so_long(reconcile, clock, 1)

    assert gateway.asked == ["order-1"]


async def test_an_orphan_that_was_never_charged_fails_once_a_404_counts(
    reconcile: ReconcilePayments,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    clock: ManualClock,
) -> None:
    await given(begin)

    await for_so_long(reconcile, clock, 600)
    before = (await stored(reader)).status
    await for_so_long(reconcile, clock, 60)

    assert (before, (await stored(reader)).status) == (Status.CREATED, Status.FAILURE)


async def test_an_orphan_whose_order_id_is_somebody_else_s_there_is_a_person_s_and_no_question_in_the_end(
    reconcile: ReconcilePayments,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    clock: ManualClock,
) -> None:
    await given(begin)
    gateway.answers_status_of("order-1", a_status_reply(gross_amount="9.00"))

    await for_so_long(reconcile, clock, 3600)
    for _ in range(8 * 24):
        clock.advance(3600)
        await reconcile(limit=1)

    payment = await stored(reader)
    assert (payment.status, [found.reason for found in payment.breaks]) == (Status.CREATED, ["amount"])
    assert 8 <= len(gateway.asked) <= 14
    assert (gateway.cancelled, gateway.expired) == ([], [])
    assert await reconcile(limit=1) == NOTHING_DUE


async def test_a_settlement_whose_notification_was_dropped_is_found(
    reconcile: ReconcilePayments,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    clock: ManualClock,
) -> None:
    await given(begin, status=Status.PENDING, transaction_id="t-1")
    gateway.answers_status_of("t-1", a_status_reply())

    await for_so_long(reconcile, clock, 150)

    assert (await stored(reader)).status is Status.SETTLEMENT
    assert gateway.asked == ["t-1"]


async def test_an_overdue_payment_that_midtrans_has_expired_is_asked_about_once(
    reconcile: ReconcilePayments,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    clock: ManualClock,
) -> None:
    await given(begin, status=Status.PENDING, transaction_id="t-1")
    clock.advance(16 * 60)
    gateway.answers_status_of("t-1", a_status_reply(transaction_status="expire"))

    await for_so_long(reconcile, clock, 600)

    assert (await stored(reader)).status is Status.EXPIRE
    assert (gateway.asked, gateway.expired) == (["t-1"], [])


async def test_a_process_whose_clock_is_ahead_ends_nothing_that_may_still_be_paid(
    begin: InMemoryUnitOfWork, reader: InMemoryPaymentReader, gateway: ScriptedGateway, clock: ManualClock
) -> None:
    ahead = ManualClock(clock.now() + timedelta(hours=1))
    reconcile = ReconcilePayments(begin=begin, reader=reader, gateway=gateway, clock=ahead)
    await given(begin, status=Status.PENDING, transaction_id="t-1")
    gateway.answers_status_of("t-1", a_status_reply(transaction_status="pending"))

    await for_so_long(reconcile, clock, 150)

    assert (gateway.asked, gateway.expired) == (["t-1"], [])


@pytest.mark.parametrize("wrong_by", [timedelta(hours=1), timedelta(hours=-1)])
async def test_what_a_process_with_a_wrong_clock_ends_is_looked_at_again_as_soon_as_by_any_other(
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    clock: ManualClock,
    wrong_by: timedelta,
) -> None:
    payment = await given(begin, status=Status.PENDING, transaction_id="t-1")
    clock.advance(16 * 60)
    wrong = ManualClock(clock.now() + wrong_by)
    reconcile = ReconcilePayments(begin=begin, reader=reader, gateway=gateway, clock=wrong)
    gateway.answers_status_of(
        "t-1", a_status_reply(transaction_status="expire", status_code="407", received_at=wrong.now())
    )

    await reconcile(limit=20)

    assert (await stored(reader)).status is Status.EXPIRE
    assert begin.state.due_at[payment.id] == clock.now() + timedelta(minutes=11)


async def test_an_overdue_payment_that_midtrans_still_calls_pending_is_ended_there(
    reconcile: ReconcilePayments,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    clock: ManualClock,
) -> None:
    payment = await given(begin, status=Status.PENDING, transaction_id="t-1")
    gateway.answers_status_of("t-1", a_status_reply(transaction_status="pending"))
    gateway.answers_expire_of("t-1", a_status_reply(transaction_status="expire"))

    await for_so_long(reconcile, clock, 15 * 60 + 59)
    before = list(gateway.expired)
    await for_so_long(reconcile, clock, 10)

    assert (before, gateway.expired) == ([], ["t-1"])
    assert (await stored(reader)).status is Status.EXPIRE
    async with begin() as work:
        assert not await work.payments.charge_anew(payment.id), "its order id is free at Midtrans now"


async def test_an_adopted_payment_that_lives_longer_at_midtrans_than_here_is_not_ended_before(
    reconcile: ReconcilePayments,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    clock: ManualClock,
) -> None:
    await given(begin, status=Status.PENDING, transaction_id="t-1", log_length=0)
    until = clock.now() + timedelta(hours=2)
    gateway.answers_status_of("t-1", a_status_reply(transaction_status="pending", expires_at=until))
    gateway.answers_expire_of("t-1", a_status_reply(transaction_status="expire"))

    await for_so_long(reconcile, clock, 2 * 3600)
    before = list(gateway.expired)
    await for_so_long(reconcile, clock, 6 * 3600)

    assert (before, gateway.expired) == ([], ["t-1"])
    assert (await stored(reader)).status is Status.EXPIRE


async def test_one_that_was_paid_in_the_moment_it_was_to_be_ended_is_paid(
    reconcile: ReconcilePayments,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    clock: ManualClock,
) -> None:
    await given(begin, status=Status.PENDING, transaction_id="t-1")
    gateway.answers_status_of("t-1", a_status_reply(transaction_status="pending"))
    gateway.answers_expire_of("t-1", a_status_reply())

    await for_so_long(reconcile, clock, 17 * 60)

    payment = await stored(reader)
    assert (payment.status, payment.late) == (Status.SETTLEMENT, False)


async def test_late_money_is_found_days_after_the_expiry_and_needs_a_person(
    reconcile: ReconcilePayments,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    clock: ManualClock,
) -> None:
    await given(begin, status=Status.EXPIRE, transaction_id="t-1")
    clock.advance(6.5 * 86_400)
    await reconcile(limit=1)
    gateway.answers_status_of("t-1", a_status_reply())

    clock.advance(86_400)
    await reconcile(limit=1)

    payment = await stored(reader)
    assert (payment.status, payment.late) == (Status.SETTLEMENT, True)
    assert await reader.attention(limit=10) == [payment]


async def test_what_a_notification_alone_moved_is_confirmed_within_the_hour(
    reconcile: ReconcilePayments,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    clock: ManualClock,
) -> None:
    await notified(begin, clock)
    gateway.answers_status_of("t-1", a_status_reply(transaction_status="pending"), a_status_reply())

    await for_so_long(reconcile, clock, 3600)

    payment = await stored(reader)
    assert (payment.status, payment.unconfirmed_since, payment.breaks) == (Status.SETTLEMENT, None, ())
    assert gateway.asked == ["t-1", "t-1"]


async def test_what_midtrans_never_confirms_is_a_break_within_the_hour(
    reconcile: ReconcilePayments,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    clock: ManualClock,
) -> None:
    await notified(begin, clock)

    async def still_pending() -> StatusReply:
        return a_status_reply(transaction_status="pending", received_at=clock.now())

    gateway.answers_status_of("t-1", still_pending)

    await for_so_long(reconcile, clock, 3600)

    payment = await stored(reader)
    assert payment.status is Status.SETTLEMENT
    assert [found.reason for found in payment.attention] == ["not_confirmed"]


async def test_a_charge_that_turns_up_after_a_told_failure_is_cancelled_at_midtrans(
    reconcile: ReconcilePayments,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    clock: ManualClock,
) -> None:
    await given(begin, status=Status.FAILURE)
    gateway.answers_status_of("order-1", a_status_reply(transaction_status="pending"))
    gateway.answers_cancel_of("order-1", a_status_reply(transaction_status="cancel"))

    await for_so_long(reconcile, clock, 12 * 60)

    payment = await stored(reader)
    assert payment.status is Status.CANCEL
    assert payment.breaks == (Break(reason=AFTER_FAILURE, subject="t-1"),)
    assert gateway.cancelled == ["order-1"]


async def test_one_that_somebody_else_was_told_of_is_cancelled_within_a_minute(
    reconcile: ReconcilePayments,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    clock: ManualClock,
) -> None:
    """Hours later, by a notification or by a call that asked for the status."""
    pending = a_status_reply(transaction_status="pending")
    await given(begin, status=Status.FAILURE, expires_at=clock.now() + timedelta(days=7))
    clock.advance(5 * 3600)
    await ApplyEvidence(begin)("order-1", (pending,), at=clock.now())
    gateway.answers_status_of("t-1", pending)
    gateway.answers_cancel_of("t-1", a_status_reply(transaction_status="cancel"))

    await for_so_long(reconcile, clock, 60)

    assert (await stored(reader)).status is Status.CANCEL
    assert gateway.cancelled == ["t-1"]


async def test_what_midtrans_does_not_cancel_is_tried_ever_more_rarely(
    reconcile: ReconcilePayments,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    clock: ManualClock,
) -> None:
    after_failure = (Break(reason=AFTER_FAILURE, subject="t-1"),)
    await given(
        begin,
        status=Status.PENDING,
        transaction_id="t-1",
        breaks=after_failure,
        expires_at=clock.now() + timedelta(days=7),
    )
    gateway.answers_status_of("t-1", a_status_reply(transaction_status="pending"))
    gateway.answers_cancel_of("t-1", Declined(code="412", message="it cannot be cancelled"))

    await for_so_long(reconcile, clock, 24 * 3600)

    assert 5 <= len(gateway.cancelled) <= 15
    assert (await stored(reader)).status is Status.PENDING


async def test_a_paid_payment_that_came_due_is_left_alone(
    reconcile: ReconcilePayments, begin: InMemoryUnitOfWork, gateway: ScriptedGateway, clock: ManualClock
) -> None:
    payment = await given(begin, status=Status.SETTLEMENT, transaction_id="t-1", paid_at=clock.now())
    begin.state.due_at[payment.id] = clock.now()

    await reconcile(limit=1)

    assert gateway.asked == []
    assert await reconcile(limit=1) == NOTHING_DUE


async def test_midtrans_away_for_half_an_hour_is_asked_ever_more_rarely_and_found_again(
    reconcile: ReconcilePayments,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    clock: ManualClock,
) -> None:
    for number in range(40):
        await given(begin, order_id=f"order-{number}", status=Status.PENDING, transaction_id=f"t-{number}")
        gateway.answers_status_of(f"t-{number}", AWAY)
    clock.advance(16 * 60)

    await for_so_long(reconcile, clock, 1800)
    asked_in_vain = len(gateway.asked)
    for number in range(40):
        gateway.forgets_status_of(f"t-{number}")
        gateway.answers_status_of(
            f"t-{number}", a_status_reply(order_id=f"order-{number}", transaction_id=f"t-{number}")
        )
    await for_so_long(reconcile, clock, 180)

    assert asked_in_vain < 150
    assert {(await stored(reader, f"order-{number}")).status for number in range(40)} == {Status.SETTLEMENT}


async def test_charges_of_half_an_hour_without_answers_are_found_and_none_is_called_a_failure(
    reconcile: ReconcilePayments,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    clock: ManualClock,
) -> None:
    orders = [f"order-{number}" for number in range(10)]
    for order_id in orders:
        await given(begin, order_id=order_id)
        gateway.answers_status_of(order_id, AWAY)

    await for_so_long(reconcile, clock, 1800)
    meanwhile = {(await stored(reader, order_id)).status for order_id in orders}
    for order_id in orders:
        gateway.forgets_status_of(order_id)
        pending = a_status_reply(
            order_id=order_id, transaction_id=f"t-{order_id}", transaction_status="pending"
        )
        gateway.answers_status_of(order_id, pending)
    await for_so_long(reconcile, clock, 180)

    assert meanwhile == {Status.CREATED}
    assert {(await stored(reader, order_id)).status for order_id in orders} == {Status.PENDING}


async def test_one_silent_question_does_not_pause_the_others(
    reconcile: ReconcilePayments,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    clock: ManualClock,
) -> None:
    for order_id in ("order-1", "order-2"):
        await given(begin, order_id=order_id)
    gateway.answers_status_of("order-1", AWAY)
    gateway.answers_status_of("order-2", a_status_reply(order_id="order-2", transaction_status="pending"))

    await for_so_long(reconcile, clock, 600)

    assert (await stored(reader, "order-2")).status is Status.PENDING
    assert await reconcile(limit=1) != SILENT


async def test_the_budget_is_kept_by_two_workers_and_each_payment_is_asked_about_once(
    reconcile: ReconcilePayments, begin: InMemoryUnitOfWork, gateway: ScriptedGateway, clock: ManualClock
) -> None:
    for number in range(100):
        await given(begin, order_id=f"order-{number}", status=Status.PENDING, transaction_id=f"t-{number}")
        expired = a_status_reply(
            order_id=f"order-{number}", transaction_id=f"t-{number}", transaction_status="expire"
        )
        gateway.answers_status_of(f"t-{number}", expired)
    clock.advance(16 * 60)

    seconds = 0
    while len(gateway.asked) < 100:
        before = len(gateway.asked)
        await asyncio.gather(*(reconcile(limit=25) for _ in range(4)))
        assert len(gateway.asked) - before <= 20
        clock.advance(1)
        seconds += 1

    assert seconds >= 5
    assert len(set(gateway.asked)) == 100


async def test_a_spent_budget_is_told(
    reconcile: ReconcilePayments, begin: InMemoryUnitOfWork, clock: ManualClock
) -> None:
    await given(begin)
    clock.advance(41)
    async with begin() as work:
        await work.budget.spend(20)

    assert await reconcile(limit=1) == Round(rest=Rest.BUDGET_SPENT)


async def test_a_worker_that_dies_while_it_asks_leaves_the_payment_to_another(
    reconcile: ReconcilePayments,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    clock: ManualClock,
) -> None:
    await given(begin, status=Status.PENDING, transaction_id="t-1")
    clock.advance(16 * 60)
    asked = asyncio.Event()

    async def never() -> StatusReply:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    gateway.answers_status_of("t-1", never, a_status_reply())
    task = asyncio.create_task(reconcile(limit=1))
    async with asyncio.timeout(5):
        await asked.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    await for_so_long(reconcile, clock, 95)

    assert (await stored(reader)).status is Status.SETTLEMENT


async def test_an_operator_may_ask_whatever_the_status(
    reconcile: ReconcilePayments, begin: InMemoryUnitOfWork, gateway: ScriptedGateway, clock: ManualClock
) -> None:
    await given(begin, status=Status.SETTLEMENT, transaction_id="t-1", paid_at=clock.now())
    gateway.answers_status_of("t-1", a_status_reply(transaction_status="refund"))

    assert (await reconcile.sync("order-1")).status is Status.REFUND


async def test_asking_by_hand_tells_of_what_is_not_there_and_of_silence(
    reconcile: ReconcilePayments, begin: InMemoryUnitOfWork, gateway: ScriptedGateway
) -> None:
    await given(begin)
    gateway.answers_status_of("order-1", AWAY)

    with pytest.raises(PaymentNotFound):
        await reconcile.sync("nobody's")
    with pytest.raises(GatewayUnavailable):
        await reconcile.sync("order-1")


async def test_a_pending_transaction_that_is_gone_is_listed_as_missing_there(
    reconcile: ReconcilePayments,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    clock: ManualClock,
) -> None:
    await given(begin, status=Status.PENDING, transaction_id="t-1")

    async def gone() -> NoTransaction:
        return NoTransaction(received_at=clock.now())

    gateway.answers_status_of("t-1", gone)

    await for_so_long(reconcile, clock, (28 * MINUTE).total_seconds())

    payment = await stored(reader)
    assert payment.status is Status.PENDING
    assert payment.attention == (Break(reason="missing_there", subject="t-1"),)
    assert clock.now() - payment.updated_at < timedelta(minutes=3)


async def test_an_adopted_payment_that_midtrans_does_not_know_is_a_person_s_and_no_question_in_the_end(
    reconcile: ReconcilePayments,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    clock: ManualClock,
) -> None:
    await given(begin, status=Status.PENDING, log_length=0, expires_at=clock.now() - timedelta(days=300))

    async def unknown() -> NoTransaction:
        return NoTransaction(received_at=clock.now())

    gateway.answers_status_of("order-1", unknown)

    for _ in range(60 * 24):
        while (await reconcile(limit=25)).asked:
            pass
        clock.advance(3600)

    payment = await stored(reader)
    assert payment.attention == (Break(reason=MISSING_THERE, subject="order-1"),)
    assert begin.state.due_at[payment.id] is None
    assert len(gateway.asked) < 10
