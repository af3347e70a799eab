"""What the background work may ask of Midtrans."""

from datetime import timedelta

import pytest

from domain.asking import Budget, overspent, pause_after, refilled


@pytest.mark.parametrize(
    ("tokens", "seconds", "left"),
    [(0, 0.5, 10), (15, 1, 20), (-15, 0.5, -5), (-72_000, 0.5, -10), (5, -3, 5), (0, 3600, 20)],
)
def test_a_budget_fills_by_the_second_and_saves_up_or_owes_one_seconds_worth(
    tokens: float, seconds: float, left: float
) -> None:
    assert refilled(tokens, rate=20, seconds=seconds) == left


@pytest.mark.parametrize(
    ("tokens", "seconds", "questions", "left"),
    [
        (20, 0, 15, 5),
        (0, 1, 1, 19),
        (20, 0, 1000, 1),  # the last one stays
        (-10, 0.5, 1000, -5),  # and where there is less, half of what comes in
        (0.5, 0, 3, 0.5),
        (-72_000, 1, 3, -3),
    ],
)
def test_questions_that_nobody_allowed_use_up_what_is_there_but_for_the_last_one(
    tokens: float, seconds: float, questions: int, left: float
) -> None:
    assert overspent(tokens, questions, rate=20, seconds=seconds) == left


@pytest.mark.parametrize("rate", [1, 20, 10_000])
def test_however_many_of_them_are_asked_the_others_get_nearly_half(rate: int) -> None:
    tokens, allowed = 0.0, 0

    for _ in range(6000):  # a minute, one hundredth of a second after the other
        tokens = overspent(tokens, 10 * rate, rate=rate, seconds=0.01)
        questions = Budget(tokens=tokens).allowance or 0
        tokens, allowed = tokens - questions, allowed + questions

    assert allowed >= 25 * min(rate, 100)


@pytest.mark.parametrize(
    ("budget", "allowance"),
    [
        (Budget(tokens=7.9), 7),
        (Budget(tokens=0.9), 0),
        (Budget(tokens=-3), 0),
        (Budget(tokens=7, failures=2), 7),
        (Budget(tokens=7, failures=3), 1),
        (Budget(tokens=-80, failures=3), 1),
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
