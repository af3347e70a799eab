"""What every store of events on their way promises, whatever it is made of."""

import asyncio
import json
from datetime import timedelta
from typing import Final

import pytest

from domain.delivery import GIVE_UP_AFTER, LEAST_TRIES, Answered, DueDelivery, Unreached
from domain.endpoint import OF_SETTINGS, Disabled
from domain.ports.deliveries import Backlog, DeliveryState, EventDelivery
from domain.ports.work import UnitOfWork
from support.builders import MINUTE, NOW, ORDER_ID, USER_ID, a_status_reply, an_id
from support.contracts.time import PassTime
from support.merchant import URL, changes, happens, is_paid, listens, paid, pending, refunded, settle, take

OK: Final = Answered(status=200)
REFUSED: Final = Answered(status=400)
AWAY: Final = Unreached(reason="no connection: Connection refused")
DAY: Final = GIVE_UP_AFTER.total_seconds()


def types(taken: list[DueDelivery]) -> list[str]:
    return [due.type for due in taken]


async def listed(begin: UnitOfWork, *, failed: bool = False) -> list[EventDelivery]:
    async with begin() as work:
        return await work.deliveries.page(failed=failed, limit=1000)


class DeliveriesContract:
    """Override ``begin`` and ``pass_time``; the store is empty before each test."""

    @pytest.fixture
    def begin(self) -> UnitOfWork:
        raise NotImplementedError

    @pytest.fixture
    def pass_time(self) -> PassTime:
        raise NotImplementedError

    async def deliver(self, begin: UnitOfWork, answer: Answered | Unreached = OK) -> list[DueDelivery]:
        """Try everything that is due, until nothing is; what was tried."""
        tried: list[DueDelivery] = []
        while taken := await take(begin):
            for due in taken:
                assert (await settle(begin, due, answer)).counts
            tried += taken
            if answer is not OK:
                break
        return tried

    async def wear_out(self, begin: UnitOfWork, pass_time: PassTime, answer: Answered | Unreached) -> int:
        """Fail every try of what is due, for a day and until nothing is tried any more; how many tries."""
        tries = 0
        for _ in range(200):
            tries += len(await self.deliver(begin, answer))
            await pass_time(1801)
            if not any(one.state is DeliveryState.WAITING for one in await listed(begin)):
                return tries
        raise AssertionError("it is tried for ever")

    async def test_a_change_is_taken_with_all_that_is_needed_to_tell_it(self, begin: UnitOfWork) -> None:
        endpoint = await listens(begin, allow_private=True)
        await is_paid(begin)

        (due,) = await take(begin)

        assert due.endpoint_id == endpoint
        assert (due.type, due.url, due.allow_private) == ("payment.settlement", URL, True)
        assert json.loads(due.body)["data"]["order_id"] == ORDER_ID
        assert (due.attempt, due.refusals, due.strikes) == (1, 0, 0)
        assert due.failing_for == timedelta()
        assert due.tried_for < timedelta(seconds=1)

    async def test_without_an_endpoint_nothing_is_kept(self, begin: UnitOfWork) -> None:
        await is_paid(begin)
        await listens(begin)

        assert await take(begin) == []
        assert await listed(begin) == []

    async def test_what_is_no_news_is_not_told(self, begin: UnitOfWork) -> None:
        await listens(begin)
        await pending(begin)

        assert await take(begin) == []

    async def test_a_change_that_is_undone_is_not_told(self, begin: UnitOfWork) -> None:
        await listens(begin)
        await pending(begin)

        with pytest.raises(ZeroDivisionError):  # noqa: PT012 - it leaves by the exception
            async with begin() as work:
                await changes(work, paid())
                raise ZeroDivisionError

        assert await listed(begin) == []

    async def test_an_endpoint_of_one_user_is_told_of_that_user_s_payments_only(
        self, begin: UnitOfWork
    ) -> None:
        await listens(begin, "theirs", user_id=2, url="https://theirs.example")
        await listens(begin, "everybody's", url="https://all.example")
        await pending(begin, "mine")
        await pending(begin, "theirs", user_id=2)

        await happens(begin, paid("mine"), order_id="mine")
        await happens(begin, paid("theirs"), order_id="theirs")
        taken = await take(begin)

        told = sorted((due.url, json.loads(due.body)["data"]["order_id"]) for due in taken)
        assert told == [
            ("https://all.example", "mine"),
            ("https://all.example", "theirs"),
            ("https://theirs.example", "theirs"),
        ]

    async def test_every_endpoint_gets_the_same_event_under_the_same_id(self, begin: UnitOfWork) -> None:
        await listens(begin, "one")
        await listens(begin, "other")
        await is_paid(begin)

        one, other = await take(begin)

        assert one.endpoint_id != other.endpoint_id
        assert (one.event_id, one.body) == (other.event_id, other.body)

    async def test_a_disabled_endpoint_is_told_nothing_new(self, begin: UnitOfWork) -> None:
        endpoint = await listens(begin)
        async with begin() as work:
            await work.endpoints.disable(endpoint, Disabled.OPERATOR)

        await is_paid(begin)

        assert await listed(begin) == []

    async def test_the_events_of_a_payment_come_one_by_one_in_their_order(self, begin: UnitOfWork) -> None:
        await listens(begin)
        await is_paid(begin)
        await happens(begin, refunded(1_000), refunded(10_000))

        seen = []
        for _ in range(3):
            (due,) = await take(begin)
            assert await take(begin) == []
            await settle(begin, due, OK)
            seen.append(due.type)

        assert seen == ["payment.settlement", "payment.partial_refund", "payment.refund"]
        assert await take(begin) == []

    async def test_two_events_of_one_log_entry_come_one_by_one_too(self, begin: UnitOfWork) -> None:
        await listens(begin)
        await is_paid(begin)
        second = a_status_reply(transaction_id="t-2", transaction_status="refund", refund_amount=10_000)
        await happens(begin, second)

        counts = []
        seen = set()
        while taken := await take(begin):
            counts.append(len(taken))
            for due in taken:
                await settle(begin, due, OK)
                seen.add(due.type)

        assert counts == [1, 1, 1]
        assert seen == {"payment.settlement", "payment.refund", "payment.paid_twice"}

    async def test_the_order_is_kept_for_each_endpoint_by_itself(self, begin: UnitOfWork) -> None:
        await listens(begin, "quick", url="https://quick.example")
        await listens(begin, "slow", url="https://slow.example")
        await is_paid(begin)
        await happens(begin, refunded(10_000))

        first = {due.url: due for due in await take(begin)}
        await settle(begin, first["https://quick.example"], OK)
        (second,) = await take(begin)

        assert (second.url, second.type) == ("https://quick.example", "payment.refund")

    async def test_each_is_given_to_one_taker_only(self, begin: UnitOfWork) -> None:
        await listens(begin, "one")
        await listens(begin, "other")
        await is_paid(begin, *(f"order-{n}" for n in range(6)))
        await happens(begin, refunded(10_000, "order-1"), order_id="order-1")

        async def taken() -> list[DueDelivery]:
            return [due for _ in range(10) for due in await take(begin, limit=2)]

        async with asyncio.timeout(20):
            found = [due for each in await asyncio.gather(*(taken() for _ in range(6))) for due in each]
        found += await take(begin)

        pairs = [(due.event_id, due.endpoint_id) for due in found]
        assert len(pairs) == len(set(pairs)) == 12
        assert "payment.refund" not in types(found)

    async def test_of_two_takers_at_once_one_takes_from_an_endpoint(self, begin: UnitOfWork) -> None:
        await listens(begin)
        await is_paid(begin, "order-1", "order-2")

        async with asyncio.timeout(10), begin() as one, begin() as other:
            first = await one.deliveries.take(limit=1)
            second = await other.deliveries.take(limit=1)
        third = await take(begin)

        assert (len(first), len(second), len(third)) == (1, 0, 1)

    async def test_those_that_wait_longest_come_first(self, begin: UnitOfWork, pass_time: PassTime) -> None:
        await listens(begin)
        for number in range(4):
            await is_paid(begin, f"order-{number}")
            await pass_time(1)

        taken = await take(begin, limit=2)

        assert [json.loads(due.body)["data"]["order_id"] for due in taken] == ["order-0", "order-1"]

    async def test_ten_at_a_time_are_sent_to_an_endpoint(self, begin: UnitOfWork) -> None:
        await listens(begin, "busy", url="https://busy.example")
        await is_paid(begin, *(f"order-{n}" for n in range(12)))
        await listens(begin, "other", url="https://other.example")
        await is_paid(begin, "order-12")

        taken = await take(begin)
        await settle(begin, next(due for due in taken if due.url == "https://busy.example"), OK)
        (freed,) = await take(begin)

        urls = [due.url for due in taken]
        assert urls.count("https://busy.example") == 10
        assert urls.count("https://other.example") == 1
        assert freed.url == "https://busy.example"

    async def test_what_its_taker_left_behind_is_taken_again_and_the_first_try_counts_no_more(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        await listens(begin)
        await is_paid(begin)

        (lost,) = await take(begin)
        await pass_time(28)
        assert await take(begin) == []
        await pass_time(3)
        (again,) = await take(begin)

        assert (again.event_id, again.body, again.attempt) == (lost.event_id, lost.body, 2)
        assert not (await settle(begin, lost, OK)).counts
        assert not (await settle(begin, lost, REFUSED)).counts
        assert [one.state for one in await listed(begin)] == [DeliveryState.WAITING]
        assert (await settle(begin, again, OK)).counts
        assert not (await settle(begin, again, OK)).counts
        assert [one.state for one in await listed(begin)] == [DeliveryState.DELIVERED]

    async def test_what_a_taker_took_and_undid_is_still_to_be_sent(self, begin: UnitOfWork) -> None:
        await listens(begin)
        await is_paid(begin)

        with pytest.raises(ZeroDivisionError):  # noqa: PT012 - it leaves by the exception
            async with begin() as work:
                assert await work.deliveries.take(limit=1)
                raise ZeroDivisionError

        (due,) = await take(begin)
        assert due.attempt == 1

    async def test_a_refused_event_comes_again_at_growing_intervals(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        await listens(begin)
        await is_paid(begin)

        seen = []
        for seconds in (0, 4, 2, 8, 3, 18, 3):
            await pass_time(seconds)
            taken = await take(begin)
            for due in taken:
                await settle(begin, due, REFUSED)
            seen.append([due.attempt for due in taken])

        assert seen == [[1], [], [2], [], [3], [], [4]]

    async def test_a_refused_event_holds_up_its_own_payment_and_no_other(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        await listens(begin)
        await is_paid(begin, "order-1", "order-2")
        await happens(begin, refunded(10_000, "order-1"), order_id="order-1")
        first, other = await take(begin)

        await settle(begin, first, REFUSED)
        await settle(begin, other, OK)
        await is_paid(begin, "order-3")
        await pending(begin, "order-4")
        between = await take(begin)
        await pass_time(6)
        (again,) = await take(begin)
        await settle(begin, again, OK)
        (behind,) = await take(begin)

        assert [json.loads(due.body)["data"]["order_id"] for due in between] == ["order-3"]
        assert again.event_id == first.event_id
        assert behind.type == "payment.refund"

    async def test_news_of_a_payment_that_waits_waits_behind_it_and_is_due_with_it(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        await listens(begin)
        await is_paid(begin)
        for _ in range(5):  # the next try is 80 seconds away
            await self.deliver(begin, REFUSED)
            await pass_time(70)
        await self.deliver(begin, REFUSED)
        await happens(begin, refunded(10_000))

        assert await take(begin) == []
        assert await take(begin) == []
        await pass_time(170)
        tried = await self.deliver(begin, OK)

        assert types(tried) == ["payment.settlement", "payment.refund"]

    async def test_an_endpoint_that_is_away_is_left_alone_and_then_tried_with_one(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        await listens(begin)
        await is_paid(begin, *(f"order-{n}" for n in range(20)))

        counts = []
        for seconds in (0, 0, 1.1, 1, 1.1, 3, 1.1, 7, 1.1):
            await pass_time(seconds)
            counts.append(len(await self.deliver(begin, AWAY)))

        assert counts == [10, 0, 1, 0, 1, 0, 1, 0, 1]

    async def test_the_tries_of_a_failing_endpoint_go_round_its_events(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        await listens(begin)
        await is_paid(begin, "order-1", "order-2", "order-3")

        tried = []
        for _ in range(5):
            tried += [due.event_id for due in await self.deliver(begin, AWAY)]
            await pass_time(120)

        assert len(tried) == 7
        assert set(tried[3:6]) == set(tried[:3])

    async def test_while_one_tries_a_failing_endpoint_nobody_else_does(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        await listens(begin)
        await is_paid(begin, "order-1", "order-2", "order-3")
        await self.deliver(begin, AWAY)
        await pass_time(2)

        (trying,) = await take(begin)
        assert await take(begin) == []
        await pass_time(29)
        assert await take(begin) == []
        await pass_time(3)
        (next_one,) = await take(begin)

        assert next_one.event_id != trying.event_id or next_one.attempt == trying.attempt + 1

    async def test_once_it_takes_one_a_failing_endpoint_gets_everything_that_waits(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        await listens(begin)
        await is_paid(begin, *(f"order-{n}" for n in range(9)))
        for _ in range(4):
            await self.deliver(begin, AWAY)
            await pass_time(120)

        (trying,) = await take(begin)
        await settle(begin, trying, OK)

        rest = await take(begin)
        assert len(rest) == 8
        assert {due.strikes for due in rest} == {0}

    async def test_a_failing_endpoint_holds_up_no_other(self, begin: UnitOfWork) -> None:
        await listens(begin, "dead", url="https://dead.example")
        await listens(begin, "well", url="https://well.example")
        await is_paid(begin, "order-1")
        for due in await take(begin):
            await settle(begin, due, AWAY if due.url == "https://dead.example" else OK)

        await is_paid(begin, "order-2")
        taken = await take(begin)

        assert [due.url for due in taken] == ["https://well.example"]

    async def test_what_an_endpoint_asks_for_is_waited(self, begin: UnitOfWork, pass_time: PassTime) -> None:
        await listens(begin)
        await is_paid(begin, "order-1", "order-2")
        taken = await take(begin, limit=1)
        await settle(begin, taken[0], Answered(status=503, retry_after=600))

        await pass_time(590)
        assert await take(begin) == []
        await pass_time(20)
        assert len(await take(begin)) == 1

    async def test_refusals_of_many_events_in_a_row_are_the_endpoint_s_own_failure(
        self, begin: UnitOfWork
    ) -> None:
        await listens(begin)
        await is_paid(begin, *(f"order-{n}" for n in range(30)))

        tried = 0
        while taken := await take(begin, limit=1):
            tried += 1
            await settle(begin, taken[0], REFUSED)

        assert tried == 11

    async def test_refusals_at_the_same_time_count_each(self, begin: UnitOfWork, pass_time: PassTime) -> None:
        await listens(begin)
        await is_paid(begin, *(f"order-{n}" for n in range(40)))

        counts = [len(await self.deliver(begin, REFUSED)) for _ in range(3)]
        await pass_time(2)
        counts.append(len(await self.deliver(begin, REFUSED)))

        assert counts == [10, 10, 0, 1]

    async def test_a_success_in_between_clears_the_endpoint(self, begin: UnitOfWork) -> None:
        await listens(begin)
        await is_paid(begin, *(f"order-{n}" for n in range(25)))

        tried = 0
        while taken := await take(begin, limit=1):
            tried += 1
            await settle(begin, taken[0], OK if tried % 5 == 0 else REFUSED)

        assert tried == 25

    async def test_an_endpoint_that_is_gone_is_disabled_and_its_events_are_kept(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        endpoint = await listens(begin)
        await is_paid(begin, "order-1", "order-2")
        (due,) = await take(begin, limit=1)

        assert (await settle(begin, due, Answered(status=410))).counts

        await pass_time(2 * DAY)
        assert await take(begin) == []
        assert {(one.state, one.last_status, one.due_at) for one in await listed(begin)} == {
            (DeliveryState.WAITING, None, None),
            (DeliveryState.WAITING, 410, None),
        }
        async with begin() as work:
            (kept,) = await work.endpoints.page()
            assert kept.disabled is Disabled.GONE
            await work.endpoints.enable(endpoint)
        enabled = await take(begin)
        assert len(enabled) == 2
        assert max(due.tried_for for due in enabled) < timedelta(seconds=1)

    async def test_an_enabled_endpoint_is_tried_at_once_as_if_it_had_never_failed(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        endpoint = await listens(begin)
        await is_paid(begin, "order-1", "order-2")
        for _ in range(9):
            await self.deliver(begin, AWAY)
            await pass_time(100)
        await self.deliver(begin, AWAY)

        async with begin() as work:
            await work.endpoints.enable(endpoint)

        assert [due.strikes for due in await take(begin)] == [0, 0]

    async def test_after_a_day_a_refused_event_is_given_up_and_the_next_of_its_payment_goes_on(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        await listens(begin)
        await is_paid(begin)
        await happens(begin, refunded(10_000))

        tried: list[DueDelivery] = []
        while not tried or tried[-1].type == "payment.settlement":
            tried += await self.deliver(begin, REFUSED)
            await pass_time(60)

        refund, settlement = await listed(begin)
        assert (settlement.state, settlement.last_status) == (DeliveryState.FAILED, 400)
        assert settlement.attempts == len(tried) - 1 > LEAST_TRIES
        assert refund.state is DeliveryState.WAITING
        assert await listed(begin, failed=True) == [settlement]

    async def test_what_waited_in_vain_for_a_dead_endpoint_for_a_day_is_given_up(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        await listens(begin)
        await is_paid(begin, *(f"order-{n}" for n in range(60)))

        tries = await self.wear_out(begin, pass_time, AWAY)

        assert len(await listed(begin, failed=True)) == 60
        assert tries < 100

    async def test_whoever_gives_up_is_told_how_many(self, begin: UnitOfWork, pass_time: PassTime) -> None:
        await listens(begin)
        await is_paid(begin, *(f"order-{n}" for n in range(30)))

        gave_up = 0
        for _ in range(60):
            for due in await take(begin):
                gave_up += (await settle(begin, due, AWAY)).gave_up
            await pass_time(1801)

        assert gave_up == len(await listed(begin, failed=True)) == 30

    async def test_a_young_event_of_a_dead_endpoint_is_not_given_up(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        await listens(begin)
        await is_paid(begin, "old", "older")
        for _ in range(49):
            await self.deliver(begin, AWAY)
            await pass_time(1801)
        await is_paid(begin, "young")
        await self.deliver(begin, AWAY)

        states = {one.order_id: one.state for one in await listed(begin)}
        assert states["young"] is DeliveryState.WAITING
        assert {states["old"], states["older"]} == {DeliveryState.FAILED}

    async def test_what_nobody_tried_for_a_day_is_not_given_up(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        """The workers may have been away themselves."""
        await listens(begin)
        await is_paid(begin, "order-1", "order-2")
        await self.deliver(begin, AWAY)
        await pass_time(2 * DAY)

        await self.deliver(begin, AWAY)

        assert {one.state for one in await listed(begin)} == {DeliveryState.WAITING}

    async def test_a_delivery_tells_how_it_went(self, begin: UnitOfWork, pass_time: PassTime) -> None:
        endpoint = await listens(begin)
        await is_paid(begin)
        (waiting,) = await listed(begin)
        await self.deliver(begin, AWAY)
        (tried,) = await listed(begin)
        await pass_time(10)
        (due,) = await self.deliver(begin, Answered(status=204))
        (delivered,) = await listed(begin)

        assert (waiting.endpoint_id, waiting.order_id, waiting.url) == (endpoint, ORDER_ID, URL)
        assert (waiting.type, waiting.event_id) == ("payment.settlement", due.event_id)
        assert (waiting.attempts, waiting.last_attempted_at, waiting.last_status) == (0, None, None)
        assert waiting.due_at is not None
        assert (tried.attempts, tried.last_status, tried.last_error) == (1, None, AWAY.reason)
        assert tried.last_attempted_at is not None
        assert tried.due_at is not None
        assert tried.due_at > tried.last_attempted_at
        assert (delivered.attempts, delivered.last_status, delivered.last_error) == (2, 204, None)
        assert delivered.delivered_at is not None
        assert delivered.due_at is None
        assert [one.state for one in (waiting, tried, delivered)] == ["waiting", "waiting", "delivered"]

    async def test_a_payment_s_deliveries_are_listed_newest_first(self, begin: UnitOfWork) -> None:
        await listens(begin, "one", url="https://one.example")
        await is_paid(begin, "order-1", "order-2")
        await listens(begin, "two", url="https://two.example", created_at=NOW + MINUTE)
        await happens(begin, refunded(10_000))

        async with begin() as work:
            found = await work.deliveries.of_payment(an_id(ORDER_ID))
            none = await work.deliveries.of_payment(an_id("nobody's"))

        assert [(one.type, one.url) for one in found] == [
            ("payment.refund", "https://one.example"),
            ("payment.refund", "https://two.example"),
            ("payment.settlement", "https://one.example"),
        ]
        assert none == []

    async def test_all_deliveries_are_listed_newest_first_and_no_more_than_asked(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        await listens(begin)
        for number in range(3):
            await is_paid(begin, f"order-{number}")
            await pass_time(1)

        async with begin() as work:
            found = await work.deliveries.page(failed=False, limit=2)

        assert [one.order_id for one in found] == ["order-2", "order-1"]

    async def test_a_delivered_event_can_be_sent_again_under_its_id(self, begin: UnitOfWork) -> None:
        await listens(begin)
        await is_paid(begin)
        (first,) = await self.deliver(begin, OK)

        async with begin() as work:
            assert await work.deliveries.resend([first.event_id]) == [first.event_id]
        (again,) = await self.deliver(begin, OK)

        assert (again.event_id, again.body, again.attempt) == (first.event_id, first.body, 2)

    async def test_an_event_that_was_given_up_can_be_sent_again_for_another_day(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        await listens(begin)
        await is_paid(begin)
        await self.wear_out(begin, pass_time, REFUSED)
        async with begin() as work:
            failed = await work.deliveries.failed_events()
            await work.deliveries.resend(failed)

        (due,) = await self.deliver(begin, REFUSED)
        assert due.tried_for < timedelta(seconds=1)
        assert [one.state for one in await listed(begin)] == [DeliveryState.WAITING]
        await self.wear_out(begin, pass_time, REFUSED)

    async def test_the_failed_events_are_told_oldest_first_and_each_once(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        await listens(begin, "one")
        await listens(begin, "two")
        await is_paid(begin, "order-1")
        await pass_time(1)
        await is_paid(begin, "order-2")
        await pass_time(1)
        await self.wear_out(begin, pass_time, AWAY)
        await is_paid(begin, "order-3")

        async with begin() as work:
            failed = await work.deliveries.failed_events()

        by_event = {one.event_id: one.order_id for one in await listed(begin)}
        assert [by_event[event_id] for event_id in failed] == ["order-1", "order-2"]

    async def test_only_a_payment_s_own_events_are_sent_again_for_it(self, begin: UnitOfWork) -> None:
        await listens(begin)
        await is_paid(begin, "order-1", "order-2")
        tried = await self.deliver(begin, OK)
        theirs = next(due for due in tried if due.payment_id == an_id("order-2"))

        async with begin() as work:
            assert await work.deliveries.resend([theirs.event_id], payment_id=an_id("order-1")) == []
            assert await work.deliveries.resend([an_id("no event")]) == []
            assert await work.deliveries.resend([]) == []

        assert await take(begin) == []

    async def test_a_resent_event_waits_while_another_of_its_payment_is_under_way(
        self, begin: UnitOfWork
    ) -> None:
        await listens(begin)
        await is_paid(begin)
        await happens(begin, refunded(10_000))
        (settlement,) = await take(begin)
        await settle(begin, settlement, OK)
        (refund,) = await take(begin)

        async with begin() as work:
            await work.deliveries.resend([settlement.event_id])

        assert await take(begin) == []
        await settle(begin, refund, OK)
        (again,) = await take(begin)
        assert again.event_id == settlement.event_id

    async def test_an_event_that_is_resent_under_way_is_sent_once_more_only_if_that_fails(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        await listens(begin)
        await is_paid(begin)
        (due,) = await take(begin)
        async with begin() as work:
            await work.deliveries.resend([due.event_id])

        assert await take(begin) == []
        assert (await settle(begin, due, OK)).counts
        await pass_time(3600)
        assert await take(begin) == []

    async def test_resending_lifts_a_pause_only_where_it_is_asked_to(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        await listens(begin)
        await is_paid(begin)
        (due,) = await take(begin)
        await settle(begin, due, Answered(status=503, retry_after=3000))
        await pass_time(60)

        async with begin() as work:
            await work.deliveries.resend([due.event_id])
        waited = await take(begin)
        async with begin() as work:
            await work.deliveries.resend([due.event_id], at_once=True)
        (lifted,) = await take(begin)

        assert waited == []
        assert lifted.event_id == due.event_id
        assert lifted.strikes > 10

    async def test_the_oldest_that_waits_tells_how_long(self, begin: UnitOfWork, pass_time: PassTime) -> None:
        async def waited() -> float:
            async with begin() as work:
                return (await work.deliveries.oldest_waiting()).total_seconds()

        endpoint = await listens(begin)
        assert await waited() == 0
        await is_paid(begin, "order-1")
        await pass_time(100)
        await is_paid(begin, "order-2")
        assert 100 <= await waited() < 110
        first = next(due for due in await take(begin) if due.payment_id == an_id("order-1"))
        await settle(begin, first, OK)
        assert await waited() < 10
        await pass_time(50)
        assert 50 <= await waited() < 60
        async with begin() as work:
            await work.endpoints.disable(endpoint, Disabled.OPERATOR)
        assert await waited() == 0

    async def test_each_endpoint_s_backlog_is_what_it_waits_for_and_what_was_given_up(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        one, two = await listens(begin, "one"), await listens(begin, "two")
        await listens(begin, "idle", user_id=USER_ID + 1)
        await is_paid(begin, "order-1", "order-2")
        await self.wear_out(begin, pass_time, AWAY)
        await is_paid(begin, "order-3")
        await settle(begin, next(due for due in await take(begin) if due.endpoint_id == one), OK)

        async with begin() as work:
            backlogs = await work.deliveries.backlogs()

        assert backlogs == {one: Backlog(waiting=0, gave_up=2), two: Backlog(waiting=1, gave_up=2)}

    async def test_what_was_given_up_of_endpoints_that_are_enabled_can_be_told_alone(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        one, two = await listens(begin, "one"), await listens(begin, "two")
        await is_paid(begin, "order-1")
        await self.wear_out(begin, pass_time, AWAY)

        async with begin() as work:
            await work.endpoints.disable(one, Disabled.OPERATOR)
            found = await work.deliveries.page(failed=True, enabled=True, limit=1)

        assert [delivery.endpoint_id for delivery in found] == [two]

    async def test_the_endpoint_of_the_settings_is_told_like_any_other(self, begin: UnitOfWork) -> None:
        async with begin() as work:
            await work.endpoints.keep_of_settings(url=URL, secret="whsec_" + "A" * 32, allow_private=False)
        await is_paid(begin)
        async with begin() as work:
            await work.endpoints.keep_of_settings(
                url="https://shop.example/elsewhere", secret="whsec_" + "A" * 32, allow_private=False
            )

        (due,) = await take(begin)

        assert (due.endpoint_id, due.url) == (OF_SETTINGS, "https://shop.example/elsewhere")
