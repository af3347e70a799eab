import json
from pathlib import Path

from endurance.report import as_picture, as_text, write
from endurance.run import Measured
from endurance.samples import Sample, slope


def a_run(*, grows: float = 0.0, wrong: int = 0) -> Measured:
    """Half an hour, looked at every minute; memory grows by so many MiB an hour."""
    samples = [
        Sample(
            at=60.0 * minute,
            memory={"API 1": 90.0 + grows * minute / 60},
            connections={"API 1": 40},
            calls_a_second=100.0,
            wrong={"GET: 500": wrong} if minute == 7 else {},
            median=0.01,
            slowest=0.2,
        )
        for minute in range(31)
    ]
    return Measured(date="2026-11-26", machine="2 cores", minutes=30, most=70, rate=49, samples=samples)


def test_growth_is_told_for_an_hour() -> None:
    samples = a_run(grows=6).samples

    assert round(slope(samples, [one.memory["API 1"] for one in samples]), 6) == 6
    assert "| API 1 | 91.0 MiB | 93.0 MiB | +6.0 MiB |" in as_text(a_run(grows=6))


def test_what_the_warm_up_takes_is_no_growth() -> None:
    samples = a_run().samples
    warm = [50.0] * 9 + [90.0] * 22

    assert slope(samples, warm) == 0


def test_whatever_went_wrong_is_named_and_counted() -> None:
    assert "Wrong: nothing." in as_text(a_run())
    assert "Wrong: GET: 500 (3)." in as_text(a_run(wrong=3))
    assert a_run(wrong=3).wrong.total() == 3


def test_programs_can_read_it(tmp_path: Path) -> None:
    write(tmp_path, a_run(wrong=3))

    told = json.loads((tmp_path / "report.json").read_text())
    assert told["samples"][7]["wrong"] == {"GET: 500": 3}


def test_the_picture_has_a_line_for_everything() -> None:
    drawn = as_picture(a_run())

    assert drawn.count("<polyline") == 2 * 4  # each also in its legend
    assert "open connections" in drawn
