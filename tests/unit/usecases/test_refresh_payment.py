from datetime import timedelta

import pytest

from domain.access import Caller
from domain.errors import DatabaseUnavailable, GatewayUnavailable, PaymentNotFound, UnknownUser
from domain.evidence import NoTransaction, StatusReply
from domain.payment import Break
from domain.status import Status
from domain.usecases.applying import ApplyEvidence
from domain.usecases.get_payment import GetPayment
from domain.usecases.refresh_payment import RefreshPayment
from support.builders import NOW, a_status_reply, given
from support.fakes import (
    InMemoryPaymentReader,
    InMemoryUnitOfWork,
    ManualClock,
    ScriptedGateway,
)
from support.log import is_intact

OWNER = Caller(user_id=1)
AWAY = GatewayUnavailable("ReadError")


@pytest.fixture
def refresh(
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    clock: ManualClock,
) -> RefreshPayment:
    get = GetPayment(begin=begin, reader=reader, any_user=False)
    return RefreshPayment(begin=begin, get=get, gateway=gateway, clock=clock)


async def test_an_open_payment_is_brought_up_to_date(
    refresh: RefreshPayment,
    gateway: ScriptedGateway,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
) -> None:
    await given(begin, status=Status.PENDING, transaction_id="t-1")
    gateway.answers_status_of("t-1", a_status_reply(settled_at=NOW + timedelta(seconds=90)))

    refreshed = await refresh("order-1", OWNER)

    assert refreshed.refreshed
    assert refreshed.payment.status is Status.SETTLEMENT
    assert refreshed.payment.paid_at == NOW + timedelta(seconds=90)
    assert refreshed.payment == await reader.find("order-1")
    assert is_intact(await reader.log(refreshed.payment.id), refreshed.payment)


async def test_a_payment_without_a_transaction_is_asked_about_by_its_order_id(
    refresh: RefreshPayment, gateway: ScriptedGateway, begin: InMemoryUnitOfWork
) -> None:
    await given(begin)
    gateway.answers_status_of("order-1", a_status_reply(transaction_status="pending"))

    refreshed = await refresh("order-1", OWNER)

    assert refreshed.refreshed
    assert (refreshed.payment.status, refreshed.payment.transaction_id) == (Status.PENDING, "t-1")


async def test_a_payment_with_a_transaction_is_asked_about_by_it(
    refresh: RefreshPayment, gateway: ScriptedGateway, begin: InMemoryUnitOfWork
) -> None:
    await given(begin, status=Status.PENDING, transaction_id="t-1")
    gateway.answers_status_of("order-1", a_status_reply(transaction_id="t-2"))
    gateway.answers_status_of("t-1", a_status_reply(transaction_status="expire"))

    assert (await refresh("order-1", OWNER)).payment.status is Status.EXPIRE


@pytest.mark.parametrize("status", [status for status in Status if not status.is_open])
async def test_midtrans_is_not_asked_about_a_payment_that_ended(
    refresh: RefreshPayment, gateway: ScriptedGateway, begin: InMemoryUnitOfWork, status: Status
) -> None:
    payment = await given(begin, status=status, transaction_id="t-1")
    gateway.answers_status_of("t-1", AWAY)

    refreshed = await refresh("order-1", OWNER)

    assert (refreshed.payment, refreshed.refreshed) == (payment, True)
    assert gateway.asked == []


@pytest.mark.parametrize("status", ["pending", "created"])
async def test_midtrans_is_asked_once_in_ten_seconds(
    refresh: RefreshPayment,
    gateway: ScriptedGateway,
    begin: InMemoryUnitOfWork,
    clock: ManualClock,
    status: str,
) -> None:
    await given(begin, status=Status(status), transaction_id="t-1" if status == "pending" else None)
    gateway.answers_status_of("t-1", a_status_reply(transaction_status="pending"))

    asked = []
    for seconds in (0, 0, 9, 1, 9, 1):
        clock.advance(seconds)
        assert (await refresh("order-1", OWNER)).refreshed
        asked.append(len(gateway.asked))

    assert asked == [1, 1, 1, 2, 2, 3]


async def test_payments_do_not_wait_for_each_others_turn(
    refresh: RefreshPayment, gateway: ScriptedGateway, begin: InMemoryUnitOfWork
) -> None:
    for number in (1, 2):
        await given(begin, order_id=f"order-{number}", status=Status.PENDING, transaction_id=f"t-{number}")

    for number in (1, 2):
        await refresh(f"order-{number}", OWNER)

    assert gateway.asked == ["t-1", "t-2"]


async def test_it_is_not_refreshed_when_midtrans_should_have_answered_and_did_not(
    refresh: RefreshPayment, gateway: ScriptedGateway, begin: InMemoryUnitOfWork
) -> None:
    payment = await given(begin, status=Status.PENDING, transaction_id="t-1")
    gateway.answers_status_of("t-1", AWAY)

    refreshed = await refresh("order-1", OWNER)

    assert (refreshed.payment, refreshed.refreshed) == (payment, False)


async def test_it_is_refreshed_again_once_midtrans_is_back(
    refresh: RefreshPayment, gateway: ScriptedGateway, begin: InMemoryUnitOfWork, clock: ManualClock
) -> None:
    await given(begin, status=Status.PENDING, transaction_id="t-1")
    gateway.answers_status_of("t-1", AWAY, a_status_reply())

    first = await refresh("order-1", OWNER)
    clock.advance(10)
    second = await refresh("order-1", OWNER)

    assert [first.refreshed, second.refreshed] == [False, True]
    assert second.payment.status is Status.SETTLEMENT


@pytest.mark.parametrize(
    ("minutes", "status"), [(10, Status.CREATED), (11, Status.FAILURE), (60, Status.FAILURE)]
)
async def test_a_payment_that_midtrans_does_not_know_fails_only_after_ten_minutes(
    refresh: RefreshPayment,
    begin: InMemoryUnitOfWork,
    gateway: ScriptedGateway,
    clock: ManualClock,
    minutes: int,
    status: Status,
) -> None:
    await given(begin)
    clock.advance(minutes * 60)

    refreshed = await refresh("order-1", OWNER)

    assert refreshed.payment.status is status
    assert gateway.asked == ["order-1"]


@pytest.mark.parametrize(
    ("minutes", "breaks"), [(24, ()), (26, (Break(reason="missing_there", subject="t-1"),))]
)
async def test_a_pending_payment_that_midtrans_does_not_know_stays_pending_and_is_a_break_once_long_overdue(
    refresh: RefreshPayment,
    gateway: ScriptedGateway,
    begin: InMemoryUnitOfWork,
    clock: ManualClock,
    minutes: int,
    breaks: tuple[Break, ...],
) -> None:
    await given(begin, status=Status.PENDING, transaction_id="t-1")
    clock.advance(minutes * 60)
    gateway.answers_status_of("t-1", NoTransaction(received_at=clock.now()))

    refreshed = await refresh("order-1", OWNER)

    assert refreshed.refreshed
    assert (refreshed.payment.status, refreshed.payment.breaks) == (Status.PENDING, breaks)


async def test_an_overdue_payment_is_expired_on_midtranss_word_alone(
    refresh: RefreshPayment, gateway: ScriptedGateway, begin: InMemoryUnitOfWork, clock: ManualClock
) -> None:
    await given(begin, status=Status.PENDING, transaction_id="t-1")
    gateway.answers_status_of(
        "t-1",
        a_status_reply(transaction_status="pending"),
        a_status_reply(transaction_status="expire"),
    )
    clock.advance(16 * 60)

    overdue = await refresh("order-1", OWNER)
    clock.advance(10)
    expired = await refresh("order-1", OWNER)

    assert overdue.payment.expires_at < clock.now()
    assert overdue.payment.status is Status.PENDING
    assert expired.payment.status is Status.EXPIRE


async def test_a_reply_with_anothers_transaction_is_a_break_on_this_payment_only(
    refresh: RefreshPayment,
    gateway: ScriptedGateway,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
) -> None:
    other = await given(begin, order_id="other", status=Status.PENDING, transaction_id="t-1")
    await given(begin)
    gateway.answers_status_of("order-1", a_status_reply(transaction_id="t-1"))

    refreshed = await refresh("order-1", OWNER)

    assert refreshed.payment.status is Status.CREATED
    assert refreshed.payment.breaks == (Break(reason="transaction_taken", subject="t-1"),)
    assert await reader.find("other") == other


async def test_a_repeated_reply_leaves_the_log_alone(
    refresh: RefreshPayment,
    gateway: ScriptedGateway,
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    clock: ManualClock,
) -> None:
    payment = await given(begin, status=Status.PENDING, transaction_id="t-1")
    gateway.answers_status_of("t-1", a_status_reply(transaction_status="pending"))

    for _ in range(3):
        await refresh("order-1", OWNER)
        clock.advance(10)

    assert await reader.find("order-1") == payment
    assert len(await reader.log(payment.id)) == 1


@pytest.mark.parametrize("order_id", ["order-1", "nobody's"])
async def test_anothers_payment_is_not_found_and_not_asked_about(
    refresh: RefreshPayment, gateway: ScriptedGateway, begin: InMemoryUnitOfWork, order_id: str
) -> None:
    await given(begin, user_id=2, status=Status.PENDING, transaction_id="t-1")

    with pytest.raises(PaymentNotFound, match=order_id):
        await refresh(order_id, OWNER)

    assert gateway.asked == []


async def test_somebody_unknown_is_told_so(refresh: RefreshPayment, begin: InMemoryUnitOfWork) -> None:
    await given(begin)

    with pytest.raises(UnknownUser):
        await refresh("order-1", Caller(user_id=404))


async def test_a_lost_database_is_not_told_as_refreshed(
    refresh: RefreshPayment, begin: InMemoryUnitOfWork
) -> None:
    await given(begin)
    begin.is_away = True

    with pytest.raises(DatabaseUnavailable):
        await refresh("order-1", OWNER)


async def test_a_payment_that_is_paid_while_midtrans_is_asked_stays_paid(
    refresh: RefreshPayment, gateway: ScriptedGateway, begin: InMemoryUnitOfWork
) -> None:
    await given(begin, status=Status.PENDING, transaction_id="t-1")

    async def paid_meanwhile() -> StatusReply:
        await ApplyEvidence(begin)("order-1", (a_status_reply(),), at=NOW)
        return a_status_reply(transaction_status="pending")

    gateway.answers_status_of("t-1", paid_meanwhile)
    refreshed = await refresh("order-1", OWNER)

    assert refreshed.refreshed
    assert refreshed.payment.status is Status.SETTLEMENT
