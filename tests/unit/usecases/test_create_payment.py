import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from domain.errors import (
    AmountOutOfBounds,
    DatabaseUnavailable,
    GatewayRefused,
    GatewayUnavailable,
    InvalidPayment,
    OrderIdTaken,
    OutcomeUnknown,
    TooManyRequests,
    UnknownUser,
)
from domain.evidence import ChargeRefused
from domain.payment import Break, Payment
from domain.ports.gateway import Charge, ChargeOutcome, NotTaken, Unanswered
from domain.signature import ServerKeys
from domain.status import Status
from domain.usecases.applying import ApplyEvidence
from domain.usecases.create_payment import Created, CreatePayment
from domain.usecases.receive_notification import ReceiveNotification
from support.builders import (
    NOW,
    SERVER_KEY,
    a_charge_answer,
    a_delivery,
    a_status_reply,
    given,
    wanted,
)
from support.fakes import (
    CountingIdentifiers,
    InMemoryPaymentReader,
    InMemoryUnitOfWork,
    ManualClock,
    ScriptedGateway,
)
from support.log import is_intact

OUT_OF_REACH = NotTaken(reason="ConnectError")
RATE_LIMITED = NotTaken(reason="API rate limit exceeded", retry_after=9)
LOST = Unanswered(reason="ReadError")
REFUSED = ChargeRefused(code="402", message="Payment channel is not activated.", received_at=NOW)
DENIED = a_charge_answer(status=Status.DENY, message="GoPay transaction is denied")

Creating = Callable[..., CreatePayment]


async def found(reader: InMemoryPaymentReader, order_id: str = "order-1") -> Payment:
    payment = await reader.find(order_id)
    assert payment is not None
    assert is_intact(await reader.log(payment.id), payment)
    return payment


async def test_a_taken_charge_is_a_pending_payment(
    create: CreatePayment, gateway: ScriptedGateway, reader: InMemoryPaymentReader
) -> None:
    answer = a_charge_answer(transaction_id="t-7")
    gateway.answers_charges_with(answer)

    payment = (await create(wanted(order_id="order-1", metadata={"cart": "17"}))).payment

    assert payment.status is Status.PENDING
    assert (payment.transaction_id, payment.charge_answer) == ("t-7", answer.answer)
    assert payment.metadata == {"cart": "17"}
    assert payment == await found(reader)
    assert [entry.what for entry in await reader.log(payment.id)] == ["created", "pending"]


async def test_a_payment_without_an_order_id_is_given_one_of_ours(
    create: CreatePayment, gateway: ScriptedGateway, reader: InMemoryPaymentReader
) -> None:
    gateway.answers_charges_with(a_charge_answer())

    payment = (await create(wanted())).payment

    assert payment.order_id == "byr-00000000000000000000000001"
    assert payment == await found(reader, payment.order_id)


async def test_it_ends_when_its_life_is_over_counted_from_the_insert(
    create: CreatePayment, gateway: ScriptedGateway
) -> None:
    gateway.answers_charges_with(gateway.after(5, a_charge_answer()))

    payment = (await create(wanted(life=timedelta(minutes=5)))).payment

    assert payment.created_at == NOW
    assert payment.expires_at == NOW + timedelta(minutes=5)
    assert gateway.charges[0].ordered_at == payment.created_at


async def test_the_row_is_committed_before_midtrans_is_asked(
    create: CreatePayment, gateway: ScriptedGateway, reader: InMemoryPaymentReader
) -> None:
    seen = []

    async def look(_charge: Charge, _within: float) -> ChargeOutcome:
        seen.append(await found(reader))
        return a_charge_answer()

    gateway.answers_charges_with(look)
    await create(wanted(order_id="order-1"))

    assert [payment.status for payment in seen] == [Status.CREATED]


async def test_a_crash_during_the_charge_leaves_something_to_ask_about(
    create: CreatePayment, gateway: ScriptedGateway, reader: InMemoryPaymentReader
) -> None:
    asked = asyncio.Event()

    async def hang(_charge: Charge, _within: float) -> ChargeOutcome:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    gateway.answers_charges_with(hang)
    task = asyncio.create_task(create(wanted(order_id="order-1")))
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert (await found(reader)).status is Status.CREATED


async def test_no_transaction_is_open_while_midtrans_is_asked(
    create: CreatePayment, gateway: ScriptedGateway, begin: InMemoryUnitOfWork
) -> None:
    open_meanwhile = []

    async def look(_charge: Charge, _within: float) -> ChargeOutcome:
        open_meanwhile.append(begin.is_open_here())
        return LOST if len(open_meanwhile) == 1 else a_charge_answer()

    gateway.answers_charges_with(look, look)
    await create(wanted())

    assert open_meanwhile == [False, False]


async def test_every_attempt_of_a_charge_carries_the_payments_own_key(
    create: CreatePayment, gateway: ScriptedGateway
) -> None:
    gateway.answers_charges_with(LOST, OUT_OF_REACH, RATE_LIMITED, LOST, a_charge_answer())

    payment = (await create(wanted())).payment

    assert payment.status is Status.PENDING
    assert {charge.key for charge in gateway.charges} == {str(payment.id)}
    assert len(gateway.charges) == 5
    assert len(str(payment.id)) == 36


async def test_two_payments_have_different_keys(create: CreatePayment, gateway: ScriptedGateway) -> None:
    gateway.answers_charges_with(a_charge_answer(), a_charge_answer(transaction_id="t-2"))

    await create(wanted())
    await create(wanted())

    assert len({charge.key for charge in gateway.charges}) == 2


async def test_a_charge_that_could_not_be_sent_is_sent_again(
    create: CreatePayment, gateway: ScriptedGateway
) -> None:
    gateway.answers_charges_with(OUT_OF_REACH, a_charge_answer())

    assert (await create(wanted())).payment.status is Status.PENDING


async def test_midtrans_out_of_reach_leaves_a_created_payment_and_nothing_charged(
    create: CreatePayment, gateway: ScriptedGateway, reader: InMemoryPaymentReader
) -> None:
    gateway.answers_charges_with(OUT_OF_REACH, OUT_OF_REACH)

    with pytest.raises(GatewayUnavailable) as unavailable:
        await create(wanted(order_id="order-1"))

    assert unavailable.value.retry_after >= 1
    assert (await found(reader)).status is Status.CREATED


async def test_a_rate_limited_charge_is_told_at_once_with_midtranss_own_wait(
    create: CreatePayment, gateway: ScriptedGateway, reader: InMemoryPaymentReader
) -> None:
    gateway.answers_charges_with(RATE_LIMITED)

    with pytest.raises(GatewayUnavailable) as unavailable:
        await create(wanted(order_id="order-1"))

    assert unavailable.value.retry_after == 9
    assert (await found(reader)).status is Status.CREATED


async def test_a_refused_charge_is_a_failed_payment_with_midtranss_own_words(
    create: CreatePayment, gateway: ScriptedGateway, reader: InMemoryPaymentReader
) -> None:
    gateway.answers_charges_with(REFUSED)

    with pytest.raises(GatewayRefused) as refused:
        await create(wanted(order_id="order-1"))

    assert (refused.value.gateway_code, refused.value.gateway_message) == (
        "402",
        "Payment channel is not activated.",
    )
    payment = await found(reader)
    assert payment.status is Status.FAILURE
    log = await reader.log(payment.id)
    assert log[-1].detail["refused_code"] == "402"


async def test_a_denied_charge_is_a_denied_payment(
    create: CreatePayment, gateway: ScriptedGateway, reader: InMemoryPaymentReader
) -> None:
    gateway.answers_charges_with(DENIED)

    with pytest.raises(GatewayRefused) as refused:
        await create(wanted(order_id="order-1"))

    assert (refused.value.gateway_code, refused.value.gateway_message) == (
        "202",
        "GoPay transaction is denied",
    )
    payment = await found(reader)
    assert (payment.status, payment.transaction_id) == (Status.DENY, "t-1")


@pytest.mark.parametrize("later", [REFUSED, OUT_OF_REACH, RATE_LIMITED, LOST])
async def test_once_an_attempt_went_unanswered_only_an_answer_proves_anything(
    create: CreatePayment, gateway: ScriptedGateway, reader: InMemoryPaymentReader, later: Any
) -> None:
    gateway.answers_charges_with(LOST, *[later] * 20)

    with pytest.raises(OutcomeUnknown) as unknown:
        await create(wanted(order_id="order-1"))

    assert unknown.value.order_id == "order-1"
    payment = await found(reader)
    assert (payment.status, payment.transaction_id) == (Status.CREATED, None)


async def test_a_denial_after_an_unanswered_attempt_is_an_answer(
    create: CreatePayment, gateway: ScriptedGateway, reader: InMemoryPaymentReader
) -> None:
    gateway.answers_charges_with(LOST, DENIED)

    with pytest.raises(GatewayRefused):
        await create(wanted(order_id="order-1"))

    assert (await found(reader)).status is Status.DENY


@pytest.mark.parametrize("seconds", [0, 1, 4, 11, 30])
async def test_a_charge_is_given_up_within_25_seconds(
    create: CreatePayment, gateway: ScriptedGateway, clock: ManualClock, seconds: int
) -> None:
    gateway.answers_charges_with(*[gateway.after(seconds, LOST)] * 30)

    with pytest.raises(OutcomeUnknown):
        await create(wanted())

    assert clock.monotonic() <= 25


async def test_an_attempt_may_take_no_longer_than_what_is_left(
    create: CreatePayment, gateway: ScriptedGateway, clock: ManualClock
) -> None:
    allowed = []

    async def slow(_charge: Charge, within: float) -> ChargeOutcome:
        allowed.append((clock.monotonic(), within))
        await clock.sleep(9)
        return LOST

    gateway.answers_charges_with(*[slow] * 5)
    with pytest.raises(OutcomeUnknown):
        await create(wanted())

    assert len(allowed) >= 2
    assert all(began + within <= 25 for began, within in allowed)


async def test_nothing_waits_after_the_last_attempt(
    create: CreatePayment, gateway: ScriptedGateway, clock: ManualClock
) -> None:
    ended = []

    async def quick(_charge: Charge, _within: float) -> ChargeOutcome:
        ended.append(clock.monotonic())
        return LOST

    gateway.answers_charges_with(*[quick] * 30)
    with pytest.raises(OutcomeUnknown):
        await create(wanted())

    assert clock.monotonic() == ended[-1]


async def test_a_payment_that_was_paid_before_its_charge_was_answered_is_returned_paid(
    create: CreatePayment,
    gateway: ScriptedGateway,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
) -> None:
    async def paid_meanwhile(charge: Charge, _within: float) -> ChargeOutcome:
        reply = a_status_reply(order_id=charge.order.order_id)
        await ApplyEvidence(begin)(charge.order.order_id, (reply,), at=NOW)
        return a_charge_answer()

    gateway.answers_charges_with(paid_meanwhile)
    payment = (await create(wanted(order_id="order-1"))).payment

    assert payment.status is Status.SETTLEMENT
    assert payment.charge_answer is not None
    assert payment == await found(reader)


async def test_a_refusal_of_a_payment_that_is_paid_by_now_is_the_paid_payment(
    create: CreatePayment,
    gateway: ScriptedGateway,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
) -> None:
    async def found_meanwhile(charge: Charge, _within: float) -> ChargeOutcome:
        reply = a_status_reply(order_id=charge.order.order_id)
        await ApplyEvidence(begin)(charge.order.order_id, (reply,), at=NOW)
        return REFUSED

    gateway.answers_charges_with(found_meanwhile)
    payment = (await create(wanted(order_id="order-1"))).payment

    assert payment.status is Status.SETTLEMENT
    assert payment == await found(reader)


async def test_a_notification_before_the_charges_own_answer_loses_neither(
    create: CreatePayment,
    gateway: ScriptedGateway,
    begin: InMemoryUnitOfWork,
    ids: CountingIdentifiers,
) -> None:
    receive = ReceiveNotification(
        begin=begin, ids=ids, keys=ServerKeys(current=SERVER_KEY), confirm_always=False
    )

    async def notified_meanwhile(_charge: Charge, _within: float) -> ChargeOutcome:
        await receive(a_delivery(transaction_status="pending"))
        return a_charge_answer()

    gateway.answers_charges_with(notified_meanwhile)
    payment = (await create(wanted(order_id="order-1"))).payment

    assert (payment.status, payment.transaction_id) == (Status.PENDING, "t-1")
    assert payment.charge_answer is not None
    assert [(row.processed, row.error) for row in begin.notifications] == [(False, None)]


async def test_a_charge_whose_transaction_is_another_payments_is_a_break(
    create: CreatePayment,
    gateway: ScriptedGateway,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
) -> None:
    await given(begin, order_id="other", transaction_id="t-1", status=Status.PENDING)
    gateway.answers_charges_with(a_charge_answer(transaction_id="t-1"))

    with pytest.raises(OutcomeUnknown):
        await create(wanted(order_id="order-1"))

    payment = await found(reader)
    assert (payment.status, payment.transaction_id) == (Status.CREATED, None)
    assert payment.breaks == (Break(reason="transaction_taken", subject="t-1"),)


async def test_an_answer_that_cannot_be_stored_is_an_unknown_outcome(
    create: CreatePayment,
    gateway: ScriptedGateway,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
) -> None:
    async def lose_the_database(_charge: Charge, _within: float) -> ChargeOutcome:
        begin.is_away = True
        return a_charge_answer()

    gateway.answers_charges_with(lose_the_database)
    with pytest.raises(OutcomeUnknown):
        await create(wanted(order_id="order-1"))
    begin.is_away = False

    assert (await found(reader)).status is Status.CREATED


async def test_without_the_database_nothing_is_charged(
    create: CreatePayment, gateway: ScriptedGateway, begin: InMemoryUnitOfWork
) -> None:
    begin.is_away = True

    with pytest.raises(DatabaseUnavailable):
        await create(wanted())

    assert gateway.charges == []


async def test_a_row_whose_commit_failed_is_not_charged(
    create: CreatePayment, gateway: ScriptedGateway, begin: InMemoryUnitOfWork
) -> None:
    begin.fail_next_commits = 1

    with pytest.raises(DatabaseUnavailable):
        await create(wanted())

    assert gateway.charges == []
    assert begin.state.payments == {}


@pytest.mark.parametrize(
    ("wish", "error"),
    [
        ({"gross_amount": 20_000_001}, AmountOutOfBounds),
        ({"gross_amount": 0}, AmountOutOfBounds),
        ({"order_id": "byr-mine"}, InvalidPayment),
    ],
)
async def test_what_the_rules_forbid_is_neither_stored_nor_charged(
    create: CreatePayment,
    gateway: ScriptedGateway,
    begin: InMemoryUnitOfWork,
    wish: dict[str, Any],
    error: type[Exception],
) -> None:
    with pytest.raises(error):
        await create(wanted(**wish))

    assert begin.state.payments == {}
    assert gateway.charges == []


async def test_an_order_id_that_is_taken_is_not_charged_again(
    create: CreatePayment,
    gateway: ScriptedGateway,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
) -> None:
    first = await given(begin, status=Status.PENDING, transaction_id="t-1")

    with pytest.raises(OrderIdTaken):
        await create(wanted(order_id="order-1", gross_amount=1))

    assert gateway.charges == []
    assert await reader.find("order-1") == first


async def test_of_two_creates_with_one_order_id_at_once_one_is_charged(
    create: CreatePayment, gateway: ScriptedGateway
) -> None:
    gateway.answers_charges_with(a_charge_answer())

    results = await asyncio.gather(
        *(create(wanted(order_id="order-1")) for _ in range(2)), return_exceptions=True
    )

    assert {type(result) for result in results} == {OrderIdTaken, Created}
    assert len(gateway.charges) == 1


async def test_an_unknown_user_is_refused_before_anything_is_stored(
    create: CreatePayment, gateway: ScriptedGateway, begin: InMemoryUnitOfWork
) -> None:
    with pytest.raises(UnknownUser):
        await create(wanted(user_id=2))

    assert begin.state.payments == {}
    assert begin.state.users == {1}
    assert gateway.charges == []


async def test_an_unknown_user_is_added_where_the_settings_say_so(
    creating: Creating,
    gateway: ScriptedGateway,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
) -> None:
    gateway.answers_charges_with(a_charge_answer())

    payment = (await creating(auto_create_users=True)(wanted(user_id=2, order_id="order-1"))).payment

    assert (payment.user_id, payment.status) == (2, Status.PENDING)
    assert payment == await found(reader)
    assert begin.state.users == {1, 2}


async def test_a_known_user_is_not_added_again(
    creating: Creating, gateway: ScriptedGateway, begin: InMemoryUnitOfWork
) -> None:
    gateway.answers_charges_with(a_charge_answer())

    await creating(auto_create_users=True)(wanted())

    assert begin.state.users == {1}


async def test_a_user_who_creates_too_much_has_to_wait(
    creating: Creating, gateway: ScriptedGateway, begin: InMemoryUnitOfWork, clock: ManualClock
) -> None:
    create = creating(per_minute=2)
    gateway.answers_charges_with(*(a_charge_answer(transaction_id=f"t-{n}") for n in range(3)))
    for _ in range(2):
        await create(wanted())

    with pytest.raises(TooManyRequests) as refused:
        await create(wanted())
    stored_meanwhile = len(begin.state.payments)
    clock.advance(refused.value.retry_after)
    payment = (await create(wanted())).payment

    assert 1 <= refused.value.retry_after <= 60
    assert stored_meanwhile == 2
    assert payment.status is Status.PENDING
