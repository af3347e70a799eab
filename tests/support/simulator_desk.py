"""The simulator under a clock that the test turns, with a receiver that the test scripts."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from simulator.app import create_app
from simulator.core.merchant import Merchant
from simulator.core.transaction import Acquirer, PaymentType, Transaction

SERVER_KEY = "SB-Mid-server-test"
DASHBOARD = "https://shop.example/notifications"
# A little after 10:00 in Jakarta.
REFUND_CONFIRMATION = timedelta(hours=1)
START = datetime(2024, 6, 22, 3, 0, 0, 223_000, tzinfo=UTC)


class ManualClock:
    """Stands still until it is advanced."""

    def __init__(self) -> None:
        self._now = START
        self._alarms: list[tuple[datetime, asyncio.Event]] = []

    def now(self) -> datetime:
        return self._now

    async def wait(self, event: asyncio.Event, at_most: timedelta | None) -> None:
        if at_most is not None:
            self._alarms.append((self._now + at_most, event))
        await event.wait()

    async def advance(self, step: timedelta) -> None:
        """Move on and let everything that is now due happen."""
        self._now += step
        for due, event in self._alarms:
            if due <= self._now:
                event.set()
        self._alarms = [alarm for alarm in self._alarms if alarm[0] > self._now]
        await everything_due()


class CountingIdentifiers:
    """Hands out 1, 2, 3 …"""

    def __init__(self) -> None:
        self._last = 0

    def uuid(self) -> str:
        self._last += 1
        return f"00000000-0000-4000-8000-{self._last:012}"

    def code(self, length: int) -> str:
        return "x" * length


class Receiver:
    """The shop's end: remembers what was posted, answers as scripted and then with 200."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.script: list[httpx.Response | Exception | asyncio.Event] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.script.pop(0) if self.script else httpx.Response(200)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, asyncio.Event):
            await answer.wait()
            return httpx.Response(200)
        return answer

    @property
    def urls(self) -> list[str]:
        return [str(request.url) for request in self.requests]

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(request.content) for request in self.requests]

    @property
    def statuses(self) -> list[str]:
        return [body["transaction_status"] for body in self.bodies]


@dataclass
class Desk:
    """A running simulator and everything around it."""

    client: httpx.AsyncClient
    clock: ManualClock
    receiver: Receiver

    async def charge(
        self, order_id: str = "o-1", *, headers: Mapping[str, str] | None = None, **fields: object
    ) -> httpx.Response:
        body = a_charge(order_id, **fields)
        answer = await self.client.post("/v2/charge", json=body, headers=headers)
        await everything_due()
        return answer

    async def post(self, path: str, **kwargs: Any) -> httpx.Response:
        answer = await self.client.post(path, **kwargs)
        await everything_due()
        return answer

    async def trigger(self, fault: str, **wish: object) -> None:
        answer = await self.post("/simulator/faults", json={"fault": fault} | wish)
        assert answer.status_code == 201, answer.text

    async def paid(self, order_id: str = "o-1", **fields: Any) -> None:
        """Charge and pay."""
        await self.charge(order_id, **fields)
        await self.post(f"/wallet/{order_id}/pay")

    async def refund(self, any_id: str = "o-1", **wish: object) -> dict[str, Any]:
        body: dict[str, Any] = (await self.post(f"/v2/{any_id}/refund", json=wish)).json()
        return body

    async def status(self, any_id: str) -> dict[str, Any]:
        body: dict[str, Any] = (await self.client.get(f"/v2/{any_id}/status")).json()
        return body


@asynccontextmanager
async def a_desk(
    *, notify_url: str | None = DASHBOARD, time_scale: float = 1.0, most_transactions: int = 1000
) -> AsyncIterator[Desk]:
    clock, receiver = ManualClock(), Receiver()
    app = create_app(
        server_key=SERVER_KEY,
        public_url="http://midtrans.test/",
        notify_url=notify_url,
        time_scale=time_scale,
        merchant=Merchant(id="G141532850", name="Warung Kopi", city="BANDUNG"),
        most_transactions=most_transactions,
        refund_confirmation=REFUND_CONFIRMATION,
        clock=clock,
        ids=CountingIdentifiers(),
        transport=httpx.MockTransport(receiver),
    )
    async with (
        app.lifespan(),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app),  # type: ignore[arg-type]
            base_url="http://midtrans.test",
            auth=(SERVER_KEY, ""),
        ) as client,
    ):
        await everything_due()
        yield Desk(client, clock, receiver)


def a_charge(order_id: str = "o-1", **fields: object) -> dict[str, object]:
    """Build the smallest charge that is taken, but for the fields given."""
    details = {"order_id": order_id, "gross_amount": 10_000}
    return {"payment_type": "gopay", "transaction_details": details} | fields


def a_transaction(number: int, order_id: str | None = None) -> Transaction:
    """Build a pending one, as if charged at the start."""
    return Transaction(
        transaction_id=f"t-{number}",
        qr_id=f"q-{number}",
        order_id=order_id or f"o-{number}",
        amount=10_000,
        charged_as=PaymentType.GOPAY,
        acquirer=Acquirer.GOPAY,
        transaction_time=START,
        expiry_time=START + timedelta(minutes=15),
        callback_url=None,
        custom_fields=(None, None, None),
        metadata=None,
        customer=None,
        notification_urls=(),
    )


async def everything_due() -> None:
    """Let the background tasks run until they wait for the clock or the receiver."""
    for _ in range(100):
        await asyncio.sleep(0)
