from pathlib import Path

from simulator.core.faults import FAULTS
from support.fault_outcomes import OUTCOMES

PAGE = Path(__file__).parents[3] / "docs" / "simulator.md"


def test_the_documented_faults_are_the_ones_that_there_are_with_what_the_tests_show() -> None:
    section = PAGE.read_text().partition("\n## Faults\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line[:3] == "| `"]

    assert rows == [
        f"| `{fault}` | {kind.description} | {OUTCOMES[fault]} |" for fault, kind in FAULTS.items()
    ]
