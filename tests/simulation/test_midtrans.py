"""The model of Midtrans keeps the promises of the Core API: the suite that the look-alike passes."""

import json
from typing import Any

import pytest

from adapters.midtrans.client import Reply
from simulation.midtrans import Midtrans, Transaction
from support.builders import SERVER_KEY
from support.contracts.core_api import Body, CoreApi, CoreApiContract


class Model:
    """The model, as calls over HTTP would see it."""

    server_key = SERVER_KEY

    def __init__(self) -> None:
        self._time, self._notified = 0.0, list[Body]()
        self._midtrans = Midtrans(time=lambda: self._time, server_key=SERVER_KEY)
        self._midtrans.on_change.append(self._tell)

    async def charge(self, order_id: str, *, key: str | None = None, **fields: Any) -> tuple[int, Body]:
        details = {"order_id": order_id, "gross_amount": 10_000}
        body = {"payment_type": "gopay", "transaction_details": details} | fields
        return _told(self._midtrans.charge(json.dumps(body).encode(), key))

    async def status(self, any_id: str) -> tuple[int, Body]:
        return _told(self._midtrans.status_of(any_id))

    async def cancel(self, any_id: str) -> tuple[int, Body]:
        return _told(self._midtrans.cancel(any_id))

    async def expire(self, any_id: str) -> tuple[int, Body]:
        return _told(self._midtrans.expire(any_id))

    async def pay(self, order_id: str) -> None:
        assert self._midtrans.pay(self._held(order_id))

    async def deny(self, order_id: str) -> None:
        assert self._midtrans.move(self._held(order_id), "deny")

    async def charge_back(self, order_id: str) -> None:
        assert self._midtrans.move(self._held(order_id), "chargeback")

    async def pass_time(self, seconds: float) -> None:
        self._time += seconds

    def notified(self) -> list[Body]:
        return self._notified

    def _held(self, order_id: str) -> Transaction:
        return self._midtrans.of_order(order_id)[-1]

    def _tell(self, transaction: Transaction) -> None:
        self._notified.append(json.loads(self._midtrans.notification(transaction)))


class TestModel(CoreApiContract):
    @pytest.fixture
    def api(self) -> CoreApi:
        return Model()


def _told(reply: Reply) -> tuple[int, Body]:
    return reply.status, json.loads(reply.body)
