from pathlib import Path

from simulator.core.faults import FAULTS

PAGE = Path(__file__).parents[3] / "docs" / "simulator.md"


def test_the_documented_faults_are_the_ones_that_there_are() -> None:
    rows = [line for line in PAGE.read_text().partition("## Faults")[2].splitlines() if line[:3] == "| `"]

    assert rows == [f"| `{fault}` | {kind.description} |" for fault, kind in FAULTS.items()]
