"""The database of the simulation keeps the promises of the ports, like the fake that it is made of."""

import asyncio
from datetime import datetime

import pytest

from simulation.database import SimulatedDatabase
from simulation.fate import Fate
from simulation.world import World
from support.contracts.budget import AskingBudgetContract
from support.contracts.idempotency import IdempotencyKeysContract
from support.contracts.notifications import Inbox, NotificationsContract
from support.contracts.payments import Kill, PaymentsContract
from support.contracts.time import PassTime
from support.fakes import InMemoryPaymentReader, StoredNotification
from support.killed import end_abruptly


class _Simulated:
    """A world without faults, whose time passes only when the test says so."""

    @pytest.fixture
    def begin(self) -> SimulatedDatabase:
        return SimulatedDatabase(World(Fate(0, faulty=False)), lock_seconds=0.05)

    @pytest.fixture
    def reader(self, begin: SimulatedDatabase) -> InMemoryPaymentReader:
        return InMemoryPaymentReader(begin)

    @pytest.fixture
    def now(self, begin: SimulatedDatabase) -> datetime:
        return begin.now()

    @pytest.fixture
    def pass_time(self, begin: SimulatedDatabase) -> PassTime:
        async def pass_time(seconds: float) -> None:
            begin.world.loop._now += seconds

        return pass_time


class TestSimulatedPayments(_Simulated, PaymentsContract):
    @pytest.fixture
    def kill(self) -> Kill:
        async def kill(task: "asyncio.Task[None]") -> None:
            end_abruptly(task)

        return kill


class TestSimulatedNotifications(_Simulated, NotificationsContract):
    @pytest.fixture
    def inbox(self, begin: SimulatedDatabase) -> Inbox:
        async def inbox() -> list[StoredNotification]:
            return begin.notifications

        return inbox


class TestSimulatedIdempotencyKeys(_Simulated, IdempotencyKeysContract):
    pass


class TestSimulatedAskingBudget(_Simulated, AskingBudgetContract):
    pass
