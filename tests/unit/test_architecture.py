"""The hexagon: what the domain may import, and that each adapter and fake has the shape of its port.

The assignments of ``typed`` are for the type checker; the tests compare the same pairs at run time.
"""

import ast
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

import domain
from adapters.merchant.merchant import HttpMerchant
from adapters.midtrans.client import MidtransClient
from adapters.midtrans.gateway import MidtransGateway
from adapters.outside.webhook_probe import HttpxWebhookProbe
from adapters.postgres.budget import PostgresAskingBudget
from adapters.postgres.checkouts import PostgresCheckouts, PostgresPaymentChanges
from adapters.postgres.create_rate import PostgresCreateRate
from adapters.postgres.deliveries import PostgresDeliveries
from adapters.postgres.endpoints import PostgresEndpoints
from adapters.postgres.health import PostgresHealth
from adapters.postgres.idempotency import PostgresIdempotencyKeys
from adapters.postgres.notification_reader import PostgresNotificationReader
from adapters.postgres.notifications import PostgresNotifications
from adapters.postgres.payments import PostgresPaymentReader, PostgresPayments
from adapters.postgres.refunds import PostgresRefunds
from adapters.postgres.retention import PostgresPruner
from adapters.postgres.users import PostgresUsers
from adapters.postgres.work import PostgresUnitOfWork, PostgresWork
from adapters.system.chance import SystemChance
from adapters.system.clock import SystemClock
from adapters.system.identifiers import SystemIdentifiers
from domain.ports.budget import AskingBudget
from domain.ports.chance import Chance
from domain.ports.changes import PaymentChanges
from domain.ports.checkouts import Checkouts
from domain.ports.clock import Clock
from domain.ports.create_rate import CreateRate
from domain.ports.database import DatabaseHealth
from domain.ports.deliveries import Deliveries
from domain.ports.endpoints import Endpoints
from domain.ports.gateway import KeyChecker, PaymentGateway
from domain.ports.idempotency import IdempotencyKeys
from domain.ports.identifiers import Identifiers
from domain.ports.merchant import Merchant
from domain.ports.notification_reader import NotificationReader
from domain.ports.notifications import Notifications
from domain.ports.payments import PaymentReader, Payments
from domain.ports.pruner import Pruner
from domain.ports.refunds import Refunds
from domain.ports.users import Users
from domain.ports.webhook_probe import WebhookProbe
from domain.ports.work import UnitOfWork, Work
from support.fake_checkouts import InMemoryCheckouts, InMemoryPaymentChanges
from support.fake_merchant import InMemoryDeliveries, InMemoryEndpoints, ScriptedMerchant, SteadyChance
from support.fake_notification_reader import InMemoryNotificationReader
from support.fake_pruner import InMemoryPruner
from support.fake_refunds import InMemoryRefunds
from support.fake_webhook_probe import ScriptedWebhookProbe
from support.fakes import (
    CountingIdentifiers,
    InMemoryAskingBudget,
    InMemoryCreateRate,
    InMemoryIdempotencyKeys,
    InMemoryNotifications,
    InMemoryPaymentReader,
    InMemoryPayments,
    InMemoryUnitOfWork,
    InMemoryUsers,
    InMemoryWork,
    ManualClock,
    ScriptedGateway,
)

DOMAIN: Final = Path(domain.__path__[0])


def typed(client: MidtransClient, http: httpx.AsyncClient, pool: Any, connection: Any, memory: Any) -> None:
    """Never called: each line is an error to the type checker if the right side lost its port."""
    clock: Clock = SystemClock()
    ids: Identifiers = SystemIdentifiers()
    midtrans = MidtransGateway(client=client, clock=clock, notify_url=None)
    gateway: PaymentGateway = midtrans
    checker: KeyChecker = midtrans
    begin: UnitOfWork = PostgresUnitOfWork(pool=pool, on_commit=lambda _: None)
    work: Work = PostgresWork(connection, ask_rate=1)
    payments: Payments = PostgresPayments(connection, [])
    notifications: Notifications = PostgresNotifications(connection)
    keys: IdempotencyKeys = PostgresIdempotencyKeys(connection)
    budget: AskingBudget = PostgresAskingBudget(connection, rate=1)
    refunds: Refunds = PostgresRefunds(connection)
    users: Users = PostgresUsers(connection)
    reader: PaymentReader = PostgresPaymentReader(pool=pool)
    probe: WebhookProbe = HttpxWebhookProbe()
    pruner: Pruner = PostgresPruner(pool=pool)
    inbox: NotificationReader = PostgresNotificationReader(pool=pool)
    rate: CreateRate = PostgresCreateRate(pool=pool, per_minute=1)
    health: DatabaseHealth = PostgresHealth(pool=pool, migrations=())
    endpoints: Endpoints = PostgresEndpoints(connection)
    deliveries: Deliveries = PostgresDeliveries(connection)
    merchant: Merchant = HttpMerchant(public=http, anywhere=http)
    chance: Chance = SystemChance()

    manual = ManualClock()
    clock = manual
    ids = CountingIdentifiers()
    in_memory = InMemoryUnitOfWork(clock=manual)
    begin = in_memory
    gateway = ScriptedGateway(clock=manual)
    work = InMemoryWork(memory, manual)
    payments = InMemoryPayments(memory, manual)
    notifications = InMemoryNotifications(memory, manual)
    keys = InMemoryIdempotencyKeys(memory, manual)
    budget = InMemoryAskingBudget(memory, manual, 1)
    refunds = InMemoryRefunds(memory, manual)
    users = InMemoryUsers(memory)
    reader = InMemoryPaymentReader(in_memory)
    probe = ScriptedWebhookProbe()
    pruner = InMemoryPruner(in_memory, manual)
    inbox = InMemoryNotificationReader(in_memory)
    rate = InMemoryCreateRate(clock=manual, per_minute=1)
    endpoints = InMemoryEndpoints(memory, manual)
    deliveries = InMemoryDeliveries(memory, manual)
    merchant = ScriptedMerchant()
    chance = SteadyChance()
    del endpoints, deliveries, merchant, chance
    del inbox, probe, pruner, refunds
    del ids, gateway, checker, begin, work, payments, notifications, keys, budget, users, reader, rate, health


def typed_too(pool: Any, in_memory: InMemoryUnitOfWork) -> None:
    """The same for what the customer's side reads."""
    checkouts: Checkouts = PostgresCheckouts(pool=pool)
    changes: PaymentChanges = PostgresPaymentChanges(pool=pool)
    checkouts = InMemoryCheckouts(in_memory)
    changes = InMemoryPaymentChanges(in_memory)
    del checkouts, changes


PAIRS: Final[list[tuple[type, type]]] = [
    (Clock, SystemClock),
    (Clock, ManualClock),
    (Identifiers, SystemIdentifiers),
    (Identifiers, CountingIdentifiers),
    (PaymentGateway, MidtransGateway),
    (PaymentGateway, ScriptedGateway),
    (KeyChecker, MidtransGateway),
    (UnitOfWork, PostgresUnitOfWork),
    (UnitOfWork, InMemoryUnitOfWork),
    (Payments, PostgresPayments),
    (Payments, InMemoryPayments),
    (PaymentReader, PostgresPaymentReader),
    (PaymentReader, InMemoryPaymentReader),
    (Notifications, PostgresNotifications),
    (Notifications, InMemoryNotifications),
    (WebhookProbe, HttpxWebhookProbe),
    (WebhookProbe, ScriptedWebhookProbe),
    (Pruner, PostgresPruner),
    (Pruner, InMemoryPruner),
    (NotificationReader, PostgresNotificationReader),
    (NotificationReader, InMemoryNotificationReader),
    (IdempotencyKeys, PostgresIdempotencyKeys),
    (IdempotencyKeys, InMemoryIdempotencyKeys),
    (AskingBudget, PostgresAskingBudget),
    (AskingBudget, InMemoryAskingBudget),
    (Refunds, PostgresRefunds),
    (Refunds, InMemoryRefunds),
    (Users, PostgresUsers),
    (Users, InMemoryUsers),
    (CreateRate, PostgresCreateRate),
    (CreateRate, InMemoryCreateRate),
    (DatabaseHealth, PostgresHealth),
    (Endpoints, PostgresEndpoints),
    (Endpoints, InMemoryEndpoints),
    (Deliveries, PostgresDeliveries),
    (Deliveries, InMemoryDeliveries),
    (Merchant, HttpMerchant),
    (Merchant, ScriptedMerchant),
    (Chance, SystemChance),
    (Chance, SteadyChance),
    (Checkouts, PostgresCheckouts),
    (Checkouts, InMemoryCheckouts),
    (PaymentChanges, PostgresPaymentChanges),
    (PaymentChanges, InMemoryPaymentChanges),
]


@pytest.mark.parametrize(("port", "adapter"), PAIRS)
def test_every_method_of_a_port_is_there_with_the_same_parameters(port: type, adapter: type) -> None:
    methods = {
        name: method
        for name, method in vars(port).items()
        if inspect.isfunction(method) and (not name.startswith("_") or name == "__call__")
    }

    assert methods
    for name, promised in methods.items():
        kept = getattr(adapter, name)
        assert _parameters(kept) == _parameters(promised), f"{adapter.__name__}.{name}"
        assert inspect.iscoroutinefunction(kept) == inspect.iscoroutinefunction(promised), name


def _parameters(method: Any) -> list[tuple[str, Any, Any]]:
    return [(p.name, p.kind, p.default) for p in inspect.signature(method).parameters.values()]


def _imports(file: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(file.read_text(), str(file))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "." * node.level + (node.module or "")


@pytest.mark.parametrize("file", sorted(DOMAIN.rglob("*.py")), ids=lambda file: str(file.relative_to(DOMAIN)))
def test_the_domain_imports_itself_and_the_standard_library_only(file: Path) -> None:
    allowed = sys.stdlib_module_names | {"domain"}

    foreign = [f"{file}:{line}: {name}" for line, name in _imports(file) if name.split(".")[0] not in allowed]

    assert foreign == []


# Where the time, chance, the environment, files or the network would come in by the back door.
IMPURE: Final = {
    "time",
    "random",
    "secrets",
    "os",
    "pathlib",
    "io",
    "socket",
    "ssl",
    "urllib",
    "http",
    "subprocess",
    "threading",
    "logging",
    "sys",
}


@pytest.mark.parametrize("file", sorted(DOMAIN.rglob("*.py")), ids=lambda file: str(file.relative_to(DOMAIN)))
def test_the_domain_reads_no_clock_chance_environment_or_network(file: Path) -> None:
    impure = [f"{file}:{line}: {name}" for line, name in _imports(file) if name.split(".")[0] in IMPURE]

    assert impure == []


def test_the_walk_sees_the_domain() -> None:
    seen = {str(file.relative_to(DOMAIN)) for file in DOMAIN.rglob("*.py")}

    assert {"decide.py", "usecases/create_payment.py", "ports/gateway.py"} <= seen
