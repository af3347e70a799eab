"""A shop's view of a service: its address, a token, and nothing of its inside."""

import secrets
from dataclasses import dataclass
from typing import Any

import httpx

from support.service import CREATE, eventually


@dataclass(frozen=True, kw_only=True)
class Desk:
    """``midtrans`` controls the simulator, and ``others_token`` is a second user's; both only if ours."""

    http: httpx.AsyncClient
    token: str
    others_token: str | None = None
    midtrans: httpx.AsyncClient | None = None

    async def create(self, key: str | None, *, token: str | None = None, **fields: Any) -> httpx.Response:
        """One create; a service that is asked too often is asked again when it says."""
        return await self.send(key, json=fields, token=token)

    async def send(self, key: str | None, *, token: str | None = None, **body: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token or self.token}", "Content-Type": "application/json"}
        if key is not None:
            headers["Idempotency-Key"] = key

        async def answered() -> httpx.Response | None:
            answer = await self.http.post(CREATE, headers=headers, **body)
            return None if answer.status_code == 429 else answer

        return await eventually(answered, within=90, every=1)

    async def charges_of(self, order_id: str) -> int:
        """How many charges Midtrans has of an order."""
        assert self.midtrans is not None
        found = (await self.midtrans.get(f"/simulator/orders/{order_id}")).json()
        return len(found["transactions"])

    async def misbehaves(self, fault: str, order_id: str, *, times: int = 1) -> None:
        """The simulator's next charges of that order go wrong."""
        assert self.midtrans is not None
        command = {"fault": fault, "on": "charge", "order_id": order_id, "times": times}
        answer = await self.midtrans.post("/simulator/faults", json=command)
        assert answer.status_code == 201, answer.text


def a_key() -> str:
    return f"test-{secrets.token_hex(12)}"


def an_order_id() -> str:
    return f"test-{secrets.token_hex(12)}"
