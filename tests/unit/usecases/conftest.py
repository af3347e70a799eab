from collections.abc import Callable

import pytest

from domain.order import Defaults
from domain.ports.work import UnitOfWork
from domain.usecases.charge_payment import ChargePayment
from domain.usecases.create_payment import CreatePayment
from support.builders import DEFAULTS
from support.fakes import (
    CountingIdentifiers,
    InMemoryCreateRate,
    InMemoryPaymentReader,
    InMemoryUnitOfWork,
    ManualClock,
    ScriptedGateway,
)
from unit.usecases.refunding import Desk, a_desk


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def ids() -> CountingIdentifiers:
    return CountingIdentifiers()


@pytest.fixture
def begin(clock: ManualClock) -> InMemoryUnitOfWork:
    """A memory with one user."""
    return InMemoryUnitOfWork(clock=clock, users=[1], lock_seconds=0.05)


@pytest.fixture
def reader(begin: InMemoryUnitOfWork) -> InMemoryPaymentReader:
    return InMemoryPaymentReader(begin)


@pytest.fixture
def gateway(clock: ManualClock, begin: InMemoryUnitOfWork) -> ScriptedGateway:
    """Refuses to be asked while a transaction is open."""
    return ScriptedGateway(clock=clock, begin=begin)


@pytest.fixture
def desk(
    clock: ManualClock, begin: InMemoryUnitOfWork, gateway: ScriptedGateway, reader: InMemoryPaymentReader
) -> Desk:
    """What refunds are made, repeated and confirmed with."""
    return a_desk(clock, begin, gateway, reader)


Creating = Callable[..., CreatePayment]


@pytest.fixture
def creating(
    begin: InMemoryUnitOfWork,
    reader: InMemoryPaymentReader,
    gateway: ScriptedGateway,
    clock: ManualClock,
    ids: CountingIdentifiers,
) -> Creating:
    """Makes the use case, with other defaults, limits, work or clock of the process where a test says so."""

    def creating(
        *,
        defaults: Defaults = DEFAULTS,
        auto_create_users: bool = False,
        per_minute: int = 60,
        work: UnitOfWork = begin,
        process: ManualClock = clock,
    ) -> CreatePayment:
        return CreatePayment(
            begin=work,
            reader=reader,
            charge=ChargePayment(begin=work, reader=reader, gateway=gateway, clock=process),
            rate=InMemoryCreateRate(clock=clock, per_minute=per_minute),
            clock=process,
            ids=ids,
            defaults=defaults,
            auto_create_users=auto_create_users,
        )

    return creating


@pytest.fixture
def create(creating: Creating) -> CreatePayment:
    return creating()
