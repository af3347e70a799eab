"""``make chaos``: kill everything at random under load, for a minute, and see what is still true.

    PYTHONPATH=src:tests .venv/bin/python -m chaos --seed 7 --seconds 60 --report .bayar/chaos

Loopback only, with a Postgres and a Midtrans look-alike of its own; it ends by itself and leaves nothing
but the report. The exit status is 1 when a promise was broken.
"""

# ruff: noqa: T201 - what it prints is the result

import argparse
import asyncio
import os
import platform
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.progress import Progress, TextColumn, TimeElapsedColumn

from chaos.promises import Facts, examine
from chaos.record import Record
from chaos.report import Run, recoveries, write
from chaos.run import run
from entrypoints.cli.output import show_table


def main() -> int:
    wanted = _arguments()
    print(f"Killing at random for {wanted.seconds} s, seed {wanted.seed} …", flush=True)
    try:
        with _progress(wanted.seconds) as tell:
            facts = asyncio.run(_run(wanted, tell))
    except TimeoutError:
        print("It did not come to an end in time.", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("Told to end before its time.", file=sys.stderr)
        return 1
    promises = examine(facts)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    described = Run(
        seed=wanted.seed,
        seconds=wanted.seconds,
        rate=wanted.rate,
        date=time.strftime("%Y-%m-%d"),
        machine=f"{os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}",
    )
    last = max((answer.at for answer in facts.record.answers), default=0.0)
    report = write(wanted.report, described, facts, promises, lasted=max(int(last) + 1, wanted.seconds))
    print()
    show_table(["killed", "times", "median s", "most s", "never"], recoveries(facts))
    print()
    show_table(["promise", "result"], [[p.what, "ok" if p.is_kept else "failed"] for p in promises])
    for promise in promises:
        for where in promise.broken:
            print(f"\nBROKEN: {promise.what}: {where}")
    print(f"\n{report}")
    return 0 if all(promise.is_kept for promise in promises) else 1


async def _run(wanted: argparse.Namespace, tell: Callable[[Record, str], None]) -> Facts:
    """A signal ends it as the end of its time does: with all of its processes."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await run(wanted.seed, wanted.seconds, rate=wanted.rate, tell=tell)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m chaos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1, help="the plan of kills and faults")
    parser.add_argument("--seconds", type=int, default=60, help="how long there is load and trouble")
    parser.add_argument("--rate", type=float, default=6.0, help="orders a second")
    parser.add_argument("--report", type=Path, default=Path(".bayar/chaos"), help="where the report goes")
    return parser.parse_args()


@contextmanager
def _progress(seconds: int) -> Iterator[Callable[[Record, str], None]]:
    """A bar on a terminal, nothing elsewhere."""
    columns = (
        *Progress.get_default_columns()[:2],
        TimeElapsedColumn(),
        TextColumn("{task.fields[calls]} calls, {task.fields[kills]} kills"),
    )
    with Progress(*columns, disable=not sys.stdout.isatty()) as progress:
        task = progress.add_task("starting", total=seconds, calls=0, kills=0)

        def tell(record: Record, doing: str) -> None:
            done = min(record.now(), seconds)
            numbers = {"calls": len(record.answers), "kills": len(record.killed)}
            progress.update(task, description=doing, completed=done, **numbers)

        yield tell


if __name__ == "__main__":
    sys.exit(main())
