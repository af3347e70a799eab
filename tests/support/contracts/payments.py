"""What every store of payments promises, whatever it is made of."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from domain import history
from domain.decide import decide
from domain.errors import DatabaseUnavailable, OrderIdTaken, TransactionTaken, UnknownUser
from domain.evidence import Evidence
from domain.history import Entry, Source
from domain.payment import Break, Payment
from domain.ports.payments import PaymentReader, Place
from domain.ports.work import UnitOfWork, Work
from domain.status import Status
from support.builders import (
    MINUTE,
    NOW,
    USER_ID,
    a_charge_answer,
    a_status_reply,
    an_id,
    an_opened_payment,
    given,
)
from support.contracts.time import PassTime
from support.log import is_intact

CHANGED: Final[dict[str, Any]] = {
    "status": Status.PARTIAL_REFUND,
    "transaction_id": "t-1",
    "charge_answer": '{"qr_string": "0002", "actions": []}',
    "updated_at": NOW + MINUTE,
    "paid_at": NOW + timedelta(seconds=90, microseconds=123456),
    "late": True,
    "refunded_amount": 4_000,
    "breaks": (
        Break(reason="amount", subject="amount 1.00 instead of 10000"),
        Break(reason="paid_twice", subject="t-2"),
    ),
    "unconfirmed_since": NOW + MINUTE,
    "attended": (Break(reason="amount", subject="amount 1.00 instead of 10000"),),
}


Kill = Callable[["asyncio.Task[None]"], Awaitable[None]]


async def _locked_since_its_change(work: Work) -> tuple[Payment, timedelta]:
    payment = await work.payments.lock("order-1")
    assert payment is not None
    assert payment.changed_at is not None
    assert payment.read_at is not None
    return payment, payment.read_at - payment.changed_at


class PaymentsContract:
    """Override all five fixtures; the store is empty before each test.

    ``now`` is the store's own time. ``kill`` ends a task as if its process were killed in the middle of a
    transaction.
    """

    @pytest.fixture
    def begin(self) -> UnitOfWork:
        raise NotImplementedError

    @pytest.fixture
    def reader(self) -> PaymentReader:
        raise NotImplementedError

    @pytest.fixture
    def pass_time(self) -> PassTime:
        raise NotImplementedError

    @pytest.fixture
    def now(self) -> datetime:
        raise NotImplementedError

    @pytest.fixture
    def kill(self) -> Kill:
        raise NotImplementedError

    async def test_an_added_payment_is_found_as_it_was_added(
        self, begin: UnitOfWork, reader: PaymentReader
    ) -> None:
        payment, entries = an_opened_payment(
            payment_type="qris",
            callback_url="https://shop.example/back?a=1",
            checkout_token="t" * 32,
            metadata={"cart": "17", "café": "☕ 'quoted'"},
        )

        async with begin() as work:
            await work.users.add(USER_ID)
            await work.payments.add(payment, entries)

        assert await reader.find("order-1") == payment

    async def test_an_unknown_order_is_not_found(self, begin: UnitOfWork, reader: PaymentReader) -> None:
        async with begin() as work:
            locked = await work.payments.lock("nobody's")

        assert locked is None
        assert await reader.find("nobody's") is None

    async def test_of_several_asked_for_those_that_there_are_are_found(
        self, begin: UnitOfWork, reader: PaymentReader
    ) -> None:
        first, second = await given(begin, order_id="order-1"), await given(begin, order_id="order-2")
        await given(begin, order_id="order-3")

        found = await reader.find_all(["order-2", "nobody's", "order-1", "order-2", "not \0 for Postgres"])

        assert sorted(found, key=lambda payment: payment.order_id) == [first, second]
        assert await reader.find_all(["nobody's"]) == []

    async def test_of_several_added_at_once_those_whose_order_id_is_free_are_added(
        self, begin: UnitOfWork, reader: PaymentReader
    ) -> None:
        there = await given(begin, order_id="order-1")
        ids = [an_id(f"new {number}") for number in range(3)]
        order_ids = ("order-2", "order-1", "order-3")
        new = [
            an_opened_payment(id=new_id, order_id=order_id)
            for new_id, order_id in zip(ids, order_ids, strict=True)
        ]

        async with begin() as work:
            added = await work.payments.add_all(new)

        assert added == {new[0][0].id, new[2][0].id}
        assert await reader.find("order-1") == there
        for payment, entries in (new[0], new[2]):
            assert await reader.find(payment.order_id) == payment
            assert await reader.log(payment.id) == [*entries]
        assert await reader.log(ids[1]) == []

    async def test_one_of_an_unknown_user_keeps_all_that_would_be_added_with_it_out(
        self, begin: UnitOfWork, reader: PaymentReader
    ) -> None:
        await given(begin, order_id="order-0")
        new = [an_opened_payment(order_id="order-1"), an_opened_payment(order_id="order-2", user_id=404)]

        with pytest.raises(UnknownUser):
            async with begin() as work:
                await work.payments.add_all(new)

        assert await reader.find_all(["order-1", "order-2"]) == []

    async def test_an_order_id_is_taken_once(self, begin: UnitOfWork, reader: PaymentReader) -> None:
        first = await given(begin)
        second, entries = an_opened_payment(id=an_id("second"), gross_amount=1)

        with pytest.raises(OrderIdTaken, match="order-1"):
            async with begin() as work:
                await work.payments.add(second, entries)

        assert await reader.find("order-1") == first
        assert await reader.log(second.id) == []

    async def test_of_two_that_take_an_order_id_at_once_one_gets_it(
        self, begin: UnitOfWork, reader: PaymentReader
    ) -> None:
        rivals = [an_opened_payment(id=an_id(name)) for name in ("one", "other")]
        async with begin() as work:
            await work.users.add(USER_ID)

        async def take(payment: Payment, entries: tuple[Entry, ...]) -> bool:
            try:
                async with begin() as work:
                    await work.payments.add(payment, entries)
            except OrderIdTaken:
                return False
            return True

        async with asyncio.timeout(10):
            got = await asyncio.gather(*(take(*rival) for rival in rivals))

        assert sorted(got) == [False, True]
        winner = rivals[got.index(True)][0]
        assert await reader.find("order-1") == winner

    async def test_a_payment_of_somebody_unknown_is_refused(
        self, begin: UnitOfWork, reader: PaymentReader
    ) -> None:
        payment, entries = an_opened_payment(user_id=404)

        with pytest.raises(UnknownUser, match="404"):
            async with begin() as work:
                await work.payments.add(payment, entries)

        assert await reader.find("order-1") is None

    async def test_a_user_added_in_the_same_transaction_is_known(
        self, begin: UnitOfWork, reader: PaymentReader
    ) -> None:
        payment, entries = an_opened_payment(user_id=77)

        async with begin() as work:
            await work.users.add(77)
            await work.payments.add(payment, entries)

        assert await reader.find("order-1") == payment

    async def test_a_saved_change_is_found_whole(self, begin: UnitOfWork, reader: PaymentReader) -> None:
        payment = await given(begin)
        changed = replace(payment, **CHANGED)
        changed, entries = history.recorded(
            payment, changed, "settlement", Source.STATUS_REPLY, {}, at=NOW + MINUTE
        )

        async with begin() as work:
            await work.payments.lock("order-1")
            await work.payments.save(changed, entries)

        found = await reader.find("order-1")
        assert found is not None
        assert json.loads(found.charge_answer or "") == {"qr_string": "0002", "actions": []}
        assert replace(found, charge_answer=changed.charge_answer) == changed

    async def test_saving_keeps_what_an_order_fixed(self, begin: UnitOfWork, reader: PaymentReader) -> None:
        payment = await given(begin, metadata={"cart": "17"})
        tampered = replace(
            payment, user_id=2, gross_amount=1, metadata={}, created_at=NOW + MINUTE, late=True
        )

        async with begin() as work:
            await work.payments.lock("order-1")
            await work.payments.save(tampered, ())

        assert await reader.find("order-1") == replace(payment, late=True)

    async def test_a_transaction_sees_its_own_changes_and_nobody_else_does_before_the_commit(
        self, begin: UnitOfWork, reader: PaymentReader
    ) -> None:
        payment = await given(begin)

        async with begin() as work:
            await work.payments.lock("order-1")
            await work.payments.save(replace(payment, late=True), ())
            inside = await work.payments.lock("order-1")
            outside = await reader.find("order-1")

        assert inside == replace(payment, late=True)
        assert outside == payment

    async def test_an_uncommitted_payment_is_nobody_elses(
        self, begin: UnitOfWork, reader: PaymentReader
    ) -> None:
        payment, entries = an_opened_payment()
        async with begin() as work:
            await work.users.add(USER_ID)

        async with begin() as one, begin() as other:
            await one.payments.add(payment, entries)
            locked = await other.payments.lock("order-1")
            found = await reader.find("order-1")

        assert (locked, found) == (None, None)

    async def test_leaving_by_an_exception_undoes_payment_log_and_user(
        self, begin: UnitOfWork, reader: PaymentReader
    ) -> None:
        payment, entries = an_opened_payment(user_id=5)

        with pytest.raises(ZeroDivisionError):  # noqa: PT012 - it leaves by the exception
            async with begin() as work:
                await work.users.add(5)
                await work.payments.add(payment, entries)
                raise ZeroDivisionError

        async with begin() as work:
            assert not await work.users.exists(5)
        assert await reader.find("order-1") is None
        assert await reader.log(payment.id) == []

    async def test_leaving_by_an_exception_undoes_a_change(
        self, begin: UnitOfWork, reader: PaymentReader
    ) -> None:
        payment = await given(begin)

        with pytest.raises(ZeroDivisionError):  # noqa: PT012 - it leaves by the exception
            async with begin() as work:
                await _settle(work)
                raise ZeroDivisionError

        assert await reader.find("order-1") == payment
        assert len(await reader.log(payment.id)) == 1

    async def test_a_cancelled_transaction_is_undone_and_frees_its_lock(
        self, begin: UnitOfWork, reader: PaymentReader
    ) -> None:
        payment = await given(begin)
        changed = asyncio.Event()

        async def hang() -> None:
            async with begin() as work:
                await _settle(work)
                changed.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(hang())
        async with asyncio.timeout(10):
            await changed.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            async with begin() as work:
                locked = await work.payments.lock("order-1")

        assert locked == payment == await reader.find("order-1")

    async def test_a_transaction_whose_process_was_killed_is_undone_and_frees_its_lock(
        self, begin: UnitOfWork, reader: PaymentReader, kill: Kill
    ) -> None:
        payment = await given(begin)
        changed = asyncio.Event()

        async def hang() -> None:
            async with begin() as work:
                await _settle(work)
                changed.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(hang())
        async with asyncio.timeout(10):
            await changed.wait()
            await kill(task)
            async with begin() as work:
                locked = await work.payments.lock("order-1")

        assert locked == payment == await reader.find("order-1")
        assert len(await reader.log(payment.id)) == 1

    async def test_a_lock_that_is_not_had_in_time_is_an_outage_and_the_holder_goes_on(
        self, begin: UnitOfWork, reader: PaymentReader
    ) -> None:
        payment = await given(begin)

        async with asyncio.timeout(10), begin() as work:
            held = await work.payments.lock("order-1")
            with pytest.raises(DatabaseUnavailable):
                async with begin() as other:
                    await other.payments.lock("order-1")
            await work.payments.save(replace(payment, late=True), ())

        assert held == payment
        assert await reader.find("order-1") == replace(payment, late=True)

    async def test_concurrent_changes_of_one_payment_lose_nothing(
        self, begin: UnitOfWork, reader: PaymentReader
    ) -> None:
        payment = await given(begin)

        async def refund_one_rupiah() -> None:
            async with begin() as work:
                before = await work.payments.lock("order-1")
                assert before is not None
                after = replace(before, refunded_amount=before.refunded_amount + 1)
                after, entries = history.recorded(before, after, "refunded", Source.STATUS_REPLY, {}, at=NOW)
                await work.payments.save(after, entries)

        async with asyncio.timeout(10):
            await asyncio.gather(*(refund_one_rupiah() for _ in range(8)))

        found = await reader.find("order-1")
        assert found is not None
        assert found.refunded_amount == 8
        assert is_intact(await reader.log(payment.id), found)

    async def test_changes_of_different_payments_do_not_wait_for_each_other(self, begin: UnitOfWork) -> None:
        await given(begin, order_id="one")
        await given(begin, order_id="other")

        async with asyncio.timeout(10), begin() as work, begin() as second:
            one = await work.payments.lock("one")
            other = await second.payments.lock("other")

        assert one is not None
        assert other is not None

    async def test_a_transaction_id_belongs_to_one_payment(
        self, begin: UnitOfWork, reader: PaymentReader
    ) -> None:
        await given(begin, order_id="one", transaction_id="t-1", status=Status.PENDING)
        other = await given(begin, order_id="other")

        with pytest.raises(TransactionTaken) as taken:  # noqa: PT012 - it leaves by the exception
            async with begin() as work:
                await work.payments.lock("other")
                await work.payments.save(replace(other, transaction_id="t-1"), ())

        assert taken.value.transaction_id == "t-1"
        assert await reader.find("other") == other

    async def test_of_two_that_take_a_transaction_id_at_once_one_gets_it(
        self, begin: UnitOfWork, reader: PaymentReader
    ) -> None:
        for order_id in ("one", "other"):
            await given(begin, order_id=order_id)

        async def take(order_id: str) -> bool:
            try:
                async with begin() as work:
                    payment = await work.payments.lock(order_id)
                    assert payment is not None
                    await work.payments.save(replace(payment, transaction_id="t-1"), ())
            except TransactionTaken:
                return False
            return True

        async with asyncio.timeout(10):
            got = await asyncio.gather(take("one"), take("other"))

        assert sorted(got) == [False, True]
        holders = [await reader.find(order_id) for order_id in ("one", "other")]
        assert [holder.transaction_id for holder in holders if holder] == [
            "t-1" if won else None for won in got
        ]

    async def test_the_log_comes_back_in_order_and_unbroken(
        self, begin: UnitOfWork, reader: PaymentReader
    ) -> None:
        payment = await given(begin)
        evidence: list[Evidence] = [
            a_charge_answer(),
            a_status_reply(settled_at=NOW + timedelta(seconds=90)),
            a_status_reply(transaction_status="partial_refund", refund_amount=4_000),
            a_status_reply(transaction_id="t-2"),
        ]

        for piece in evidence:
            async with begin() as work:
                before = await work.payments.lock("order-1")
                assert before is not None
                decision = decide(before, piece)
                await work.payments.save(decision.payment, decision.entries)

        log = await reader.log(payment.id)
        found = await reader.find("order-1")
        assert found is not None
        assert [entry.what for entry in log] == [
            "created",
            "pending",
            "settlement",
            "partial_refund",
            "break",
        ]
        assert is_intact(log, found)

    async def test_the_bytes_that_proved_an_entry_come_back_with_it(
        self, begin: UnitOfWork, reader: PaymentReader
    ) -> None:
        raw = b'{"status_code": "200",  "order_id": "order-1"}\n'
        payments = [await given(begin, order_id=order_id) for order_id in ("order-1", "order-2")]

        for payment in payments:  # the same bytes for both: they are kept once
            async with begin() as work:
                await work.payments.lock(payment.order_id)
                evidence = a_status_reply(order_id=payment.order_id, transaction_id=payment.order_id, raw=raw)
                decision = decide(payment, evidence)
                await work.payments.save(decision.payment, decision.entries)

        for payment in payments:
            assert [entry.raw for entry in await reader.log(payment.id)] == [b"", raw]

    async def test_several_changes_are_saved_at_once(self, begin: UnitOfWork, reader: PaymentReader) -> None:
        payments = [await given(begin, order_id=f"order-{number}") for number in range(3)]

        async with begin() as work:
            locked = await work.payments.lock_free(["order-0", "order-1", "nobody's", "order-1"])
            decisions = [
                decide(known, a_status_reply(order_id=known.order_id, transaction_id=known.order_id))
                for known in locked
            ]
            await work.payments.save_all([(d.payment, d.entries) for d in decisions])

        assert sorted(known.order_id for known in locked) == ["order-0", "order-1"]
        for payment in payments:
            found = await reader.find(payment.order_id)
            assert found is not None
            assert found.status is (Status.CREATED if payment is payments[2] else Status.SETTLEMENT)
            assert is_intact(await reader.log(payment.id), found)

    async def test_of_several_changes_all_or_none_are_saved(
        self, begin: UnitOfWork, reader: PaymentReader
    ) -> None:
        await given(begin, order_id="owner", transaction_id="t-1", status=Status.PENDING)
        others = [await given(begin, order_id=order_id) for order_id in ("one", "other")]

        with pytest.raises(TransactionTaken) as taken:  # noqa: PT012 - it leaves by the exception
            async with begin() as work:
                await work.payments.lock_free(["one", "other"])
                await work.payments.save_all(
                    [(replace(others[0], late=True), ()), (replace(others[1], transaction_id="t-1"), ())]
                )

        assert taken.value.transaction_id == "t-1"
        assert [await reader.find(known.order_id) for known in others] == others

    async def test_what_somebody_holds_is_left_out_and_never_waited_for(self, begin: UnitOfWork) -> None:
        for order_id in ("held", "free"):
            await given(begin, order_id=order_id)

        async with asyncio.timeout(10), begin() as holder, begin() as work:
            await holder.payments.lock("held")
            locked = await work.payments.lock_free(["held", "free"])

        assert [known.order_id for known in locked] == ["free"]

    async def test_what_was_locked_freely_is_held_until_the_end(self, begin: UnitOfWork) -> None:
        await given(begin)

        async with asyncio.timeout(10), begin() as holder:
            await holder.payments.lock_free(["order-1"])
            async with begin() as work:
                assert await work.payments.lock_free(["order-1"]) == []
        async with begin() as work:
            assert len(await work.payments.lock_free(["order-1"])) == 1

    async def test_a_payment_without_a_log_is_adopted_with_one(
        self, begin: UnitOfWork, reader: PaymentReader
    ) -> None:
        await given(
            begin,
            log_length=0,
            status=Status.PENDING,
            transaction_id="t-1",
        )

        async with begin() as work:
            await _settle(work)

        found = await reader.find("order-1")
        assert found is not None
        log = await reader.log(found.id)
        assert [entry.what for entry in log] == ["adopted", "settlement"]
        assert is_intact(log, found)

    async def test_a_charge_is_sent_again_for_four_minutes_from_its_first_attempt(
        self, begin: UnitOfWork, pass_time: PassTime, now: datetime
    ) -> None:
        payment = await given(begin, expires_at=now + 15 * MINUTE)

        async def again() -> bool:
            async with begin() as work:
                return await work.payments.charge_again(payment.id)

        allowed = [await again()]
        await pass_time(205)
        allowed.append(await again())
        await pass_time(15)
        allowed.append(await again())

        assert allowed == [True, True, False]

    @pytest.mark.parametrize("how", ["charge_again", "charge_anew"])
    async def test_a_payment_that_ends_while_somebody_wants_to_charge_it_is_not_charged_any_more(
        self, begin: UnitOfWork, how: str, now: datetime
    ) -> None:
        payment = await given(begin, expires_at=now + 15 * MINUTE)

        async def wants_to_charge() -> bool:
            async with begin() as work:
                return bool(await getattr(work.payments, how)(payment.id))

        async with asyncio.timeout(10):
            async with begin() as work:
                await work.payments.lock("order-1")
                waiting = asyncio.create_task(wants_to_charge())
                for _ in range(20):
                    await asyncio.sleep(0)
                await work.payments.save(replace(payment, status=Status.FAILURE), ())
            assert not await waiting

    async def test_a_charge_made_anew_has_its_four_minutes_again(
        self, begin: UnitOfWork, pass_time: PassTime, now: datetime
    ) -> None:
        payment = await given(begin, expires_at=now + 15 * MINUTE)
        await pass_time(300)
        async with begin() as work:
            await work.payments.charge_anew(payment.id)
        await pass_time(200)

        async with begin() as work:
            assert await work.payments.charge_again(payment.id)

    @pytest.mark.parametrize("how", ["charge_again", "charge_anew"])
    async def test_nothing_is_charged_after_the_end_by_the_stores_own_time(
        self, begin: UnitOfWork, pass_time: PassTime, how: str, now: datetime
    ) -> None:
        payment = await given(begin, expires_at=now + 3 * MINUTE)

        async def may_charge() -> bool:
            async with begin() as work:
                return bool(await getattr(work.payments, how)(payment.id))

        await pass_time(170)
        allowed = [await may_charge()]
        await pass_time(11)
        allowed.append(await may_charge())

        assert allowed == [True, False]

    async def test_a_charge_that_is_being_ended_is_never_made_again(
        self, begin: UnitOfWork, now: datetime
    ) -> None:
        payment = await given(begin, expires_at=now + 15 * MINUTE)

        async with begin() as work:
            first = await work.payments.never_charge_again(payment.id)
        async with begin() as work:
            again = await work.payments.never_charge_again(payment.id)
            nobody = await work.payments.never_charge_again(an_id("nobody's"))
        async with begin() as work:
            allowed = [
                await work.payments.charge_again(payment.id),
                await work.payments.charge_anew(payment.id),
            ]

        assert (first, again, nobody) == (True, False, False)
        assert allowed == [False, False]

    async def test_when_a_charge_was_sent_last_is_kept(
        self, begin: UnitOfWork, reader: PaymentReader, pass_time: PassTime, now: datetime
    ) -> None:
        payment = await given(begin, expires_at=now + 15 * MINUTE)

        async def sent() -> datetime:
            found = await reader.find("order-1")
            assert found is not None
            assert found.charged_at is not None
            return found.charged_at

        await pass_time(100)
        first = await sent()
        async with begin() as work:
            await work.payments.charge_again(payment.id)
        again = await sent()
        await pass_time(300)
        async with begin() as work:
            await work.payments.charge_again(payment.id)
        too_late = await sent()
        async with begin() as work:
            await work.payments.charge_anew(payment.id)

        assert again - first >= timedelta(seconds=99)
        assert too_late <= again
        assert await sent() - too_late >= timedelta(seconds=299)

    async def test_a_payment_comes_with_the_time_of_the_database_at_which_it_was_read(
        self, begin: UnitOfWork, reader: PaymentReader, pass_time: PassTime
    ) -> None:
        await given(begin)
        await pass_time(100)

        found = await reader.find("order-1")
        async with begin() as work:
            locked = await work.payments.lock("order-1")

        for read in (found, locked):
            assert read is not None
            assert read.read_at is not None
            assert read.charged_at is not None
            assert timedelta(seconds=99) <= read.read_at - read.charged_at <= timedelta(seconds=130)

    async def test_a_turn_to_ask_midtrans_comes_once_in_a_while(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        payment = await given(begin)

        async def turn() -> bool:
            async with begin() as work:
                return await work.payments.take_turn(payment.id, seconds=10)

        taken = [await turn(), await turn()]
        await pass_time(8)
        taken.append(await turn())
        await pass_time(3)
        taken.append(await turn())

        assert taken == [True, False, False, True]

    async def test_of_two_that_take_a_turn_at_once_one_gets_it(self, begin: UnitOfWork) -> None:
        payment = await given(begin)

        async def turn() -> bool:
            async with begin() as work:
                return await work.payments.take_turn(payment.id, seconds=10)

        async with asyncio.timeout(10):
            taken = await asyncio.gather(*(turn() for _ in range(4)))

        assert sorted(taken) == [False, False, False, True]

    async def test_a_turn_of_one_payment_is_not_anothers(self, begin: UnitOfWork) -> None:
        payments = [await given(begin, order_id=order_id) for order_id in ("one", "other")]

        async with begin() as work:
            taken = [await work.payments.take_turn(known.id, seconds=10) for known in payments]

        assert taken == [True, True]

    async def test_there_is_no_turn_for_an_unknown_payment(self, begin: UnitOfWork) -> None:
        async with begin() as work:
            assert not await work.payments.take_turn(an_id("unknown"), seconds=10)

    async def test_a_payment_comes_due_when_its_schedule_says(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        await given(begin)

        async def due() -> tuple[bool, list[str]]:
            async with begin() as work:
                return await work.payments.any_due(), await work.payments.take_due(limit=10)

        taken = [await due()]
        await pass_time(39)
        taken.append(await due())
        await pass_time(2)
        taken.append(await due())

        assert taken == [(False, []), (False, []), (True, ["order-1"])]

    async def test_a_taken_payment_is_nobody_elses_until_it_comes_due_again(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        await given(begin)
        await pass_time(41)

        async def take() -> list[str]:
            async with begin() as work:
                return await work.payments.take_due(limit=10)

        taken = [await take(), await take()]
        await pass_time(54)
        taken.append(await take())
        await pass_time(2)
        taken.append(await take())

        assert taken == [["order-1"], [], [], ["order-1"]]

    async def test_an_orphan_does_not_wait_behind_what_is_due_for_longer(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        for order_id in ("long overdue", "overdue too"):
            await given(begin, order_id=order_id, status=Status.PENDING, transaction_id=f"t of {order_id}")
        await pass_time(3600)
        await given(begin, order_id="orphan")
        await pass_time(41)

        async with begin() as work:
            first = await work.payments.take_due(limit=2)
            rest = await work.payments.take_due(limit=2)

        assert "orphan" in first
        assert sorted((*first, *rest)) == ["long overdue", "orphan", "overdue too"]

    async def test_several_at_once_share_what_is_due(self, begin: UnitOfWork, pass_time: PassTime) -> None:
        orders = {(await given(begin, order_id=f"order-{number}")).order_id for number in range(12)}
        await pass_time(41)

        async def take() -> list[str]:
            async with begin() as work:
                return await work.payments.take_due(limit=3)

        async with asyncio.timeout(10):
            shares = await asyncio.gather(*(take() for _ in range(6)))

        assert sorted(order for share in shares for order in share) == sorted(orders)

    async def test_a_payment_that_somebody_holds_is_passed_over_and_not_waited_for(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        for order_id in ("held", "free"):
            await given(begin, order_id=order_id)
        await pass_time(41)

        async with asyncio.timeout(1), begin() as holder, begin() as taker:
            await holder.payments.lock("held")
            taken = await taker.payments.take_due(limit=10)

        assert taken == ["free"]

    async def test_what_a_failed_taker_took_is_due_again(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        await given(begin)
        await pass_time(41)

        with pytest.raises(ZeroDivisionError):  # noqa: PT012 - it leaves by the exception
            async with begin() as work:
                await work.payments.take_due(limit=10)
                raise ZeroDivisionError
        async with begin() as work:
            assert await work.payments.take_due(limit=10) == ["order-1"]

    async def test_the_longest_due_comes_first(self, begin: UnitOfWork, pass_time: PassTime) -> None:
        for order_id in ("first", "second"):
            await given(begin, order_id=order_id)
            await pass_time(50)

        async with begin() as work:
            assert await work.payments.take_due(limit=1) == ["first"]

    async def test_one_that_was_just_asked_about_is_not_due(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        payment = await given(begin)
        await pass_time(41)
        async with begin() as work:
            await work.payments.take_turn(payment.id, seconds=10)

        async with begin() as work:
            found = await work.payments.any_due(), await work.payments.take_due(limit=1)
        await pass_time(11)
        async with begin() as work:
            later = await work.payments.take_due(limit=1)

        assert found == (False, [])
        assert later == ["order-1"]

    async def test_what_is_put_off_comes_due_as_its_schedule_says(
        self, begin: UnitOfWork, reader: PaymentReader, pass_time: PassTime, now: datetime
    ) -> None:
        await given(begin, created_at=now, status=Status.PENDING, transaction_id="t-1")
        await pass_time(200)
        async with begin() as work:
            await work.payments.take_due(limit=1)
        payment = await reader.find("order-1")
        assert payment is not None

        async with begin() as work:
            await work.payments.put_off(replace(payment, read_at=None), at=now + timedelta(minutes=3))
        await pass_time(175)
        async with begin() as work:
            early = await work.payments.take_due(limit=1)
        await pass_time(10)
        async with begin() as work:
            in_time = await work.payments.take_due(limit=1)

        assert (early, in_time) == ([], ["order-1"])

    @pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(hours=-1)])
    @pytest.mark.parametrize("how", ["saved", "put off"])
    async def test_a_due_time_is_by_the_stores_own_time_however_wrong_a_process_s_clock_is(
        self, begin: UnitOfWork, pass_time: PassTime, ahead: timedelta, how: str
    ) -> None:
        await given(begin)  # an orphan, due 40 s after its charge

        async with begin() as work:
            payment = await work.payments.lock("order-1")
            assert payment is not None
            assert payment.read_at is not None
            at = payment.read_at + ahead
            if how == "saved":
                await work.payments.save(replace(payment, updated_at=at), ())
            else:
                await work.payments.put_off(payment, at=at)
        await pass_time(35)
        async with begin() as work:
            early = await work.payments.take_due(limit=1)
        await pass_time(10)
        async with begin() as work:
            in_time = await work.payments.take_due(limit=1)

        assert (early, in_time) == ([], ["order-1"])

    @pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(hours=-1)])
    async def test_when_a_payment_changed_last_is_by_the_stores_own_time(
        self, begin: UnitOfWork, pass_time: PassTime, ahead: timedelta
    ) -> None:
        await given(begin)
        await pass_time(600)
        async with begin() as work:
            payment, at_first = await _locked_since_its_change(work)
            assert payment.read_at is not None
            await work.payments.save(replace(payment, updated_at=payment.read_at + ahead), ())
        await pass_time(45)
        async with begin() as work:  # what is no change
            assert await work.payments.take_due(limit=1) == ["order-1"]
        await pass_time(15)
        async with begin() as work:
            assert await work.payments.take_turn(payment.id, seconds=10)
            await work.payments.put_off(payment, at=payment.read_at + ahead)
        async with begin() as work:
            _, since_change = await _locked_since_its_change(work)

        assert timedelta(seconds=600) <= at_first
        assert timedelta(seconds=60) <= since_change < at_first

    @pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(hours=-1)])
    async def test_what_ended_just_now_is_looked_at_in_time_however_wrong_a_process_s_clock_is(
        self, begin: UnitOfWork, pass_time: PassTime, ahead: timedelta, now: datetime
    ) -> None:
        await given(begin, expires_at=now + timedelta(days=7))

        async with begin() as work:
            payment = await work.payments.lock("order-1")
            assert payment is not None
            assert payment.read_at is not None
            ended = replace(payment, status=Status.FAILURE, updated_at=payment.read_at + ahead)
            await work.payments.save(ended, ())
        await pass_time(10 * 60)
        async with begin() as work:
            early = await work.payments.take_due(limit=1)
        await pass_time(2 * 60)
        async with begin() as work:
            in_time = await work.payments.take_due(limit=1)

        assert (early, in_time) == ([], ["order-1"])

    async def test_a_payment_that_needs_nothing_more_is_never_due(
        self, begin: UnitOfWork, pass_time: PassTime
    ) -> None:
        await given(begin, status=Status.SETTLEMENT, transaction_id="t-1", paid_at=NOW)
        await pass_time(40 * 86_400)

        async with begin() as work:
            assert not await work.payments.any_due()

    async def test_what_needs_a_person_is_listed_with_the_latest_change_first(
        self, begin: UnitOfWork, reader: PaymentReader
    ) -> None:
        broken = (Break(reason="amount", subject="1"),)
        await given(begin, order_id="fine")
        first = await given(begin, order_id="first", breaks=broken, updated_at=NOW + MINUTE)
        await given(begin, order_id="attended", breaks=broken, attended=broken)
        late = await given(
            begin, order_id="late", late=True, status=Status.SETTLEMENT, updated_at=NOW + 2 * MINUTE
        )

        assert await reader.attention(limit=10) == [late, first]
        assert await reader.attention(limit=1) == [late]

    @pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
    @pytest.mark.parametrize("user_id", [USER_ID, None])
    async def test_pages_are_complete_and_repeat_nothing_also_among_equal_times(
        self, begin: UnitOfWork, reader: PaymentReader, limit: int, user_id: int | None
    ) -> None:
        times = [NOW, NOW, NOW, NOW, NOW + MINUTE, NOW + MINUTE, NOW - MINUTE]
        payments = [
            await given(begin, order_id=f"order-{number}", created_at=at) for number, at in enumerate(times)
        ]

        listed, after = list[Payment](), None
        while page := await reader.page(user_id=user_id, status=None, after=after, limit=limit):
            assert len(page) <= limit
            listed += page
            after = Place(created_at=page[-1].created_at, id=page[-1].id)

        newest_first = sorted(payments, key=lambda p: (p.created_at, p.id), reverse=True)
        assert listed == newest_first

    async def test_a_page_is_of_one_user_and_one_status(
        self, begin: UnitOfWork, reader: PaymentReader
    ) -> None:
        mine = await given(begin, order_id="mine")
        settled = await given(
            begin, order_id="settled", status=Status.SETTLEMENT, transaction_id="t-1", paid_at=NOW
        )
        theirs = await given(begin, order_id="theirs", user_id=2)

        async def listed(user_id: int | None, status: Status | None) -> set[str]:
            page = await reader.page(user_id=user_id, status=status, after=None, limit=10)
            return {payment.order_id for payment in page}

        assert await listed(USER_ID, None) == {mine.order_id, settled.order_id}
        assert await listed(USER_ID, Status.SETTLEMENT) == {settled.order_id}
        assert await listed(None, Status.CREATED) == {mine.order_id, theirs.order_id}
        assert await listed(3, None) == set()

    async def test_a_payment_made_while_paging_disturbs_no_page(
        self, begin: UnitOfWork, reader: PaymentReader
    ) -> None:
        for number in range(4):
            await given(begin, order_id=f"order-{number}", created_at=NOW - number * MINUTE)

        first = await reader.page(user_id=USER_ID, status=None, after=None, limit=2)
        await given(begin, order_id="newer", created_at=NOW + MINUTE)
        place = Place(created_at=first[-1].created_at, id=first[-1].id)
        second = await reader.page(user_id=USER_ID, status=None, after=place, limit=2)

        listed = [payment.order_id for payment in first + second]
        assert listed == ["order-0", "order-1", "order-2", "order-3"]


async def _settle(work: Work) -> None:
    payment = await work.payments.lock("order-1")
    assert payment is not None
    decision = decide(payment, a_status_reply())
    await work.payments.save(decision.payment, decision.entries)
