"""The HTTP application over fakes: every test has its own, and no socket is opened."""

import io
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import httpx
from dependency_injector.providers import Object
from litestar.types import ASGIApp

from domain.history import Entry
from domain.ports.database import Condition
from domain.ports.gateway import KeyCheck
from domain.status import Status
from entrypoints.container import Container
from entrypoints.http.app import create_app
from entrypoints.settings import load
from support import builders, recorded
from support.builders import USER_ID
from support.fake_checkouts import InMemoryCheckouts, InMemoryPaymentChanges
from support.fake_merchant import ScriptedMerchant, SteadyChance
from support.fake_notification_reader import InMemoryNotificationReader
from support.fake_pruner import InMemoryPruner
from support.fake_webhook_probe import ScriptedWebhookProbe
from support.fakes import (
    CountingIdentifiers,
    InMemoryCreateRate,
    InMemoryPaymentReader,
    InMemoryUnitOfWork,
    InMemoryWork,
    ManualClock,
    ScriptedGateway,
)
from support.service import CREATE, WEBHOOK, bearer, environment

OTHER_USER: Final = 2
JSON: Final = {"Content-Type": "application/json"}


class ScriptedHealth:
    """A database in the condition that the test says, as long as it is there."""

    def __init__(self, begin: InMemoryUnitOfWork, clock: ManualClock) -> None:
        self._begin, self._clock = begin, clock
        self.missing_migrations: tuple[str, ...] = ()
        self.behind_seconds = 0.0

    async def condition(self) -> Condition:
        self._begin.check_reachable()
        return Condition(
            version="18.1",
            now=self._clock.now(),
            durable=True,
            missing_migrations=self.missing_migrations,
            behind_seconds=self.behind_seconds,
        )


class ScriptedKeyCheck:
    """Midtrans's opinion of the server key."""

    def __init__(self) -> None:
        self.verdict = KeyCheck.ACCEPTED
        self.apart: float | None = 0.0

    async def check_key(self) -> KeyCheck:
        return self.verdict

    async def seconds_apart(self) -> float | None:
        return self.apart


class StillPool:
    """A pool with three connections, one of them in use."""

    def get_size(self) -> int:
        return 3

    def get_idle_size(self) -> int:
        return 2


class BrokenReader:
    """A fault of our own; its text is what nobody outside may read."""

    async def find_all(self, order_ids: Sequence[str]) -> Any:
        raise RuntimeError(f"the inner secret of {order_ids[0]}")


class TellingUnitOfWork(InMemoryUnitOfWork):
    """Tells of every committed change of a payment, as the real one does."""

    def __init__(self, *, on_commit: Callable[[Sequence[Entry]], None], **given: Any) -> None:
        super().__init__(**given)
        self._on_commit, self._told = on_commit, 0

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[InMemoryWork]:
        async with super().__call__() as work:
            yield work
        fresh, self._told = self.recorded[self._told :], len(self.recorded)
        if fresh:
            self._on_commit(fresh)


@dataclass(frozen=True, kw_only=True)
class Service:
    """The application, what it stands on, and a client that talks to it."""

    client: httpx.AsyncClient
    container: Container
    clock: ManualClock
    begin: InMemoryUnitOfWork
    gateway: ScriptedGateway
    health: ScriptedHealth
    merchant: ScriptedMerchant

    async def get(self, path: str, *, user: int = USER_ID, scope: str | None = None) -> httpx.Response:
        """Read something as a user with a good token."""
        return await self.client.get(path, headers=bearer(user, scope=scope))

    async def create(
        self, fields: Mapping[str, object] | None = None, *, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Create a payment as a user with a good token."""
        return await self.client.post(CREATE, json=fields or {}, headers=headers or bearer())

    async def create_raw(self, body: bytes, **headers: str) -> httpx.Response:
        """Create a payment with a body of exactly these bytes."""
        return await self.client.post(CREATE, content=body, headers=bearer() | JSON | headers)

    async def refund(
        self,
        order_id: str = builders.ORDER_ID,
        fields: Mapping[str, object] | None = None,
        *,
        key: str | None = "one",
        user: int = USER_ID,
        scope: str | None = "payments:refund",
    ) -> httpx.Response:
        """Refund a payment, as its owner and with all that it takes unless told otherwise."""
        headers = bearer(user, scope=scope) | ({} if key is None else {"Idempotency-Key": key})
        path = f"/api/payments/{order_id}/refunds"
        return await self.client.post(path, json={} if fields is None else fields, headers=headers)

    async def cancel(
        self, order_id: str = builders.ORDER_ID, *, user: int = USER_ID, scope: str | None = None
    ) -> httpx.Response:
        return await self.client.post(f"/api/payments/{order_id}/cancel", headers=bearer(user, scope=scope))

    async def notify(self, **said: Any) -> httpx.Response:
        """Send a notification as ``a_notification_body`` makes it."""
        return await self.client.post(WEBHOOK, json=a_notification_body(**said))

    async def notify_raw(self, body: bytes, **headers: str) -> httpx.Response:
        return await self.client.post(WEBHOOK, content=body, headers=JSON | headers)

    async def given(self, **changes: Any) -> None:
        """A stored payment; without a word about its status it is pending, ``order-1`` as ``t-1``."""
        order_id = changes.get("order_id", builders.ORDER_ID)
        charged = "t-1" if order_id == builders.ORDER_ID else f"t-{order_id}"
        pending = {"status": Status.PENDING, "transaction_id": charged}
        await builders.given(self.begin, **({} if "status" in changes else pending) | changes)

    def stored(self, order_id: str = builders.ORDER_ID) -> Any:
        return self.begin.state.payments.get(order_id)

    def charges_are_taken(self, times: int = 1) -> None:
        """Midtrans takes the next charges, each as a transaction of its own."""
        for number in range(1, times + 1):
            self.gateway.answers_charges_with(
                builders.a_charge_answer(transaction_id=f"t-{number}"),
            )


def a_service(**changes: str | None) -> Service:
    """The application under the settings of ``environment``, over fakes that know two users."""
    container, app = _application(tuple(sorted(environment(**changes).items())))
    clock = ManualClock()
    users = (USER_ID, OTHER_USER)
    begin = TellingUnitOfWork(on_commit=container.on_commit(), clock=clock, users=users)
    gateway = ScriptedGateway(clock=clock, begin=begin)
    health = ScriptedHealth(begin, clock)
    merchant = ScriptedMerchant(begin=begin)
    reader = InMemoryPaymentReader(begin)
    fakes = {
        "clock": clock,
        "ids": CountingIdentifiers(),
        "pool": StillPool(),
        "begin": begin,
        "inbox": InMemoryNotificationReader(begin),
        "pruner": InMemoryPruner(begin, clock),
        "checkouts": InMemoryCheckouts(begin),
        "changes": InMemoryPaymentChanges(begin),
        "reader": reader,
        "background_pool": StillPool(),
        "background_begin": begin,
        "notified_begin": begin,
        "create_begin": begin,
        "background_reader": reader,
        "rate": InMemoryCreateRate(clock=clock, per_minute=container.settings().create_rate),
        "health": health,
        "midtrans": ScriptedKeyCheck(),
        "gateway": gateway,
        "webhook_probe": ScriptedWebhookProbe(),
        "merchant": merchant,
        "chance": SteadyChance(),
    }
    container.reset_singletons()
    for name, fake in fakes.items():
        container.providers[name].reset_override()
        container.providers[name].override(Object(fake))
    return Service(
        client=httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app),  # type: ignore[arg-type]
            base_url="https://pay.example",
            trust_env=False,
        ),
        container=container,
        clock=clock,
        begin=begin,
        gateway=gateway,
        health=health,
        merchant=merchant,
    )


@cache
def _application(variables: tuple[tuple[str, str], ...]) -> tuple[Container, ASGIApp]:
    """Made once for all tests with the same settings; it asks the container anew on every request."""
    container = Container(settings=load(dict(variables)))
    return container, create_app(container)


def a_notification_body(key: str = builders.SERVER_KEY, **changes: Any) -> dict[str, Any]:
    """What Midtrans posts when ``order-1`` was paid, signed; a change to None leaves the field out."""
    status = str(changes.get("transaction_status", "settlement")).lower()
    said: dict[str, Any] = {
        "transaction_time": "2026-02-06 10:00:00",
        "transaction_status": status,
        "transaction_id": "t-1",
        "status_message": "midtrans payment notification",
        "status_code": recorded.NOTIFIED_CODES.get(status, "200"),
        "settlement_time": "2026-02-06 10:00:40",
        "payment_type": "qris",
        "order_id": builders.ORDER_ID,
        "merchant_id": "G123456789",
        "gross_amount": "10000.00",
        "fraud_status": "accept",
        "currency": "IDR",
    }
    said |= changes
    signed = [str(said[name]) for name in ("order_id", "status_code", "gross_amount")]
    said = {"signature_key": builders.signed(*signed, key)} | said
    return {name: value for name, value in said.items() if value is not None}


class Logs:
    """What was logged, as the JSON lines that production writes."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    def of(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["event"] == event]


def problem_of(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of an answer that must be a problem."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body = answer.json()
    assert body["status"] == answer.status_code
    return answer.status_code, body["code"]


def keyed(key: str, *, user: int = USER_ID) -> dict[str, str]:
    """The headers of a caller with a good token and an Idempotency-Key."""
    return bearer(user) | {"Idempotency-Key": key}


def wrong_fields(answer: httpx.Response) -> set[str]:
    """The fields that a problem names."""
    assert answer.status_code == 400, answer.text
    return {error["field"] for error in answer.json()["errors"]}


def away(service: Service) -> None:
    """The database is gone, from now on."""
    service.begin.is_away = True
