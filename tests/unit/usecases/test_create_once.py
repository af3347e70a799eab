"""One Idempotency-Key, one payment, one charge: repeats, crashes, and charges that went astray."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final

import pytest

from domain.errors import (
    ChargeLost,
    DatabaseUnavailable,
    GatewayRefused,
    GatewayUnavailable,
    InProgress,
    KeyReused,
    OutcomeUnknown,
)
from domain.evidence import ChargeRefused, NoTransaction, StatusReply
from domain.idempotency import IdempotentCall
from domain.order import Defaults
from domain.payment import Payment
from domain.ports.gateway import AlreadyThere, Charge, ChargeOutcome, NotTaken, Unanswered
from domain.rupiah import PaymentType
from domain.status import Status
from domain.usecases.applying import ApplyEvidence
from domain.usecases.create_payment import Created, CreatePayment
from support.builders import NOW, a_charge_answer, a_status_reply, wanted
from support.fakes import (
    ChargeScript,
    InMemoryPaymentReader,
    InMemoryUnitOfWork,
    InMemoryWork,
    ManualClock,
    ScriptedGateway,
)
from support.log import is_intact

OUT_OF_REACH: Final = NotTaken(reason="ConnectError")
RATE_LIMITED: Final = NotTaken(reason="API rate limit exceeded", retry_after=9)
LOST: Final = Unanswered(reason="ReadError")
REFUSED: Final = ChargeRefused(code="402", message="Payment channel is not activated.", received_at=NOW)
DENIED: Final = a_charge_answer(status=Status.DENY, message="GoPay transaction is denied")
CALL: Final = IdempotentCall(user_id=1, key="one", fingerprint=b"values")
WANTED: Final = wanted(order_id="order-1", life=timedelta(hours=1))
PENDING: Final = a_status_reply(transaction_status="pending")
CANCELLED: Final = a_status_reply(transaction_status="cancel")
SETTLED: Final = a_status_reply()
EXPIRED: Final = a_status_reply(transaction_status="expire")

Creating = Callable[..., CreatePayment]


class Crashed(BaseException):
    """The process is gone."""


async def found(reader: InMemoryPaymentReader, order_id: str = "order-1") -> Payment:
    payment = await reader.find(order_id)
    assert payment is not None
    assert is_intact(await reader.log(payment.id), payment)
    return payment


async def lose_the_answer(create: CreatePayment, gateway: ScriptedGateway) -> None:
    """A first call that ends without knowing; how the gateway was asked is forgotten."""
    gateway.answers_charges_with(*[LOST] * 7)
    with pytest.raises(OutcomeUnknown):
        await create(WANTED, CALL)
    gateway.charges.clear()


async def crash(_charge: Charge, _within: float) -> ChargeOutcome:
    raise Crashed


async def test_a_repeat_is_answered_with_the_payment_of_the_first(
    create: CreatePayment, gateway: ScriptedGateway, begin: InMemoryUnitOfWork
) -> None:
    gateway.answers_charges_with(a_charge_answer())

    first = await create(wanted(), CALL)
    again = await create(wanted(), CALL)

    assert (first.replayed, again.replayed) == (False, True)
    assert again.payment == first.payment
    assert len(gateway.charges) == 1
    assert len(begin.state.payments) == 1


async def test_a_repeat_tells_the_payment_as_it_is_by_now(
    create: CreatePayment, gateway: ScriptedGateway, begin: InMemoryUnitOfWork
) -> None:
    gateway.answers_charges_with(a_charge_answer())
    await create(WANTED, CALL)
    await ApplyEvidence(begin)("order-1", (SETTLED,), at=NOW)

    again = await create(WANTED, CALL)

    assert (again.payment.status, again.replayed) == (Status.SETTLEMENT, True)


async def test_two_keys_are_two_payments(create: CreatePayment, gateway: ScriptedGateway) -> None:
    gateway.answers_charges_with(a_charge_answer(), a_charge_answer(transaction_id="t-2"))

    one = await create(wanted(), CALL)
    other = await create(wanted(), IdempotentCall(user_id=1, key="other", fingerprint=b"values"))

    assert one.payment.order_id != other.payment.order_id
    assert len(gateway.charges) == 2


async def test_repeats_do_not_count_as_creates(creating: Creating, gateway: ScriptedGateway) -> None:
    create = creating(per_minute=1)
    gateway.answers_charges_with(a_charge_answer())

    repeats = [(await create(wanted(), CALL)).replayed for _ in range(5)]

    assert repeats == [False, True, True, True, True]


async def test_other_values_under_the_same_key_are_refused(
    create: CreatePayment, gateway: ScriptedGateway, begin: InMemoryUnitOfWork
) -> None:
    gateway.answers_charges_with(a_charge_answer())
    await create(wanted(gross_amount=1), CALL)

    with pytest.raises(KeyReused):
        await create(wanted(gross_amount=2), IdempotentCall(user_id=1, key="one", fingerprint=b"other"))

    assert len(gateway.charges) == 1
    assert len(begin.state.payments) == 1


async def test_of_many_at_once_one_charges_and_the_others_are_told_to_wait(
    create: CreatePayment, gateway: ScriptedGateway, begin: InMemoryUnitOfWork
) -> None:
    told, enough = list[InProgress](), asyncio.Event()

    async def hold(_charge: Charge, _within: float) -> ChargeOutcome:
        await enough.wait()
        return a_charge_answer()

    async def call() -> Created | None:
        try:
            return await create(wanted(), CALL)
        except InProgress as running:
            told.append(running)
            if len(told) == 7:
                enough.set()
            return None

    gateway.answers_charges_with(hold)
    async with asyncio.timeout(10):
        created = await asyncio.gather(*(call() for _ in range(8)))

    assert len([one for one in created if one]) == 1
    assert all(1 <= running.retry_after <= 30 for running in told)
    assert len(gateway.charges) == 1
    assert len(begin.state.payments) == 1


@pytest.mark.parametrize(
    ("outcome", "code", "status"), [(REFUSED, "402", Status.FAILURE), (DENIED, "202", Status.DENY)]
)
async def test_a_refusal_is_told_again_in_the_same_words(
    create: CreatePayment,
    gateway: ScriptedGateway,
    reader: InMemoryPaymentReader,
    outcome: ChargeOutcome,
    code: str,
    status: Status,
) -> None:
    gateway.answers_charges_with(outcome)

    with pytest.raises(GatewayRefused) as first:
        await create(WANTED, CALL)
    with pytest.raises(GatewayRefused) as again:
        await create(WANTED, CALL)

    assert (first.value.replayed, again.value.replayed) == (False, True)
    assert type(again.value) is GatewayRefused
    assert str(again.value) == str(first.value)
    assert (again.value.order_id, again.value.gateway_code) == ("order-1", code)
    assert again.value.gateway_message == first.value.gateway_message
    assert (await found(reader)).status is status
    assert len(gateway.charges) == 1


@pytest.mark.parametrize("trouble", [[OUT_OF_REACH] * 2, [RATE_LIMITED]])
async def test_a_call_that_charged_nothing_is_resumed_with_the_same_key_at_midtrans(
    create: CreatePayment, gateway: ScriptedGateway, begin: InMemoryUnitOfWork, trouble: list[ChargeOutcome]
) -> None:
    gateway.answers_charges_with(*trouble)
    with pytest.raises(GatewayUnavailable):
        await create(wanted(), CALL)
    gateway.answers_charges_with(a_charge_answer())

    created = await create(wanted(), CALL)

    assert (created.payment.status, created.replayed) == (Status.PENDING, False)
    assert {charge.key for charge in gateway.charges} == {str(created.payment.id)}
    assert {charge.order.order_id for charge in gateway.charges} == {created.payment.order_id}
    assert len(begin.state.payments) == 1
    assert gateway.asked == []


async def test_what_is_sent_again_is_what_was_sent_also_after_the_defaults_changed(
    creating: Creating, gateway: ScriptedGateway
) -> None:
    gateway.answers_charges_with(OUT_OF_REACH, OUT_OF_REACH, a_charge_answer())
    with pytest.raises(GatewayUnavailable):
        await creating()(wanted(), CALL)
    changed = Defaults(amount=77, payment_type=PaymentType.QRIS, life=timedelta(hours=9))

    await creating(defaults=changed)(wanted(), CALL)

    first, *others = gateway.charges
    assert others == [first] * 2


async def test_a_call_without_an_outcome_is_resumed_and_finds_its_charge(
    create: CreatePayment, gateway: ScriptedGateway, begin: InMemoryUnitOfWork
) -> None:
    await lose_the_answer(create, gateway)
    gateway.answers_charges_with(a_charge_answer())

    created = await create(WANTED, CALL)

    assert (created.payment.status, created.replayed) == (Status.PENDING, False)
    assert created.payment.actions
    assert [charge.key for charge in gateway.charges] == [str(created.payment.id)]
    assert len(begin.state.payments) == 1
    assert gateway.asked == []


@pytest.mark.parametrize("later", [REFUSED, OUT_OF_REACH, RATE_LIMITED])
async def test_a_refusal_after_a_call_without_an_outcome_proves_nothing(
    create: CreatePayment, gateway: ScriptedGateway, reader: InMemoryPaymentReader, later: ChargeOutcome
) -> None:
    await lose_the_answer(create, gateway)
    gateway.answers_charges_with(*[later] * 7)

    with pytest.raises(OutcomeUnknown):
        await create(WANTED, CALL)

    assert (await found(reader)).status is Status.CREATED


async def test_a_refusal_after_a_call_that_charged_nothing_is_a_failure(
    create: CreatePayment, gateway: ScriptedGateway, reader: InMemoryPaymentReader
) -> None:
    gateway.answers_charges_with(RATE_LIMITED, REFUSED)
    with pytest.raises(GatewayUnavailable):
        await create(WANTED, CALL)

    with pytest.raises(GatewayRefused):
        await create(WANTED, CALL)

    assert (await found(reader)).status is Status.FAILURE


async def test_a_crash_after_the_row_is_resumed_once_the_lease_has_run_out(
    create: CreatePayment, gateway: ScriptedGateway, clock: ManualClock
) -> None:
    gateway.answers_charges_with(crash)
    with pytest.raises(Crashed):
        await create(WANTED, CALL)

    with pytest.raises(InProgress) as early:
        await create(WANTED, CALL)
    clock.advance(early.value.retry_after)
    gateway.answers_charges_with(a_charge_answer())
    created = await create(WANTED, CALL)

    assert (created.payment.status, created.replayed) == (Status.PENDING, False)
    assert len({charge.key for charge in gateway.charges}) == 1


async def test_a_crash_after_the_charge_is_resumed_and_is_one_charge(
    create: CreatePayment, gateway: ScriptedGateway, clock: ManualClock
) -> None:
    taken: dict[str, ChargeOutcome] = {}

    async def take(charge: Charge, _within: float) -> ChargeOutcome:
        return taken.setdefault(charge.key, a_charge_answer(transaction_id=f"t-{len(taken) + 1}"))

    async def take_and_crash(charge: Charge, within: float) -> ChargeOutcome:
        await take(charge, within)
        raise Crashed

    gateway.answers_charges_with(take_and_crash, take)
    with pytest.raises(Crashed):
        await create(WANTED, CALL)
    clock.advance(31)

    created = await create(WANTED, CALL)

    assert (created.payment.status, created.payment.transaction_id) == (Status.PENDING, "t-1")
    assert len(taken) == 1


async def test_a_crash_after_the_answer_is_replayed(
    creating: Creating, gateway: ScriptedGateway, begin: InMemoryUnitOfWork, reader: InMemoryPaymentReader
) -> None:
    @asynccontextmanager
    async def crashing() -> AsyncIterator[InMemoryWork]:
        async with begin() as work:
            yield work
        if begin.state.keys and begin.state.keys[1, "one"].ending is not None:
            raise Crashed

    gateway.answers_charges_with(a_charge_answer())
    with pytest.raises(Crashed):
        await creating(work=crashing)(WANTED, CALL)

    again = await creating()(WANTED, CALL)

    assert (again.payment, again.replayed) == (await found(reader), True)
    assert again.payment.status is Status.PENDING
    assert len(gateway.charges) == 1


async def test_an_answer_whose_commit_failed_is_fetched_again(
    create: CreatePayment,
    gateway: ScriptedGateway,
    begin: InMemoryUnitOfWork,
    clock: ManualClock,
) -> None:
    async def answer_and_lose_the_database(_charge: Charge, _within: float) -> ChargeOutcome:
        begin.fail_next_commits = 1
        return a_charge_answer()

    gateway.answers_charges_with(answer_and_lose_the_database, a_charge_answer())
    with pytest.raises(OutcomeUnknown):
        await create(WANTED, CALL)
    clock.advance(31)

    assert (await create(WANTED, CALL)).payment.status is Status.PENDING
    assert len({charge.key for charge in gateway.charges}) == 1


async def test_a_key_whose_commit_failed_is_still_free(
    create: CreatePayment, gateway: ScriptedGateway, begin: InMemoryUnitOfWork
) -> None:
    begin.is_away = True
    with pytest.raises(DatabaseUnavailable):
        await create(WANTED, CALL)
    begin.is_away = False
    gateway.answers_charges_with(a_charge_answer())

    created = await create(WANTED, CALL)

    assert (created.payment.status, created.replayed) == (Status.PENDING, False)


async def test_within_four_minutes_the_charge_is_sent_again_without_asking(
    create: CreatePayment, gateway: ScriptedGateway, clock: ManualClock
) -> None:
    await lose_the_answer(create, gateway)
    clock.advance(170)
    gateway.answers_charges_with(a_charge_answer())

    await create(WANTED, CALL)

    assert (len(gateway.charges), gateway.asked) == (1, [])


async def test_later_a_pending_charge_is_cancelled_at_midtrans_and_lost(
    create: CreatePayment, gateway: ScriptedGateway, clock: ManualClock, reader: InMemoryPaymentReader
) -> None:
    await lose_the_answer(create, gateway)
    clock.advance(240)
    gateway.answers_status_of("order-1", PENDING)
    gateway.answers_cancel_of("t-1", CANCELLED)

    with pytest.raises(ChargeLost) as lost:
        await create(WANTED, CALL)
    with pytest.raises(ChargeLost) as again:
        await create(WANTED, CALL)

    assert (lost.value.replayed, again.value.replayed) == (False, True)
    assert str(again.value) == str(lost.value)
    assert gateway.cancelled == ["t-1"]
    assert gateway.charges == []
    payment = await found(reader)
    assert (payment.status, payment.transaction_id) == (Status.CANCEL, "t-1")


async def test_later_a_paid_charge_is_taken_over(
    create: CreatePayment, gateway: ScriptedGateway, clock: ManualClock, reader: InMemoryPaymentReader
) -> None:
    await lose_the_answer(create, gateway)
    clock.advance(240)
    gateway.answers_status_of("order-1", SETTLED)

    created = await create(WANTED, CALL)
    again = await create(WANTED, CALL)

    assert (created.payment.status, created.replayed) == (Status.SETTLEMENT, False)
    assert (again.payment, again.replayed) == (await found(reader), True)
    assert (gateway.charges, gateway.cancelled) == ([], [])


async def test_a_charge_that_is_paid_while_it_is_cancelled_is_taken_over(
    create: CreatePayment, gateway: ScriptedGateway, clock: ManualClock
) -> None:
    await lose_the_answer(create, gateway)
    clock.advance(240)
    gateway.answers_status_of("order-1", PENDING)
    gateway.answers_cancel_of("t-1", SETTLED)

    assert (await create(WANTED, CALL)).payment.status is Status.SETTLEMENT


@pytest.mark.parametrize("minutes", [4, 9, 30])
async def test_later_with_nothing_at_midtrans_it_is_charged_anew_with_the_same_key(
    create: CreatePayment, gateway: ScriptedGateway, clock: ManualClock, minutes: int
) -> None:
    await lose_the_answer(create, gateway)
    clock.advance(minutes * 60)
    gateway.answers_charges_with(a_charge_answer())

    created = await create(WANTED, CALL)

    assert created.payment.status is Status.PENDING
    assert gateway.asked == ["order-1"]
    assert [charge.key for charge in gateway.charges] == [str(created.payment.id)]


async def test_a_charge_made_anew_may_be_sent_again_for_four_minutes(
    create: CreatePayment, gateway: ScriptedGateway, clock: ManualClock
) -> None:
    await lose_the_answer(create, gateway)
    clock.advance(300)
    await lose_the_answer(create, gateway)
    clock.advance(120)
    gateway.answers_charges_with(a_charge_answer())

    assert (await create(WANTED, CALL)).payment.status is Status.PENDING
    assert gateway.asked == ["order-1"]


@pytest.mark.parametrize(
    ("minutes", "error", "status"),
    [(5, OutcomeUnknown, Status.CREATED), (20, GatewayRefused, Status.FAILURE)],
)
async def test_a_refusal_after_nothing_was_found_counts_once_nothing_can_be_under_way(
    create: CreatePayment,
    gateway: ScriptedGateway,
    clock: ManualClock,
    reader: InMemoryPaymentReader,
    minutes: int,
    error: type[Exception],
    status: Status,
) -> None:
    await lose_the_answer(create, gateway)
    clock.advance(minutes * 60)
    gateway.answers_charges_with(REFUSED, *[LOST] * 7)

    with pytest.raises(error):
        await create(WANTED, CALL)

    assert (await found(reader)).status is status


@pytest.mark.parametrize("after", [0, 1, 3_600])
async def test_nothing_is_charged_once_the_payment_s_life_is_over(
    create: CreatePayment, gateway: ScriptedGateway, clock: ManualClock, after: int
) -> None:
    await lose_the_answer(create, gateway)
    clock.advance(3_600 - clock.monotonic() + after)

    with pytest.raises(GatewayRefused):
        await create(WANTED, CALL)

    assert gateway.charges == []


@pytest.mark.parametrize("minutes", [3, 60])
async def test_a_process_whose_clock_is_behind_charges_nothing_after_the_payment_s_life(
    creating: Creating, gateway: ScriptedGateway, clock: ManualClock, minutes: int
) -> None:
    """Neither with the key that Midtrans still has, nor anew."""
    short = wanted(order_id="order-1", life=timedelta(minutes=minutes))
    gateway.answers_charges_with(*[LOST] * 7)
    with pytest.raises(OutcomeUnknown):
        await creating()(short, CALL)
    gateway.charges.clear()
    clock.advance(minutes * 60 - clock.monotonic())
    behind = creating(process=ManualClock(clock.now() - timedelta(minutes=2)))

    with pytest.raises(OutcomeUnknown):
        await behind(short, CALL)

    assert gateway.charges == []


async def test_nothing_is_charged_after_a_short_life_either(
    create: CreatePayment, gateway: ScriptedGateway, clock: ManualClock, reader: InMemoryPaymentReader
) -> None:
    short = wanted(order_id="order-1", life=timedelta(minutes=1))
    gateway.answers_charges_with(RATE_LIMITED)
    with pytest.raises(GatewayUnavailable):
        await create(short, CALL)
    gateway.charges.clear()
    clock.advance(60)

    with pytest.raises(OutcomeUnknown):
        await create(short, CALL)

    assert gateway.charges == []
    assert (await found(reader)).status is Status.CREATED


async def test_no_attempt_goes_on_beyond_the_payment_s_life(
    create: CreatePayment, gateway: ScriptedGateway, clock: ManualClock
) -> None:
    short = wanted(order_id="order-1", life=timedelta(minutes=1))
    sent = []

    async def slow(_charge: Charge, within: float) -> ChargeOutcome:
        sent.append((clock.monotonic(), within))
        await clock.sleep(2)
        return LOST

    gateway.answers_charges_with(RATE_LIMITED, *[slow] * 7)
    with pytest.raises(GatewayUnavailable):
        await create(short, CALL)
    clock.advance(50)
    with pytest.raises(OutcomeUnknown):
        await create(short, CALL)

    assert sent
    assert all(began + within <= 60 for began, within in sent)


async def test_nothing_is_sent_any_more_once_the_machine_stood_still_between_two_attempts(
    creating: Creating, gateway: ScriptedGateway, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sleep = clock.sleep

    async def stand_still(seconds: float) -> None:
        await sleep(seconds + (200 if seconds else 0))

    monkeypatch.setattr(clock, "sleep", stand_still)
    gateway.answers_charges_with(LOST, a_charge_answer())

    with pytest.raises(OutcomeUnknown):
        await creating()(WANTED, CALL)

    assert len(gateway.charges) == 1


@pytest.mark.parametrize("is_first", [True, False])
async def test_nothing_is_sent_any_more_once_the_machine_stood_still_before_the_charge(
    creating: Creating,
    gateway: ScriptedGateway,
    clock: ManualClock,
    begin: InMemoryUnitOfWork,
    *,
    is_first: bool,
) -> None:
    if not is_first:
        await lose_the_answer(creating(), gateway)

    @asynccontextmanager
    async def stand_still() -> AsyncIterator[InMemoryWork]:
        async with begin() as work:
            yield work
        clock.advance(60)

    gateway.answers_charges_with(a_charge_answer())
    with pytest.raises(OutcomeUnknown):
        await creating(work=stand_still)(WANTED, CALL)

    assert gateway.charges == []


async def test_an_expired_charge_that_nobody_could_pay_is_lost(
    create: CreatePayment, gateway: ScriptedGateway, clock: ManualClock, reader: InMemoryPaymentReader
) -> None:
    await lose_the_answer(create, gateway)
    clock.advance(3_600)
    gateway.answers_status_of("order-1", EXPIRED)

    with pytest.raises(ChargeLost):
        await create(WANTED, CALL)

    assert (await found(reader)).status is Status.EXPIRE
    assert gateway.cancelled == []


async def test_a_charge_that_is_there_already_is_asked_about_and_taken_over(
    create: CreatePayment, gateway: ScriptedGateway
) -> None:
    gateway.answers_charges_with(LOST, AlreadyThere())
    gateway.answers_status_of("order-1", SETTLED)

    created = await create(WANTED, CALL)

    assert (created.payment.status, created.payment.transaction_id) == (Status.SETTLEMENT, "t-1")
    assert len(gateway.charges) == 2


async def test_a_pending_charge_that_is_there_already_is_cancelled_also_without_a_key(
    create: CreatePayment, gateway: ScriptedGateway, reader: InMemoryPaymentReader
) -> None:
    gateway.answers_charges_with(LOST, AlreadyThere())
    gateway.answers_status_of("order-1", PENDING)
    gateway.answers_cancel_of("t-1", CANCELLED)

    with pytest.raises(ChargeLost):
        await create(WANTED)

    assert (await found(reader)).status is Status.CANCEL


async def test_a_charge_that_is_there_and_then_is_not_leaves_the_outcome_unknown(
    create: CreatePayment, gateway: ScriptedGateway, reader: InMemoryPaymentReader
) -> None:
    gateway.answers_charges_with(AlreadyThere())

    with pytest.raises(OutcomeUnknown):
        await create(WANTED, CALL)

    assert (await found(reader)).status is Status.CREATED


async def test_somebody_else_s_charge_under_the_order_id_is_left_alone(
    create: CreatePayment, gateway: ScriptedGateway, reader: InMemoryPaymentReader
) -> None:
    gateway.answers_charges_with(AlreadyThere())
    gateway.answers_status_of("order-1", a_status_reply(transaction_status="pending", gross_amount="9.00"))

    with pytest.raises(OutcomeUnknown):
        await create(WANTED, CALL)

    payment = await found(reader)
    assert (payment.status, [b.reason for b in payment.breaks]) == (Status.CREATED, ["amount"])
    assert gateway.cancelled == []


async def test_nothing_is_charged_anew_beside_what_is_somebody_else_s(
    create: CreatePayment, gateway: ScriptedGateway, clock: ManualClock, reader: InMemoryPaymentReader
) -> None:
    await lose_the_answer(create, gateway)
    clock.advance(240)
    gateway.answers_status_of("order-1", a_status_reply(transaction_status="expire", gross_amount="9.00"))
    gateway.answers_charges_with(a_charge_answer())

    with pytest.raises(OutcomeUnknown):
        await create(WANTED, CALL)

    assert gateway.charges == []
    assert [b.reason for b in (await found(reader)).breaks] == ["amount"]


async def test_a_status_that_is_not_told_leaves_the_call_to_be_resumed(
    create: CreatePayment, gateway: ScriptedGateway, clock: ManualClock
) -> None:
    await lose_the_answer(create, gateway)
    clock.advance(240)
    gateway.answers_status_of("order-1", GatewayUnavailable("as told"), SETTLED)
    with pytest.raises(OutcomeUnknown):
        await create(WANTED, CALL)

    assert (await create(WANTED, CALL)).payment.status is Status.SETTLEMENT
    assert gateway.charges == []


async def test_a_cancel_without_an_answer_leaves_the_call_to_be_resumed(
    create: CreatePayment, gateway: ScriptedGateway, clock: ManualClock, reader: InMemoryPaymentReader
) -> None:
    await lose_the_answer(create, gateway)
    clock.advance(240)
    gateway.answers_status_of("order-1", PENDING)
    gateway.answers_cancel_of("t-1", GatewayUnavailable("as told"), CANCELLED)
    with pytest.raises(OutcomeUnknown):
        await create(WANTED, CALL)
    assert (await found(reader)).status is Status.PENDING

    with pytest.raises(ChargeLost):
        await create(WANTED, CALL)

    assert gateway.cancelled == ["t-1", "t-1"]
    assert (await found(reader)).status is Status.CANCEL


async def test_a_charge_that_was_found_pending_meanwhile_still_gets_its_qr(
    create: CreatePayment, gateway: ScriptedGateway, begin: InMemoryUnitOfWork
) -> None:
    await lose_the_answer(create, gateway)
    await ApplyEvidence(begin)("order-1", (PENDING,), at=NOW)
    gateway.answers_charges_with(a_charge_answer())

    created = await create(WANTED, CALL)

    assert created.payment.status is Status.PENDING
    assert [action.name for action in created.payment.actions] == ["qr-code", "deeplink-redirect"]


@pytest.mark.parametrize(
    ("meanwhile", "error", "code"),
    [("deny", GatewayRefused, "202"), ("expire", ChargeLost, "404"), ("cancel", ChargeLost, "404")],
)
async def test_a_charge_that_ended_meanwhile_ends_the_call(
    create: CreatePayment,
    gateway: ScriptedGateway,
    begin: InMemoryUnitOfWork,
    meanwhile: str,
    error: type[GatewayRefused],
    code: str,
) -> None:
    await lose_the_answer(create, gateway)
    await ApplyEvidence(begin)("order-1", (a_status_reply(transaction_status=meanwhile),), at=NOW)

    with pytest.raises(GatewayRefused) as refused:
        await create(WANTED, CALL)

    assert type(refused.value) is error
    assert refused.value.gateway_code == code
    assert gateway.charges == []


async def test_a_charge_that_was_paid_meanwhile_ends_the_call(
    create: CreatePayment, gateway: ScriptedGateway, begin: InMemoryUnitOfWork
) -> None:
    await lose_the_answer(create, gateway)
    await ApplyEvidence(begin)("order-1", (SETTLED,), at=NOW)

    assert (await create(WANTED, CALL)).payment.status is Status.SETTLEMENT
    assert gateway.charges == []


async def test_no_transaction_is_open_while_a_charge_is_looked_for_and_cancelled(
    create: CreatePayment, gateway: ScriptedGateway, clock: ManualClock, begin: InMemoryUnitOfWork
) -> None:
    await lose_the_answer(create, gateway)
    clock.advance(240)
    open_meanwhile: list[bool] = []

    async def look() -> Any:
        open_meanwhile.append(begin.is_open_here())
        return PENDING if len(open_meanwhile) == 1 else CANCELLED

    gateway.answers_status_of("order-1", look)
    gateway.answers_cancel_of("t-1", look)
    with pytest.raises(ChargeLost):
        await create(WANTED, CALL)

    assert open_meanwhile == [False, False]


async def test_asking_and_cancelling_keep_the_others_waiting(
    create: CreatePayment, gateway: ScriptedGateway, clock: ManualClock
) -> None:
    waited: list[int] = []

    async def ask() -> Any:
        clock.advance(9)
        with pytest.raises(InProgress) as told:
            await create(WANTED, CALL)
        waited.append(told.value.retry_after)
        return SETTLED

    gateway.answers_charges_with(gateway.after(24, AlreadyThere()))
    gateway.answers_status_of("order-1", ask)

    assert (await create(WANTED, CALL)).payment.status is Status.SETTLEMENT
    assert waited == [21]


async def test_once_its_charge_is_being_cancelled_a_payment_is_never_charged_again(
    create: CreatePayment, gateway: ScriptedGateway, clock: ManualClock, reader: InMemoryPaymentReader
) -> None:
    async def crash_after_cancelling() -> StatusReply:
        raise Crashed

    gateway.answers_charges_with(AlreadyThere(), a_charge_answer(transaction_id="t-2"))
    gateway.answers_status_of("order-1", a_status_reply(transaction_status="pending"))
    gateway.answers_cancel_of("t-1", crash_after_cancelling)
    with pytest.raises(Crashed):
        await create(WANTED, CALL)
    gateway.forgets_status_of("order-1")
    gateway.answers_status_of("order-1", a_status_reply(transaction_status="cancel"))
    clock.advance(31)

    with pytest.raises(ChargeLost):
        await create(WANTED, CALL)

    payment = await reader.find("order-1")
    assert payment is not None
    assert (payment.status, payment.transaction_id) == (Status.CANCEL, "t-1")
    assert len(gateway.charges) == 1


async def test_a_payment_that_the_shop_was_told_has_failed_is_not_charged_any_more(
    create: CreatePayment, gateway: ScriptedGateway, clock: ManualClock, begin: InMemoryUnitOfWork
) -> None:
    await lose_the_answer(create, gateway)
    clock.advance(700)

    async def told_of_a_failure_meanwhile() -> NoTransaction:
        nothing = NoTransaction(received_at=clock.now())
        await ApplyEvidence(begin)("order-1", (nothing,), at=clock.now())
        return nothing

    gateway.answers_status_of("order-1", told_of_a_failure_meanwhile)
    gateway.answers_charges_with(a_charge_answer())

    with pytest.raises(GatewayRefused):
        await create(WANTED, CALL)

    assert gateway.charges == []


@pytest.mark.parametrize("call", [CALL, None], ids=["with a key", "without"])
async def test_with_the_database_away_in_a_take_over_the_outcome_is_unknown(
    create: CreatePayment, gateway: ScriptedGateway, begin: InMemoryUnitOfWork, call: IdempotentCall | None
) -> None:
    async def away() -> StatusReply:
        begin.is_away = True
        return a_status_reply(transaction_status="pending")

    gateway.answers_charges_with(LOST, AlreadyThere())
    gateway.answers_status_of("order-1", away)

    with pytest.raises(OutcomeUnknown):
        await create(WANTED, call)


def stalled(create: CreatePayment, clock: ManualClock, outcome: ChargeOutcome) -> ChargeScript:
    """An attempt that outlasts its call's lease; whoever has it next dies."""

    async def attempt(_charge: Charge, _within: float) -> ChargeOutcome:
        clock.advance(31)
        with pytest.raises(Crashed):
            await create(WANTED, CALL)
        return outcome

    return attempt


async def test_a_call_that_stalled_past_its_lease_releases_nobody_elses(
    create: CreatePayment, gateway: ScriptedGateway, clock: ManualClock
) -> None:
    gateway.answers_charges_with(stalled(create, clock, OUT_OF_REACH), crash, OUT_OF_REACH)

    with pytest.raises(GatewayUnavailable):
        await create(WANTED, CALL)

    with pytest.raises(InProgress):
        await create(WANTED, CALL)


async def test_a_charge_that_came_after_the_lease_is_told_again_as_a_repeat(
    create: CreatePayment, gateway: ScriptedGateway, clock: ManualClock
) -> None:
    gateway.answers_charges_with(stalled(create, clock, a_charge_answer()), crash)
    first = await create(WANTED, CALL)
    clock.advance(31)

    again = await create(WANTED, CALL)

    assert (first.replayed, again.replayed) == (False, True)
    assert again.payment == first.payment
    assert len(gateway.charges) == 2


async def test_a_denial_that_came_after_the_lease_is_told_again_as_a_repeat(
    create: CreatePayment, gateway: ScriptedGateway, clock: ManualClock
) -> None:
    answer = '{"status_code": "202", "status_message": "No."}'
    denied = a_charge_answer(status=Status.DENY, message="No.", answer=answer)
    gateway.answers_charges_with(stalled(create, clock, denied), crash)
    with pytest.raises(GatewayRefused) as first:
        await create(WANTED, CALL)
    clock.advance(31)

    with pytest.raises(GatewayRefused) as again:
        await create(WANTED, CALL)

    assert (first.value.replayed, again.value.replayed) == (False, True)
    assert str(again.value) == str(first.value)


async def test_a_refusal_that_came_after_the_lease_is_told_again_in_the_same_words(
    create: CreatePayment, gateway: ScriptedGateway, clock: ManualClock
) -> None:
    gateway.answers_charges_with(stalled(create, clock, REFUSED), crash)
    with pytest.raises(GatewayRefused) as first:
        await create(WANTED, CALL)
    clock.advance(31)

    with pytest.raises(GatewayRefused) as again:
        await create(WANTED, CALL)

    assert (first.value.replayed, again.value.replayed) == (False, True)
    assert str(again.value) == str(first.value)
    assert again.value.gateway_message == "Payment channel is not activated."
    assert len(gateway.charges) == 2


async def test_a_refusal_that_nobody_was_answered_with_is_told_in_words_of_our_own(
    create: CreatePayment, gateway: ScriptedGateway, clock: ManualClock, begin: InMemoryUnitOfWork
) -> None:
    await lose_the_answer(create, gateway)
    clock.advance(700)
    await ApplyEvidence(begin)("order-1", (NoTransaction(received_at=clock.now()),), at=clock.now())

    with pytest.raises(GatewayRefused) as told:
        await create(WANTED, CALL)

    assert told.value.gateway_code == "404"


async def test_a_refusal_that_another_call_stored_meanwhile_is_told_in_its_words(
    create: CreatePayment, gateway: ScriptedGateway, clock: ManualClock, begin: InMemoryUnitOfWork
) -> None:
    """As one that stood still past its lease does, while this one asks Midtrans."""

    async def refused() -> NoTransaction:
        await ApplyEvidence(begin)("order-1", (REFUSED,), at=clock.now())
        return NoTransaction(received_at=clock.now())

    await lose_the_answer(create, gateway)
    clock.advance(700)
    gateway.answers_status_of("order-1", refused)

    with pytest.raises(GatewayRefused) as told:
        await create(WANTED, CALL)

    assert told.value.gateway_message == "Payment channel is not activated."
    assert told.value.replayed
