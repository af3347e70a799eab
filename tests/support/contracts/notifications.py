"""What every store of notifications promises, whatever it is made of."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.ports.work import UnitOfWork, Work
from domain.refund_claim import RefundClaim
from support.builders import NOW, a_forged, a_received, an_id
from support.contracts.time import PassTime
from support.fakes import StoredNotification

Inbox = Callable[[], Awaitable[list[StoredNotification]]]


async def replayed(work: Work, name: str = "event", **became: Any) -> bool:
    """Write what became of one, as a replay does; unless told, it is still to do."""
    said = {"order_id": "order-1", "transaction_id": "t-1", "processed": False, "error": None}
    return await work.notifications.replayed(an_id(name), **said | became)


class NotificationsContract:
    """Override all four fixtures; the store is empty before each test. ``now`` is the store's own time."""

    @pytest.fixture
    def begin(self) -> UnitOfWork:
        raise NotImplementedError

    @pytest.fixture
    def inbox(self) -> Inbox:
        raise NotImplementedError

    @pytest.fixture
    def pass_time(self) -> PassTime:
        raise NotImplementedError

    @pytest.fixture
    def now(self) -> datetime:
        raise NotImplementedError

    async def test_an_added_notification_is_kept_whole(self, begin: UnitOfWork, inbox: Inbox) -> None:
        received = a_received(received_at=NOW + timedelta(microseconds=123456), error="why")

        async with begin() as work:
            await work.notifications.add(received)

        (row,) = await inbox()
        assert row.id == received.id
        assert row.received_at == received.received_at
        assert (row.order_id, row.transaction_id) == ("order-1", "t-1")
        assert (row.transaction_status, row.signature_key) == ("settlement", "5" * 128)
        assert (row.is_verified, row.processed, row.error) == (True, False, "why")
        assert (row.forged, row.repeats, row.attempts) == (False, 0, 0)

    async def test_one_for_an_unknown_order_and_without_a_transaction_is_kept(
        self, begin: UnitOfWork, inbox: Inbox
    ) -> None:
        async with begin() as work:
            await work.notifications.add(a_received(order_id="nobody's", transaction_id=None))

        (row,) = await inbox()
        assert (row.order_id, row.transaction_id) == ("nobody's", None)

    async def test_leaving_by_an_exception_undoes_what_was_kept(
        self, begin: UnitOfWork, inbox: Inbox
    ) -> None:
        with pytest.raises(ZeroDivisionError):  # noqa: PT012 - it leaves by the exception
            async with begin() as work:
                await work.notifications.add(a_received())
                await work.notifications.add_forged(a_forged())
                raise ZeroDivisionError

        assert await inbox() == []

    async def test_a_repeat_is_kept(self, begin: UnitOfWork, inbox: Inbox) -> None:
        async with begin() as work:
            await work.notifications.add(a_received("first", processed=True))
            await work.notifications.add_repeat(a_received("again", processed=True))

        rows = {row.id: row for row in await inbox()}
        assert rows[an_id("again")].processed
        assert rows[an_id("again")].is_verified
        assert len(rows) == 2

    async def test_a_repeat_that_is_still_to_do_or_set_aside_is_kept_so(
        self, begin: UnitOfWork, inbox: Inbox
    ) -> None:
        async with begin() as work:
            await work.notifications.add_repeat(a_received("to do"))
            await work.notifications.add_repeat(a_received("aside", error="why"))

        rows = {row.id: row for row in await inbox()}
        assert (rows[an_id("to do")].processed, rows[an_id("to do")].error) == (False, None)
        assert (rows[an_id("aside")].processed, rows[an_id("aside")].error) == (False, "why")

    @pytest.mark.parametrize("again", ["add", "add_all", "add_repeat"])
    @pytest.mark.parametrize("first", ["add", "add_repeat"])
    async def test_one_that_is_kept_already_is_left_as_it_is(
        self, begin: UnitOfWork, inbox: Inbox, first: str, again: str
    ) -> None:
        """Whoever did not hear that it was stored keeps it once more, in words of that time."""
        later = a_received(processed=False, transaction_status="refund")
        async with begin() as work:
            await getattr(work.notifications, first)(a_received(processed=True))
            await work.notifications.add(a_received("other"))

        async with begin() as work:
            await getattr(work.notifications, again)([later] if again == "add_all" else later)

        rows = {row.id: row for row in await inbox()}
        row = rows[an_id("event")]
        assert (len(rows), row.processed, row.repeats, row.transaction_status) == (2, True, 0, "settlement")

    async def test_the_hundredth_that_is_kept_already_is_not_counted(
        self, begin: UnitOfWork, inbox: Inbox
    ) -> None:
        async with begin() as work:
            for number in (*range(100), 99):
                at = NOW + timedelta(seconds=number)
                await work.notifications.add_repeat(a_received(f"{number}", received_at=at))

        rows = await inbox()
        assert (len(rows), sum(row.repeats for row in rows)) == (100, 0)

    async def test_past_a_hundred_of_the_same_a_day_repeats_are_only_counted(
        self, begin: UnitOfWork, inbox: Inbox
    ) -> None:
        async with begin() as work:
            for number in range(103):
                at = NOW + timedelta(seconds=number)
                await work.notifications.add_repeat(a_received(f"{number}", received_at=at))

        rows = await inbox()
        assert len(rows) == 100
        assert sum(row.repeats for row in rows) == 3
        newest = max(rows, key=lambda row: row.received_at)
        assert newest.repeats == 3

    @pytest.mark.parametrize("became", ["set aside", "processed", "dismissed", "taken", "put off"])
    async def test_one_to_be_confirmed_that_is_only_counted_is_to_do_as_if_it_was_kept(
        self, begin: UnitOfWork, inbox: Inbox, pass_time: PassTime, became: str
    ) -> None:
        """Whatever became of the one that counts it: Midtrans may say now what it did not say then."""
        newest = an_id("99")
        async with begin() as work:
            for number in range(100):
                at, is_last = NOW + timedelta(seconds=number), number == 99
                said = a_received(f"{number}", received_at=at, processed=not is_last)
                await work.notifications.add_repeat(said)
            await work.notifications.take_doubtful(limit=1)
        await pass_time(3601)
        async with begin() as work:
            await work.notifications.take_doubtful(limit=1)
            if became in {"set aside", "dismissed"}:
                await work.notifications.set_aside([newest], "Midtrans does not confirm it")
            if became == "dismissed":
                await work.notifications.dismiss([newest], "a test")
            if became == "processed":
                await work.notifications.mark_processed([newest])
            if became == "put off":
                await work.notifications.postpone([newest])

        async with begin() as work:
            await work.notifications.add_repeat(a_received("again", received_at=NOW + timedelta(minutes=2)))
        async with begin() as work:
            taken = await work.notifications.take_doubtful(limit=10)

        assert [(one.id, one.attempts) for one in taken] == [(newest, 1)]
        row = next(row for row in await inbox() if row.id == newest)
        assert (row.processed, row.error, row.repeats) == (False, None, 1)
        assert len(await inbox()) == 100

    @pytest.mark.parametrize("said", [{"processed": True}, {"error": "another reason"}])
    async def test_one_that_needs_no_confirming_and_is_only_counted_changes_nothing_else(
        self, begin: UnitOfWork, inbox: Inbox, said: dict[str, Any]
    ) -> None:
        async with begin() as work:
            for number in range(100):
                at = NOW + timedelta(seconds=number)
                await work.notifications.add_repeat(a_received(f"{number}", received_at=at, error="why"))

        async with begin() as work:
            again = a_received("again", received_at=NOW + timedelta(minutes=2), **said)
            await work.notifications.add_repeat(again)
            assert await work.notifications.take_doubtful(limit=10) == []

        row = next(row for row in await inbox() if row.id == an_id("99"))
        assert (row.processed, row.error, row.repeats) == (False, "why", 1)

    async def test_repeats_are_kept_again_after_a_day(self, begin: UnitOfWork, inbox: Inbox) -> None:
        async with begin() as work:
            for number in range(101):
                await work.notifications.add_repeat(a_received(f"{number}"))
            tomorrow = NOW + timedelta(days=1, seconds=1)
            await work.notifications.add_repeat(a_received("tomorrow", received_at=tomorrow))

        rows = {row.id: row for row in await inbox()}
        assert len(rows) == 101
        assert an_id("tomorrow") in rows

    @pytest.mark.parametrize(
        "other",
        [
            {"order_id": "order-2"},
            {"transaction_id": "t-2"},
            {"transaction_id": None},
            {"transaction_status": "refund"},
            {"signature_key": "6" * 128},
        ],
    )
    async def test_only_the_very_same_counts_as_a_repeat(
        self, begin: UnitOfWork, inbox: Inbox, other: dict[str, str | None]
    ) -> None:
        async with begin() as work:
            for number in range(100):
                await work.notifications.add_repeat(a_received(f"{number}"))
            await work.notifications.add_repeat(a_received("other", **other))

        rows = await inbox()
        assert len(rows) == 101
        assert sum(row.repeats for row in rows) == 0

    async def test_repeats_without_a_transaction_are_the_same_too(
        self, begin: UnitOfWork, inbox: Inbox
    ) -> None:
        async with begin() as work:
            for number in range(101):
                await work.notifications.add_repeat(a_received(f"{number}", transaction_id=None))

        rows = await inbox()
        assert len(rows) == 100
        assert sum(row.repeats for row in rows) == 1

    async def test_of_a_forged_one_little_is_kept(self, begin: UnitOfWork, inbox: Inbox) -> None:
        async with begin() as work:
            await work.notifications.add_forged(a_forged())

        (row,) = await inbox()
        assert (row.order_id, row.transaction_status) == ("order-1", "settlement")
        assert (row.is_verified, row.processed, row.forged) == (False, False, True)
        assert row.signature_key is None

    async def test_a_flood_of_forged_ones_is_cut_off_within_a_minute(
        self, begin: UnitOfWork, inbox: Inbox
    ) -> None:
        async with begin() as work:
            for number in range(205):
                at = NOW + timedelta(milliseconds=100 * number)
                await work.notifications.add_forged(a_forged(f"{number}", received_at=at))

        assert len(await inbox()) == 200

    async def test_forged_ones_are_kept_again_after_the_minute(self, begin: UnitOfWork, inbox: Inbox) -> None:
        async with begin() as work:
            for number in range(201):
                await work.notifications.add_forged(a_forged(f"{number}"))
            later = NOW + timedelta(seconds=61)
            await work.notifications.add_forged(a_forged("later", received_at=later))

        rows = await inbox()
        assert len(rows) == 201
        assert an_id("later") in {row.id for row in rows}

    async def test_a_flood_of_forged_ones_keeps_no_genuine_one_out(
        self, begin: UnitOfWork, inbox: Inbox
    ) -> None:
        async with begin() as work:
            for number in range(201):
                await work.notifications.add_forged(a_forged(f"{number}"))
            await work.notifications.add(a_received("genuine"))
            await work.notifications.add_repeat(a_received("repeat"))

        kept = {row.id for row in await inbox()}
        assert {an_id("genuine"), an_id("repeat")} <= kept

    async def test_a_doubtful_one_is_taken_with_all_that_is_needed_to_ask(self, begin: UnitOfWork) -> None:
        received = a_received(transaction_status="refund", transaction_id="t-9")
        async with begin() as work:
            await work.notifications.add(received)

        async with begin() as work:
            (taken,) = await work.notifications.take_doubtful(limit=10)

        assert taken.id == received.id
        assert (taken.order_id, taken.transaction_id) == ("order-1", "t-9")
        assert (taken.transaction_status, taken.attempts) == ("refund", 1)

    @pytest.mark.parametrize(
        ("told", "claim"),
        [
            (
                {
                    "refund_amount": "5000.00",
                    "refund_key": "two",
                    "refunds": [
                        {"refund_key": "one", "refund_amount": "3000.00", "bank_confirmed_at": "then"},
                        {"refund_key": "two", "refund_amount": "2000.00"},
                    ],
                },
                RefundClaim(amount=5_000, keys=frozenset({"one", "two"}), confirmed=frozenset({"one"})),
            ),
            ({"refund_amount": 50, "refund_key": "two"}, RefundClaim(amount=50, keys=frozenset({"two"}))),
            ({"refund_amount": [], "refunds": {"a": 10**60}}, RefundClaim()),
            ({}, RefundClaim()),
        ],
        ids=["all", "one", "odd", "nothing"],
    )
    async def test_a_doubtful_one_says_what_its_body_claims_of_refunds(
        self, begin: UnitOfWork, told: dict[str, Any], claim: RefundClaim
    ) -> None:
        body = json.dumps({"transaction_status": "partial_refund", **told})
        async with begin() as work:
            await work.notifications.add(a_received(transaction_status="partial_refund", body=body))

        async with begin() as work:
            (taken,) = await work.notifications.take_doubtful(limit=10)

        assert taken.refunds == claim

    async def test_only_what_is_still_to_do_is_taken(self, begin: UnitOfWork) -> None:
        async with begin() as work:
            await work.notifications.add(a_received("done", processed=True))
            await work.notifications.add(a_received("aside", error="why"))
            await work.notifications.add_forged(a_forged())
            await work.notifications.add_repeat(a_received("repeat", processed=True))
            await work.notifications.add(a_received("to do"))

        async with begin() as work:
            taken = await work.notifications.take_doubtful(limit=10)

        assert [doubtful.id for doubtful in taken] == [an_id("to do")]

    async def test_each_is_given_to_one_taker_only(self, begin: UnitOfWork) -> None:
        async with begin() as work:
            for number in range(5):
                await work.notifications.add(a_received(f"{number}"))

        async with asyncio.timeout(10), begin() as one, begin() as other:
            first = await one.notifications.take_doubtful(limit=3)
            second = await other.notifications.take_doubtful(limit=3)
        async with begin() as later:
            third = await later.notifications.take_doubtful(limit=3)

        assert (len(first), len(second), third) == (3, 2, [])
        assert {taken.id for taken in first + second} == {an_id(f"{n}") for n in range(5)}

    async def test_the_oldest_are_taken_first(self, begin: UnitOfWork, pass_time: PassTime) -> None:
        for number in range(4):
            async with begin() as work:
                await work.notifications.add(a_received(f"{number}"))
            await pass_time(1)

        async with begin() as work:
            taken = await work.notifications.take_doubtful(limit=2)

        assert {doubtful.id for doubtful in taken} == {an_id("0"), an_id("1")}

    async def test_what_was_not_settled_comes_again_after_a_growing_while(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        async with begin() as work:
            await work.notifications.add(a_received())

        async def take() -> list[int]:
            async with begin() as work:
                taken = await work.notifications.take_doubtful(limit=10)
                return [doubtful.attempts for doubtful in taken]

        seen = [await take()]
        for seconds in (29, 2, 59, 2, 119, 2):
            await pass_time(seconds)
            seen.append(await take())

        assert seen == [[1], [], [2], [], [3], [], [4]]

    async def test_the_while_grows_to_an_hour_at_most(self, begin: UnitOfWork, pass_time: PassTime) -> None:
        async with begin() as work:
            await work.notifications.add(a_received())

        attempts = []
        for _ in range(14):
            async with begin() as work:
                attempts += [d.attempts for d in await work.notifications.take_doubtful(limit=1)]
            await pass_time(3601)

        assert attempts == list(range(1, 15))

    async def test_what_a_failed_taker_took_is_still_to_do(self, begin: UnitOfWork) -> None:
        async with begin() as work:
            await work.notifications.add(a_received())

        with pytest.raises(ZeroDivisionError):  # noqa: PT012 - it leaves by the exception
            async with begin() as work:
                await work.notifications.take_doubtful(limit=10)
                raise ZeroDivisionError
        async with begin() as work:
            (taken,) = await work.notifications.take_doubtful(limit=10)

        assert taken.attempts == 1

    async def test_one_that_is_postponed_is_taken_again_soon_and_each_time_later(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        async with begin() as work:
            await work.notifications.add(a_received())

        for attempt, seconds in ((1, 2), (2, 4), (3, 8)):
            async with begin() as work:
                (taken,) = await work.notifications.take_doubtful(limit=10)
                await work.notifications.postpone([taken.id])
            async with begin() as work:
                assert await work.notifications.take_doubtful(limit=10) == []
            await pass_time(seconds)

            assert taken.attempts == attempt

    async def test_a_processed_one_is_not_taken_again(
        self, begin: UnitOfWork, inbox: Inbox, pass_time: PassTime
    ) -> None:
        async with begin() as work:
            await work.notifications.add(a_received("one"))
            await work.notifications.add(a_received("other"))

        async with begin() as work:
            await work.notifications.mark_processed([an_id("one")])
        await pass_time(3601)
        async with begin() as work:
            taken = await work.notifications.take_doubtful(limit=10)

        assert [doubtful.id for doubtful in taken] == [an_id("other")]
        assert {row.id: row.processed for row in await inbox()} == {
            an_id("one"): True,
            an_id("other"): False,
        }

    async def test_one_that_is_set_aside_says_why_and_is_not_taken_again(
        self, begin: UnitOfWork, inbox: Inbox, pass_time: PassTime
    ) -> None:
        async with begin() as work:
            await work.notifications.add(a_received())

        async with begin() as work:
            await work.notifications.set_aside([an_id("event")], "Midtrans does not confirm it")
        await pass_time(3601)
        async with begin() as work:
            taken = await work.notifications.take_doubtful(limit=10)

        (row,) = await inbox()
        assert taken == []
        assert (row.processed, row.error) == (False, "Midtrans does not confirm it")

    async def test_one_that_was_set_aside_can_still_be_processed(
        self, begin: UnitOfWork, inbox: Inbox
    ) -> None:
        async with begin() as work:
            await work.notifications.add(a_received(error="why"))

        async with begin() as work:
            await work.notifications.mark_processed([an_id("event")])

        (row,) = await inbox()
        assert (row.processed, row.error) == (True, None)

    async def test_one_that_is_set_aside_can_be_dismissed_and_says_why(
        self, begin: UnitOfWork, inbox: Inbox
    ) -> None:
        async with begin() as work:
            await work.notifications.add(a_received(error="there is no payment order-1"))

        async with begin() as work:
            done = await work.notifications.dismiss([an_id("event")], "a test")
            again = await work.notifications.dismiss([an_id("event")], "another")

        (row,) = await inbox()
        assert (done, again) == ([an_id("event")], [])
        assert (row.processed, row.error) == (True, "dismissed: a test (there is no payment order-1)")

    async def test_only_what_is_set_aside_is_dismissed(self, begin: UnitOfWork, inbox: Inbox) -> None:
        async with begin() as work:
            await work.notifications.add(a_received("done", processed=True))
            await work.notifications.add(a_received("to do"))
            await work.notifications.add_forged(a_forged("forged"))
        before = await inbox()

        async with begin() as work:
            named = [an_id(name) for name in ("done", "to do", "forged", "missing")]
            assert await work.notifications.dismiss(named, "a test") == []

        assert await inbox() == before

    async def test_one_that_was_dismissed_can_still_be_replayed(
        self, begin: UnitOfWork, inbox: Inbox
    ) -> None:
        async with begin() as work:
            await work.notifications.add(a_received(error="why"))
            await work.notifications.dismiss([an_id("event")], "a test")

        async with begin() as work:
            await replayed(work, error="another reason")

        (row,) = await inbox()
        assert (row.processed, row.error) == (False, "another reason")

    async def test_one_that_was_replayed_says_anew_what_became_of_it(
        self, begin: UnitOfWork, inbox: Inbox
    ) -> None:
        async with begin() as work:
            await work.notifications.add(a_received(error="why"))

        async with begin() as work:
            known = await replayed(work, processed=True)

        (row,) = await inbox()
        assert known
        assert (row.is_verified, row.processed, row.error) == (True, True, None)

    async def test_one_that_was_replayed_may_be_set_aside_again(
        self, begin: UnitOfWork, inbox: Inbox
    ) -> None:
        async with begin() as work:
            await work.notifications.add(a_received(processed=True))

        async with begin() as work:
            await replayed(work, error="another reason")
            assert await work.notifications.take_doubtful(limit=10) == []

        (row,) = await inbox()
        assert (row.processed, row.error) == (False, "another reason")

    async def test_one_that_was_replayed_and_is_still_to_do_is_due_at_once_and_as_often_as_a_new_one(
        self, begin: UnitOfWork
    ) -> None:
        async with begin() as work:
            await work.notifications.add(a_received(order_id="as an earlier service had it"))
            await work.notifications.take_doubtful(limit=10)

        async with begin() as work:
            await replayed(work, order_id="order-2", transaction_id="t-2")
        async with begin() as work:
            (taken,) = await work.notifications.take_doubtful(limit=10)

        assert (taken.order_id, taken.transaction_id, taken.attempts) == ("order-2", "t-2", 1)

    async def test_neither_a_forged_one_nor_one_that_is_not_there_is_replayed(
        self, begin: UnitOfWork, inbox: Inbox
    ) -> None:
        async with begin() as work:
            await work.notifications.add_forged(a_forged("event"))
        before = await inbox()

        async with begin() as work:
            known = await replayed(work, processed=True)
            other = await replayed(work, name="missing", processed=True)

        assert (known, other) == (False, False)
        assert await inbox() == before

    async def test_one_that_was_processed_meanwhile_is_not_set_aside(
        self, begin: UnitOfWork, inbox: Inbox
    ) -> None:
        async with begin() as work:
            await work.notifications.add(a_received(processed=True))

        async with begin() as work:
            await work.notifications.set_aside([an_id("event")], "Midtrans does not confirm it")

        (row,) = await inbox()
        assert (row.processed, row.error) == (True, None)
