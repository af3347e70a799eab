from dataclasses import replace

import pytest

from domain import history
from domain.history import Source
from domain.payment import Payment
from domain.status import Status
from domain.usecases.follow_payment import FollowPayment
from support.builders import NOW, given
from support.fakes import InMemoryPaymentReader, InMemoryUnitOfWork


@pytest.fixture
def follow(begin: InMemoryUnitOfWork) -> FollowPayment:
    return FollowPayment(reader=InMemoryPaymentReader(begin))


async def a_life(begin: InMemoryUnitOfWork, *statuses: Status) -> Payment:
    """A payment that went through these, one log row each."""
    payment = await given(begin, status=statuses[0])
    for status in statuses[1:]:
        after, entries = history.recorded(
            payment, replace(payment, status=status), status, Source.STATUS_REPLY, {}, at=NOW
        )
        async with begin() as work:
            await work.payments.lock(payment.order_id)
            await work.payments.save(after, entries)
        payment = after
    return payment


LIFE = (Status.CREATED, Status.PENDING, Status.SETTLEMENT, Status.REFUND)


@pytest.mark.parametrize("seen", [None, 0, 1, 2, 5])
async def test_of_an_open_payment_there_may_always_be_more(
    follow: FollowPayment, begin: InMemoryUnitOfWork, seen: int | None
) -> None:
    payment = await a_life(begin, *LIFE[:2])

    assert await follow(payment, seen=seen)


@pytest.mark.parametrize(
    ("seen", "is_more"), [(None, True), (0, True), (1, True), (2, True), (3, False), (4, False), (9, False)]
)
async def test_of_one_that_is_over_there_is_more_until_its_end_was_seen(
    follow: FollowPayment,
    begin: InMemoryUnitOfWork,
    seen: int | None,
    is_more: bool,  # noqa: FBT001
) -> None:
    payment = await a_life(begin, *LIFE)

    assert await follow(payment, seen=seen) is is_more


async def test_an_end_that_turned_out_to_be_none_was_not_the_end(
    follow: FollowPayment, begin: InMemoryUnitOfWork
) -> None:
    payment = await a_life(begin, Status.CREATED, Status.FAILURE, Status.PENDING)

    assert await follow(payment, seen=2)


async def test_a_payment_of_an_earlier_service_has_no_log_and_is_told_once(
    follow: FollowPayment, begin: InMemoryUnitOfWork
) -> None:
    payment = await given(begin, status=Status.SETTLEMENT, log_length=0)

    assert await follow(payment, seen=None)
    assert not await follow(payment, seen=0)
