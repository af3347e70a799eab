"""Several API processes behind a proxy, with and without a PgBouncer that pools transactions.

Needs Debian's `pgbouncer` and `nginx` (apt-get install pgbouncer nginx-light):

    .venv/bin/python bench/pooled.py
    .venv/bin/python bench/pooled.py --processes 4 --size 8 --json
"""

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import asyncpg

import fill
from gateway import a_gateway
from growth import Desk, postmaster
from postgres import a_server
from progress import Progress
from service import HOST, Running, Shop, free_port, serving

from entrypoints.migrations import migrate_up
from support.pgbouncer import pgbouncer, pooled

CASES: Final = ("webhook", "create", "status, newest")
PAYMENTS: Final = 30_000
_NGINX: Final = """
daemon off;
pid {home}/nginx.pid;
error_log stderr error;
events {{ worker_connections 2048; }}
http {{
  access_log off;
  client_body_temp_path {home}/body;
  proxy_temp_path {home}/proxy;
  fastcgi_temp_path {home}/fastcgi;
  uwsgi_temp_path {home}/uwsgi;
  scgi_temp_path {home}/scgi;
  upstream bayar {{ {servers} keepalive 64; }}
  server {{
    listen {host}:{port};
    location / {{
      proxy_pass http://bayar;
      proxy_http_version 1.1;
      proxy_set_header Host $host;
      proxy_set_header Connection "";
    }}
  }}
}}
"""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One case, one way to the database, once."""

    way: str
    case: str
    rate: float
    p50_ms: float
    p99_ms: float
    bad: int
    connections: int


@contextmanager
def a_proxy(home: Path, ports: Sequence[int]) -> Iterator[int]:
    """The port of an nginx before them."""
    program = shutil.which("nginx", path=f"{os.defpath}:/usr/sbin")
    if program is None:
        sys.exit("There is no nginx: apt-get install nginx-light.")
    port = free_port()
    settings = home / f"nginx-{port}.conf"
    servers = " ".join(f"server {HOST}:{one};" for one in ports)
    settings.write_text(_NGINX.format(home=home, servers=servers, host=HOST, port=port))
    with subprocess.Popen([program, "-p", str(home), "-c", str(settings)]) as process:  # noqa: S603 - Debian's own
        time.sleep(0.5)
        try:
            yield port
        finally:
            process.terminate()


async def measure(desks: dict[str, Desk], url: str, given: argparse.Namespace, progress: Progress) -> list[Row]:
    rows = []
    database = await asyncpg.connect(url)
    for desk in desks.values():
        await desk.look()
    for case in CASES:
        for number in range(given.rounds + 1):
            for way, desk in desks.items():
                progress.show(case, number / given.rounds)
                got = await desk.round(case, connections=given.connections, seconds=given.seconds)
                backends = await database.fetchval(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = 'bench' AND pid <> pg_backend_pid()"
                )
                if number:  # the first one only warms up
                    rows.append(Row(way=way, case=case, rate=got.rate, p50_ms=got.p50_ms, p99_ms=got.p99_ms,
                                    bad=got.bad, connections=backends))  # fmt: skip
    await database.close()
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=3)
    parser.add_argument("--size", type=int, default=10, help="connections that PgBouncer has to Postgres")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if pgbouncer() is None:
        sys.exit("There is no PgBouncer: apt-get install pgbouncer.")
    with Progress() as progress, TemporaryDirectory(prefix="bayar-bench-") as made, ExitStack() as stack:
        home = Path(made)
        home.chmod(0o711)  # Postgres may run as an account of its own
        url = stack.enter_context(a_server(home / "pg"))
        migrate_up(url)
        asyncio.run(fill.fill(url, fill.Shop(payments=PAYMENTS, open=10_000), show=progress.show))
        gateway = stack.enter_context(a_gateway())
        desks = {}
        ways = {"direct": url, "PgBouncer": stack.enter_context(pooled(url, size=given.size))}
        for way, address in ways.items():
            shop = Shop(database_url=address, gateway_url=gateway)
            services = [stack.enter_context(serving(shop)) for _ in range(given.processes)]
            port = stack.enter_context(a_proxy(home, [one.port for one in services]))
            desks[way] = Desk(PAYMENTS, url, shop, Running(port=port, pid=services[0].pid), postmaster(home))
        rows = asyncio.run(measure(desks, url, given, progress))
        whole = Shop(database_url=ways["PgBouncer"], gateway_url=gateway).bayar("verify")
    if given.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        print(f"{given.processes} processes of the API behind nginx, {given.connections} connections, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
        print(f"{'case':18}{'way':12}{'rate/s':>8}{'p50 ms':>8}{'p99 ms':>8}{'bad':>5}")
        for case in CASES:
            for way in ways:
                own = [row for row in rows if (row.case, row.way) == (case, way)]
                middle = [statistics.median(getattr(row, name) for row in own) for name in ("rate", "p50_ms", "p99_ms")]
                print(f"{case:18}{way:12}{middle[0]:>8.0f}{middle[1]:>8.1f}{middle[2]:>8.1f}{sum(row.bad for row in own):>5}")
        print(f"\nbayar verify, through PgBouncer: {whole.strip()}")
    return 1 if any(row.bad for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
