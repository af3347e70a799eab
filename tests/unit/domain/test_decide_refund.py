"""What an accepted refund of ours makes of a payment."""

from datetime import timedelta
from typing import Any

import pytest

from domain.decide import decide
from domain.evidence import RefundInDoubt
from domain.history import Source
from domain.payment import Break
from domain.status import Status
from support.builders import NOW, a_refund_accepted, a_status_reply, an_id
from support.grid import in_status


@pytest.mark.parametrize(
    ("total", "status"),
    [(1, "partial_refund"), (9_999, "partial_refund"), (10_000, "refund"), (12_000, "refund")],
)
def test_a_paid_payment_is_refunded_in_part_or_whole(total: int, status: str) -> None:
    decision = decide(in_status("settlement"), a_refund_accepted(total=total))

    assert decision.payment.status is Status(status)
    assert decision.payment.refunded_amount == min(total, 10_000)
    (entry,) = decision.entries
    assert (entry.what, entry.source) == (status, Source.REFUND)
    assert entry.detail == {"from": "settlement", "refunded_amount": min(total, 10_000)}


def test_a_second_refund_counts_with_the_first() -> None:
    once = decide(in_status("settlement"), a_refund_accepted(total=4_000)).payment

    twice = decide(once, a_refund_accepted(total=7_000))

    assert (twice.payment.status, twice.payment.refunded_amount) == (Status.PARTIAL_REFUND, 7_000)
    assert [entry.what for entry in twice.entries] == ["refunded"]


def test_what_midtrans_told_already_is_nothing_new() -> None:
    told = a_status_reply(transaction_status="partial_refund", refund_amount=4_000)
    before = decide(in_status("settlement"), told).payment

    decision = decide(before, a_refund_accepted(total=4_000))

    assert decision.payment == before
    assert decision.entries == ()


def test_what_the_dashboard_refunded_is_not_forgotten() -> None:
    before = in_status("partial_refund", refunded_amount=6_000)

    assert decide(before, a_refund_accepted(total=4_000)).payment.refunded_amount == 6_000


@pytest.mark.parametrize("status", ["refund", "partial_chargeback", "chargeback"])
def test_a_higher_status_stays(status: str) -> None:
    decision = decide(in_status(status), a_refund_accepted(total=4_000))

    assert decision.payment.status is Status(status)
    assert decision.payment.refunded_amount == 4_000


def test_a_refund_says_nothing_about_when_the_payment_was_paid() -> None:
    before = in_status("settlement", paid_at=NOW)

    after = decide(before, a_refund_accepted(received_at=NOW + timedelta(days=2))).payment

    assert (after.paid_at, after.late) == (NOW, False)


def test_a_refund_gives_an_adopted_payment_its_transaction() -> None:
    before = in_status("settlement", transaction_id=None)

    assert decide(before, a_refund_accepted(transaction_id="t-7")).payment.transaction_id == "t-7"


def test_a_refund_of_the_second_transaction_leaves_the_break_for_a_person() -> None:
    first = in_status("settlement", breaks=(Break(reason="paid_twice", subject="t-2"),))

    decision = decide(first, a_refund_accepted(transaction_id="t-2", total=10_000))

    # By rank, as a status reply about t-2 would have it.
    assert (decision.payment.status, decision.payment.transaction_id) == (Status.REFUND, "t-2")
    assert decision.payment.breaks == (Break(reason="paid_twice", subject="t-1"),)


@pytest.mark.parametrize("reason", ["refund_unknown", "refund_after_refusal", "refund_amount"])
def test_a_refund_in_doubt_is_a_break_once(reason: str) -> None:
    said: dict[str, Any] = {"reason": reason, "subject": str(an_id("refund"))}
    doubt = RefundInDoubt(**said, received_at=NOW)

    decision = decide(in_status("settlement"), doubt)
    again = decide(decision.payment, doubt)

    assert decision.payment.breaks == (Break(**said),)
    assert decision.payment.status is Status.SETTLEMENT
    (entry,) = decision.entries
    assert (entry.what, entry.detail) == ("break", {f"break_{reason}": said["subject"]})
    assert (again.payment, again.entries) == (decision.payment, ())
