"""Creates that arrive at the same time share a commit, and each is told its own outcome."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from domain.errors import DatabaseUnavailable, OrderIdTaken, UnknownUser
from domain.status import Status
from domain.usecases.create_payment import Created, CreatePayment
from support.builders import a_charge_answer, given, wanted
from support.fakes import (
    InMemoryUnitOfWork,
    InMemoryWork,
    ManualClock,
    ScriptedGateway,
)


class CountedUnitOfWork(InMemoryUnitOfWork):
    """Counts its commits, and leaves some of them unanswered."""

    commits = 0
    unanswered = 0

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[InMemoryWork]:
        async with super().__call__() as work:
            yield work
        self.commits += 1
        if self.unanswered:
            self.unanswered -= 1
            raise DatabaseUnavailable


@pytest.fixture
def begin(clock: ManualClock) -> CountedUnitOfWork:
    return CountedUnitOfWork(clock=clock, users=[1], lock_seconds=0.05)


async def all_at_once(
    create: CreatePayment, gateway: ScriptedGateway, *order_ids: str, user_ids: dict[str, int] | None = None
) -> list[Created | BaseException]:
    for order_id in order_ids:
        gateway.answers_charges_with(a_charge_answer(transaction_id=f"t-{order_id}"))
    users = user_ids or {}
    wishes = [wanted(order_id=order_id, user_id=users.get(order_id, 1)) for order_id in order_ids]
    return await asyncio.gather(*map(create, wishes), return_exceptions=True)


async def test_they_share_a_commit_and_each_is_charged_once(
    create: CreatePayment, gateway: ScriptedGateway, begin: CountedUnitOfWork
) -> None:
    order_ids = [f"order-{number}" for number in range(10)]

    created = await all_at_once(create, gateway, *order_ids)

    assert all(isinstance(one, Created) for one in created)
    assert sorted(charge.order.order_id for charge in gateway.charges) == order_ids
    # Ten rows and ten answers.
    assert begin.commits < 10
    assert {payment.status for payment in begin.state.payments.values()} == {Status.PENDING}


async def test_one_whose_order_id_is_taken_fails_alone(
    create: CreatePayment, gateway: ScriptedGateway, begin: CountedUnitOfWork
) -> None:
    await given(begin, order_id="order-1")

    created = await all_at_once(create, gateway, "order-0", "order-1", "order-2")

    assert [type(one) for one in created] == [Created, OrderIdTaken, Created]
    assert sorted(charge.order.order_id for charge in gateway.charges) == ["order-0", "order-2"]


async def test_one_of_an_unknown_user_fails_alone(
    create: CreatePayment, gateway: ScriptedGateway, begin: CountedUnitOfWork
) -> None:
    created = await all_at_once(create, gateway, "order-0", "order-1", "order-2", user_ids={"order-1": 404})

    assert [type(one) for one in created] == [Created, UnknownUser, Created]
    assert sorted(begin.state.payments) == ["order-0", "order-2"]


async def test_rows_whose_commit_was_made_and_not_answered_are_found_and_charged(
    create: CreatePayment, gateway: ScriptedGateway, begin: CountedUnitOfWork
) -> None:
    begin.unanswered = 1

    created = await all_at_once(create, gateway, "order-0", "order-1")

    assert all(isinstance(one, Created) for one in created)
    assert len(gateway.charges) == 2
