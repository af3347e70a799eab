"""The look-alike keeps the promises of the Core API: the suite that the model of the simulation passes."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from support.contracts.core_api import Body, CoreApi, CoreApiContract
from support.simulator_desk import SERVER_KEY, Desk


class LookAlike:
    """The simulator behind its desk."""

    server_key = SERVER_KEY

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def charge(self, order_id: str, *, key: str | None = None, **fields: Any) -> tuple[int, Body]:
        headers = {"Idempotency-Key": key} if key else None
        return _told(await self._desk.charge(order_id, headers=headers, **fields))

    async def status(self, any_id: str) -> tuple[int, Body]:
        return _told(await self._desk.client.get(f"/v2/{any_id}/status"))

    async def cancel(self, any_id: str) -> tuple[int, Body]:
        return _told(await self._desk.post(f"/v2/{any_id}/cancel"))

    async def expire(self, any_id: str) -> tuple[int, Body]:
        return _told(await self._desk.post(f"/v2/{any_id}/expire"))

    async def pay(self, order_id: str) -> None:
        await self._do(order_id, "pay")

    async def deny(self, order_id: str) -> None:
        await self._do(order_id, "deny")

    async def charge_back(self, order_id: str) -> None:
        await self._do(order_id, "chargeback")

    async def pass_time(self, seconds: float) -> None:
        await self._desk.clock.advance(timedelta(seconds=seconds))

    def notified(self) -> list[Body]:
        return self._desk.receiver.bodies

    async def _do(self, order_id: str, what: str) -> None:
        transaction_id = (await self._desk.status(order_id))["transaction_id"]
        answer = await self._desk.post(f"/simulator/transactions/{transaction_id}/{what}")
        assert answer.is_success, answer.text


class TestLookAlike(CoreApiContract):
    @pytest.fixture
    def api(self, desk: Desk) -> CoreApi:
        return LookAlike(desk)


def _told(answer: httpx.Response) -> tuple[int, Body]:
    return answer.status_code, answer.json()
