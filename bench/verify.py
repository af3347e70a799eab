"""How long `bayar verify` takes for an evidence log of 100,000 entries.

Runs an embedded Postgres of its own, on disk, and ends by itself:

    .venv/bin/python bench/verify.py
    .venv/bin/python bench/verify.py --entries 1000000 --json
"""

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import asyncpg

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from entrypoints.embedded_postgres import embedded_postgres
from entrypoints.migrations import migrate_up
from support.filled import fill, settled

BAYAR: Final = Path(sys.executable).with_name("bayar")
LIMIT_SECONDS: Final = 10.0
LIMIT_OF: Final = 100_000
# Created, pending, settlement; the last two are proven by what Midtrans sent.
ENTRIES_EACH: Final = 3
AT_ONCE: Final = 20_000


async def filled(url: str, payments: int) -> None:
    connection = await asyncpg.connect(url)
    for first in range(0, payments, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, payments))
        await fill(connection, (settled(f"bench-{number}") for number in numbers), due_at=None)
    await connection.execute("ANALYZE")
    await connection.close()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--entries", type=int, default=LIMIT_OF)
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    payments = -(-wanted.entries // ENTRIES_EACH)
    with TemporaryDirectory(prefix="bayar-bench-") as made:
        Path(made).chmod(0o711)  # Postgres may run as an account of its own
        with embedded_postgres(Path(made) / "data", database="bench") as url:
            migrate_up(url)
            asyncio.run(filled(url, payments))
            before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
            subprocess.run(  # noqa: S603 - our own program
                [BAYAR, "verify"],
                env={"PATH": os.defpath, "DATABASE_URL": url},
                check=True,
                stdout=subprocess.DEVNULL,
            )
            seconds = time.perf_counter() - started
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = {
        "payments": payments,
        "entries": payments * ENTRIES_EACH,
        "seconds": round(seconds, 2),
        "own_cpu_seconds": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 2),
        "most_megabytes": round(after.ru_maxrss / 1024),
    }
    if wanted.json:
        print(json.dumps(found, indent=2))
    else:
        print(f"{found['entries']} entries of {found['payments']} payments")
        print(f"bayar verify: {seconds:.2f} s, of which {found['own_cpu_seconds']} s its own computing")
    return 0 if seconds < LIMIT_SECONDS * max(wanted.entries / LIMIT_OF, 1) else 1


if __name__ == "__main__":
    sys.exit(main())
