"""``make load``: 70 % of what the service bears, for half an hour; does anything grow?

    PYTHONPATH=src:tests .venv/bin/python -m endurance --minutes 30 --report .bayar/load

Loopback only, with a Postgres and a Midtrans look-alike of its own; it ends by itself and leaves nothing but
the report. The exit status is 1 when anything was answered that should not have been.
"""

# ruff: noqa: T201 - what it prints is the result

import argparse
import asyncio
import sys
from pathlib import Path

from endurance.report import write
from endurance.run import run


def main() -> int:
    wanted = _arguments()
    measured = asyncio.run(
        run(
            minutes=wanted.minutes,
            share=wanted.share,
            warm_up=wanted.warm_up,
            tell=lambda line: print(line, flush=True),
        )
    )
    report = write(wanted.report, measured)
    print(f"\n{report.read_text()}\n{report}")
    return 1 if measured.wrong else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m endurance", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=30.0, help="how long (30)")
    parser.add_argument("--share", type=float, default=0.7, help="of the measured most (0.7)")
    parser.add_argument("--warm-up", type=float, default=20.0, help="seconds to measure the most for (20)")
    parser.add_argument("--report", type=Path, default=Path(".bayar/load"), help="where the report goes")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
