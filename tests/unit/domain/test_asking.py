"""What the background work may ask of Midtrans."""

from datetime import timedelta

import pytest

from domain.asking import Budget, pause_after, refilled


@pytest.mark.parametrize(
    ("tokens", "seconds", "left"), [(0, 0.5, 10), (15, 1, 20), (-40, 1, -20), (5, -3, 5), (0, 3600, 20)]
)
def test_a_budget_fills_by_the_second_and_saves_up_one_seconds_worth(
    tokens: float, seconds: float, left: float
) -> None:
    assert refilled(tokens, rate=20, seconds=seconds) == left


@pytest.mark.parametrize(
    ("budget", "allowance"),
    [
        (Budget(tokens=7.9), 7),
        (Budget(tokens=0.9), 0),
        (Budget(tokens=-3), 0),
        (Budget(tokens=7, failures=2), 7),
        (Budget(tokens=7, failures=3), 1),
        (Budget(tokens=7, failures=3, is_paused=True), None),
    ],
)
def test_after_three_silent_rounds_one_question_has_to_show_that_midtrans_is_back(
    budget: Budget, allowance: int | None
) -> None:
    assert budget.allowance == allowance


def test_pauses_grow_to_a_minute() -> None:
    pauses = [pause_after(failures).total_seconds() for failures in (0, 2, 3, 4, 5, 8, 9, 10_000)]

    assert pauses == [0, 0, 1, 2, 4, 32, 60, 60]
    assert pause_after(10_000) == timedelta(minutes=1)
