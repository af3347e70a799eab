"""A longer hunt over the running service: ``python -m fuzz --help``."""

import argparse
import asyncio
import secrets
import sys

from fuzz.api import Fuzzed, fuzz
from support.database import Databases, serving


def main() -> int:
    """0 when every answer was a documented one."""
    parser = argparse.ArgumentParser(
        prog="python -m fuzz",
        description="Everything that the OpenAPI document allows, and much that it does not, sent to a "
        "service of this machine's own: does it answer as documented, and never with a fault?",
    )
    parser.add_argument("--seconds", type=int, default=300, metavar="N", help="how long (300)")
    parser.add_argument("--seed", type=int, default=None, help="of the run to repeat (by chance)")
    wish = parser.parse_args()
    seed = secrets.randbelow(2**32) if wish.seed is None else wish.seed
    with serving(None) as url:
        found = asyncio.run(_hunt(Databases(url), seconds=wish.seconds, seed=seed))
    sys.stdout.write(found.report)
    for (method, route, status), times in sorted(found.answers.items()):
        sys.stdout.write(f"{times:8}  {status}  {method} {route}\n")
    for line in found.faults:
        sys.stdout.write(f"FAULT: {line}\n")
    return 1 if found.status or found.faults else 0


async def _hunt(databases: Databases, *, seconds: int, seed: int) -> Fuzzed:
    return await fuzz(await databases.migrated(), "--max-time", str(seconds), "--seed", str(seed))


if __name__ == "__main__":
    sys.exit(main())
