"""When a shop's endpoint is tried again."""

from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.delivery import (
    FAILING_FROM,
    GIVE_UP_AFTER,
    LEAST_TRIES,
    Answer,
    Answered,
    Delivered,
    DueDelivery,
    Failed,
    Gone,
    Unreached,
    verdict,
)
from support.builders import an_id
from support.merchant import SECRET, URL

AWAY: Final = Unreached(reason="no answer within 15 s")
DAY: Final = timedelta(hours=24)


def a_due(**changes: Any) -> DueDelivery:
    told: dict[str, Any] = {
        "event_id": an_id("event"),
        "endpoint_id": an_id("endpoint"),
        "payment_id": an_id("payment"),
        "type": "payment.settlement",
        "body": "{}",
        "url": URL,
        "secrets": (SECRET,),
        "allow_private": False,
        "attempt": 1,
        "refusals": 0,
        "tried_for": timedelta(),
        "strikes": 0,
        "failing_for": timedelta(),
    }
    return DueDelivery(**told | changes)


def failed(due: DueDelivery, answer: Answer, *, chance: float = 0.5) -> Failed:
    found = verdict(due, answer, chance=chance)
    assert isinstance(found, Failed)
    return found


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_success_is_delivered(status: int) -> None:
    assert verdict(a_due(), Answered(status=status), chance=0) == Delivered()


def test_an_endpoint_that_is_gone_wants_nothing_more() -> None:
    assert verdict(a_due(), Answered(status=410), chance=0) == Gone()


@pytest.mark.parametrize("status", [100, 199, 300, 301, 307, 400, 401, 404, 409, 422, 500, 501])
def test_any_other_answer_refuses_the_event(status: int) -> None:
    found = failed(a_due(), Answered(status=status))

    assert (found.again, found.refusals, found.strikes) == (timedelta(seconds=5), 1, 1)
    assert (found.pause, found.is_failing) == (timedelta(), False)


@pytest.mark.parametrize(
    "answer", [AWAY, *(Answered(status=status) for status in (429, 502, 503, 504))], ids=str
)
def test_silence_and_a_busy_sign_are_the_endpoint_s_own_failure(answer: Answer) -> None:
    found = failed(a_due(), answer)

    assert found.is_failing
    assert (found.pause, found.again) == (timedelta(seconds=1), timedelta(seconds=1))
    assert found.refusals == 0


def test_the_intervals_of_an_event_grow_to_half_an_hour() -> None:
    waits = [
        failed(a_due(refusals=refusals), Answered(status=500)).again or timedelta() for refusals in range(12)
    ]

    assert [wait.total_seconds() for wait in waits] == [
        5, 10, 20, 40, 80, 160, 320, 640, 1280, 1800, 1800, 1800,
    ]  # fmt: skip


def test_the_pauses_of_an_endpoint_grow_to_a_minute() -> None:
    pauses = [failed(a_due(strikes=FAILING_FROM + more), AWAY).pause for more in range(9)]

    assert [pause.total_seconds() for pause in pauses] == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_many_refusals_in_a_row_pause_the_endpoint_too() -> None:
    found = [failed(a_due(strikes=strikes), Answered(status=404)) for strikes in range(12)]

    assert [one.is_failing for one in found] == [False] * 10 + [True] * 2
    assert [one.pause.total_seconds() for one in found] == [0] * 10 + [1, 2]


def test_what_failed_together_is_not_tried_together() -> None:
    early, late = (failed(a_due(refusals=3), Answered(status=500), chance=c).again for c in (0, 0.999999))

    assert early == timedelta(seconds=30)
    assert late is not None
    assert timedelta(seconds=49.9) < late < timedelta(seconds=50)


@pytest.mark.parametrize("status", [429, 503, 500])
def test_an_endpoint_that_asks_for_time_gets_it(status: int) -> None:
    found = failed(a_due(), Answered(status=status, retry_after=120))

    assert found.pause == timedelta(seconds=120)


def test_nobody_is_left_alone_for_longer_than_an_hour() -> None:
    found = failed(a_due(), Answered(status=503, retry_after=10**9))

    assert found.pause == timedelta(hours=1)


def test_a_shorter_wish_does_not_shorten_the_pause() -> None:
    found = failed(a_due(strikes=FAILING_FROM + 9), Answered(status=503, retry_after=1))

    assert found.pause == timedelta(minutes=1)


def test_the_last_try_is_made_when_the_day_is_over() -> None:
    due = a_due(attempt=40, refusals=20, tried_for=GIVE_UP_AFTER - timedelta(minutes=3))

    assert failed(due, Answered(status=500)).again == timedelta(minutes=3)


@pytest.mark.parametrize("answer", [AWAY, Answered(status=500)], ids=str)
def test_after_a_day_an_event_is_given_up(answer: Answer) -> None:
    due = a_due(attempt=LEAST_TRIES, refusals=7, tried_for=DAY)

    assert failed(due, answer).again is None


def test_an_event_that_was_hardly_tried_is_not_given_up() -> None:
    """The workers may have been away for most of the day."""
    due = a_due(attempt=LEAST_TRIES - 1, refusals=2, tried_for=2 * DAY)

    assert failed(due, Answered(status=500)).again == timedelta(seconds=20)


@pytest.mark.parametrize(
    ("failing_for", "older"), [(DAY - timedelta(seconds=1), None), (DAY, DAY), (3 * DAY, DAY)]
)
def test_what_waits_for_an_endpoint_that_fails_for_a_day_is_given_up_with_it(
    failing_for: timedelta, older: timedelta | None
) -> None:
    assert failed(a_due(strikes=30, failing_for=failing_for), AWAY).gives_up_older == older


@given(
    refusals=st.integers(0, 10_000),
    strikes=st.integers(0, 10_000),
    tried=st.integers(0, 200_000),
    chance=st.floats(0, 1, exclude_max=True),
    asked=st.none() | st.integers(0, 10**12),
    status=st.sampled_from([301, 404, 429, 500, 503]),
)
def test_a_failure_always_has_a_next_try_within_bounds(
    refusals: int, strikes: int, tried: int, chance: float, asked: int | None, status: int
) -> None:
    due = a_due(refusals=refusals, strikes=strikes, tried_for=timedelta(seconds=tried))

    found = failed(due, Answered(status=status, retry_after=asked), chance=chance)

    assert found.again is not None
    assert timedelta() <= found.again <= timedelta(hours=1)
    assert timedelta() <= found.pause <= timedelta(hours=1)
    assert found.strikes > strikes


def test_no_secret_and_no_address_is_in_the_text_of_what_is_due() -> None:
    text = repr(a_due(url="https://shop.example/hook?token=hunter2"))

    assert "hunter2" not in text
    assert SECRET not in text
