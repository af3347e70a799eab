"""What a notification alone moved, and how it is confirmed; what needs a person, and how it is attended."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.decide import CONFIRMED_WITHIN, MISSED_AFTER, decide
from domain.evidence import Attended, NoTransaction
from domain.history import EVIDENCE, Source, digest_of
from domain.payment import AFTER_FAILURE, LATE, Break, Payment
from domain.status import Status
from support.builders import MINUTE, NOW, a_notification, a_payment, a_status_reply

PENDING = {"status": Status.PENDING, "transaction_id": "t-1"}


def notified(**changes: Any) -> Payment:
    """Pending, and then moved by a notification at 10:01."""
    return decide(a_payment(**PENDING), a_notification(**changes)).payment


def test_a_notification_moves_the_payment_until_midtrans_confirms_it() -> None:
    payment = notified()

    assert (payment.status, payment.unconfirmed_since) == (Status.SETTLEMENT, NOW + MINUTE)


def test_a_status_reply_that_says_the_same_confirms_it_with_an_entry_of_its_own() -> None:
    decision = decide(notified(), a_status_reply(received_at=NOW + 6 * MINUTE))

    assert decision.payment.unconfirmed_since is None
    (entry,) = decision.entries
    assert (entry.what, entry.source, entry.status) == ("confirmed", Source.STATUS_REPLY, Status.SETTLEMENT)


def test_what_midtrans_said_itself_needs_no_confirmation() -> None:
    payment = decide(a_payment(**PENDING), a_status_reply()).payment

    assert payment.unconfirmed_since is None


def test_a_reply_about_another_transaction_confirms_nothing() -> None:
    payment = decide(notified(), a_status_reply(transaction_id="t-2")).payment

    assert payment.unconfirmed_since == NOW + MINUTE


def test_a_reply_that_lags_behind_its_notification_changes_nothing() -> None:
    late = NOW + MINUTE + CONFIRMED_WITHIN - timedelta(seconds=1)

    decision = decide(notified(), a_status_reply(transaction_status="pending", received_at=late))

    assert not decision.changed


def test_a_contradiction_that_lasts_is_a_break_and_the_payment_stays_paid() -> None:
    late = NOW + MINUTE + CONFIRMED_WITHIN

    payment = decide(notified(), a_status_reply(transaction_status="pending", received_at=late)).payment

    (found,) = payment.breaks
    assert (found.reason, payment.status, payment.unconfirmed_since) == (
        "not_confirmed",
        Status.SETTLEMENT,
        None,
    )
    assert "pending" in found.subject
    assert "settlement" in found.subject


@pytest.mark.parametrize(
    ("reason", "elsewhere"),
    [
        ("amount", {"gross_amount": "9.00"}),
        ("currency", {"currency": "USD"}),
        ("order_id", {"order_id": "order-2"}),
        ("status", {"transaction_status": "authorize"}),
    ],
)
def test_an_answer_about_something_else_does_not_end_the_wait_for_the_contradiction(
    reason: str, elsewhere: dict[str, str]
) -> None:
    late = NOW + MINUTE + CONFIRMED_WITHIN
    denied = a_status_reply(transaction_status="deny", received_at=late + MINUTE)

    waiting = decide(
        notified(transaction_status="cancel"), a_status_reply(**elsewhere, received_at=late)
    ).payment
    payment = decide(waiting, denied).payment

    assert waiting.unconfirmed_since == NOW + MINUTE
    assert [found.reason for found in payment.breaks] == sorted([reason, "not_confirmed"])
    assert (payment.status, payment.unconfirmed_since) == (Status.CANCEL, None)


def test_a_clock_that_was_behind_makes_no_contradiction_of_a_delay() -> None:
    """The process that took the notification had a clock two hours behind; the database's goes right."""
    behind = a_notification(received_at=NOW - 120 * MINUTE)
    payment = decide(replace(a_payment(**PENDING), read_at=NOW + MINUTE), behind).payment
    read = replace(payment, read_at=NOW + 2 * MINUTE)

    decision = decide(read, a_status_reply(transaction_status="pending", received_at=NOW + 2 * MINUTE))

    assert payment.unconfirmed_since == NOW + MINUTE
    assert not decision.changed


def test_a_transaction_that_is_gone_when_it_should_be_confirmed_is_a_break() -> None:
    gone = NoTransaction(received_at=NOW + MINUTE + CONFIRMED_WITHIN)

    payment = decide(notified(), gone).payment

    assert payment.breaks == (Break(reason="missing_there", subject="t-1"),)
    assert payment.unconfirmed_since is None
    assert payment.status is Status.SETTLEMENT


@pytest.mark.parametrize(("early", "found"), [(0, ["missing_there"]), (1, [])])
def test_a_pending_transaction_that_is_gone_long_after_its_time_is_a_break(
    early: int, found: list[str]
) -> None:
    payment = a_payment(**PENDING)
    gone = NoTransaction(received_at=payment.expires_at + MISSED_AFTER - timedelta(seconds=early))

    after = decide(payment, gone).payment

    assert [b.reason for b in after.breaks] == found
    assert after.status is Status.PENDING


@pytest.mark.parametrize(("early", "found"), [(0, ["missing_there"]), (1, [])])
@pytest.mark.parametrize("skew", [timedelta(), timedelta(hours=-2), timedelta(days=2)])
def test_a_transaction_that_was_found_long_after_its_time_may_be_unknown_for_a_moment(
    early: int, found: list[str], skew: timedelta
) -> None:
    """Midtrans's own status may still be the one of before, whatever a process's clock says."""
    failed = a_payment(status=Status.FAILURE, transaction_id=None)
    then = failed.expires_at + timedelta(hours=3)
    told = a_status_reply(transaction_status="pending", received_at=then + skew)
    payment = decide(replace(failed, read_at=then), told).payment
    later = then + MISSED_AFTER - timedelta(seconds=early)

    after = decide(replace(payment, read_at=later), NoTransaction(received_at=later + skew)).payment

    assert [b.reason for b in after.breaks if b.reason != AFTER_FAILURE] == found
    assert after.status is Status.PENDING


def test_when_an_earlier_service_s_trigger_updated_the_row_does_not_count() -> None:
    at = NOW + timedelta(days=1)

    payment = decide(a_payment(**PENDING, updated_at=at), NoTransaction(received_at=at)).payment

    assert [b.reason for b in payment.breaks] == ["missing_there"]


@pytest.mark.parametrize("status", [Status.SETTLEMENT, Status.EXPIRE, Status.REFUND, Status.FAILURE])
def test_that_nothing_is_found_says_nothing_of_a_confirmed_end(status: Status) -> None:
    payment = a_payment(status=status, transaction_id="t-1")

    assert not decide(payment, NoTransaction(received_at=NOW + timedelta(days=9))).changed


def test_late_money_needs_a_person_until_it_is_attended_or_gone_back() -> None:
    expired = a_payment(status=Status.EXPIRE, transaction_id="t-1")
    late = decide(expired, a_status_reply()).payment
    attended = decide(late, Attended(note="delivered", received_at=NOW + 9 * MINUTE))
    refunded = decide(late, a_status_reply(transaction_status="refund")).payment

    assert late.attention == (Break(reason=LATE, subject="t-1"),)
    assert attended.payment.attention == ()
    assert refunded.attention == ()
    (entry,) = attended.entries
    assert (entry.what, entry.source) == ("attended", Source.OPERATOR)
    assert entry.detail == {"note": "delivered", "attended_late": "t-1"}
    assert (attended.payment.status, attended.payment.late) == (Status.SETTLEMENT, True)


def test_a_break_that_comes_after_an_operator_looked_needs_one_again() -> None:
    broken = decide(a_payment(**PENDING), a_status_reply(gross_amount="9.00")).payment
    attended = decide(broken, Attended(note="ok", received_at=NOW)).payment

    again = decide(attended, a_status_reply(gross_amount="8.00")).payment

    assert attended.attention == ()
    assert [found.subject for found in again.attention] == ["amount 8.00 instead of 10000"]


def test_where_nothing_needs_a_person_there_is_nothing_to_attend() -> None:
    assert not decide(a_payment(**PENDING), Attended(note="ok", received_at=NOW)).changed


def test_the_bytes_that_proved_a_change_are_named_in_its_entry() -> None:
    raw = b'{"transaction_status":"settlement"}'

    (entry,) = decide(a_payment(**PENDING), a_notification(raw=raw)).entries

    assert (entry.raw, entry.detail[EVIDENCE]) == (raw, digest_of(raw).hex())


def test_an_entry_that_nothing_of_midtrans_proves_names_no_bytes() -> None:
    expired = a_payment(status=Status.EXPIRE, late=True)

    for entry in decide(expired, a_status_reply()).entries:
        assert EVIDENCE not in entry.detail


@pytest.mark.parametrize("payment", [a_payment(**PENDING), notified()], ids=["overdue", "unconfirmed"])
def test_a_clock_that_is_ahead_makes_no_break_of_what_midtrans_does_not_tell_yet(payment: Payment) -> None:
    read = replace(payment, read_at=NOW + 2 * MINUTE)
    ahead = NOW + timedelta(hours=2)

    for told in (
        NoTransaction(received_at=ahead),
        a_status_reply(transaction_status="pending", received_at=ahead),
    ):
        assert not decide(read, told).changed
