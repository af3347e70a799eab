"""One run: real processes under load, killed at random; then calm, and what is true after it."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import TYPE_CHECKING, Final

import httpx

from chaos.fleet import Fleet, Postgres
from chaos.load import USER, Load, misbehave
from chaos.plan import kills, misbehaviours
from chaos.promises import SETTLED_WITHIN, Charge, Facts, Row, is_as_at_midtrans
from chaos.record import Record
from chaos.relay import Relay, canonical
from entrypoints.migrations import migrate_up
from support.database import connected, open_directory
from support.service import HOST, environment, eventually, free_port, ran, simulating
from support.taking_posts import taking_posts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable
    from pathlib import Path

# For starting, for the last answers, and for looking at everything.
_MOST_BESIDE: Final = 300
# Midtrans repeats a notification after 2 minutes; here after 2 s.
_HURRIED: Final = ("--time-scale", "60")
# Due times are moved so far into the past when nobody waits any more: all that Midtrans is asked about
# within the first minutes of a payment is then due at once.
_PAST: Final = "interval '1 hour'"
_MOVE: Final = (
    f"UPDATE payment_transactions SET due_at = due_at - {_PAST}, asked_at = asked_at - {_PAST},"  # noqa: S608
    f" charged_first_at = charged_first_at - {_PAST}, charged_last_at = charged_last_at - {_PAST};"
    f"UPDATE payment_webhook_events SET due_at = due_at - {_PAST} WHERE NOT processed"
)
_ROWS: Final = """
SELECT p.order_id, p.status,
       (SELECT min(e.recorded_at) FROM payment_events e WHERE e.payment_id = p.id AND e.status = 'settlement')
         AS settled_at
  FROM payment_transactions p
"""
_NOTIFICATIONS: Final = "SELECT raw_body, repeats + 1 AS times FROM payment_webhook_events WHERE is_verified"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Everything that runs, and how it is reached."""

    record: Record
    fleet: Fleet
    load: Load
    midtrans: httpx.AsyncClient
    env: dict[str, str]


async def run(seed: int, seconds: int, *, rate: float, tell: Callable[[Record, str], None]) -> Facts:
    """Ends by itself, mostly within a minute after the load. Raises TimeoutError when it does not."""
    with open_directory() as home:
        async with asyncio.timeout(seconds + _MOST_BESIDE), _stage(seed, home) as stage:
            await _trouble(stage, seed, seconds, rate, tell)
            tell(stage.record, "waiting until all is as at Midtrans")
            calm = await _calm(stage)
            tell(stage.record, "looking at everything")
            return await _facts(stage, calm)


@asynccontextmanager
async def _stage(seed: int, home: Path) -> AsyncIterator[Stage]:
    random = Random(f"load {seed}")  # noqa: S311 - to be repeatable is the point
    async with AsyncExitStack() as stack:
        temporary = home / "tmp"
        temporary.mkdir()
        postgres = Postgres(home / "postgres")
        (home / "postgres").mkdir()
        await postgres.start()
        stack.push_async_callback(postgres.stop)
        migrate_up(postgres.url)
        async with connected(postgres.url) as connection:
            await connection.execute("INSERT INTO users (id) VALUES ($1)", USER)
        simulator = await stack.enter_async_context(simulating(*_HURRIED))
        port, relay_port = free_port(), free_port()
        env = environment(
            DATABASE_URL=postgres.url,
            MIDTRANS_BASE_URL=simulator.url,
            BAYAR_PUBLIC_URL=f"http://{HOST}:{relay_port}",
            BAYAR_CREATE_RATE="1000000",
            BAYAR_ASK_RATE="100",
            TMPDIR=str(temporary),
        )
        record = Record()
        fleet = Fleet(record, postgres, env=env, port=port)

        async def a_client(url: str, seconds: float) -> httpx.AsyncClient:
            limits = httpx.Limits(max_connections=500, max_keepalive_connections=50)
            client = httpx.AsyncClient(base_url=url, timeout=seconds, limits=limits, trust_env=False)
            return await stack.enter_async_context(client)

        midtrans = await a_client(simulator.url, 10)
        relay = Relay(record=record, http=await a_client(fleet.url, 15), random=random)
        await stack.enter_async_context(taking_posts(relay.take, port=relay_port))
        for service in (fleet.api, *fleet.workers):
            await stack.enter_async_context(service.running())
        load = Load(
            record=record,
            relay=relay,
            shop=await a_client(fleet.url, 40),
            midtrans=midtrans,
            random=random,
        )
        await fleet.is_ready()
        yield Stage(record=record, fleet=fleet, load=load, midtrans=midtrans, env=env)


async def _trouble(
    stage: Stage, seed: int, seconds: int, rate: float, tell: Callable[[Record, str], None]
) -> None:
    """Load, kills and misbehaviour for so long; then until every shop has its answer and all is whole."""
    record, random = stage.record, Random(f"victims {seed}")  # noqa: S311 - to be repeatable is the point
    record.start()

    async def kill_as_planned() -> None:
        async with asyncio.TaskGroup() as struck:
            for planned in kills(seed, seconds):
                await asyncio.sleep(max(planned.at - record.now(), 0))
                struck.create_task(stage.fleet.kill(planned, random))

    async def misbehave_as_planned() -> None:
        for planned in misbehaviours(seed, seconds):
            await asyncio.sleep(max(planned.at - record.now(), 0))
            await misbehave(stage.midtrans, planned.command)
        await stage.midtrans.delete("/simulator/faults")

    async def tell_of_it() -> None:
        while True:
            tell(record, "load and kills" if record.now() < seconds else "waiting for the last answers")
            await asyncio.sleep(0.2)

    async with asyncio.TaskGroup() as group:
        telling = group.create_task(tell_of_it())
        async with asyncio.TaskGroup() as trouble:
            trouble.create_task(stage.load.run(seconds, rate=rate))
            trouble.create_task(kill_as_planned())
            trouble.create_task(misbehave_as_planned())
        telling.cancel()
    await stage.fleet.is_ready()


async def _calm(stage: Stage) -> float | None:
    """How long until every payment is as Midtrans says, with nobody calling; None if that takes too long."""
    async with connected(stage.fleet.postgres.url) as connection:
        await connection.execute(_MOVE)
    began = stage.record.now()
    apart = {order.order_id for order in stage.load.orders}

    async def are_all_alike() -> bool:
        async with connected(stage.fleet.postgres.url) as connection:
            status = {row["order_id"]: row["status"] for row in await connection.fetch(_ROWS)}
        charges = await _charges(stage, apart)
        apart.difference_update(
            [one for one in apart if one not in status or is_as_at_midtrans(status[one], charges[one])]
        )
        return not apart

    try:
        await eventually(are_all_alike, within=SETTLED_WITHIN, every=0.5)
    except AssertionError:
        return None
    return stage.record.now() - began


async def _charges(stage: Stage, order_ids: Iterable[str]) -> dict[str, list[Charge]]:
    found = {}
    for order_id in order_ids:
        told = (await stage.midtrans.get(f"/simulator/orders/{order_id}")).json()["transactions"]
        found[order_id] = [
            Charge(
                transaction_id=charge["transaction_id"],
                status=charge["transaction_status"],
                settled_at=charge["settlement_time"] and datetime.fromisoformat(charge["settlement_time"]),
            )
            for charge in told
        ]
    return found


async def _facts(stage: Stage, calm: float | None) -> Facts:
    # Midtrans still repeats itself: what is answered from here on is stored later than it is looked for.
    promised = Counter(stage.load.relay.promised)
    charges = await _charges(stage, [order.order_id for order in stage.load.orders])
    async with connected(stage.fleet.postgres.url) as connection:
        rows = await connection.fetch(_ROWS)
        notifications = await connection.fetch(_NOTIFICATIONS)
    verified = await ran("verify", env=stage.env, within=60)
    stored: Counter[str] = Counter()
    for row in notifications:
        stored[canonical(row["raw_body"])] += row["times"]
    return Facts(
        orders=stage.load.orders,
        rows=[Row(order_id=r["order_id"], status=r["status"], settled_at=r["settled_at"]) for r in rows],
        charges=charges,
        promised=promised,
        stored=stored,
        taken_in=stage.load.taken_in,
        verified=(verified.out + verified.err).strip().rpartition("\n")[2],
        calm_seconds=calm,
        record=stage.record,
    )
