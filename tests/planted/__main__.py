"""``make plant``: plant each bug of ``bugs/`` in a copy of the tree, and see which quick checks find it.

    PYTHONPATH=src:tests .venv/bin/python -m planted --only paid-at-each-time

The tree itself is not touched. The exit status is 1 when a bug is found by none of them, when a patch no
longer applies, or when something is found with nothing planted.
"""

# ruff: noqa: T201 - what it prints is the result

import argparse
import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from planted.checks import CHECKS, copy_of_the_tree
from planted.patches import Bug, DoesNotApply, every_bug, planted

_NOTHING: Final = Bug(name="nothing", what="Nothing is planted.", patch="")
_UNSEEN: Final = "nothing"
_UNCONCERNED: Final = ""


def main() -> int:
    wanted = _arguments()
    bugs = [_NOTHING, *(bug for bug in every_bug() if wanted.only in {None, bug.name})]
    print(f"| what is wrong | {' | '.join(check.name for check in CHECKS)} |", flush=True)
    print("|---" * (len(CHECKS) + 1) + "|", flush=True)
    is_as_it_should = True
    try:
        with ThreadPoolExecutor(wanted.jobs) as pool:
            for bug, found in zip(bugs, pool.map(_found, bugs), strict=True):
                cells = [_UNCONCERNED if what is None else ", ".join(what) or _UNSEEN for what in found]
                print(f"| {bug.what} | {' | '.join(cells)} |", flush=True)
                is_as_it_should &= any(found) is (bug is not _NOTHING)
    except DoesNotApply as changed:
        print(f"This patch no longer applies. {changed}", file=sys.stderr)
        return 1
    if not is_as_it_should:
        print("A bug was found by no check, or something was found without one.", file=sys.stderr)
    return 0 if is_as_it_should else 1


def _found(bug: Bug) -> list[list[str] | None]:
    """What each check found; None where it does not run what is wrong."""
    with tempfile.TemporaryDirectory(prefix="bayar-planted-") as made:
        tree = Path(made)
        copy_of_the_tree(tree)
        changed = planted(bug, tree)
        for path, text in changed.items():
            path.write_text(text)
        return [check.run(tree) if check.concerns(changed) else None for check in CHECKS]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m planted", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", metavar="BUG", help="one of them, by its file's name without .patch")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="so many at a time"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
