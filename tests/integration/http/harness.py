"""The whole service in this process: the real database, the real simulator, and what is between them."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

import httpx
from dependency_injector.providers import Object, Singleton

from adapters.system.clock import SystemClock
from domain.history import Entry
from domain.payment import Payment
from entrypoints.container import Container
from entrypoints.http.app import create_app
from entrypoints.lifespan import running
from entrypoints.settings import load
from simulator.app import create_app as create_simulator
from support import builders, recorded
from support.builders import SERVER_KEY, USER_ID
from support.database import connected
from support.service import CREATE, WEBHOOK, bearer, environment, eventually

MIDTRANS: Final = "http://midtrans.test"
SHOP: Final = "http://pay.test"
JSON: Final = {"Content-Type": "application/json"}


class Fault(Enum):
    """What may happen to one call on the way to Midtrans."""

    NO_CONNECTION = auto()
    LOST_ANSWER = auto()
    NOT_MIDTRANS = auto()


class Held:
    """An answer that is held back until the test lets it go; ``taken`` is set once Midtrans did its part."""

    def __init__(self) -> None:
        self.taken, self.released = asyncio.Event(), asyncio.Event()


class Line(httpx.AsyncBaseTransport):
    """The way to Midtrans. ``faults`` are of the next calls, one each, ``always`` of every one after.

    With a ``server_key`` that is what arrives as the caller's.
    """

    def __init__(self) -> None:
        self.midtrans: httpx.AsyncBaseTransport | None = None
        self.faults: list[Fault | Held] = []
        self.always: Fault | None = None
        self.server_key: str | None = None
        self.calls: list[tuple[str, str]] = []
        self.answers: list[dict[str, Any]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        fault = self.faults.pop(0) if self.faults else self.always
        if fault is Fault.NO_CONNECTION:
            raise httpx.ConnectError("nobody listens")
        if fault is Fault.NOT_MIDTRANS:
            return recorded.response(recorded.BAD_GATEWAY, http=502)
        assert self.midtrans is not None
        if self.server_key is not None:
            basic = base64.b64encode(f"{self.server_key}:".encode()).decode()
            request.headers["Authorization"] = f"Basic {basic}"
        answer = await self.midtrans.handle_async_request(request)
        await answer.aread()
        self.calls.append((request.method, request.url.path))
        is_json = "json" in answer.headers.get("content-type", "")
        self.answers.append(answer.json() if is_json else {})
        if fault is Fault.LOST_ANSWER:
            raise httpx.ReadError("the connection broke")
        if isinstance(fault, Held):
            fault.taken.set()
            await fault.released.wait()
        return answer

    @property
    def charges(self) -> int:
        """How many charges reached Midtrans."""
        return self.calls.count(("POST", "/v2/charge"))


class HurriedClock(SystemClock):
    """The machine's clock, but nobody waits: a pause is over at once, and has taken as long as it should."""

    def __init__(self) -> None:
        self._slept = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self._slept

    async def sleep(self, seconds: float) -> None:
        self._slept += seconds
        await asyncio.sleep(0)


@dataclass(frozen=True, kw_only=True)
class Shop:
    """A running service, its line to Midtrans, and clients of both."""

    http: httpx.AsyncClient
    midtrans: httpx.AsyncClient
    container: Container
    line: Line
    database_url: str

    async def get(self, path: str, *, user: int = USER_ID, scope: str | None = None) -> httpx.Response:
        return await self.http.get(path, headers=bearer(user, scope=scope))

    async def create(self, *, user: int = USER_ID, **fields: Any) -> httpx.Response:
        return await self.http.post(CREATE, json=fields, headers=bearer(user))

    async def created(self, **fields: Any) -> dict[str, Any]:
        """A payment that Midtrans took."""
        answer = await self.create(**fields)
        assert answer.status_code == 201, answer.text
        payment: dict[str, Any] = answer.json()
        return payment

    async def pay(self, payment: dict[str, Any]) -> None:
        """The customer pays, in the wallet."""
        answer = await self.midtrans.post(f"/wallet/{payment['transaction_id']}/pay")
        assert answer.status_code == 200, answer.text

    async def notify(self, **said: Any) -> httpx.Response:
        return await self.http.post(WEBHOOK, json=a_notification(**said))

    async def confirm(self) -> int:
        """One round of the background work on doubtful notifications."""
        return await self.container.confirm_notifications()(limit=100)

    async def stored(self, order_id: str) -> Payment:
        found: Payment | None = await self.container.reader().find(order_id)
        assert found is not None
        return found

    async def log(self, order_id: str) -> list[Entry]:
        payment = await self.stored(order_id)
        entries: list[Entry] = await self.container.reader().log(payment.id)
        return entries

    async def status_of(self, order_id: str) -> str:
        return str((await self.stored(order_id)).status)

    async def reaches(self, order_id: str, status: str) -> None:
        async def is_there() -> bool:
            return await self.status_of(order_id) == status

        await eventually(is_there)

    async def has_events(self, number: int, status: str = "settlement") -> None:
        """Wait until so many notifications of that status were delivered and stored."""

        async def are_there() -> bool:
            return len(await self.events(status)) == number

        await eventually(are_there)

    async def events(self, status: str = "settlement") -> list[Any]:
        """The stored notifications that claim a status, oldest first."""
        async with connected(self.database_url) as connection:
            return await connection.fetch(
                "SELECT * FROM payment_webhook_events WHERE raw_body ->> 'transaction_status' = $1"
                " ORDER BY received_at",
                status,
            )


@asynccontextmanager
async def a_shop(
    database_url: str,
    *,
    notified: bool = True,
    users: tuple[int, ...] = (USER_ID, 2),
    pool_size: int = 8,
    **settings: str | None,
) -> AsyncIterator[Shop]:
    """A service over this database with a Midtrans of its own, which notifies it unless told not to."""
    line = Line()
    container = Container(
        settings=load(
            environment(
                DATABASE_URL=database_url,
                MIDTRANS_BASE_URL=MIDTRANS,
                BAYAR_PUBLIC_URL=SHOP if notified else None,
                **settings,
            )
        )
    )
    container.pool_size.override(Object(pool_size))
    container.background_pool_size.override(Object(pool_size))
    container.clock.override(Singleton(HurriedClock))
    container.transport.override(Object(line))
    app = httpx.ASGITransport(app=create_app(container))  # type: ignore[arg-type]
    simulator = create_simulator(server_key=SERVER_KEY, public_url=MIDTRANS, transport=app)
    line.midtrans = httpx.ASGITransport(app=simulator)  # type: ignore[arg-type]
    async with (
        running(container),
        simulator.lifespan(),
        httpx.AsyncClient(transport=app, base_url=SHOP, trust_env=False) as http,
        httpx.AsyncClient(
            transport=line.midtrans, base_url=MIDTRANS, auth=(SERVER_KEY, ""), trust_env=False
        ) as midtrans,
    ):
        async with container.begin()() as work:
            for user in users:
                await work.users.add(user)
        yield Shop(http=http, midtrans=midtrans, container=container, line=line, database_url=database_url)


def a_notification(key: str = SERVER_KEY, **changes: Any) -> dict[str, Any]:
    """What Midtrans posts when ``order-1`` was paid as transaction ``t-1``, signed."""
    status = changes.get("transaction_status", "settlement")
    said: dict[str, Any] = {
        "transaction_status": status,
        "transaction_id": "t-1",
        "status_code": recorded.NOTIFIED_CODES[status],
        "order_id": builders.ORDER_ID,
        "gross_amount": "10000.00",
        "fraud_status": "accept",
        "currency": "IDR",
    } | changes
    signed = [said[name] for name in ("order_id", "status_code", "gross_amount")]
    return {"signature_key": builders.signed(*signed, key)} | said
