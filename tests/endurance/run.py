"""One run: how much the real service bears, then most of that for long, looked at every few seconds."""

from __future__ import annotations

import asyncio
import os
import platform
import time
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import httpx
from httpx_aiohttp import AiohttpTransport

from endurance.samples import Sample, a_sample
from endurance.shops import Shops
from entrypoints.embedded_postgres import embedded_postgres
from entrypoints.migrations import migrate_up
from support.database import connected, open_directory
from support.killing import children_of
from support.service import HOST, environment, free_port, serving, simulating, started

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

_PROCESSES: Final = 2
_LANES: Final = 48
_SAMPLES: Final = 240
_LEAST_SECONDS: Final = 2.0
_LIMITS: Final = httpx.Limits(max_connections=100, keepalive_expiry=30)
_CLIENTS: Final = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """What a run came to; ``most`` and ``rate`` are orders a second."""

    date: str
    machine: str
    minutes: float
    most: float
    rate: float
    samples: list[Sample]

    @property
    def wrong(self) -> Counter[str]:
        return sum((Counter(sample.wrong) for sample in self.samples), Counter())


@dataclass(frozen=True, kw_only=True, slots=True)
class _Stage:
    """``pids`` are the processes of ours, by what they are."""

    shops: Shops
    pids: Mapping[str, int]
    postmaster: int
    database_url: str


async def run(*, minutes: float, share: float, warm_up: float, tell: Callable[[str], None]) -> Measured:
    """Ends by itself."""
    with open_directory() as home:
        async with _stage(home) as stage:
            await stage.shops.at_most(_LANES, warm_up / 4)
            most = await stage.shops.at_most(_LANES, warm_up)
            rate = share * most
            tell(f"The most is {most:.0f} orders a second; {rate:.0f} a second for {minutes:g} minutes …")
            stage.shops.take_seen()
            samples = await _sampled(stage, rate, minutes * 60, tell)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    return Measured(
        date=time.strftime("%Y-%m-%d"),
        machine=f"{os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}",
        minutes=minutes,
        most=most,
        rate=rate,
        samples=samples,
    )


async def _sampled(stage: _Stage, rate: float, seconds: float, tell: Callable[[str], None]) -> list[Sample]:
    samples: list[Sample] = []
    began, every = time.monotonic(), max(seconds / _SAMPLES, _LEAST_SECONDS)
    load = asyncio.create_task(stage.shops.steadily(rate, seconds))
    since = 0.0
    while not load.done():
        await asyncio.wait([load], timeout=every)
        at = time.monotonic() - began
        async with connected(stage.database_url) as connection:
            clients = await connection.fetchval(_CLIENTS) - 1  # but for this one
        samples.append(
            a_sample(
                at=at,
                since=since,
                pids=stage.pids,
                postmaster=stage.postmaster,
                connected=clients,
                seen=stage.shops.take_seen(),
            )
        )
        since = at
        if len(samples) % 20 == 0:
            tell(f"{at:.0f} s, {samples[-1].calls_a_second:.0f} calls a second")
    await load
    return samples


@asynccontextmanager
async def _stage(home: Path) -> AsyncIterator[_Stage]:
    async with AsyncExitStack() as stack:
        database = home / "postgres"
        database.mkdir()
        database_url = stack.enter_context(embedded_postgres(database, database="bayar"))
        postmaster = int((database / "pgdata" / "postmaster.pid").read_text().splitlines()[0])
        migrate_up(database_url)
        async with connected(database_url) as connection:
            await connection.execute("INSERT INTO users DEFAULT VALUES")
        simulator = await stack.enter_async_context(simulating())
        port = free_port()
        env = environment(
            DATABASE_URL=database_url,
            MIDTRANS_BASE_URL=simulator.url,
            BAYAR_PUBLIC_URL=f"http://{HOST}:{port}",
            BAYAR_CREATE_RATE="1000000",
            LOG_LEVEL="warning",
        )
        serve = partial(serving, "--workers", str(_PROCESSES), "--no-worker", env=env, port=port)
        api = await stack.enter_async_context(serve())
        worker = await stack.enter_async_context(started("worker", env=env))

        async def a_client(url: str) -> httpx.AsyncClient:
            client = httpx.AsyncClient(base_url=url, timeout=30, transport=AiohttpTransport(limits=_LIMITS))
            return await stack.enter_async_context(client)

        children = {f"API {number}": pid for number, pid in enumerate(children_of(api.program.pid), start=1)}
        yield _Stage(
            shops=Shops(shop=await a_client(api.url), midtrans=await a_client(simulator.url)),
            pids={
                "API, parent": api.program.pid,
                **children,
                "worker": worker.pid,
                "look-alike": simulator.program.pid,
            },
            postmaster=postmaster,
            database_url=database_url,
        )
