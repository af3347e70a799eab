"""What every store of Idempotency-Keys promises, whatever it is made of."""

import asyncio
from typing import Any, Final

import pytest

from domain.errors import OrderIdTaken
from domain.idempotency import LIFE, IdempotentCall, Refused, Taken
from domain.ports.idempotency import Claim, Ended, New, Resumed, Reused, Running
from domain.ports.payments import PaymentReader
from domain.ports.work import UnitOfWork
from support.builders import MINUTE, USER_ID, an_id, an_opened_payment
from support.contracts.time import PassTime

REFUSED: Final = Refused(gateway_code="402", gateway_message="Payment channel is not activated.")
LOST: Final = Refused(gateway_code="404", gateway_message="It's gone ☕", lost=True)


def a_call(**changes: Any) -> IdempotentCall:
    return IdempotentCall(**{"user_id": USER_ID, "key": "one", "fingerprint": b"values"} | changes)


async def claimed(begin: UnitOfWork, call: IdempotentCall, order_id: str = "order-1") -> Claim:
    """One call as creating makes it: the key, and with a new one its payment."""
    payment, entries = an_opened_payment(order_id=order_id, user_id=call.user_id)
    async with begin() as work:
        await work.users.add(call.user_id)
        claim = await work.idempotency.claim(call, payment.id)
        if isinstance(claim, New):
            await work.payments.add(payment, entries)
    return claim


class IdempotencyKeysContract:
    """Override ``begin``, ``reader`` and ``pass_time``; the store is empty before each test."""

    @pytest.fixture
    def begin(self) -> UnitOfWork:
        raise NotImplementedError

    @pytest.fixture
    def reader(self) -> PaymentReader:
        raise NotImplementedError

    @pytest.fixture
    def pass_time(self) -> PassTime:
        raise NotImplementedError

    async def test_a_key_that_nobody_used_is_new(self, begin: UnitOfWork) -> None:
        assert await claimed(begin, a_call()) == New()

    async def test_a_key_is_seen_from_its_commit_on(self, begin: UnitOfWork) -> None:
        async with begin() as work:
            before = await work.idempotency.seen(a_call())
        await claimed(begin, a_call())
        async with begin() as work:
            after = await work.idempotency.seen(a_call())

        assert (before, after) == (False, True)

    async def test_a_repeat_while_the_first_is_at_it_is_told_to_wait(self, begin: UnitOfWork) -> None:
        await claimed(begin, a_call())

        again = await claimed(begin, a_call(), "order-2")

        assert isinstance(again, Running)
        assert 1 <= again.retry_after <= 30

    async def test_of_many_at_once_one_gets_it_and_the_others_wait_for_its_commit(
        self, begin: UnitOfWork, reader: PaymentReader
    ) -> None:
        async with begin() as work:
            await work.users.add(USER_ID)

        async with asyncio.timeout(10):
            claims = await asyncio.gather(
                *(claimed(begin, a_call(), f"order-{number}") for number in range(6))
            )

        assert sorted(type(claim).__name__ for claim in claims) == ["New", *["Running"] * 5]
        winner = f"order-{[type(claim) for claim in claims].index(New)}"
        found = await reader.page(user_id=USER_ID, status=None, after=None, limit=10)
        assert [payment.order_id for payment in found] == [winner]

    async def test_when_the_first_is_undone_the_one_that_waited_gets_it(self, begin: UnitOfWork) -> None:
        holding, undo = asyncio.Event(), asyncio.Event()

        async def first() -> None:
            async with begin() as work:
                await work.users.add(USER_ID)
                await work.idempotency.claim(a_call(), an_id("order-1"))
                holding.set()
                await undo.wait()
                raise ZeroDivisionError

        async def second() -> Claim:
            async with begin() as work:
                undo.set()
                claim = await work.idempotency.claim(a_call(), an_id("order-2"))
                payment, entries = an_opened_payment(order_id="order-2")
                await work.users.add(USER_ID)
                await work.payments.add(payment, entries)
            return claim

        async with asyncio.timeout(10):
            task = asyncio.create_task(first())
            await holding.wait()
            claim = await second()
            with pytest.raises(ZeroDivisionError):
                await task

        assert claim == New()

    async def test_other_values_under_the_same_key_are_told_apart(self, begin: UnitOfWork) -> None:
        await claimed(begin, a_call())

        assert await claimed(begin, a_call(fingerprint=b"other"), "order-2") == Reused()

    async def test_other_values_are_told_apart_also_after_the_end(self, begin: UnitOfWork) -> None:
        await claimed(begin, a_call())
        async with begin() as work:
            await work.idempotency.end(a_call(), Taken())

        assert await claimed(begin, a_call(fingerprint=b"other"), "order-2") == Reused()

    @pytest.mark.parametrize("uncharged", [True, False])
    async def test_a_released_call_is_resumed_at_once(self, begin: UnitOfWork, *, uncharged: bool) -> None:
        await claimed(begin, a_call())
        async with begin() as work:
            await work.idempotency.release(a_call(), uncharged=uncharged)

        resumed = await claimed(begin, a_call(), "order-2")
        meanwhile = await claimed(begin, a_call(), "order-3")

        assert resumed == Resumed(order_id="order-1", uncharged=uncharged)
        assert isinstance(meanwhile, Running)

    async def test_whoever_resumes_may_have_charged(self, begin: UnitOfWork, pass_time: PassTime) -> None:
        await claimed(begin, a_call())
        async with begin() as work:
            await work.idempotency.release(a_call(), uncharged=True)
        await claimed(begin, a_call())
        await pass_time(31)

        assert await claimed(begin, a_call()) == Resumed(order_id="order-1", uncharged=False)

    async def test_a_lease_runs_out_after_30_seconds(self, begin: UnitOfWork, pass_time: PassTime) -> None:
        await claimed(begin, a_call())

        await pass_time(25)
        before = await claimed(begin, a_call(), "order-2")
        await pass_time(6)
        after = await claimed(begin, a_call(), "order-2")

        assert isinstance(before, Running)
        assert before.retry_after <= 5
        assert after == Resumed(order_id="order-1", uncharged=False)

    async def test_a_lease_that_is_kept_runs_another_30_seconds(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        await claimed(begin, a_call())
        await pass_time(25)
        async with begin() as work:
            await work.idempotency.keep(a_call())
        await pass_time(25)

        assert isinstance(await claimed(begin, a_call()), Running)

    async def test_of_many_that_resume_at_once_one_gets_it(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        await claimed(begin, a_call())
        await pass_time(31)

        async with asyncio.timeout(10):
            claims = await asyncio.gather(*(claimed(begin, a_call()) for _ in range(6)))

        assert sorted(type(claim).__name__ for claim in claims) == ["Resumed", *["Running"] * 5]

    @pytest.mark.parametrize("ending", [Taken(), REFUSED, LOST], ids=["taken", "refused", "lost"])
    async def test_an_ended_call_tells_how_it_ended(
        self, begin: UnitOfWork, pass_time: PassTime, ending: Taken | Refused
    ) -> None:
        await claimed(begin, a_call())
        async with begin() as work:
            await work.idempotency.end(a_call(), ending)
        await pass_time(3600)

        assert await claimed(begin, a_call(), "order-2") == Ended(order_id="order-1", ending=ending)

    async def test_an_end_is_the_last_word(self, begin: UnitOfWork) -> None:
        await claimed(begin, a_call())
        async with begin() as work:
            await work.idempotency.end(a_call(), REFUSED)
        async with begin() as work:
            await work.idempotency.end(a_call(), Taken())
            await work.idempotency.release(a_call(), uncharged=True)

        assert await claimed(begin, a_call()) == Ended(order_id="order-1", ending=REFUSED)

    async def test_an_end_that_is_undone_is_none(self, begin: UnitOfWork) -> None:
        await claimed(begin, a_call())
        with pytest.raises(ZeroDivisionError):  # noqa: PT012 - it leaves by the exception
            async with begin() as work:
                await work.idempotency.end(a_call(), Taken())
                raise ZeroDivisionError

        assert isinstance(await claimed(begin, a_call()), Running)

    async def test_the_keys_of_two_users_are_apart(self, begin: UnitOfWork) -> None:
        theirs = a_call(user_id=2, fingerprint=b"theirs")
        await claimed(begin, a_call())
        async with begin() as work:
            await work.idempotency.end(a_call(), Taken())
            seen = await work.idempotency.seen(theirs)

        assert not seen
        assert await claimed(begin, theirs, "order-2") == New()
        assert await claimed(begin, a_call()) == Ended(order_id="order-1", ending=Taken())

    async def test_two_keys_of_one_user_are_apart(self, begin: UnitOfWork) -> None:
        await claimed(begin, a_call())

        assert await claimed(begin, a_call(key="One"), "order-2") == New()

    async def test_a_payment_that_is_undone_leaves_no_key(self, begin: UnitOfWork) -> None:
        await claimed(begin, a_call(key="another"))
        with pytest.raises(OrderIdTaken):
            await claimed(begin, a_call())

        async with begin() as work:
            assert not await work.idempotency.seen(a_call())
        assert await claimed(begin, a_call(), "order-2") == New()

    async def test_a_key_lives_72_hours(self, begin: UnitOfWork, pass_time: PassTime) -> None:
        await claimed(begin, a_call())
        async with begin() as work:
            await work.idempotency.end(a_call(), Taken())

        await pass_time((LIFE - MINUTE).total_seconds())
        before = await claimed(begin, a_call(), "order-2")
        await pass_time(60)
        async with begin() as work:
            seen = await work.idempotency.seen(a_call())
        after = await claimed(begin, a_call(fingerprint=b"other"), "order-2")

        assert before == Ended(order_id="order-1", ending=Taken())
        assert not seen
        assert after == New()
