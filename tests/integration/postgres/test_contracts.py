"""Postgres keeps the promises of the ports: the suites that the fakes pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.postgres.checkouts import PostgresCheckouts, PostgresPaymentChanges
from adapters.postgres.create_rate import PostgresCreateRate
from adapters.postgres.notification_reader import PostgresNotificationReader
from adapters.postgres.retention import PostgresPruner
from support.contracts.budget import AskingBudgetContract
from support.contracts.checkouts import CheckoutsContract, PaymentChangesContract
from support.contracts.create_rate import CreateRateContract, RateOf
from support.contracts.deliveries import DeliveriesContract
from support.contracts.endpoints import EndpointsContract
from support.contracts.idempotency import IdempotencyKeysContract
from support.contracts.notification_reader import NotificationReaderContract
from support.contracts.notifications import Inbox, NotificationsContract
from support.contracts.payments import PaymentsContract
from support.contracts.pruner import PrunerContract
from support.contracts.refunds import RefundsContract
from support.contracts.users import UsersContract

if TYPE_CHECKING:
    from datetime import datetime

    from adapters.postgres.payments import PostgresPaymentReader
    from adapters.postgres.pool import Pool
    from adapters.postgres.work import PostgresUnitOfWork
    from support.contracts.payments import Kill
    from support.contracts.time import PassTime


class TestPostgresPayments(PaymentsContract):
    @pytest.fixture
    def begin(self, begin: PostgresUnitOfWork) -> PostgresUnitOfWork:
        return begin

    @pytest.fixture
    def reader(self, reader: PostgresPaymentReader) -> PostgresPaymentReader:
        return reader

    @pytest.fixture
    def pass_time(self, pass_time: PassTime) -> PassTime:
        return pass_time

    @pytest.fixture
    def now(self, now: datetime) -> datetime:
        return now

    @pytest.fixture
    def kill(self, kill: Kill) -> Kill:
        return kill


class TestPostgresIdempotencyKeys(IdempotencyKeysContract):
    @pytest.fixture
    def begin(self, begin: PostgresUnitOfWork) -> PostgresUnitOfWork:
        return begin

    @pytest.fixture
    def reader(self, reader: PostgresPaymentReader) -> PostgresPaymentReader:
        return reader

    @pytest.fixture
    def pass_time(self, pass_time: PassTime) -> PassTime:
        return pass_time


class TestPostgresNotifications(NotificationsContract):
    @pytest.fixture
    def begin(self, begin: PostgresUnitOfWork) -> PostgresUnitOfWork:
        return begin

    @pytest.fixture
    def inbox(self, inbox: Inbox) -> Inbox:
        return inbox

    @pytest.fixture
    def pass_time(self, pass_time: PassTime) -> PassTime:
        return pass_time

    @pytest.fixture
    def now(self, now: datetime) -> datetime:
        return now


class TestPostgresAskingBudget(AskingBudgetContract):
    @pytest.fixture
    def begin(self, begin: PostgresUnitOfWork) -> PostgresUnitOfWork:
        return begin

    @pytest.fixture
    def pass_time(self, pass_time: PassTime) -> PassTime:
        return pass_time


class TestPostgresPruner(PrunerContract):
    @pytest.fixture
    def begin(self, begin: PostgresUnitOfWork) -> PostgresUnitOfWork:
        return begin

    @pytest.fixture
    def reader(self, reader: PostgresPaymentReader) -> PostgresPaymentReader:
        return reader

    @pytest.fixture
    def pruner(self, pool: Pool) -> PostgresPruner:
        return PostgresPruner(pool=pool)

    @pytest.fixture
    def inbox(self, inbox: Inbox) -> Inbox:
        return inbox

    @pytest.fixture
    def pass_time(self, pass_time: PassTime) -> PassTime:
        return pass_time

    @pytest.fixture
    def now(self, now: datetime) -> datetime:
        return now


class TestPostgresNotificationReader(NotificationReaderContract):
    @pytest.fixture
    def begin(self, begin: PostgresUnitOfWork) -> PostgresUnitOfWork:
        return begin

    @pytest.fixture
    def inbox_reader(self, pool: Pool) -> PostgresNotificationReader:
        return PostgresNotificationReader(pool=pool)


class TestPostgresRefunds(RefundsContract):
    @pytest.fixture
    def begin(self, begin: PostgresUnitOfWork) -> PostgresUnitOfWork:
        return begin

    @pytest.fixture
    def pass_time(self, pass_time: PassTime) -> PassTime:
        return pass_time


class TestPostgresCheckouts(CheckoutsContract):
    @pytest.fixture
    def begin(self, begin: PostgresUnitOfWork) -> PostgresUnitOfWork:
        return begin

    @pytest.fixture
    def checkouts(self, pool: Pool) -> PostgresCheckouts:
        return PostgresCheckouts(pool=pool)


class TestPostgresPaymentChanges(PaymentChangesContract):
    @pytest.fixture
    def begin(self, begin: PostgresUnitOfWork) -> PostgresUnitOfWork:
        return begin

    @pytest.fixture
    def changes(self, pool: Pool) -> PostgresPaymentChanges:
        return PostgresPaymentChanges(pool=pool)


class TestPostgresUsers(UsersContract):
    @pytest.fixture
    def begin(self, begin: PostgresUnitOfWork) -> PostgresUnitOfWork:
        return begin


class TestPostgresEndpoints(EndpointsContract):
    @pytest.fixture
    def begin(self, begin: PostgresUnitOfWork) -> PostgresUnitOfWork:
        return begin

    @pytest.fixture
    def pass_time(self, pass_time: PassTime) -> PassTime:
        return pass_time

    @pytest.fixture
    def now(self, now: datetime) -> datetime:
        return now


class TestPostgresDeliveries(DeliveriesContract):
    @pytest.fixture
    def begin(self, begin: PostgresUnitOfWork) -> PostgresUnitOfWork:
        return begin

    @pytest.fixture
    def pass_time(self, pass_time: PassTime) -> PassTime:
        return pass_time


class TestPostgresCreateRate(CreateRateContract):
    @pytest.fixture
    def rate_of(self, pool: Pool) -> RateOf:
        def rate_of(per_minute: int) -> PostgresCreateRate:
            return PostgresCreateRate(pool=pool, per_minute=per_minute)

        return rate_of

    @pytest.fixture
    def pass_time(self, pass_time: PassTime) -> PassTime:
        return pass_time
