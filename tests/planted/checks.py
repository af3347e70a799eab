"""The quick checks, each run by itself on a copy of the tree, and what they found there."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parents[2]
_COPIED: Final = ("src", "tests", "db", "docs")
_POSTGRES: Final = "/adapters/postgres/"
_LIVES: Final = 600
# What has not ended by then goes round and round, which nobody overlooks.
_SECONDS: Final = 900
_FAILED: Final = re.compile(r"^(?:FAILED|ERROR) \S*?([\w.]+\.py)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """``find`` reads what the arguments said, and names what was found.

    It runs the real Postgres adapters, or else everything but them.
    """

    name: str
    arguments: tuple[str, ...]
    find: Callable[[str], list[str]]
    has_postgres: bool = False

    def concerns(self, changed: Collection[Path]) -> bool:
        """Whether it runs any of the changed files, if there are any."""
        return not changed or any((_POSTGRES in path.as_posix()) is self.has_postgres for path in changed)

    def run(self, tree: Path) -> list[str]:
        """What it finds in that tree; nothing where all is well."""
        env = os.environ | {"PYTHONPATH": os.pathsep.join(str(tree / part) for part in ("src", "tests"))}
        try:
            ended = subprocess.run(  # noqa: S603 - our own programs
                [sys.executable, *self.arguments],
                cwd=tree, env=env, capture_output=True, text=True, timeout=_SECONDS, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return ["does not end"]
        found = self.find(ended.stdout)
        if ended.returncode and not found:
            return [(ended.stdout + ended.stderr).strip().rpartition("\n")[2] or "ended without a word"]
        return found


def copy_of_the_tree(to: Path) -> None:
    for part in _COPIED:
        shutil.copytree(_ROOT / part, to / part, ignore=shutil.ignore_patterns("__pycache__"))
    for file in _ROOT.iterdir():
        if file.is_file():
            shutil.copy(file, to)


def _tests(said: str) -> list[str]:
    """The files that have a failing test, with how many."""
    counted = Counter(_FAILED.findall(said))
    return [f"{file} ({number})" for file, number in counted.most_common()]


def _findings(said: str) -> list[str]:
    """The promise that broke first, and the life in which it did."""
    found = json.loads(said)["findings"] if said.startswith("{") else []
    return [f"life {found[0]['seed']}: {found[0]['law']}"] if found else []


# A test that hangs has found something, and the others are to be run all the same.
_PYTEST: Final = ("-m", "pytest", "-q", "--tb=no", "--timeout=90", "-p", "no:cacheprovider")
_UNIT: Final = ("domain", "usecases", "adapters", "entrypoints/test_webhook.py")
_CONTRACTS: Final = tuple(
    f"tests/integration/postgres/test_{what}.py" for what in ("contracts", "deliveries")
)
CHECKS: Final = (
    Check(name="unit tests", arguments=(*_PYTEST, *(f"tests/unit/{part}" for part in _UNIT)), find=_tests),
    Check(name="on Postgres", arguments=(*_PYTEST, *_CONTRACTS), find=_tests, has_postgres=True),
    Check(
        name=f"{_LIVES} lives",
        arguments=("-m", "simulation", "--seeds", str(_LIVES), "--jobs", "1", "--json"),
        find=_findings,
    ),
)
