"""What every pruner promises, whatever it throws away, and whatever it is kept in."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from domain.delivery import LEAST_TRIES, Answered
from domain.endpoint import Disabled
from domain.idempotency import LEASE, LIFE
from domain.ports.payments import PaymentReader
from domain.ports.pruner import Pruner
from domain.ports.work import UnitOfWork
from domain.retention import RETENTION, Prunable, Rule
from domain.status import Status
from support.builders import MINUTE, NOW, ORDER_ID, a_forged, a_received, an_id, given
from support.contracts.idempotency import a_call, claimed
from support.contracts.notifications import Inbox
from support.contracts.time import PassTime
from support.merchant import URL, is_paid, listens, settle, take

RULES: Final = {rule.what: rule for rule in RETENTION}
PROCESSED, FORGED = RULES[Prunable.PROCESSED_NOTIFICATIONS], RULES[Prunable.FORGED_NOTIFICATIONS]
KEYS, EVENTS = RULES[Prunable.IDEMPOTENCY_KEYS], RULES[Prunable.DELIVERED_EVENTS]
EVERYTHING: Final = timedelta(0)
DAY: Final = timedelta(days=1)


async def pruned(pruner: Pruner, rule: Rule) -> int:
    """How many went; so many had been counted, and none is left."""
    counted = await pruner.count(rule)
    gone = await pruner.delete(rule, limit=100)
    assert (gone, await pruner.count(rule)) == (counted, 0)
    return gone


async def told(begin: UnitOfWork, url: str = URL, *, status: int = 200) -> None:
    """Each event that is due is sent to the endpoint with this address, and answered with this status."""
    for due in await take(begin):
        if due.url == url:
            assert (await settle(begin, due, Answered(status=status))).counts


async def events_of(begin: UnitOfWork) -> set[str]:
    """The orders of which an event is kept."""
    async with begin() as work:
        return {one.order_id for one in await work.deliveries.page(failed=False, limit=1000)}


class PrunerContract:
    """Override all six fixtures; the store is empty before each test. ``now`` is the store's own time."""

    @pytest.fixture
    def begin(self) -> UnitOfWork:
        raise NotImplementedError

    @pytest.fixture
    def reader(self) -> PaymentReader:
        raise NotImplementedError

    @pytest.fixture
    def pruner(self) -> Pruner:
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

    async def test_processed_notifications_go_after_ninety_days_and_no_others(
        self, begin: UnitOfWork, pruner: Pruner, inbox: Inbox, now: datetime
    ) -> None:
        old, young = now - 90 * DAY - MINUTE, now - 90 * DAY + MINUTE
        async with begin() as work:
            for name, at, became in (
                ("old", old, {"processed": True}),
                ("young", young, {"processed": True}),
                ("to do", old - 900 * DAY, {}),
                ("aside", old - 900 * DAY, {"error": "why"}),
                ("both", old, {"processed": True, "error": "an earlier service's word"}),
            ):
                await work.notifications.add(a_received(name, received_at=at, **became))
            await work.notifications.add_forged(a_forged(received_at=old))

        assert await pruned(pruner, PROCESSED) == 1

        assert {row.id for row in await inbox()} == {
            an_id(name) for name in ("young", "to do", "aside", "both", "forged")
        }

    async def test_forged_notifications_go_after_a_week_and_no_others(
        self, begin: UnitOfWork, pruner: Pruner, inbox: Inbox, now: datetime
    ) -> None:
        old, young = now - 7 * DAY - MINUTE, now - 6 * DAY
        async with begin() as work:
            await work.notifications.add_forged(a_forged("old", received_at=old))
            await work.notifications.add_forged(a_forged("young", received_at=young))
            await work.notifications.add(a_received("genuine", received_at=old, processed=True))

        assert await pruned(pruner, FORGED) == 1

        assert {row.id for row in await inbox()} == {an_id("young"), an_id("genuine")}

    async def test_of_the_newest_forged_ones_so_many_are_kept_at_most(
        self, begin: UnitOfWork, pruner: Pruner, inbox: Inbox, now: datetime
    ) -> None:
        async with begin() as work:
            for number in range(5):
                at = now - number * MINUTE
                await work.notifications.add_forged(a_forged(f"{number}", received_at=at))
            await work.notifications.add(a_received("genuine", received_at=now - DAY))

        assert await pruned(pruner, replace(FORGED, at_most=5)) == 0
        assert await pruned(pruner, replace(FORGED, at_most=3)) == 2

        assert {row.id for row in await inbox()} == {an_id(name) for name in ("0", "1", "2", "genuine")}

    async def test_idempotency_keys_go_after_72_hours_and_are_new_then(
        self, begin: UnitOfWork, pruner: Pruner, pass_time: PassTime
    ) -> None:
        await claimed(begin, a_call(key="old"))
        await pass_time(MINUTE.total_seconds())
        await claimed(begin, a_call(key="young"), "order-2")
        await pass_time(LIFE.total_seconds() - MINUTE.total_seconds())

        assert await pruned(pruner, KEYS) == 1

        async with begin() as work:
            seen = [await work.idempotency.seen(a_call(key=key)) for key in ("old", "young")]
        assert seen == [False, True]

    async def test_a_key_whose_call_is_being_answered_never_goes(
        self, begin: UnitOfWork, pruner: Pruner, pass_time: PassTime
    ) -> None:
        await claimed(begin, a_call(key="used"))
        await pass_time(LIFE.total_seconds() + 1)
        async with begin() as work:
            kept = await work.idempotency.keep(a_call(key="used"))

        assert kept
        assert await pruned(pruner, KEYS) == 0
        await pass_time(LEASE.total_seconds() + 1)
        assert await pruned(pruner, KEYS) == 1

    async def test_events_that_everybody_has_go_after_thirty_days_and_no_others(
        self, begin: UnitOfWork, pruner: Pruner, pass_time: PassTime
    ) -> None:
        await listens(begin)
        await is_paid(begin, "old")
        await told(begin)
        await is_paid(begin, "told late", "waiting")
        taken = {due.payment_id: due for due in await take(begin)}
        await pass_time(29 * DAY.total_seconds())
        assert (await settle(begin, taken[an_id("told late")], Answered(status=200))).counts
        await is_paid(begin, "young")
        assert await pruned(pruner, EVENTS) == 0

        await pass_time(DAY.total_seconds() + 60)

        assert await pruned(pruner, EVENTS) == 1
        assert await events_of(begin) == {"told late", "waiting", "young"}

    async def test_an_event_that_somebody_does_not_have_never_goes(
        self, begin: UnitOfWork, pruner: Pruner, pass_time: PassTime
    ) -> None:
        await listens(begin, "takes", url=URL)
        away = await listens(begin, "away", url="https://away.example")
        await is_paid(begin)
        await told(begin)
        async with begin() as work:
            await work.endpoints.disable(away, Disabled.GONE)
        await pass_time(4000 * DAY.total_seconds())

        assert await pruned(pruner, EVENTS) == 0
        assert await events_of(begin) == {ORDER_ID}

    async def test_an_event_that_was_given_up_never_goes(
        self, begin: UnitOfWork, pruner: Pruner, pass_time: PassTime
    ) -> None:
        await listens(begin)
        await is_paid(begin)
        for _ in range(LEAST_TRIES + 1):
            await told(begin, status=400)
            await pass_time(DAY.total_seconds())
        async with begin() as work:
            assert len(await work.deliveries.failed_events()) == 1
        await pass_time(4000 * DAY.total_seconds())

        assert await pruned(pruner, EVENTS) == 0
        assert await events_of(begin) == {ORDER_ID}

    async def test_an_event_that_is_sent_again_is_kept_for_another_thirty_days(
        self, begin: UnitOfWork, pruner: Pruner, pass_time: PassTime
    ) -> None:
        await listens(begin)
        await is_paid(begin)
        (due,) = await take(begin)
        await settle(begin, due, Answered(status=200))
        await pass_time(40 * DAY.total_seconds())
        async with begin() as work:
            await work.deliveries.resend([due.event_id])
        assert await pruned(pruner, EVENTS) == 0
        await told(begin)
        assert await pruned(pruner, EVENTS) == 0

        await pass_time(31 * DAY.total_seconds())

        assert await pruned(pruner, EVENTS) == 1

    async def test_no_more_go_at_once_than_are_asked_for_and_the_oldest_go_first(
        self, begin: UnitOfWork, pruner: Pruner, inbox: Inbox, now: datetime
    ) -> None:
        async with begin() as work:
            for number in range(5):
                at = now - 100 * DAY + number * MINUTE
                await work.notifications.add(a_received(f"{number}", received_at=at, processed=True))

        gone = [await pruner.delete(PROCESSED, limit=2)]
        left = {row.id for row in await inbox()}
        gone += [await pruner.delete(PROCESSED, limit=2) for _ in range(3)]

        assert left == {an_id("2"), an_id("3"), an_id("4")}
        assert gone == [2, 2, 1, 0]

    async def test_counting_throws_nothing_away(
        self, begin: UnitOfWork, pruner: Pruner, inbox: Inbox, now: datetime
    ) -> None:
        async with begin() as work:
            await work.notifications.add(a_received(received_at=now - 100 * DAY, processed=True))

        assert [await pruner.count(PROCESSED) for _ in range(2)] == [1, 1]
        assert len(await inbox()) == 1

    @pytest.mark.parametrize("rule", RETENTION, ids=lambda rule: str(rule.what))
    async def test_an_empty_store_stays_so(self, pruner: Pruner, rule: Rule) -> None:
        assert await pruned(pruner, rule) == 0

    async def test_no_rule_touches_money_however_old_it_is(
        self, begin: UnitOfWork, reader: PaymentReader, pruner: Pruner, pass_time: PassTime
    ) -> None:
        for status in Status:
            await given(begin, order_id=status, status=status, created_at=NOW - 4000 * DAY)
            await claimed(begin, a_call(key=status), f"keyed-{status}")
        await pass_time((4000 * DAY).total_seconds())

        async def money() -> list[Any]:
            payments = await reader.page(user_id=None, status=None, after=None, limit=100)
            return [(payment, await reader.log(payment.id)) for payment in payments]

        before = await money()
        gone = [await pruned(pruner, replace(rule, kept_for=EVERYTHING)) for rule in RETENTION]

        assert sum(gone) == len(Status)
        assert await money() == before
        assert len(before) == 2 * len(Status)
