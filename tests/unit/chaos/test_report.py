import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from chaos.plan import Kill, Target
from chaos.plot import plot
from chaos.promises import examine
from chaos.record import Answer, Killed, Record
from chaos.report import Run, write
from unit.chaos.facts import good

SVG = "{http://www.w3.org/2000/svg}"


def a_record(*, recovery: float | None = 2.5) -> Record:
    record = Record()
    for at, status in ((0.1, 201), (0.9, 201), (1.5, 503), (2.0, None)):
        record.answers.append(Answer(at=at, call="create", status=status))
    kill = Kill(at=1.0, target=Target.POSTGRES, away=1.0)
    record.killed.append(Killed(kill=kill, at=1.0, recovery=recovery))
    return record


@pytest.mark.parametrize(("recovery", "words"), [(2.5, "2.5 s"), (None, "never")])
def test_the_picture_tells_each_kill_and_its_recovery(recovery: float | None, words: str) -> None:
    drawn = ET.fromstring(plot(a_record(recovery=recovery), 10))  # noqa: S314 - our own

    assert words in [text.text for text in drawn.iter(f"{SVG}text")]
    description = drawn.findtext(f"{SVG}desc")
    assert description is not None
    assert description.startswith("4 calls. Postgres, all of its processes killed at 1 s,")


def test_calls_are_counted_by_second_and_outcome() -> None:
    assert a_record().per_second(3) == {"good": [2, 0, 0], "told": [0, 1, 0], "broken": [0, 0, 1]}


def test_time_in_which_something_is_killed_is_not_counted_as_whole() -> None:
    record = Record(started_at=1000.0)
    kill = Kill(at=0, target=Target.API, away=0)
    for at, recovery in ((10.0, 5.0), (12.0, 8.0), (30.0, 1.0)):
        record.killed.append(Killed(kill=kill, at=at, recovery=recovery))

    assert record.whole_seconds(1000, 1040) == 40 - 10 - 1
    assert record.whole_seconds(1014, 1019) == 0
    assert record.whole_seconds(1019, 1025) == 5
    assert record.whole_seconds(1030.5, 1030.5) == 0


def test_a_run_in_which_nothing_happened_can_be_drawn() -> None:
    ET.fromstring(plot(Record(), 1))  # noqa: S314 - our own


@pytest.mark.parametrize("is_good", [True, False])
def test_the_report_says_what_was_broken_for_people_and_for_programs(
    tmp_path: Path, *, is_good: bool
) -> None:
    facts = good()
    if not is_good:
        facts.record.killed[0].recovery = None
    promises = examine(facts)
    run = Run(seed=7, seconds=60, rate=6, date="2026-02-06", machine="2 cores")

    report = write(tmp_path / "deep" / "down", run, facts, promises, lasted=60)

    told = json.loads((report.parent / "report.json").read_text())
    assert all(promise["kept"] for promise in told["promises"]) is is_good
    assert ("**BROKEN**" in report.read_text()) is not is_good
    assert ("Every promise was kept" in report.read_text()) is is_good
    assert (report.parent / "plot.svg").exists()
