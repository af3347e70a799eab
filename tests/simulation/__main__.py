"""Live many lives, and tell what was found: ``python -m simulation --help``."""

import argparse
import sys

from simulation.life import live
from simulation.many import live_many
from simulation.quiet import in_quiet
from simulation.report import as_json, as_tables, progress


def main() -> int:
    """0 when every promise was kept in every life."""
    parser = argparse.ArgumentParser(
        prog="python -m simulation",
        description="Lives of Bayar in a made-up world, each from a seed that brings it back.",
    )
    parser.add_argument("--seeds", type=_positive, default=1000, metavar="N", help="how many (1000)")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="the first of them (0)")
    parser.add_argument("--jobs", type=_positive, default=None, metavar="N", help="processes (one per core)")
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    parser.add_argument("--seed", type=int, default=None, metavar="SEED", help="replay one life and print it")
    wish = parser.parse_args()
    if wish.seed is not None:
        return _replay(wish.seed)
    with progress(wish.seeds, quiet=wish.json) as advance:
        tally = live_many(range(wish.first, wish.first + wish.seeds), jobs=wish.jobs, tell=advance)
    _say(as_json(tally) if wish.json else as_tables(tally))
    return 1 if tally.findings else 0


def _replay(seed: int) -> int:
    with in_quiet():
        outcome = live(seed, traced=True)
    _say(*outcome.trace)
    ended = ", ".join(f"{count} {status}" for status, count in sorted(outcome.payments.items()))
    _say("", f"{outcome.steps} steps, payments: {ended or 'none'}")
    _say(*(f"BROKEN: {finding.law}: {finding.what}" for finding in outcome.findings))
    return 1 if outcome.findings else 0


def _say(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


if __name__ == "__main__":
    sys.exit(main())
