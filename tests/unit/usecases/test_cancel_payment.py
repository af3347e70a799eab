"""A pending payment is cancelled on Midtrans's word; money that was faster stays money."""

from typing import Any, Final

import pytest

from domain.access import OPERATOR, Caller
from domain.errors import (
    CancelUnknown,
    DatabaseUnavailable,
    GatewayRefused,
    GatewayUnavailable,
    IllegalTransition,
    PaymentNotFound,
)
from domain.evidence import NoTransaction, StatusReply
from domain.history import Source
from domain.ports.gateway import Declined
from domain.status import Status
from domain.usecases.applying import ApplyEvidence
from domain.usecases.cancel_payment import CancelPayment
from domain.usecases.get_payment import GetPayment
from support.builders import NOW, a_status_reply, given
from support.fakes import InMemoryPaymentReader, InMemoryUnitOfWork, ManualClock, ScriptedGateway
from support.log import is_intact

OWNER: Final = Caller(user_id=1)
CANCELLED: Final = a_status_reply(transaction_status="cancel")


@pytest.fixture
def cancel(
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    clock: ManualClock,
) -> CancelPayment:
    get = GetPayment(begin=begin, reader=reader, any_user=False)
    return CancelPayment(begin=begin, get=get, gateway=gateway, clock=clock)


async def pending(begin: InMemoryUnitOfWork, **changes: Any) -> None:
    await given(begin, **{"status": Status.PENDING, "transaction_id": "t-1"} | changes)


async def stored(reader: InMemoryPaymentReader) -> Any:
    payment = await reader.find("order-1")
    assert payment is not None
    assert is_intact(await reader.log(payment.id), payment)
    return payment


async def test_a_pending_payment_is_cancelled_at_midtrans(
    cancel: CancelPayment, begin: InMemoryUnitOfWork, reader: InMemoryPaymentReader, gateway: ScriptedGateway
) -> None:
    await pending(begin)
    gateway.answers_cancel_of("t-1", CANCELLED)

    payment = await cancel("order-1", OWNER)

    assert payment.status is Status.CANCEL
    assert payment == await stored(reader)
    assert gateway.cancelled == ["t-1"]
    log = [(entry.what, entry.source, dict(entry.detail)) for entry in await reader.log(payment.id)]
    assert log[1:] == [
        ("cancel asked", "shop", {"by": "user 1"}),
        ("cancel", "status reply", {"from": "pending"}),
    ]


async def test_before_midtrans_is_asked_it_is_committed_that_nothing_is_charged_again(
    cancel: CancelPayment, begin: InMemoryUnitOfWork, reader: InMemoryPaymentReader, gateway: ScriptedGateway
) -> None:
    await pending(begin)
    may_charge = []

    async def look() -> StatusReply:
        payment = await stored(reader)
        async with begin() as work:
            may_charge.append(await work.payments.charge_again(payment.id))
            may_charge.append(await work.payments.charge_anew(payment.id))
        return CANCELLED

    gateway.answers_cancel_of("t-1", look)
    await cancel("order-1", OWNER)

    assert may_charge == [False, False]


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.PENDING])
async def test_only_a_pending_payment_is_cancelled(
    cancel: CancelPayment,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    status: Status,
) -> None:
    await pending(begin, status=status)
    before = await stored(reader)

    with pytest.raises(IllegalTransition, match=f"is {status}, so it cannot be cancelled") as refused:
        await cancel("order-1", OWNER)

    assert refused.value.payment == before == await stored(reader)
    assert gateway.cancelled == []


@pytest.mark.parametrize("status", ["settlement", "expire", "deny", "refund"])
async def test_what_was_faster_is_told_with_the_payment(
    cancel: CancelPayment,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    status: str,
) -> None:
    await pending(begin)
    gateway.answers_cancel_of("t-1", a_status_reply(transaction_status=status))

    with pytest.raises(IllegalTransition) as too_late:
        await cancel("order-1", OWNER)

    assert too_late.value.payment == await stored(reader)
    assert (await stored(reader)).status is Status(status)


async def test_money_that_was_notified_during_the_cancel_stays(
    cancel: CancelPayment, begin: InMemoryUnitOfWork, reader: InMemoryPaymentReader, gateway: ScriptedGateway
) -> None:
    await pending(begin)

    async def paid_meanwhile() -> StatusReply:
        await ApplyEvidence(begin)("order-1", (a_status_reply(),), at=NOW)
        return CANCELLED

    gateway.answers_cancel_of("t-1", paid_meanwhile)
    with pytest.raises(IllegalTransition, match="settlement"):
        await cancel("order-1", OWNER)

    assert (await stored(reader)).status is Status.SETTLEMENT


async def test_a_second_cancel_is_told_that_it_is_cancelled(
    cancel: CancelPayment, begin: InMemoryUnitOfWork, gateway: ScriptedGateway
) -> None:
    await pending(begin)
    gateway.answers_cancel_of("t-1", CANCELLED)
    cancelled = await cancel("order-1", OWNER)

    with pytest.raises(IllegalTransition, match="is cancel") as again:
        await cancel("order-1", OWNER)

    assert again.value.payment == cancelled


async def test_a_cancel_whose_answer_was_lost_succeeds_when_it_is_asked_for_again(
    cancel: CancelPayment, begin: InMemoryUnitOfWork, reader: InMemoryPaymentReader, gateway: ScriptedGateway
) -> None:
    await pending(begin)
    gateway.answers_cancel_of("t-1", GatewayUnavailable("ReadError"), CANCELLED)

    with pytest.raises(CancelUnknown, match="did not say whether payment order-1 was cancelled"):
        await cancel("order-1", OWNER)
    meanwhile = (await stored(reader)).status
    payment = await cancel("order-1", OWNER)

    assert (meanwhile, payment.status) == (Status.PENDING, Status.CANCEL)
    whats = [entry.what for entry in await reader.log(payment.id)]
    assert whats == ["created", "cancel asked", "cancel"]


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Declined(code="402", message="GoPay merchant is not active."), "402"),
        (Declined(code="401", message="Unknown Merchant server_key/id"), "401"),
        (NoTransaction(received_at=NOW), "404"),
    ],
)
async def test_a_refusal_is_told_in_midtranss_words_and_changes_nothing(
    cancel: CancelPayment,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    reply: Any,
    code: str,
) -> None:
    await pending(begin)
    gateway.answers_cancel_of("t-1", reply)

    with pytest.raises(GatewayRefused) as refused:
        await cancel("order-1", OWNER)

    assert (refused.value.order_id, refused.value.gateway_code) == ("order-1", code)
    assert (await stored(reader)).status is Status.PENDING


@pytest.mark.parametrize(
    "reply",
    [
        a_status_reply(transaction_status="pending"),
        a_status_reply(transaction_status="cancel", order_id="another"),
        a_status_reply(transaction_status="cancel", gross_amount="10001.00"),
    ],
)
async def test_an_answer_that_does_not_end_it_is_no_answer(
    cancel: CancelPayment,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    reply: StatusReply,
) -> None:
    await pending(begin)
    gateway.answers_cancel_of("t-1", reply)

    with pytest.raises(CancelUnknown):
        await cancel("order-1", OWNER)

    assert (await stored(reader)).status is Status.PENDING


async def test_a_pending_payment_without_a_transaction_is_cancelled_by_order_id(
    cancel: CancelPayment, begin: InMemoryUnitOfWork, gateway: ScriptedGateway
) -> None:
    await pending(begin, transaction_id=None, log_length=0)
    gateway.answers_cancel_of("order-1", CANCELLED)

    assert (await cancel("order-1", OWNER)).status is Status.CANCEL


async def test_an_operator_s_act_is_in_the_log_each_time(
    cancel: CancelPayment, begin: InMemoryUnitOfWork, reader: InMemoryPaymentReader, gateway: ScriptedGateway
) -> None:
    await pending(begin)
    gateway.answers_cancel_of("t-1", GatewayUnavailable("ReadError"), CANCELLED)

    with pytest.raises(CancelUnknown):
        await cancel("order-1", OPERATOR, source=Source.OPERATOR)
    payment = await cancel("order-1", OPERATOR, source=Source.OPERATOR)

    log = [(entry.what, entry.source) for entry in await reader.log(payment.id)]
    assert log[1:3] == [("cancel asked", "operator")] * 2


async def test_another_user_s_payment_is_not_there(
    cancel: CancelPayment, begin: InMemoryUnitOfWork, gateway: ScriptedGateway
) -> None:
    await pending(begin, user_id=2)

    with pytest.raises(PaymentNotFound):
        await cancel("order-1", OWNER)

    assert gateway.cancelled == []


async def test_without_a_database_midtrans_is_not_asked(
    cancel: CancelPayment, begin: InMemoryUnitOfWork, gateway: ScriptedGateway
) -> None:
    await pending(begin)
    begin.fail_next_commits = 1

    with pytest.raises(DatabaseUnavailable):
        await cancel("order-1", OWNER)

    assert gateway.cancelled == []
