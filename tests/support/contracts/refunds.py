"""What every store of refunds promises, whatever it is made of."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from domain.ports.work import UnitOfWork
from domain.refund import Refund, RefundStatus
from support.builders import MINUTE, NOW, USER_ID, a_refund, an_id, given
from support.contracts.time import PassTime

DAY: Final = timedelta(days=1).total_seconds()
ACCEPTED: Final[dict[str, Any]] = {"status": RefundStatus.ACCEPTED, "accepted_at": NOW + MINUTE}
REFUSED: Final[dict[str, Any]] = {
    "status": RefundStatus.REFUSED,
    "gateway_code": "412",
    "gateway_message": "It's \u2615 'no'",
}


async def added(begin: UnitOfWork, *refunds: Refund) -> None:
    """Refunds of ``order-1``, just asked for."""
    await given(begin)
    async with begin() as work:
        for refund in refunds:
            assert await work.refunds.add(refund)


async def stored(begin: UnitOfWork, name: str = "refund") -> Refund:
    async with begin() as work:
        found = await work.refunds.lock(an_id(name))
    assert found is not None
    return found


async def saved(begin: UnitOfWork, name: str = "refund", **changes: Any) -> Refund:
    """The refund after a change of where it stands."""
    async with begin() as work:
        found = await work.refunds.lock(an_id(name))
        assert found is not None
        await work.refunds.save(replace(found, **changes))
    return replace(found, **changes)


async def due(begin: UnitOfWork, limit: int = 10) -> list[Refund]:
    async with begin() as work:
        return [found.refund for found in await work.refunds.take_due(limit=limit)]


class RefundsContract:
    """Override ``begin`` and ``pass_time``; the store is empty before each test."""

    @pytest.fixture
    def begin(self) -> UnitOfWork:
        raise NotImplementedError

    @pytest.fixture
    def pass_time(self) -> PassTime:
        raise NotImplementedError

    async def test_a_refund_is_found_as_it_was_added(self, begin: UnitOfWork) -> None:
        refund = a_refund(reason="'; DROP TABLE payment_refunds; -- \u2615", fingerprint=b"\x00\xff")

        await added(begin, refund)

        async with begin() as work:
            locked = await work.refunds.lock(refund.id)
            known = await work.refunds.known(USER_ID, "refund")
            listed = await work.refunds.of_payment(refund.payment_id)
        assert locked == refund
        assert known is not None
        assert known.refund == refund
        assert listed == [refund]

    async def test_what_is_not_there_is_not_found(self, begin: UnitOfWork) -> None:
        await added(begin, a_refund())

        async with begin() as work:
            assert await work.refunds.lock(an_id("another")) is None
            assert await work.refunds.known(USER_ID, "another") is None
            assert await work.refunds.known(2, "refund") is None
            assert await work.refunds.of_payment(an_id("another")) == []

    async def test_a_payment_s_refunds_come_oldest_first(self, begin: UnitOfWork) -> None:
        await given(begin, order_id="other")
        newer = a_refund("newer", created_at=NOW + MINUTE)
        older = a_refund("older")
        await added(begin, newer, older)
        async with begin() as work:
            await work.refunds.add(a_refund("theirs", payment_id=an_id("other")))

        async with begin() as work:
            assert await work.refunds.of_payment(an_id("order-1")) == [older, newer]

    async def test_a_key_is_taken_once(self, begin: UnitOfWork) -> None:
        await added(begin, a_refund())

        async with begin() as work:
            again = await work.refunds.add(a_refund(id=an_id("another"), amount=1))
            listed = await work.refunds.of_payment(an_id("order-1"))

        assert not again
        assert listed == [a_refund()]

    async def test_the_keys_of_two_users_are_apart(self, begin: UnitOfWork) -> None:
        await added(begin, a_refund(), a_refund("another", user_id=2, key="refund"))

        async with begin() as work:
            known = await work.refunds.known(2, "refund")
        assert known is not None
        assert known.refund.id == an_id("another")

    async def test_of_two_that_take_a_key_at_once_one_gets_it(self, begin: UnitOfWork) -> None:
        await given(begin)
        await given(begin, order_id="other")
        rivals = [
            a_refund("one", key="key"),
            a_refund("two", key="key", payment_id=an_id("other")),
        ]

        async def take(refund: Refund) -> bool:
            async with begin() as work:
                return await work.refunds.add(refund)

        async with asyncio.timeout(10):
            got = await asyncio.gather(*map(take, rivals))

        assert sorted(got) == [False, True]
        async with begin() as work:
            known = await work.refunds.known(USER_ID, "key")
        assert known is not None
        assert known.refund == rivals[got.index(True)]

    async def test_a_refund_that_is_undone_leaves_no_key(self, begin: UnitOfWork) -> None:
        await given(begin)
        with pytest.raises(ZeroDivisionError):  # noqa: PT012 - it leaves by the exception
            async with begin() as work:
                await work.refunds.add(a_refund())
                raise ZeroDivisionError

        async with begin() as work:
            assert await work.refunds.known(USER_ID, "refund") is None
            assert await work.refunds.add(a_refund())

    async def test_a_new_one_is_held_for_30_seconds(self, begin: UnitOfWork, pass_time: PassTime) -> None:
        await added(begin, a_refund())

        async with begin() as work:
            first = await work.refunds.known(USER_ID, "refund")
        await pass_time(31)
        async with begin() as work:
            later = await work.refunds.known(USER_ID, "refund")

        assert first is not None
        assert later is not None
        assert 1 <= first.leased_seconds <= 30
        assert later.leased_seconds <= 0

    @pytest.mark.parametrize(
        "changes",
        [
            {},
            ACCEPTED,
            ACCEPTED | {"confirmed_at": NOW + timedelta(days=1)},
            REFUSED,
            {"status": RefundStatus.NOT_SENT},
        ],
        ids=["requested", "accepted", "confirmed", "refused", "not sent"],
    )
    async def test_where_it_stands_is_kept_and_nobody_holds_it(
        self, begin: UnitOfWork, changes: dict[str, Any]
    ) -> None:
        await added(begin, a_refund())

        after = await saved(begin, **changes)

        async with begin() as work:
            known = await work.refunds.known(USER_ID, "refund")
        assert known is not None
        assert known.refund == after == replace(a_refund(), **changes)
        assert known.leased_seconds <= 0

    @pytest.mark.parametrize("status", [RefundStatus.NOT_SENT, RefundStatus.REQUESTED])
    async def test_one_that_is_taken_up_again_is_requested_and_held(
        self, begin: UnitOfWork, status: RefundStatus
    ) -> None:
        await added(begin, a_refund())
        await saved(begin, status=status)

        async with begin() as work:
            taken = await work.refunds.take(an_id("refund"))
        async with begin() as work:
            known = await work.refunds.known(USER_ID, "refund")

        assert taken == replace(a_refund(), attempts=2)
        assert known is not None
        assert known.refund == taken
        assert 1 <= known.leased_seconds <= 30

    async def test_what_somebody_is_at_is_not_due(self, begin: UnitOfWork, pass_time: PassTime) -> None:
        await added(begin, a_refund())

        await pass_time(25)
        early = await due(begin)
        await pass_time(6)
        late = await due(begin)

        assert early == []
        assert late == [replace(a_refund(), attempts=2)]

    async def test_what_is_taken_is_another_s_for_a_minute(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        await added(begin, a_refund())
        await pass_time(31)

        taken = []
        for seconds in (0, 0, 55, 6):
            await pass_time(seconds)
            taken.append(len(await due(begin)))
        async with begin() as work:
            known = await work.refunds.known(USER_ID, "refund")

        assert taken == [1, 0, 0, 1]
        assert known is not None
        assert known.refund.attempts == 3
        assert 31 <= known.leased_seconds <= 60

    async def test_of_several_at_once_each_gets_others(self, begin: UnitOfWork, pass_time: PassTime) -> None:
        await added(begin, *(a_refund(f"refund-{number}") for number in range(6)))
        await pass_time(31)

        async with asyncio.timeout(10):
            rounds = await asyncio.gather(*(due(begin, limit=2) for _ in range(6)))

        taken = [refund.id for found in rounds for refund in found]
        assert sorted(taken) == sorted(an_id(f"refund-{number}") for number in range(6))

    async def test_one_without_an_outcome_for_an_hour_is_stuck_and_the_oldest_comes_first(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        await added(begin, *map(a_refund, ("first", "accepted", "refused", "not sent", "given up")))
        await saved(begin, "accepted", **ACCEPTED)
        await saved(begin, "refused", **REFUSED)
        await saved(begin, "not sent", status=RefundStatus.NOT_SENT)
        async with begin() as work:
            await work.refunds.give_up(an_id("given up"))
        await pass_time(60)
        async with begin() as work:
            await work.refunds.add(a_refund("second"))

        found = []
        for seconds in (3500, 45, 60):
            await pass_time(seconds)
            async with begin() as work:
                found.append([one.refund.id for one in await work.refunds.stuck(limit=10)])
        async with begin() as work:
            (one,) = await work.refunds.stuck(limit=1)

        assert found == [[], [an_id("first")], [an_id("first"), an_id("second")]]
        assert (one.refund, one.order_id) == (a_refund("first"), "order-1")

    async def test_what_was_tried_again_and_again_is_stuck_until_there_is_an_outcome(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        await added(begin, a_refund())
        await pass_time(3601)
        (taken,) = await due(begin)
        await saved(begin)

        async with begin() as work:
            stuck = [one.refund for one in await work.refunds.stuck(limit=10)]
        await saved(begin, **ACCEPTED)
        async with begin() as work:
            later = await work.refunds.stuck(limit=10)

        assert (stuck, later) == ([taken], [])

    async def test_the_longest_due_come_first(self, begin: UnitOfWork, pass_time: PassTime) -> None:
        await added(begin, a_refund("first"))
        await pass_time(10)
        async with begin() as work:
            await work.refunds.add(a_refund("second"))
        await pass_time(31)

        taken = [await due(begin, limit=1) for _ in range(3)]

        assert [[refund.id for refund in found] for found in taken] == [
            [an_id("first")],
            [an_id("second")],
            [],
        ]

    async def test_one_without_an_outcome_waits_longer_each_time(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        await added(begin, a_refund())
        waits = [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]

        for seconds in waits:
            await saved(begin)
            await pass_time(seconds - 1)
            early = await due(begin)
            await pass_time(2)
            late = await due(begin)
            assert (len(early), len(late)) == (0, 1), seconds

    async def test_one_that_was_tried_for_months_is_still_taken(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        await added(begin, a_refund())
        for _ in range(40):
            async with begin() as work:
                await work.refunds.take(an_id("refund"))
        await saved(begin)

        await pass_time(3601)

        assert len(await due(begin)) == 1

    @pytest.mark.parametrize(
        "changes",
        [REFUSED, {"status": RefundStatus.NOT_SENT}, ACCEPTED | {"confirmed_at": NOW}],
        ids=["refused", "not sent", "confirmed"],
    )
    async def test_one_with_nothing_left_to_do_is_never_due(
        self, begin: UnitOfWork, pass_time: PassTime, changes: dict[str, Any]
    ) -> None:
        await added(begin, a_refund())
        await saved(begin, **changes)

        await pass_time(30 * DAY)

        assert await due(begin) == []

    async def test_an_accepted_one_is_looked_at_daily_for_a_week(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        await added(begin, a_refund())
        await saved(begin, **ACCEPTED)

        taken = []
        for _ in range(10):
            await pass_time(DAY - 60)
            early = await due(begin)
            await pass_time(120)
            taken.append(len(await due(begin)))
            assert early == []

        assert taken == [1] * 7 + [0] * 3

    async def test_one_that_is_given_up_is_never_due_and_stays_requested(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        await added(begin, a_refund())
        async with begin() as work:
            await work.refunds.give_up(an_id("refund"))

        await pass_time(30 * DAY)

        assert await due(begin) == []
        assert await stored(begin) == a_refund()

    async def test_after_seven_days_its_key_is_too_old(self, begin: UnitOfWork, pass_time: PassTime) -> None:
        await added(begin, a_refund())

        await pass_time(7 * DAY - 60)
        async with begin() as work:
            before = await work.refunds.known(USER_ID, "refund")
            (due_before,) = await work.refunds.take_due(limit=1)
        await pass_time(61)
        async with begin() as work:
            after = await work.refunds.known(USER_ID, "refund")
            (due_after,) = await work.refunds.take_due(limit=1)

        assert before is not None
        assert after is not None
        assert (before.is_too_old, due_before.is_too_old) == (False, False)
        assert (after.is_too_old, due_after.is_too_old) == (True, True)
        assert (due_after.order_id, due_after.refund.id) == ("order-1", an_id("refund"))

    async def test_one_that_was_never_sent_is_young_when_it_is_taken_up(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        await added(begin, a_refund("unsent"), a_refund("sent"))
        await saved(begin, "unsent", status=RefundStatus.NOT_SENT)
        await saved(begin, "sent")
        await pass_time(8 * DAY)

        async with begin() as work:
            await work.refunds.take(an_id("unsent"))
            await work.refunds.take(an_id("sent"))
            unsent = await work.refunds.known(USER_ID, "unsent")
            sent = await work.refunds.known(USER_ID, "sent")

        assert unsent is not None
        assert sent is not None
        assert (unsent.is_too_old, sent.is_too_old) == (False, True)

    async def test_a_locked_one_waits_for_the_other_s_commit(self, begin: UnitOfWork) -> None:
        await added(begin, a_refund())
        holding = asyncio.Event()

        async def first() -> None:
            async with begin() as work:
                found = await work.refunds.lock(an_id("refund"))
                holding.set()
                await asyncio.sleep(0)
                assert found is not None
                await work.refunds.save(replace(found, **ACCEPTED))

        async def second() -> Refund:
            await holding.wait()
            return await stored(begin)

        async with asyncio.timeout(10):
            _, seen = await asyncio.gather(first(), second())

        assert seen.status is RefundStatus.ACCEPTED
