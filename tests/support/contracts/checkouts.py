"""What the customer's side reads, whatever it is stored in."""

from dataclasses import replace
from datetime import datetime

import pytest

from domain import history
from domain.history import Source
from domain.payment import Payment
from domain.ports.changes import PaymentChanges
from domain.ports.checkouts import Checkouts
from domain.ports.work import UnitOfWork
from domain.status import Status
from support.builders import MINUTE, NOW, an_id, given

TOKEN = "t" * 32


async def becomes(begin: UnitOfWork, payment: Payment, status: Status, *, at: datetime) -> Payment:
    """The payment after a change, stored with its log row."""
    after = replace(payment, status=status)
    after, entries = history.recorded(payment, after, status, Source.STATUS_REPLY, {}, at=at)
    async with begin() as work:
        await work.payments.lock(payment.order_id)
        await work.payments.save(after, entries)
    return after


class CheckoutsContract:
    """Override ``begin`` and ``checkouts``; the store is empty before each test."""

    @pytest.fixture
    def begin(self) -> UnitOfWork:
        raise NotImplementedError

    @pytest.fixture
    def checkouts(self) -> Checkouts:
        raise NotImplementedError

    async def test_a_payment_is_found_by_its_token_alone(
        self, begin: UnitOfWork, checkouts: Checkouts
    ) -> None:
        payment = await given(begin, checkout_token=TOKEN, callback_url="app://back", metadata={"a": "b"})
        await given(begin, order_id="order-2", checkout_token="u" * 32)
        await given(begin, order_id="order-3")

        found = await checkouts.find(TOKEN)

        assert found is not None
        assert found.payment == payment
        assert found.payment.checkout_token == TOKEN

    @pytest.mark.parametrize("token", ["", "None", "T" * 32, "t" * 31, "%", "' OR true --"])
    async def test_what_is_no_token_finds_nothing(
        self, begin: UnitOfWork, checkouts: Checkouts, token: str
    ) -> None:
        await given(begin, checkout_token=TOKEN)
        await given(begin, order_id="earlier", log_length=0)

        assert await checkouts.find(token) is None

    async def test_an_open_payment_has_not_ended(self, begin: UnitOfWork, checkouts: Checkouts) -> None:
        payment = await given(begin, checkout_token=TOKEN)
        await becomes(begin, payment, Status.PENDING, at=NOW + MINUTE)

        found = await checkouts.find(TOKEN)

        assert found is not None
        assert (found.payment.status, found.ended_at) == (Status.PENDING, None)

    async def test_it_ended_with_the_first_row_that_says_so(
        self, begin: UnitOfWork, checkouts: Checkouts
    ) -> None:
        payment = await given(begin, checkout_token=TOKEN, status=Status.PENDING)
        for minutes, status in ((1, Status.EXPIRE), (2, Status.SETTLEMENT), (3, Status.REFUND)):
            payment = await becomes(begin, payment, status, at=NOW + minutes * MINUTE)

        found = await checkouts.find(TOKEN)

        assert found is not None
        assert (found.payment.status, found.ended_at) == (Status.REFUND, NOW + MINUTE)

    async def test_an_end_that_turned_out_to_be_none_does_not_count(
        self, begin: UnitOfWork, checkouts: Checkouts
    ) -> None:
        payment = await given(begin, checkout_token=TOKEN)
        payment = await becomes(begin, payment, Status.FAILURE, at=NOW + MINUTE)
        payment = await becomes(begin, payment, Status.PENDING, at=NOW + 2 * MINUTE)

        reopened = await checkouts.find(TOKEN)
        await becomes(begin, payment, Status.CANCEL, at=NOW + 3 * MINUTE)
        ended = await checkouts.find(TOKEN)

        assert reopened is not None
        assert ended is not None
        assert (reopened.ended_at, ended.ended_at) == (None, NOW + 3 * MINUTE)


class PaymentChangesContract:
    """Override ``begin`` and ``changes``; the store is empty before each test."""

    @pytest.fixture
    def begin(self) -> UnitOfWork:
        raise NotImplementedError

    @pytest.fixture
    def changes(self) -> PaymentChanges:
        raise NotImplementedError

    async def test_only_what_has_changed_is_told(self, begin: UnitOfWork, changes: PaymentChanges) -> None:
        payments = [await given(begin, order_id=f"order-{number}") for number in range(3)]
        changed = await becomes(begin, payments[1], Status.PENDING, at=NOW + MINUTE)
        seen = {payment.id: payment.log_length for payment in payments}

        assert await changes.since(seen) == [changed]
        assert await changes.since(seen | {changed.id: changed.log_length}) == []

    async def test_it_is_told_as_it_is_now_however_much_was_missed(
        self, begin: UnitOfWork, changes: PaymentChanges
    ) -> None:
        payment = await given(begin, checkout_token=TOKEN, metadata={"cart": "17"})
        seen = {payment.id: payment.log_length}
        for status in (Status.PENDING, Status.SETTLEMENT):
            payment = await becomes(begin, payment, status, at=NOW + MINUTE)

        assert await changes.since(seen) == [payment]

    async def test_a_payment_that_nobody_asked_about_is_not_told(
        self, begin: UnitOfWork, changes: PaymentChanges
    ) -> None:
        payment = await given(begin)
        await becomes(begin, payment, Status.PENDING, at=NOW + MINUTE)

        assert await changes.since({}) == []
        assert await changes.since({an_id("nobody's"): 0}) == []

    async def test_a_payment_of_an_earlier_service_changes_with_its_first_log_rows(
        self, begin: UnitOfWork, changes: PaymentChanges
    ) -> None:
        payment = await given(begin, status=Status.PENDING, log_length=0)
        seen = {payment.id: 0}
        assert await changes.since(seen) == []

        paid = await becomes(begin, payment, Status.SETTLEMENT, at=NOW + MINUTE)

        assert paid.log_length == 2
        assert await changes.since(seen) == [paid]
