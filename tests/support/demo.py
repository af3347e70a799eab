"""`bayar demo`, running, and what somebody at its desk does."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx

from support.database import open_directory
from support.service import CREATE, HOST, Program, answering, eventually, free_port, started

# For a browser on a machine that is nobody's desk: it asks nobody for anything of its own.
ARGUMENTS: Final = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass(frozen=True, kw_only=True)
class DemoDesk:
    """Where the demo is, and a client with its shop's token."""

    url: str
    simulator_url: str
    program: Program
    http: httpx.AsyncClient

    @property
    def guide(self) -> str:
        """What the demo printed to do next."""
        return self.program.said.partition("Bayar is running.")[2].partition("Ctrl-C stops")[0]

    async def created(self, **fields: Any) -> dict[str, Any]:
        """A payment that the shop's backend asked for."""
        answer = await self.http.post(CREATE, json={"gross_amount": 25_000} | fields)
        assert answer.status_code == 201, answer.text
        payment: dict[str, Any] = answer.json()
        return payment

    async def pay(self, payment: dict[str, Any]) -> None:
        """The customer pays, past every page."""
        await self._at_midtrans(f"/wallet/{payment['transaction_id']}/pay")

    async def let(self, payment: dict[str, Any], happen: str) -> None:
        """Have the look-alike let something happen to a payment: ``expire``, ``deny`` and the like."""
        await self._at_midtrans(f"/simulator/transactions/{payment['transaction_id']}/{happen}")

    async def is_settled(self, payment: dict[str, Any]) -> bool:
        stored = (await self.http.get(f"/api/payments/{payment['order_id']}")).json()
        return bool(stored["status"] == "settlement")

    async def _at_midtrans(self, path: str) -> None:
        answer = await self.http.post(self.simulator_url + path)
        assert answer.is_success, answer.text


@asynccontextmanager
async def a_demo() -> AsyncIterator[DemoDesk]:
    """A demo with a database of its own, once it has printed what to do next."""
    port = free_port()
    url = f"http://{HOST}:{port}"
    with open_directory() as home:
        arguments = ("demo", "--data", str(home / "demo"), "--port", str(port))
        async with started(*arguments, env={}) as program:
            await answering(f"{url}/health/ready", program, within=60)

            async def is_told() -> bool:
                return "Ctrl-C" in program.said

            await eventually(is_told, within=20)
            token = re.findall(r"export TOKEN=(\S+)", program.said)[0]
            async with httpx.AsyncClient(
                base_url=url, headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=20
            ) as http:
                yield DemoDesk(url=url, simulator_url=f"http://{HOST}:{port + 1}", program=program, http=http)
