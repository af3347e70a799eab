"""Whether the service slows down as its tables grow: two shops side by side, one young and one old.

Each has a Postgres of its own, filled by `bench/fill.py` and kept, and the real service. They take turns, so that
the ratios hold on a machine that has other work; besides rates it counts what a request costs in computing, which
hardly depends on others:

    .venv/bin/python bench/growth.py                                  # 100,000 payments beside a million
    .venv/bin/python bench/growth.py --payments 10000000 --data /var/tmp/bayar-growth --plot growth.svg

Ten million payments take some 45 GB.
"""

import argparse
import asyncio
import itertools
import json
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg

import fill
from gateway import a_gateway
from load import hammer, request
from notices import settlement
from plot import Bars, bars
from postgres import a_server
from progress import Progress
from service import Running, Shop, processor_seconds, serving

from entrypoints.migrations import migrate_up

YOUNG: Final = 100_000
LIMIT: Final = 1.3
CASES: Final = ("webhook", "webhook, anywhere", "create", "status, newest", "status, anywhere")
_DESCENDING: Final = "SELECT order_id FROM payment_transactions WHERE user_id = 1 AND status = $1 ORDER BY created_at DESC LIMIT $2"
_SIZES: Final = """
SELECT c.relname AS table, i.relname AS index, pg_relation_size(coalesce(i.oid, c.oid)) AS bytes, c.reltuples AS rows
  FROM pg_class c
  LEFT JOIN (SELECT indrelid, indexrelid FROM pg_index UNION ALL SELECT oid, NULL FROM pg_class WHERE relkind = 'r') x
    ON x.indrelid = c.oid
  LEFT JOIN pg_class i ON i.oid = x.indexrelid
 WHERE c.relkind = 'r' AND c.relname = ANY ($1)
 ORDER BY c.relname, i.relname NULLS FIRST
"""


@dataclass(frozen=True, kw_only=True)
class Round:
    """One case on one shop, once: rate, latencies, and what a request cost the service and Postgres."""

    case: str
    payments: int
    rate: float
    p50_ms: float
    p99_ms: float
    service_ms: float
    postgres_ms: float
    bad: int


@dataclass(frozen=True, kw_only=True)
class Chore:
    """Something asked for now and then: how long it takes, at best of some times."""

    what: str
    payments: int
    milliseconds: float


@dataclass(frozen=True, kw_only=True)
class Size:
    """A table, or one of its indexes."""

    payments: int
    table: str
    index: str | None
    rows: int
    bytes: int

    @property
    def per_payment(self) -> float:
        return self.bytes / self.payments


class Desk:
    """One shop: its database, its service, and the requests that are sent to it."""

    def __init__(self, payments: int, url: str, shop: Shop, running: Running, postmaster: int) -> None:
        self.payments, self.url, self.shop, self.running = payments, url, shop, running
        self._postmaster, self._token = postmaster, shop.token()
        self._chance = random.Random(7)
        self._notices: dict[str, Iterator[bytes]] = {}
        self._paid: dict[str, list[str]] = {}

    async def look(self) -> None:
        """Which payments are there to be notified of, and to be read."""
        database = await asyncpg.connect(self.url)
        pending = await database.fetch(
            "SELECT order_id, gross_amount, midtrans_transaction_id FROM payment_transactions"
            " WHERE status = 'pending' AND midtrans_transaction_id IS NOT NULL ORDER BY created_at DESC"
        )
        self._paid["newest"] = [row[0] for row in await database.fetch(_DESCENDING, "settlement", 10_000)]
        await database.close()
        newest, strewn = pending[: fill.OPEN], pending[fill.OPEN :]
        self._chance.shuffle(newest)
        self._chance.shuffle(strewn)
        self._notices = {"webhook": map(_notice, newest), "webhook, anywhere": map(_notice, strewn)}
        self._paid["anywhere"] = [f"bench-{2 * self._chance.randint(1, self.payments // 2)}" for _ in range(200_000)]

    def requests(self, case: str) -> Iterator[bytes]:
        if case in self._notices:
            return self._notices[case]
        if case == "create":
            return itertools.repeat(
                request("POST", "/api/payments/gopayqris/create", token=self._token, body={"gross_amount": 10000})
            )
        paid = self._paid[case.partition(", ")[2]]
        path = "/api/payments/{}" if case == "status, anywhere" else "/api/payments/{}/status"
        return (request("GET", path.format(self._chance.choice(paid)), token=self._token) for _ in itertools.count())

    async def round(self, case: str, *, connections: int, seconds: float) -> Round:
        before = processor_seconds(self.running.pid), processor_seconds(self._postmaster)
        taken = await hammer(self.running.port, self.requests(case), connections=connections, seconds=seconds)
        after = processor_seconds(self.running.pid), processor_seconds(self._postmaster)
        each = [(late - soon) * 1000 / max(len(taken.seconds), 1) for soon, late in zip(before, after, strict=True)]
        return Round(
            case=case,
            payments=self.payments,
            rate=round(taken.rate, 1),
            p50_ms=round(taken.milliseconds(0.5), 2),
            p99_ms=round(taken.milliseconds(0.99), 2),
            service_ms=round(each[0], 3),
            postgres_ms=round(each[1], 3),
            bad=sum(taken.bad.values()),
        )

    async def chores(self, *, times: int) -> list[Chore]:
        """The questions of people and of the background work, as they ask them."""
        lists = {
            "list, newest": "/api/payments?limit=50",
            "list, pending": "/api/payments?status=pending&limit=50",
            "list, chargeback": "/api/payments?status=chargeback&limit=50",
            "list, created (none)": "/api/payments?status=created&limit=50",
        }
        found = []
        for what, path in lists.items():
            sent = request("GET", path, token=self._token)
            found.append(await self._timed(what, times, lambda sent=sent: _once(self.running.port, sent)))  # type: ignore[misc]
        order_id = self._paid["newest"][0]
        commands = {
            "bayar webhooks list": ("webhooks", "list", "--json"),
            "bayar webhooks list --failed": ("webhooks", "list", "--failed", "--json"),
            "bayar webhooks list --order-id": ("webhooks", "list", "--order-id", order_id, "--json"),
            "bayar webhooks list --forged": ("webhooks", "list", "--forged", "--json"),
            "bayar payments list": ("payments", "list", "--json"),
            "bayar payments list --attention": ("payments", "list", "--attention", "--json"),
            "bayar reconcile --once, none due": ("reconcile", "--once", "--json"),
        }
        for what, command in commands.items():
            found.append(await self._timed(what, times, lambda c=command: asyncio.to_thread(self.shop.bayar, *c)))  # type: ignore[misc]
        return found

    async def _timed(self, what: str, times: int, do: Callable[[], Any]) -> Chore:
        """The first time does what was left to do."""
        taken = []
        for _ in range(times):
            started = time.perf_counter()
            await do()
            taken.append((time.perf_counter() - started) * 1000)
        return Chore(what=what, payments=self.payments, milliseconds=round(min(taken), 1))

    async def warm(self, home: Path) -> None:
        """Read the indexes once: a server that has run for a while has them in memory, one just started has not."""
        database = await asyncpg.connect(self.url)
        files = await database.fetch(
            "SELECT pg_relation_filepath(indexrelid) FROM pg_index WHERE indrelid::regclass::text = ANY ($1)",
            list(fill.TABLES),
        )
        await database.close()
        for (file,) in files:
            for segment in sorted((home / "pg" / "pgdata" / file).parent.glob(f"{Path(file).name}*")):
                with segment.open("rb") as read:
                    while read.read(1 << 22):
                        pass

    async def sizes(self) -> list[Size]:
        database = await asyncpg.connect(self.url)
        rows = await database.fetch(_SIZES, list(fill.TABLES))
        await database.close()
        return [
            Size(payments=self.payments, table=row["table"], index=row["index"], rows=max(int(row["rows"]), 0), bytes=row["bytes"])
            for row in rows
        ]


def _notice(payment: Any) -> bytes:
    order_id, amount, transaction = payment
    return request("POST", "/api/payments/webhook", body=settlement(order_id, amount=amount, transaction=transaction))


async def _once(port: int, sent: bytes) -> None:
    taken = await hammer(port, iter([sent]), connections=1, seconds=60)
    if taken.bad:
        sys.exit(f"A list was answered {taken.bad}.")


def filled(home: Path, payments: int, progress: Progress) -> None:
    """A database of that many payments in ``home``, made if it is not there."""
    mark = home / "filled"
    if mark.exists():
        return
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o711)  # Postgres may run as an account of its own
    with a_server(home / "pg", filling=True) as url:
        migrate_up(url)
        shop = fill.Shop(payments=payments)
        asyncio.run(fill.fill(url, shop, show=lambda step, part: progress.show(f"{payments}: {step}", part)))
    os.sync()
    mark.touch()


def postmaster(home: Path) -> int:
    return int((home / "pg" / "pgdata" / "postmaster.pid").read_text().splitlines()[0])


async def measure(desks: list[Desk], given: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    for desk in desks:
        await desk.look()
        await desk.warm(given.data.resolve() / str(desk.payments))
    # Before anything is created that would come due meanwhile.
    chores = [chore for desk in desks for chore in await desk.chores(times=3)]
    cases = given.cases.split(";")
    rounds: list[Round] = []
    for case in cases:
        for desk in desks:
            progress.show(case, 0)
            await desk.round(case, connections=given.connections, seconds=1)
        for number in range(given.rounds):
            # Whoever comes second would always find the machine as the first one left it.
            for desk in desks if number % 2 else reversed(desks):
                progress.show(case, (number + 1) / given.rounds)
                rounds.append(await desk.round(case, connections=given.connections, seconds=given.seconds))
    sizes = [size for desk in desks for size in await desk.sizes()]
    return {"rounds": rounds, "chores": chores, "sizes": sizes}


def ratios(rounds: list[Round], payments: int) -> dict[str, dict[str, float]]:
    """Of each case: how many times slower, and how many times more costly, the old shop is."""
    found = {}
    for case in dict.fromkeys(one.case for one in rounds):
        young = [one for one in rounds if one.case == case and one.payments == YOUNG]
        old = [one for one in rounds if one.case == case and one.payments == payments]
        pairs = list(zip(young, old, strict=True))
        found[case] = {
            "slower": round(statistics.median(a.rate / b.rate for a, b in pairs), 2),
            "service": round(statistics.median(b.service_ms / a.service_ms for a, b in pairs), 2),
            "postgres": round(statistics.median(b.postgres_ms / a.postgres_ms for a, b in pairs), 2),
        }
    return found


def show(found: dict[str, Any], payments: int) -> None:
    rounds: list[Round] = found["rounds"]
    print(f"{'case':20}{'payments':>12}{'rate/s':>9}{'p50 ms':>8}{'p99 ms':>8}{'service ms':>12}{'postgres ms':>13}{'bad':>5}")
    for case in dict.fromkeys(one.case for one in rounds):
        for size in (YOUNG, payments):
            own = [one for one in rounds if (one.case, one.payments) == (case, size)]
            middle = [statistics.median(getattr(one, name) for one in own) for name in ("rate", "p50_ms", "p99_ms", "service_ms", "postgres_ms")]
            print(f"{case:20}{size:>12,}{middle[0]:>9.0f}{middle[1]:>8.1f}{middle[2]:>8.1f}{middle[3]:>12.2f}{middle[4]:>13.2f}"
                  f"{sum(one.bad for one in own):>5}")  # fmt: skip
    print(f"\n{'case':20}{'times slower':>14}{'service cpu':>13}{'postgres cpu':>14}")
    for case, ratio in ratios(rounds, payments).items():
        print(f"{case:20}{ratio['slower']:>14.2f}{ratio['service']:>13.2f}{ratio['postgres']:>14.2f}")
    print(f"\n{'best of three, ms':36}{YOUNG:>12,}{payments:>14,}")
    for what in dict.fromkeys(chore.what for chore in found["chores"]):
        young, old = (chore.milliseconds for chore in found["chores"] if chore.what == what)
        print(f"{what:36}{young:>12.1f}{old:>14.1f}")
    print(f"\n{f'bytes at {payments:,} payments':60}{'MB':>9}{'per payment':>13}{'per row':>9}")
    own = [size for size in found["sizes"] if size.payments == payments]
    for size in own:
        name = size.table if size.index is None else f"  {size.index}"
        print(f"{name:60}{size.bytes / 1e6:>9.0f}{size.per_payment:>13.0f}{size.bytes / max(size.rows, 1):>9.0f}")
    print(f"{'all':60}{sum(size.bytes for size in own) / 1e6:>9.0f}{sum(size.per_payment for size in own):>13.0f}")


def drawn(rounds: list[Round], payments: int) -> str:
    """The computing of a request in either shop, as a picture."""
    groups = []
    for case in dict.fromkeys(one.case for one in rounds):
        parts = []
        for size in (YOUNG, payments):
            own = [one for one in rounds if (one.case, one.payments) == (case, size)]
            parts.append((
                f"{size:,}",
                [statistics.median(one.service_ms for one in own), statistics.median(one.postgres_ms for one in own)],
            ))
        groups.append((case, parts))
    return bars(Bars(
        title=f"What a request costs at {YOUNG:,} and at {payments:,} payments",
        unit="milliseconds of computing", parts=("the service", "Postgres"), groups=groups,
    ))  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--payments", type=int, default=1_000_000)
    parser.add_argument("--data", type=Path, default=Path(".bayar/growth"), help="where the filled databases are kept")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each round")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--cases", default=";".join(CASES))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--plot", type=Path, help="an SVG to write")
    given = parser.parse_args()
    homes = {payments: given.data.resolve() / str(payments) for payments in (YOUNG, given.payments)}
    with Progress() as progress:
        for payments, home in homes.items():
            filled(home, payments, progress)
        with ExitStack() as stack:
            gateway = stack.enter_context(a_gateway())
            desks = []
            for payments, home in homes.items():
                url = stack.enter_context(a_server(home / "pg"))
                shop = Shop(database_url=url, gateway_url=gateway)
                running = stack.enter_context(serving(shop))
                desks.append(Desk(payments, url, shop, running, postmaster(home)))
            found = asyncio.run(measure(desks, given, progress))
    found["ratios"] = ratios(found["rounds"], given.payments)
    if given.plot:
        given.plot.write_text(drawn(found["rounds"], given.payments))
    if given.json:
        print(json.dumps(found, indent=2, default=asdict))
    else:
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {given.connections} connections, {given.rounds} rounds of {given.seconds:g} s\n")
        show(found, given.payments)
    return 0 if all(ratio["slower"] <= LIMIT for ratio in found["ratios"].values()) else 1


if __name__ == "__main__":
    sys.exit(main())
