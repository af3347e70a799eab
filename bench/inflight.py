"""Creates that wait for a slow Midtrans, by the thousand: what they cost, and what everybody else notices.

The real service on a Postgres of its own, and a Midtrans that answers after two seconds. Meanwhile status reads
and notifications come at a steady pace, from a process of their own:

    .venv/bin/python bench/inflight.py
    .venv/bin/python bench/inflight.py --creates 2000 --delay 5 --json
"""

import argparse
import asyncio
import itertools
import json
import multiprocessing
import os
import resource
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import asyncpg

from gateway import a_gateway
from load import Taken, all_at_once, hammer, request, steadily
from notices import settlement
from postgres import a_server
from service import Shop, megabytes, processor_seconds, serving

from entrypoints.migrations import migrate_up

STATUS_LIMIT_MS: Final = 50.0
MEMORY_LIMIT_MB: Final = 200.0
PAID: Final = 1_000
PENDING: Final = 20_000
_PAYMENTS: Final = """
INSERT INTO payment_transactions (user_id, order_id, gross_amount, payment_type, status, midtrans_transaction_id,
    paid_at, expires_at, due_at)
SELECT 1, $2::text || n, 10000, 'gopay', $3::text, 't-' || $2::text || n,
       CASE $3::text WHEN 'settlement' THEN now() END, now() + interval '1 day', now() + interval '1 day'
  FROM generate_series(1, $1::int) n
"""


@dataclass(frozen=True, kw_only=True)
class Reads:
    """Of status reads or notifications: how many, how many went wrong, how long they took."""

    count: int
    failed: int
    p50_ms: float
    p99_ms: float
    most_ms: float


@dataclass(frozen=True, kw_only=True)
class Found:
    """One situation."""

    situation: str
    creates: int
    failed: dict[int, int]
    creates_p50_s: float
    creates_last_s: float
    most_megabytes: float
    most_connections: int
    processor_s: float
    status: Reads
    webhook: Reads

    @property
    def is_good(self) -> bool:
        return (
            not self.failed
            and not self.status.failed
            and not self.webhook.failed
            and self.status.p99_ms < STATUS_LIMIT_MS
            and self.most_megabytes < MEMORY_LIMIT_MB
        )


def everybody_else(port: int, token: str, first: int, paces: tuple[float, float], pipe: Pipe) -> None:
    """Runs in a process of its own until it is told to stop; sends back what its calls took."""

    async def go() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_reader(pipe.fileno(), stop.set)
        reads = (request("GET", f"/api/payments/paid-{n}/status", token=token) for n in itertools.cycle(range(1, PAID + 1)))
        notices = (
            request("POST", "/api/payments/webhook", body=settlement(f"open-{n}", amount=10000, transaction=f"t-open-{n}"))
            for n in range(first, PENDING + 1)
        )
        taken = await asyncio.gather(
            steadily(port, reads, per_second=paces[0], stop=stop),
            steadily(port, notices, per_second=paces[1], stop=stop),
        )
        asyncio.get_running_loop().remove_reader(pipe.fileno())
        pipe.send(taken)

    asyncio.run(go())


def reads_of(taken: Taken) -> Reads:
    return Reads(
        count=len(taken.seconds),
        failed=sum(taken.bad.values()),
        p50_ms=round(taken.milliseconds(0.5), 1),
        p99_ms=round(taken.milliseconds(0.99), 1),
        most_ms=round(max(taken.seconds, default=0) * 1000, 1),
    )


class Desk:
    """The service under test, looked at while it works."""

    def __init__(self, *, url: str, port: int, pid: int, token: str, given: argparse.Namespace) -> None:
        self._url, self._port, self._pid, self._token, self._given = url, port, pid, token, given
        self._noticed = 1

    async def measure(self, situation: str, creating: "asyncio.Task[Taken]") -> Found:
        ours, theirs = multiprocessing.get_context("spawn").Pipe()
        paces = (self._given.reads, self._given.webhooks)
        apart = multiprocessing.get_context("spawn").Process(
            target=everybody_else, args=(self._port, self._token, self._noticed, paces, theirs)
        )
        apart.start()
        busy, most, connections = processor_seconds(self._pid), 0.0, 0
        database = await asyncpg.connect(self._url)
        while not creating.done():
            most = max(most, megabytes(self._pid))
            connections = max(connections, await database.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'bayar'"))  # fmt: skip
            await asyncio.wait([creating], timeout=0.2)
        busy = processor_seconds(self._pid) - busy
        await database.close()
        ours.send("stop")
        status, webhook = await asyncio.to_thread(ours.recv)
        apart.join()
        self._noticed += len(webhook.seconds)
        creates = creating.result()
        return Found(
            situation=situation,
            creates=len(creates.seconds),
            failed=creates.bad,
            creates_p50_s=round(creates.milliseconds(0.5) / 1000, 2),
            creates_last_s=round(max(creates.seconds, default=0), 2),
            most_megabytes=round(most, 1),
            most_connections=connections,
            processor_s=round(busy, 2),
            status=reads_of(status),
            webhook=reads_of(webhook),
        )

    def creates(self) -> Iterator[bytes]:
        while True:
            yield request("POST", "/api/payments/gopayqris/create", token=self._token, body={"gross_amount": 10000})

    async def nothing(self) -> Taken:
        await asyncio.sleep(self._given.seconds)
        return Taken()

    async def arriving(self, count: int, within: float) -> Taken:
        """So many creates within so long, each answered much later: all are in flight at the end of it."""
        stop = asyncio.Event()
        return await steadily(
            self._port, itertools.islice(self.creates(), count), per_second=count / within, stop=stop
        )

    async def burst(self, count: int) -> Taken:
        await asyncio.sleep(1)
        return await all_at_once(self._port, list(itertools.islice(self.creates(), count)))


async def run(url: str, gateway: str, given: argparse.Namespace) -> list[Found]:
    database = await asyncpg.connect(url)
    await database.execute("INSERT INTO users (id) VALUES (1)")
    await database.execute(_PAYMENTS, PAID, "paid-", "settlement")
    await database.execute(_PAYMENTS, PENDING, "open-", "pending")
    await database.execute("VACUUM ANALYZE")
    await database.close()
    shop = Shop(database_url=url, gateway_url=gateway)
    with serving(shop, workers=given.workers) as running:
        desk = Desk(url=url, port=running.port, pid=running.pid, token=shop.token(), given=given)
        await hammer(running.port, itertools.islice(desk.creates(), 20), connections=4, seconds=60)
        found = [await desk.measure("nothing else", asyncio.create_task(desk.nothing()))]
        within = given.delay * 0.9
        found.append(await desk.measure(
            f"{given.creates} creates within {within:.1f} s", asyncio.create_task(desk.arriving(given.creates, within))))  # fmt: skip
        found.append(await desk.measure(
            f"{given.creates} creates at once", asyncio.create_task(desk.burst(given.creates))))  # fmt: skip
        return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--creates", type=int, default=1_000)
    parser.add_argument("--delay", type=float, default=2.0, help="seconds that Midtrans takes")
    parser.add_argument("--reads", type=float, default=50.0, help="status reads in a second")
    parser.add_argument("--webhooks", type=float, default=10.0, help="notifications in a second")
    parser.add_argument("--seconds", type=float, default=5.0, help="of looking at an idle service first")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with TemporaryDirectory(prefix="bayar-bench-") as made:
        Path(made).chmod(0o711)  # Postgres may run as an account of its own
        with a_server(Path(made) / "postgres") as url, a_gateway(delay=given.delay) as gateway:
            migrate_up(url)
            found = asyncio.run(run(url, gateway, given))
    if given.json:
        print(json.dumps([asdict(one) for one in found], indent=2))
    else:
        show(found, given)
    return 0 if all(one.is_good for one in found) else 1


def show(found: list[Found], given: argparse.Namespace) -> None:
    print(f"a Midtrans of {given.delay:g} s, {given.workers} process(es), {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    print(f"{'meanwhile':32}{'answered':>9}{'failed':>8}{'p50 s':>7}{'last s':>7}{'MB':>6}{'conns':>6}{'cpu s':>7}"
          f"{'status p50':>12}{'p99 ms':>8}{'most':>7}{'webhook p50':>13}{'p99 ms':>8}{'most':>7}")  # fmt: skip
    for one in found:
        failed = sum(one.failed.values())
        print(f"{one.situation:32}{one.creates - failed:>9}{failed:>8}{one.creates_p50_s:>7.2f}{one.creates_last_s:>7.2f}"
              f"{one.most_megabytes:>6.0f}{one.most_connections:>6}{one.processor_s:>7.2f}"
              f"{one.status.p50_ms:>12.1f}{one.status.p99_ms:>8.1f}{one.status.most_ms:>7.1f}"
              f"{one.webhook.p50_ms:>13.1f}{one.webhook.p99_ms:>8.1f}{one.webhook.most_ms:>7.1f}")  # fmt: skip
        for name, reads in (("status reads", one.status), ("notifications", one.webhook)):
            if reads.failed:
                print(f"  {reads.failed} {name} of {reads.count} failed")
        if one.failed:
            print(f"  failed creates by status: {one.failed}")


if __name__ == "__main__":
    sys.exit(main())
