from datetime import UTC, datetime, timedelta, timezone

import pytest

from domain import jakarta


def test_midtranss_times_are_seven_hours_ahead() -> None:
    assert jakarta.parse("2026-02-06 10:00:00") == datetime(2026, 2, 6, 3, 0, tzinfo=UTC)


def test_a_time_just_after_midnight_is_the_day_before_in_utc() -> None:
    assert jakarta.parse("2026-01-01 00:30:00") == datetime(2025, 12, 31, 17, 30, tzinfo=UTC)


def test_what_is_parsed_is_in_utc() -> None:
    parsed = jakarta.parse("2026-02-06 10:00:00")

    assert parsed is not None
    assert parsed.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        None,
        17,
        "",
        "2026-02-06",
        "2026-02-06T10:00:00",
        "2026-02-06 10:00:00 +0700",
        "2026-02-30 10:00:00",
        "2026-02-06 25:00:00",
        "06-02-2026 10:00:00",
        "0001-01-01 00:00:00",
        "2026-02-06 10:00:00\x00",
        ["2026-02-06 10:00:00"],
    ],
)
def test_anything_else_is_no_time(text: object) -> None:
    assert jakarta.parse(text) is None


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=-5))])
def test_a_time_is_sent_with_its_offset(zone: timezone) -> None:
    instant = datetime(2026, 2, 6, 3, 0, tzinfo=UTC).astimezone(zone)

    assert jakarta.with_offset(instant) == "2026-02-06 10:00:00 +0700"
