"""Each promise is broken once, and found broken; what is kept is not called broken."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from chaos.promises import Charge, Facts, Row, examine
from support.builders import NOW
from unit.chaos.facts import an_order, good

Break = Callable[[Facts], None]


def broken(facts: Facts) -> list[str]:
    return [promise.what for promise in examine(facts) if not promise.is_kept]


def test_what_went_well_is_found_good() -> None:
    assert broken(good()) == []


def nobody_asked(facts: Facts) -> None:
    facts.rows.append(Row(order_id="o-9", status="failure"))


def answered_and_lost(facts: Facts) -> None:
    facts.orders.append(an_order("o-9"))


def charged_and_lost(facts: Facts) -> None:
    facts.charges["o-3"] = [Charge(transaction_id="t-3", status="pending")]


def never_answered(facts: Facts) -> None:
    facts.orders[0].answer = None


@pytest.mark.parametrize("gone_wrong", [nobody_asked, answered_and_lost, charged_and_lost, never_answered])
def test_a_payment_that_is_not_accounted_for(gone_wrong: Break) -> None:
    facts = good()
    gone_wrong(facts)

    assert broken(facts) == ["Payments asked for are payments accounted for"]


def test_money_that_is_not_known_here() -> None:
    facts = good()
    facts.rows[0] = replace(facts.rows[0], status="pending", settled_at=None)

    assert broken(facts) == [
        "Every settlement at Midtrans is one here within 30 s",
        "Every payment ends as Midtrans says",
    ]


def test_money_that_was_known_too_late() -> None:
    facts = good()
    facts.rows[0] = replace(facts.rows[0], settled_at=NOW + timedelta(seconds=31))

    assert broken(facts) == ["Every settlement at Midtrans is one here within 30 s"]


def unpaid_there(facts: Facts) -> None:
    facts.charges["o-1"] = [Charge(transaction_id="t-1", status="expire")]


def never_calm(facts: Facts) -> None:
    facts.calm_seconds = None


@pytest.mark.parametrize("gone_wrong", [unpaid_there, never_calm])
def test_a_payment_that_is_not_what_midtrans_says(gone_wrong: Break) -> None:
    facts = good()
    gone_wrong(facts)

    assert broken(facts) == ["Every payment ends as Midtrans says"]


def charged_twice(facts: Facts) -> None:
    facts.charges["o-1"] *= 2


def notification_lost(facts: Facts) -> None:
    facts.stored["{}"] = 1


def forgery_taken(facts: Facts) -> None:
    facts.taken_in.append("{}")


def log_touched(facts: Facts) -> None:
    facts.verified = "4 entries of 2 payments: 1 broken."


def answered_500(facts: Facts) -> None:
    facts.record.answered("create", 500)


def never_back(facts: Facts) -> None:
    facts.record.killed[0].recovery = None


def traceback(facts: Facts) -> None:
    facts.record.tracebacks.append("worker: Traceback (most recent call last)")


@pytest.mark.parametrize(
    ("gone_wrong", "what"),
    [
        (charged_twice, "Nobody is charged twice"),
        (notification_lost, "Every notification that was answered with 2xx is in the table"),
        (forgery_taken, "No forged notification is taken"),
        (log_touched, "`bayar verify` finds every log whole"),
        (answered_500, "No answer but those that are documented, and never a 500"),
        (never_back, "What was killed comes back"),
        (traceback, "No process logs a traceback"),
    ],
)
def test_a_broken_promise_is_found(gone_wrong: Break, what: str) -> None:
    facts = good()
    gone_wrong(facts)

    assert broken(facts) == [what]
