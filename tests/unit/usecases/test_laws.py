"""Laws of the use cases together: whatever arrives, in whatever order, the end is Midtrans's truth.

What happened at Midtrans is a history of one transaction. Its notifications arrive in every order, some
doubled, some never, with the background work before, between and after; then all is left to itself.
"""

import asyncio
import itertools
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from domain.evidence import NoTransaction, StatusReply
from domain.payment import Payment
from domain.signature import ServerKeys
from domain.status import Status
from domain.usecases.confirm_notifications import ConfirmNotifications
from domain.usecases.receive_notification import ReceiveNotification
from domain.usecases.reconcile_payments import ReconcilePayments
from support import builders
from support.builders import SERVER_KEY, a_delivery, a_status_reply
from support.fakes import (
    CountingIdentifiers,
    InMemoryPaymentReader,
    InMemoryUnitOfWork,
    ManualClock,
    ScriptedGateway,
)
from support.log import is_intact

History = tuple[str, ...]

HISTORIES: Final[tuple[History, ...]] = (
    ("pending",),
    ("pending", "settlement"),
    ("pending", "settlement", "partial_refund", "refund"),
    ("pending", "settlement", "partial_chargeback", "chargeback"),
    ("pending", "expire"),
    ("pending", "expire", "settlement"),
    ("pending", "cancel"),
    ("pending", "deny"),
    ("deny",),
)
REFUNDED: Final = {"partial_refund": 4_000, "refund": 10_000}
WEEK: Final = 8 * 24 * 3600


@dataclass
class Service:
    """The use cases that hear of payments without a shop's doing, over one memory."""

    clock: ManualClock
    begin: InMemoryUnitOfWork
    reader: InMemoryPaymentReader
    gateway: ScriptedGateway

    def __post_init__(self) -> None:
        ports: dict[str, Any] = {
            "begin": self.begin,
            "reader": self.reader,
            "gateway": self.gateway,
            "clock": self.clock,
        }
        self.confirm = ConfirmNotifications(**ports)
        self.reconcile = ReconcilePayments(**ports)
        self.receive = ReceiveNotification(
            begin=self.begin,
            ids=CountingIdentifiers(),
            keys=ServerKeys(current=SERVER_KEY),
            confirm_always=False,
        )

    async def hear(self, status: str) -> None:
        await self.receive(a_delivery(transaction_status=status, received_at=self.clock.now()))

    async def work(self) -> None:
        """One look of the background work."""
        await self.confirm(limit=20)
        await self.reconcile(limit=20)

    async def rest(self, seconds: float) -> None:
        """Left to itself for so long, with a look whenever there is something to do."""
        end = self.clock.now() + timedelta(seconds=seconds)
        while self.clock.now() < end:
            await self.work()
            self.clock.advance(max(self._until_due(), 1.0))

    async def stored(self) -> Payment:
        payment = await self.reader.find("order-1")
        assert payment is not None
        assert is_intact(await self.reader.log(payment.id), payment)
        return payment

    def _until_due(self) -> float:
        state = self.begin.state
        inbox = [row.due_at for row in state.notifications.values() if not row.processed and not row.error]
        payments = [due for due in state.due_at.values() if due is not None]
        soonest = min([*inbox, *payments, self.clock.now() + timedelta(days=1)])
        return (soonest - self.clock.now()).total_seconds()


async def a_service(history: History, *, is_charged: bool) -> Service:
    """A payment whose charge was stored, or whose answer was lost; Midtrans knows its history."""
    clock = ManualClock()
    begin = InMemoryUnitOfWork(clock=clock)
    service = Service(clock, begin, InMemoryPaymentReader(begin), ScriptedGateway(clock=clock, begin=begin))
    known = {"status": Status.PENDING, "transaction_id": "t-1"} if is_charged else {}
    await builders.given(begin, **known)

    async def reply() -> StatusReply | NoTransaction:
        told = history[-1]
        return a_status_reply(
            transaction_status=told, refund_amount=REFUNDED.get(told), received_at=clock.now()
        )

    for known_as in ("t-1", "order-1"):
        service.gateway.answers_status_of(known_as, reply)
        service.gateway.answers_expire_of(known_as, reply)
    return service


def outcome(payment: Payment) -> tuple[Status, str | None, int]:
    return payment.status, payment.transaction_id, payment.refunded_amount


def truth(history: History) -> tuple[Status, str | None, int]:
    return Status(history[-1]), "t-1", REFUNDED.get(history[-1], 0)


@pytest.mark.parametrize("is_charged", [True, False], ids=["charged", "answer lost"])
@pytest.mark.parametrize("history", HISTORIES, ids=" ".join)
async def test_every_order_of_its_notifications_ends_in_the_truth(
    history: History, *, is_charged: bool
) -> None:
    for order in itertools.permutations(history):
        for work_between in (True, False):
            service = await a_service(history, is_charged=is_charged)
            for status in order:
                await service.hear(status)
                if work_between:
                    await service.work()
            await service.rest(3600)

            assert outcome(await service.stored()) == truth(history), (order, work_between)
            assert all(row.processed or row.error for row in service.begin.notifications)


@pytest.mark.parametrize("history", HISTORIES, ids=" ".join)
async def test_without_any_notification_it_ends_in_what_asking_tells(history: History) -> None:
    service = await a_service(history, is_charged=False)

    await service.rest(WEEK)

    assert outcome(await service.stored()) == truth(history)


@drawn(
    st.sampled_from(HISTORIES),
    st.booleans(),
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["hear", "work", "wait"])), max_size=20),
)
def test_whatever_is_doubled_lost_and_reordered_the_end_is_the_truth(
    history: History,
    is_charged: bool,  # noqa: FBT001 - Hypothesis draws it
    course: list[tuple[int, str]],
) -> None:
    async def live() -> None:
        service = await a_service(history, is_charged=is_charged)
        for number, what in course:
            if what == "hear":
                await service.hear(history[number % len(history)])
            elif what == "work":
                await service.work()
            else:
                service.clock.advance(10.0**number)
        for status in history:
            await service.hear(status)
        before = await service.stored()
        await service.rest(2 * 3600)
        after = await service.stored()

        assert outcome(after) == truth(history)
        assert not before.status.is_paid or before.paid_at == after.paid_at

    asyncio.run(live())
