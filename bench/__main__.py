"""All benchmarks, one after another: `make bench`.

Each measures services of its own on loopback and ends by itself; a figure of a busy machine proves nothing.
Tables go to the terminal, and with the figures as JSON and a plot into a directory.
"""

import argparse
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
# Each with what it is told, and whether it can say its figures as JSON.
PARTS: Final = {
    "growth": ("growth.py", True),
    "inflight": ("inflight.py", True),
    "pooled": ("pooled.py", True),
    "due": ("due.py", True),
    "verify": ("verify.py", True),
    "streams": ("streams.py", False),
}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="make bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", default=[], help=f"which of {', '.join(PARTS)}; all unless told")
    parser.add_argument("--payments", type=int, default=1_000_000, help="of the old shop in growth")
    parser.add_argument("--report", type=Path, default=Path(".bayar/bench"), help="where the figures go")
    parser.add_argument("--json", action="store_true", help="figures as JSON into the directory, instead of tables")
    given = parser.parse_args()
    if unknown := [part for part in given.parts if part not in PARTS]:
        parser.error(f"there is no {unknown[0]}; there are {', '.join(PARTS)}")
    given.report.mkdir(parents=True, exist_ok=True)
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n", flush=True)
    failed = []
    for part in given.parts or PARTS:
        file, tells_json = PARTS[part]
        command = [sys.executable, str(HERE / file)]
        if part == "growth":
            command += ["--payments", str(given.payments), "--plot", str(given.report / "growth.svg")]
        if given.json and tells_json:
            command.append("--json")
        print(f"== {part}", flush=True)
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603 - our own program
        name = f"{part}.json" if given.json and tells_json else f"{part}.txt"
        (given.report / name).write_text(done.stdout)
        print(f"{given.report / name}\n" if given.json else done.stdout, flush=True)
        if done.returncode:
            failed.append(part)
    if failed:
        print(f"Not as it should be: {', '.join(failed)}.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
