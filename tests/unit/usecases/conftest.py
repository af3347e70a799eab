import pytest

from support.fakes import (
    CountingIdentifiers,
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
