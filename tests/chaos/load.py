"""Shops that ask as the README tells them to, their customers, and somebody who means ill."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import httpx

from integration.http.harness import a_notification
from support.service import CREATE, bearer

if TYPE_CHECKING:
    from random import Random

    from chaos.record import Record
    from chaos.relay import Relay

USER: Final = 1
# How long a shop goes on: a call that a kill cut off may be had again after its lease of 30 s.
PATIENCE_SECONDS: Final = 90.0
_POLL_SECONDS: Final = (1.0, 2.5)
_WAITED_FOR: Final = 12.0


class Customer(StrEnum):
    """What the customer does with the QR."""

    PAYS = "pays"
    DENIED = "is denied"
    TOO_LATE = "lets it expire"
    LATE = "lets it expire, and pays"
    NOTHING = "does nothing"


# The shop waits with its customer and reads the status, or asks once and never comes back.
_WATCHED: Final = ((16, Customer.PAYS), (1, Customer.DENIED), (1, Customer.TOO_LATE), (2, Customer.NOTHING))
_ABANDONED: Final = ((6, Customer.PAYS), (1, Customer.DENIED), (2, Customer.LATE), (1, Customer.NOTHING))
_ABANDONS: Final = 0.25


@dataclass(kw_only=True, slots=True)
class Order:
    """One order of a shop. ``answer`` is how its create ended; None if the shop never heard."""

    order_id: str
    amount: int
    is_watched: bool
    customer: Customer
    answer: int | None = None
    code: str = ""
    calls: int = 0


@dataclass(kw_only=True)
class Load:
    """Everybody who calls, until told to stop; then those under way finish."""

    record: Record
    relay: Relay
    shop: httpx.AsyncClient
    midtrans: httpx.AsyncClient
    random: Random
    orders: list[Order] = field(default_factory=list)
    # Forged notifications that were taken for good ones.
    taken_in: list[str] = field(default_factory=list)

    async def run(self, seconds: float, *, rate: float) -> None:
        """So many orders a second for so long, and then until each shop has its answer."""
        async with asyncio.TaskGroup() as group:
            attacks = group.create_task(self._attack())
            end = self.record.now() + seconds
            while self.record.now() < end:
                order = self._order()
                self.orders.append(order)
                group.create_task(self._take(order))
                await asyncio.sleep(self.random.expovariate(rate))
            attacks.cancel()

    def _order(self) -> Order:
        is_watched = self.random.random() >= _ABANDONS
        weighted = _WATCHED if is_watched else _ABANDONED
        customer = self.random.choices(
            [customer for _, customer in weighted], [weight for weight, _ in weighted]
        )[0]
        return Order(
            order_id=f"chaos-{len(self.orders):05}",
            amount=self.random.randrange(1_000, 100_000, 500),
            is_watched=is_watched,
            customer=customer,
        )

    async def _take(self, order: Order) -> None:
        end = self.record.now() + PATIENCE_SECONDS
        while order.answer is None and self.record.now() < end:
            pause = await self._create(order)
            if not order.is_watched:
                break
            if order.answer is None:
                await asyncio.sleep(pause)
        async with asyncio.TaskGroup() as together:
            together.create_task(self._be_customer(order))
            if order.is_watched and order.answer is not None:
                await self._watch(order)

    async def _create(self, order: Order) -> float:
        """One call; how long to wait before it is repeated, if it has to be."""
        headers = bearer(USER) | {"Idempotency-Key": order.order_id}
        body = {"order_id": order.order_id, "gross_amount": order.amount}
        order.calls += 1
        try:
            answer = await self.shop.post(CREATE, json=body, headers=headers)
        except httpx.HTTPError:
            self.record.answered("create", None)
            return self.random.uniform(0.3, 1.0)
        self.record.answered("create", answer.status_code)
        order.code = "" if answer.is_success else answer.json()["code"]
        if answer.status_code in {429, 503, 504} or order.code == "in-progress":
            return float(answer.headers.get("retry-after", 1))
        order.answer = answer.status_code
        return 0.0

    async def _watch(self, order: Order) -> None:
        """Read the status every few seconds, for as long as the customer is there or the money is due."""
        seen = "pending"
        end = self.record.now() + (PATIENCE_SECONDS if order.customer is Customer.PAYS else _WAITED_FOR)
        while seen in {"pending", "created"} and self.record.now() < end:
            await asyncio.sleep(self.random.uniform(*_POLL_SECONDS))
            try:
                answer = await self.shop.get(f"/api/payments/{order.order_id}/status", headers=bearer(USER))
            except httpx.HTTPError:
                self.record.answered("status", None)
                continue
            self.record.answered("status", answer.status_code)
            if answer.is_success:
                seen = answer.json()["status"]

    async def _be_customer(self, order: Order) -> None:
        await asyncio.sleep(self.random.uniform(0.0, 3.0))
        with suppress(httpx.HTTPError):
            found = (await self.midtrans.get(f"/simulator/orders/{order.order_id}")).json()
            for charge in found["transactions"]:
                path = f"/simulator/transactions/{charge['transaction_id']}"
                match order.customer:
                    case Customer.PAYS:
                        await self.midtrans.post(f"{path}/pay")
                    case Customer.DENIED:
                        await self.midtrans.post(f"{path}/deny")
                    case Customer.TOO_LATE:
                        await self.midtrans.post(f"{path}/expire")
                    case Customer.LATE:
                        late = {"fault": "paid-late", "order_id": order.order_id, "seconds": 1}
                        await self.midtrans.post("/simulator/faults", json=late)
                        await self.midtrans.post(f"{path}/expire")

    async def _attack(self) -> None:
        """Forged settlements, good notifications again, and nonsense."""
        while True:
            await asyncio.sleep(0.3)
            if self.orders:
                order = self.random.choice(self.orders)
                forged = a_notification(
                    "SB-Mid-server-forged", order_id=order.order_id, gross_amount=f"{order.amount}.00"
                )
                await self._forge(json.dumps(forged).encode())
            if self.relay.bodies:
                await self.relay.post(self.random.choice(self.relay.bodies), "duplicate")
            await self._forge(self.random.randbytes(64))

    async def _forge(self, body: bytes) -> None:
        try:
            answer = await self.relay.http.post("/api/payments/webhook", content=body)
        except httpx.HTTPError:
            self.record.answered("forged", None)
            return
        self.record.answered("forged", answer.status_code)
        if answer.is_success:
            self.taken_in.append(body.decode(errors="replace"))


async def misbehave(midtrans: httpx.AsyncClient, command: dict[str, Any]) -> None:
    """Have the simulator do something wrong at its next occasion."""
    with suppress(httpx.HTTPError):
        await midtrans.post("/simulator/faults", json=command)
