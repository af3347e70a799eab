"""Postgres is killed (-9) under payments in every state, stays away for a minute, and comes back."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from entrypoints.embedded_postgres import embedded_postgres
from integration.disasters.world import World, a_world
from support.database import open_directory
from support.killing import kill_postgres
from support.service import eventually

if TYPE_CHECKING:
    import httpx

# How long it was away, for what goes by the database's clock.
AWAY: Final = 60


async def test_a_minute_without_a_database_costs_answers_and_no_payment() -> None:
    with open_directory() as home, ExitStack() as postgres:

        def start() -> str:
            return postgres.enter_context(embedded_postgres(home, database="bayar"))

        async with a_world(start()) as world, world.serving() as program:
            await world.created("paid-meanwhile")
            await world.created("notified-before")
            await world.misbehaves("slow-answer", "charged-meanwhile", on="charge", seconds=8)
            charging = asyncio.create_task(world.create("charged-meanwhile"))
            await world.is_charged("charged-meanwhile")
            await world.happens("pay", "notified-before")

            kill_postgres(home)
            postgres.close()

            refused = await world.create("asked-meanwhile")
            unknown = await charging
            await world.happens("pay", "paid-meanwhile")
            await was_not_stored(world, "paid-meanwhile")
            start()
            for order_id in ("paid-meanwhile", "notified-before", "charged-meanwhile"):
                await world.pass_time(order_id, AWAY)
            await world.midtrans_repeats_itself()

            await world.ends_as("paid-meanwhile", "settlement")
            await world.ends_as("notified-before", "settlement")
            await world.ends_as("charged-meanwhile", "pending")
            await world.happens("pay", "charged-meanwhile")
            await world.ends_as("charged-meanwhile", "settlement")
            await world.created("asked-meanwhile")
            await world.happens("pay", "asked-meanwhile")
            await world.ends_as("asked-meanwhile", "settlement")
            said = program.said

    assert told(refused) == (503, "database-unavailable")
    assert int(refused.headers["retry-after"]) >= 1
    assert told(unknown) == (504, "outcome-unknown")
    assert "Traceback" not in said


def told(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def was_not_stored(world: World, order_id: str) -> None:
    """Wait until a notification of the order was answered with 503."""
    query = {"order_id": order_id, "direction": "out", "status": "503"}

    async def is_refused() -> bool:
        return bool((await world.midtrans.get("/simulator/log", params=query)).json()["exchanges"])

    await eventually(is_refused)
