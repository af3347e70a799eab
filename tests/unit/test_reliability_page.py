"""The page about reliability names every promise that lives are held to, and every bug that is planted."""

from pathlib import Path
from typing import Final

import pytest

from planted.patches import Bug, every_bug
from simulation.law import Law

PAGE: Final = (Path(__file__).parents[2] / "docs" / "reliability.md").read_text()


@pytest.mark.parametrize("law", [law for law in Law if law is not Law.SIMULATION])
def test_it_names_every_promise(law: Law) -> None:
    assert f"*{law.value}*" in PAGE


@pytest.mark.parametrize("bug", every_bug(), ids=lambda bug: bug.name)
def test_it_says_what_finds_every_planted_bug(bug: Bug) -> None:
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| {bug.what} |")]

    assert any(cell.strip() not in {"", "nothing"} for cell in row.split("|")[2:-1])
