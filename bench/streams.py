"""What open streams cost: memory of the one process that serves them, and how soon a change reaches all.

Runs a service of its own on loopback and ends by itself:

    .venv/bin/python bench/streams.py --streams 2000
"""

import argparse
import asyncio
import os
import resource
import secrets
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import asyncpg

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))

from entrypoints.embedded_postgres import embedded_postgres
from entrypoints.migrations import migrate_up

HOST: Final = "127.0.0.1"
PORT: Final = 8470
BAYAR: Final = Path(sys.executable).with_name("bayar")
PAYMENTS: Final = """
INSERT INTO payment_transactions (user_id, order_id, gross_amount, payment_type, status, expires_at,
    checkout_token, log_length, midtrans_transaction_id, midtrans_response_json)
SELECT 1, 'bench-' || n, 25000, 'gopay', 'pending', now() + interval '1 hour', $2::text || n, 2, 't-' || n,
       '{"actions": [
          {"name": "generate-qr-code-v2", "method": "GET",
           "url": "https://api.midtrans.com/v4/qris/gopay/A120260206100000ID/qr-code"},
          {"name": "deeplink-redirect", "method": "GET",
           "url": "gojek://gopay/merchanttransfer?tref=1&amount=25000&activity=GP:RR"}]}'
  FROM generate_series(1, $1::int) n
"""
PAID: Final = """
UPDATE payment_transactions
   SET status = 'settlement', paid_at = now(), updated_at = now(), log_length = log_length + 1
"""


@dataclass
class Viewers:
    """Every viewer's connection, and when each was told that its payment is paid."""

    open: int = 0
    told: list[float] = field(default_factory=list)
    arriving: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(16))

    async def look(self, path: str) -> None:
        async with self.arriving:
            reader, writer = await asyncio.open_connection(HOST, PORT)
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
            await reader.readuntil(b'"status":"pending"')
            self.open += 1
        try:
            await reader.readuntil(b'"status":"settlement"')
            self.told.append(time.perf_counter())
        finally:
            writer.close()


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    asked.add_argument("--streams", type=int, default=2000)
    asked.add_argument("--payments", type=int, default=2000, help="how many payments they follow")
    asked.add_argument("--idle", type=float, default=30.0, help="seconds to look at the load of mere waiting")
    given = asked.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with TemporaryDirectory(prefix="bayar-bench-") as made:
        home = Path(made)
        home.chmod(0o711)  # the account of the database server has to get in
        with embedded_postgres(home / "postgres", database="bayar") as url:
            migrate_up(url)
            asyncio.run(measure(url, given))


async def measure(url: str, given: argparse.Namespace) -> None:
    token = secrets.token_urlsafe(18)
    database = await asyncpg.connect(url)
    await database.execute("INSERT INTO users DEFAULT VALUES")
    await database.execute(PAYMENTS, given.payments, token)
    async with serving(url) as pid:
        # Whatever a first stream brings along is not the streams' own.
        first = asyncio.create_task(Viewers().look(stream_of(1, token)))
        await asyncio.sleep(1)
        first.cancel()
        await asyncio.sleep(1)
        before = resident(pid)
        began = time.perf_counter()
        viewers = Viewers()
        numbers = (number % given.payments + 1 for number in range(given.streams))
        tasks = [asyncio.create_task(viewers.look(stream_of(number, token))) for number in numbers]
        while viewers.open < given.streams:  # noqa: ASYNC110 - it is looked at from outside
            await asyncio.sleep(0.1)
        opened = time.perf_counter() - began
        busy = processor_seconds(pid)
        await asyncio.sleep(given.idle)
        waiting = (processor_seconds(pid) - busy) / given.idle
        after = resident(pid)
        await database.execute(PAID)
        changed = time.perf_counter()
        await asyncio.wait_for(asyncio.gather(*tasks), 60)
    await database.close()
    told = sorted(at - changed for at in viewers.told)
    each = (after - before) * 1000 / given.streams
    print(f"{given.streams} streams on {given.payments} payments, one process")
    print(f"machine              {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"opened in            {opened:.1f} s")
    print(f"memory before        {before:.1f} MB")
    print(
        f"memory with all open {after:.1f} MB, so {after - before:.1f} MB for all and {each:.1f} KB for each"
    )
    print(f"processor, waiting   {waiting * 100:.1f} % of one core")
    print(f"told after a change  {told[0]:.2f} s the first, {told[-1]:.2f} s the last")


def stream_of(number: int, token: str) -> str:
    return f"/api/payments/bench-{number}/stream?token={token}{number}"


def resident(pid: int) -> float:
    """Megabytes of memory that the process holds."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1000


def processor_seconds(pid: int) -> float:
    fields: list[Any] = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def serving(database_url: str) -> AsyncIterator[int]:
    """One process of the API; its id."""
    env = {
        "PATH": os.defpath,
        "DATABASE_URL": database_url,
        "MIDTRANS_SERVER_KEY": "SB-Mid-server-bench",
        "MIDTRANS_BASE_URL": f"http://{HOST}:1",
        "AUTH_JWT_SECRET": secrets.token_urlsafe(48),
        "LOG_LEVEL": "error",
    }
    process = await asyncio.create_subprocess_exec(
        BAYAR, "serve", "--port", str(PORT), "--no-worker", env=env
    )
    try:
        while not await is_answering():  # noqa: ASYNC110 - another process sets no events
            await asyncio.sleep(0.05)
        yield process.pid
    finally:
        process.terminate()
        await process.wait()


async def is_answering() -> bool:
    try:
        _, writer = await asyncio.open_connection(HOST, PORT)
    except ConnectionRefusedError:
        return False
    writer.close()
    return True


if __name__ == "__main__":
    main()
