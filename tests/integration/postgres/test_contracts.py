"""Postgres keeps the promises of the ports: the suites that the fakes pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.postgres.create_rate import PostgresCreateRate
from support.contracts.create_rate import CreateRateContract, RateOf
from support.contracts.deliveries import DeliveriesContract
from support.contracts.endpoints import EndpointsContract
from support.contracts.idempotency import IdempotencyKeysContract
from support.contracts.notifications import Inbox, NotificationsContract
from support.contracts.payments import PaymentsContract
from support.contracts.users import UsersContract

if TYPE_CHECKING:
    from datetime import datetime

    from adapters.postgres.payments import PostgresPaymentReader
    from adapters.postgres.pool import Pool
    from adapters.postgres.work import PostgresUnitOfWork
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
