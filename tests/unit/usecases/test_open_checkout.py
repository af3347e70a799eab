from datetime import timedelta

import pytest

from domain.errors import CheckoutNotFound
from domain.status import Status
from domain.usecases.open_checkout import OpenCheckout
from support.builders import given
from support.fake_checkouts import InMemoryCheckouts
from support.fakes import InMemoryUnitOfWork, ManualClock

TOKEN = "t" * 32


@pytest.fixture
def open_checkout(begin: InMemoryUnitOfWork, clock: ManualClock) -> OpenCheckout:
    return OpenCheckout(checkouts=InMemoryCheckouts(begin), clock=clock)


async def test_a_token_opens_its_payment(open_checkout: OpenCheckout, begin: InMemoryUnitOfWork) -> None:
    payment = await given(begin, checkout_token=TOKEN, status=Status.PENDING)
    await given(begin, order_id="order-2", checkout_token="u" * 32)

    assert await open_checkout(TOKEN) == payment


async def test_a_token_that_nobody_made_opens_nothing(open_checkout: OpenCheckout) -> None:
    with pytest.raises(CheckoutNotFound):
        await open_checkout(TOKEN)


async def test_a_token_that_has_had_its_time_opens_nothing_and_is_not_repeated(
    open_checkout: OpenCheckout, begin: InMemoryUnitOfWork, clock: ManualClock
) -> None:
    await given(begin, checkout_token=TOKEN, status=Status.PENDING)
    clock.advance(timedelta(hours=24, minutes=15).total_seconds())

    with pytest.raises(CheckoutNotFound) as refused:
        await open_checkout(TOKEN)

    assert TOKEN not in str(refused.value)
