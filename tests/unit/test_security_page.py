"""docs/security.md names the test of each promise: they are there."""

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]


def test_every_test_that_the_page_names_is_there() -> None:
    page = (ROOT / "docs" / "security.md").read_text()

    named = set(re.findall(r"`(tests/[^`]+)`", page))

    assert len(named) > 30
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_every_promise_has_an_attack_and_a_test() -> None:
    page = (ROOT / "docs" / "security.md").read_text()
    rows = [line.strip("|").split("|") for line in page.splitlines() if line.startswith("| ")]

    promises = [row for row in rows if row[0].strip() != "promise"]
    assert len(promises) > 25
    assert all(len(row) == 3 and row[1].strip() and "tests/" in row[2] for row in promises)
