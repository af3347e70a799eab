"""The fakes keep the promises of the ports: the same suites run against Postgres and Midtrans's bytes."""

import asyncio
from datetime import datetime

import pytest

from support.contracts.budget import AskingBudgetContract
from support.contracts.checkouts import CheckoutsContract, PaymentChangesContract
from support.contracts.create_rate import CreateRateContract, RateOf
from support.contracts.deliveries import DeliveriesContract
from support.contracts.endpoints import EndpointsContract
from support.contracts.gateway import PaymentGatewayContract, Situation
from support.contracts.idempotency import IdempotencyKeysContract
from support.contracts.notification_reader import NotificationReaderContract
from support.contracts.notifications import Inbox, NotificationsContract
from support.contracts.payments import Kill, PaymentsContract
from support.contracts.pruner import PrunerContract
from support.contracts.refunds import RefundsContract
from support.contracts.time import PassTime
from support.contracts.users import UsersContract
from support.fake_checkouts import InMemoryCheckouts, InMemoryPaymentChanges
from support.fake_notification_reader import InMemoryNotificationReader
from support.fake_pruner import InMemoryPruner
from support.fakes import (
    InMemoryCreateRate,
    InMemoryPaymentReader,
    InMemoryUnitOfWork,
    ManualClock,
    StoredNotification,
)
from support.killed import end_abruptly
from support.situations import ScriptedSituation


class _InMemory:
    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock()

    @pytest.fixture
    def begin(self, clock: ManualClock) -> InMemoryUnitOfWork:
        return InMemoryUnitOfWork(clock=clock, lock_seconds=0.05)

    @pytest.fixture
    def reader(self, begin: InMemoryUnitOfWork) -> InMemoryPaymentReader:
        return InMemoryPaymentReader(begin)

    @pytest.fixture
    def now(self, clock: ManualClock) -> datetime:
        return clock.now()

    @pytest.fixture
    def pass_time(self, clock: ManualClock) -> PassTime:
        async def pass_time(seconds: float) -> None:
            await clock.sleep(seconds)

        return pass_time


class TestInMemoryPayments(_InMemory, PaymentsContract):
    @pytest.fixture
    def kill(self) -> Kill:
        async def kill(task: "asyncio.Task[None]") -> None:
            end_abruptly(task)

        return kill


class _InMemoryInbox(_InMemory):
    @pytest.fixture
    def inbox(self, begin: InMemoryUnitOfWork) -> Inbox:
        async def inbox() -> list[StoredNotification]:
            return begin.notifications

        return inbox


class TestInMemoryNotifications(_InMemoryInbox, NotificationsContract):
    pass


class TestInMemoryPruner(_InMemoryInbox, PrunerContract):
    @pytest.fixture
    def pruner(self, begin: InMemoryUnitOfWork, clock: ManualClock) -> InMemoryPruner:
        return InMemoryPruner(begin, clock)


class TestInMemoryNotificationReader(_InMemory, NotificationReaderContract):
    @pytest.fixture
    def inbox_reader(self, begin: InMemoryUnitOfWork) -> InMemoryNotificationReader:
        return InMemoryNotificationReader(begin)


class TestInMemoryIdempotencyKeys(_InMemory, IdempotencyKeysContract):
    pass


class TestInMemoryAskingBudget(_InMemory, AskingBudgetContract):
    pass


class TestInMemoryRefunds(_InMemory, RefundsContract):
    pass


class TestInMemoryCheckouts(_InMemory, CheckoutsContract):
    @pytest.fixture
    def checkouts(self, begin: InMemoryUnitOfWork) -> InMemoryCheckouts:
        return InMemoryCheckouts(begin)


class TestInMemoryPaymentChanges(_InMemory, PaymentChangesContract):
    @pytest.fixture
    def changes(self, begin: InMemoryUnitOfWork) -> InMemoryPaymentChanges:
        return InMemoryPaymentChanges(begin)


class TestInMemoryUsers(_InMemory, UsersContract):
    pass


class TestInMemoryEndpoints(_InMemory, EndpointsContract):
    pass


class TestInMemoryDeliveries(_InMemory, DeliveriesContract):
    pass


class TestInMemoryCreateRate(_InMemory, CreateRateContract):
    @pytest.fixture
    def rate_of(self, clock: ManualClock) -> RateOf:
        windows: dict[int, tuple[float, int]] = {}

        def rate_of(per_minute: int) -> InMemoryCreateRate:
            return InMemoryCreateRate(clock=clock, per_minute=per_minute, windows=windows)

        return rate_of


class TestScriptedGateway(PaymentGatewayContract):
    @pytest.fixture
    def midtrans(self) -> Situation:
        return ScriptedSituation()
