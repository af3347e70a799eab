"""A real service, its database and its Midtrans, each in processes of their own, and what happens to them."""

from __future__ import annotations

import signal
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import httpx

from adapters.postgres.evidence_log import PostgresEvidenceLog
from adapters.postgres.pool import create_pool
from domain.usecases.verify_log import VerifyLog
from entrypoints.migrations import migrate_up
from support.database import connected
from support.rows import run
from support.service import (
    CREATE,
    HOST,
    Program,
    bearer,
    environment,
    eventually,
    free_port,
    serving,
    simulating,
    started,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from adapters.postgres.pool import Pool

# Midtrans repeats a refused notification after 2 minutes; here after 0.6 s.
HURRIED: Final = ("--time-scale", "200")
# The advisory lock that a commit waits for while a gate is shut.
_GATE: Final = 20_260_206


@dataclass(frozen=True, kw_only=True)
class World:
    """What a test looks at, and does, besides the service itself."""

    pool: Pool
    env: dict[str, str]
    port: int
    shop: httpx.AsyncClient
    midtrans: httpx.AsyncClient

    @asynccontextmanager
    async def serving(self, *arguments: str) -> AsyncIterator[Program]:
        """``bayar serve`` where Midtrans notifies it, with the background work in it unless told not to."""
        async with serving(*arguments, env=self.env, port=self.port) as service:
            yield service.program

    def working(self) -> AbstractAsyncContextManager[Program]:
        """``bayar worker``: the background work alone."""
        return started("worker", env=self.env)

    async def create(self, order_id: str, **fields: Any) -> httpx.Response:
        """As a shop calls: its own order id, and a key of the same name."""
        headers = bearer() | {"Idempotency-Key": order_id}
        return await self.shop.post(CREATE, json={"order_id": order_id} | fields, headers=headers)

    async def created(self, order_id: str) -> dict[str, Any]:
        answer = await self.create(order_id)
        assert answer.status_code == 201, answer.text
        payment: dict[str, Any] = answer.json()
        return payment

    async def misbehaves(self, fault: str, order_id: str, **how: Any) -> None:
        """Midtrans's next calls or notifications about that order go wrong."""
        command = {"fault": fault, "order_id": order_id} | how
        answer = await self.midtrans.post("/simulator/faults", json=command)
        assert answer.status_code == 201, answer.text

    async def charges(self, order_id: str) -> list[dict[str, Any]]:
        """Every charge that Midtrans has of the order."""
        found: list[dict[str, Any]] = (await self.midtrans.get(f"/simulator/orders/{order_id}")).json()[
            "transactions"
        ]
        return found

    async def is_charged(self, order_id: str) -> None:
        """Wait until Midtrans has the charge, whatever becomes of its answer."""
        await eventually(lambda: self.charges(order_id))

    async def happens(self, act: str, order_id: str) -> None:
        """A customer's or a bank's doing at Midtrans: pay, expire, deny."""
        (charge,) = await self.charges(order_id)
        answer = await self.midtrans.post(f"/simulator/transactions/{charge['transaction_id']}/{act}")
        assert answer.status_code == 200, answer.text

    async def midtrans_repeats_itself(self) -> None:
        """What it could not deliver is due again now."""
        answer = await self.midtrans.post("/simulator/clock", json={"seconds": 30})
        assert answer.status_code == 200, answer.text

    async def stored(self, order_id: str) -> str | None:
        """The status as committed; nobody is asked for it."""
        found: str | None = await run(
            self.pool, "SELECT status FROM payment_transactions WHERE order_id = $1", order_id
        )
        return found

    async def reaches(self, order_id: str, status: str, *, within: float = 30.0) -> None:
        async def is_there() -> bool:
            return await self.stored(order_id) == status

        await eventually(is_there, within=within)

    async def ends_as(self, order_id: str, status: str, *, within: float = 30.0) -> None:
        """Wait until the payment is what Midtrans says, with one charge and a log that nobody touched."""
        await self.reaches(order_id, status, within=within)
        (charge,) = await self.charges(order_id)
        transaction = await run(
            self.pool,
            "SELECT midtrans_transaction_id FROM payment_transactions WHERE order_id = $1",
            order_id,
        )
        assert (charge["transaction_status"], charge["transaction_id"]) == (status, transaction)
        assert (await VerifyLog(log=PostgresEvidenceLog(pool=self.pool))(order_id)).faults == ()

    async def is_told(self, order_id: str, status: str, *, times: int = 1, processed: bool = True) -> None:
        """Wait until so many notifications of that status are stored, all processed or all still to do."""

        async def are_there() -> bool:
            return await self._notified(order_id, status) == [processed] * times

        await eventually(are_there, within=30)

    async def _notified(self, order_id: str, status: str) -> list[bool]:
        async with self.pool.acquire() as connection:
            rows = await connection.fetch(
                "SELECT processed FROM payment_webhook_events"
                " WHERE order_id = $1 AND raw_body ->> 'transaction_status' = $2 AND is_verified"
                " ORDER BY received_at",
                order_id,
                status,
            )
        return [row["processed"] for row in rows]

    async def is_taken_up(self, order_id: str) -> None:
        """Wait until a worker has a doubtful notification of the order in hand."""
        query = "SELECT EXISTS (SELECT FROM payment_webhook_events WHERE order_id = $1 AND attempts > 0)"
        await eventually(lambda: run(self.pool, query, order_id))

    async def has_refused_a_forgery(self, order_id: str) -> None:
        query = "SELECT EXISTS (SELECT FROM payment_webhook_events WHERE order_id = $1 AND forged)"
        await eventually(lambda: run(self.pool, query, order_id))

    async def needs_a_person(self, order_id: str) -> bool:
        query = "SELECT late AND needs_attention FROM payment_transactions WHERE order_id = $1"
        return bool(await run(self.pool, query, order_id))

    async def changes(self, order_id: str) -> list[str]:
        """What the payment went through, by its evidence log."""
        async with self.pool.acquire() as connection:
            rows = await connection.fetch(
                "SELECT e.what FROM payment_events e JOIN payment_transactions p ON p.id = e.payment_id"
                " WHERE p.order_id = $1 ORDER BY e.seq",
                order_id,
            )
        return [row["what"] for row in rows]

    async def pass_time(self, order_id: str, seconds: float) -> None:
        """The database's clock cannot be turned, so what is stored of the order moves into the past."""
        by = timedelta(seconds=seconds)
        await run(
            self.pool,
            "UPDATE payment_transactions"
            " SET due_at = due_at - $2::interval, asked_at = asked_at - $2::interval,"
            " charged_first_at = charged_first_at - $2::interval,"
            " charged_last_at = charged_last_at - $2::interval"
            " WHERE order_id = $1",
            order_id,
            by,
        )
        await run(
            self.pool,
            "UPDATE payment_idempotency_keys SET leased_until = leased_until - $2::interval WHERE key = $1",
            order_id,
            by,
        )
        await run(
            self.pool,
            "UPDATE payment_webhook_events SET due_at = due_at - $2::interval WHERE order_id = $1",
            order_id,
            by,
        )

    @asynccontextmanager
    async def gate(self, change: str) -> AsyncIterator[Gate]:
        """Shut: whoever commits such a change, "INSERT ON payments" say, waits at the end of its commit."""
        async with self.pool.acquire() as keeper:
            await keeper.execute(
                "CREATE FUNCTION wait_at_the_gate() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = 0"
                f" AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared({_GATE}); RETURN NULL; END $$;"
                f"CREATE CONSTRAINT TRIGGER gate AFTER {change} DEFERRABLE INITIALLY DEFERRED"
                " FOR EACH ROW EXECUTE FUNCTION wait_at_the_gate()"
            )
            await keeper.execute(f"SELECT pg_advisory_lock({_GATE})")
            gate = Gate(keeper)
            try:
                yield gate
            finally:
                await gate.opens()
                await keeper.execute("DROP FUNCTION wait_at_the_gate() CASCADE")


class Gate:
    """Where commits wait for the test; the database has their work and they have not heard of it."""

    def __init__(self, keeper: Any) -> None:
        self._keeper = keeper
        self._is_shut = True

    async def somebody_waits(self) -> int:
        """The backend that waits to be let through, once there is one."""
        query = (
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = $1"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        pid: int = await eventually(lambda: self._keeper.fetchval(query, _GATE))
        return pid

    async def opens(self) -> None:
        if self._is_shut:
            self._is_shut = False
            await self._keeper.execute(f"SELECT pg_advisory_unlock({_GATE})")

    async def turns_away(self, backend: int) -> None:
        """End the waiting backend, as a server does that finds its client gone: nothing is committed."""
        await self._keeper.execute(f"SELECT pg_terminate_backend({backend}, 5000)")


async def kill(program: Program) -> None:
    """Kill -9: nothing is finished, nobody is told."""
    program.signal(signal.SIGKILL)
    assert (await program.ended()).status == -signal.SIGKILL


@asynccontextmanager
async def a_world(database_url: str) -> AsyncIterator[World]:
    """Around an empty database: tables, a user, a Midtrans, and where the service will be."""
    migrate_up(database_url)
    async with connected(database_url) as connection:
        await connection.execute("INSERT INTO users DEFAULT VALUES")
    port = free_port()
    url = f"http://{HOST}:{port}"
    async with simulating(*HURRIED) as simulator:
        env = environment(
            DATABASE_URL=database_url,
            MIDTRANS_BASE_URL=simulator.url,
            BAYAR_PUBLIC_URL=url,
            BAYAR_CREATE_RATE="1000000",
        )
        async with (
            create_pool(dsn=database_url, size=4) as pool,
            httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as shop,
            httpx.AsyncClient(base_url=simulator.url, trust_env=False) as midtrans,
        ):
            yield World(pool=pool, env=env, port=port, shop=shop, midtrans=midtrans)
