"""When Midtrans is asked about a payment by itself."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.payment import AFTER_FAILURE, MISSING_THERE, Break, Payment
from domain.schedule import ask_after_change_in, ask_in, is_to_be_cancelled, is_to_be_expired
from domain.status import Status
from support.builders import MINUTE, NOW, a_payment

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
EXPIRY = NOW + 15 * MINUTE


def asked(payment: Payment, *, until: timedelta) -> list[timedelta]:
    """When a payment that never changes is asked about, from its start on."""
    at, times = payment.changed_at or payment.created_at, list[timedelta]()
    while (wait := ask_in(payment, at)) is not None and at + wait <= NOW + until:
        at += wait
        times.append(at - NOW)
    return times


def test_an_orphan_is_asked_about_within_a_minute_and_again_when_a_404_would_count() -> None:
    times = asked(a_payment(), until=11 * MINUTE)

    assert times == [40 * SECOND, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE + 30 * SECOND]


def test_a_created_payment_counts_from_its_last_attempt_to_charge() -> None:
    payment = a_payment(charged_at=NOW + 3 * MINUTE)

    assert ask_in(payment, NOW + 3 * MINUTE) == 40 * SECOND


@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
def test_the_time_at_which_it_was_read_counts_and_not_a_process_s(ahead: timedelta) -> None:
    orphan = a_payment(charged_at=NOW, read_at=NOW, created_at=NOW + ahead)

    assert ask_in(orphan, NOW + ahead) == 40 * SECOND
    assert ask_after_change_in(orphan) == 40 * SECOND


@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
def test_what_ends_ends_now_whatever_a_process_s_clock_says(ahead: timedelta) -> None:
    ended = a_payment(
        status=Status.CANCEL, read_at=NOW, updated_at=NOW + ahead, expires_at=NOW + ahead + 7 * DAY
    )

    assert ask_after_change_in(ended) == 11 * MINUTE


def test_a_pending_payment_is_asked_about_rarely_until_its_time_is_over_and_densely_then() -> None:
    times = asked(a_payment(status=Status.PENDING), until=27 * MINUTE)

    assert times == [
        2 * MINUTE,
        4 * MINUTE,
        8 * MINUTE,
        15 * MINUTE + 10 * SECOND,
        16 * MINUTE + 5 * SECOND,
        18 * MINUTE,
        26 * MINUTE,
    ]


def test_a_long_overdue_payment_is_asked_about_for_ever_and_never_more_than_six_hours_apart() -> None:
    times = asked(a_payment(status=Status.PENDING), until=30 * DAY)

    gaps = [after - before for before, after in pairwise(times)]
    assert max(gaps) == 6 * HOUR
    assert times[-1] > 29 * DAY


def test_one_that_was_found_long_after_its_end_is_asked_about_when_it_would_be_missing() -> None:
    found_at = EXPIRY + 8 * HOUR

    times = asked(a_payment(status=Status.PENDING, changed_at=found_at), until=12 * HOUR)

    assert times[0] == found_at + 11 * MINUTE - NOW


def test_when_an_earlier_service_s_trigger_updated_the_row_is_not_when_the_payment_changed() -> None:
    at = EXPIRY + 30 * DAY

    assert ask_in(a_payment(status=Status.EXPIRE, updated_at=at), at) is None
    assert ask_in(a_payment(status=Status.PENDING, updated_at=at), at) == 6 * HOUR


def test_one_that_midtrans_does_not_know_is_asked_about_for_a_week_and_is_then_left_to_a_person() -> None:
    gone = Break(reason=MISSING_THERE, subject="t-1")
    found_at = EXPIRY + 300 * DAY

    times = asked(
        a_payment(status=Status.PENDING, breaks=(gone,), attended=(gone,), changed_at=found_at),
        until=2 * 365 * DAY,
    )

    since = [time - (found_at - NOW) for time in times]
    assert since == [HOUR, 6 * HOUR, DAY, 3 * DAY, 7 * DAY]


def test_a_charge_that_turned_up_after_a_told_failure_is_due_at_once_and_then_ever_more_rarely() -> None:
    found_at = NOW + 10 * HOUR
    late = a_payment(
        status=Status.PENDING,
        breaks=(Break(reason=AFTER_FAILURE, subject="t-1"),),
        changed_at=found_at,
        expires_at=NOW + 7 * DAY,
    )

    times = [time - 10 * HOUR for time in asked(late, until=6 * DAY)]

    gaps = [after - before for before, after in pairwise(times)]
    assert times[0] == SECOND
    assert times[1] <= 3 * MINUTE
    assert gaps == sorted(gaps)
    assert gaps[-1] == 6 * HOUR
    assert len(times) < 40


@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
def test_it_is_due_at_once_whatever_a_process_s_clock_says(ahead: timedelta) -> None:
    late = a_payment(
        status=Status.PENDING,
        breaks=(Break(reason=AFTER_FAILURE, subject="t-1"),),
        created_at=NOW - HOUR,
        updated_at=NOW + ahead,
        read_at=NOW,
        expires_at=NOW + 7 * DAY,
    )

    assert ask_after_change_in(late) == SECOND
    wait = ask_in(late, NOW + ahead)
    assert wait is not None
    assert 2 * MINUTE <= wait <= HOUR


def test_one_that_midtrans_does_not_know_any_more_is_not_to_be_cancelled_for_ever() -> None:
    breaks = tuple(Break(reason=reason, subject="t-1") for reason in (AFTER_FAILURE, MISSING_THERE))

    times = asked(a_payment(status=Status.PENDING, breaks=breaks, changed_at=EXPIRY), until=30 * DAY)

    assert times[-1] == 15 * MINUTE + 7 * DAY


@pytest.mark.parametrize("status", [Status.EXPIRE, Status.CANCEL, Status.DENY, Status.FAILURE])
def test_late_money_is_looked_for_until_a_week_after_the_expiry(status: Status) -> None:
    times = asked(a_payment(status=status, changed_at=EXPIRY), until=30 * DAY)

    assert times[-1] == 15 * MINUTE + 7 * DAY
    assert any(time > DAY for time in times)
    assert len(times) < 12


def test_one_that_ended_long_before_its_expiry_is_asked_about_soon_after_the_end() -> None:
    cancelled = a_payment(status=Status.CANCEL, changed_at=NOW + MINUTE, expires_at=NOW + 7 * DAY)

    assert ask_in(cancelled, NOW + MINUTE) == 11 * MINUTE


@pytest.mark.parametrize("status", sorted(set(Status), key=lambda s: s.rank))
def test_what_a_notification_alone_moved_is_asked_about_within_the_hour(status: Status) -> None:
    payment = a_payment(status=status, unconfirmed_since=NOW, expires_at=NOW + 7 * DAY)

    wait = ask_in(payment, NOW)

    assert wait is not None
    assert wait <= 5 * MINUTE
    times = asked(payment, until=HOUR)
    assert times[-1] >= 55 * MINUTE, "after this long a contradiction is a break"


@pytest.mark.parametrize("status", [status for status in Status if status.is_paid])
def test_a_paid_and_confirmed_payment_is_left_alone(status: Status) -> None:
    assert ask_in(a_payment(status=status), NOW) is None


@given(
    st.sampled_from(list(Status)),
    st.none() | st.integers(-100_000, 100_000),
    st.integers(60, 700_000),
    st.integers(-100_000, 10_000_000),
)
def test_a_wait_is_never_negative_and_a_week_at_most(
    status: Status, unconfirmed: int | None, life: int, at: int
) -> None:
    since = None if unconfirmed is None else NOW + timedelta(seconds=unconfirmed)
    payment = a_payment(status=status, unconfirmed_since=since, expires_at=NOW + timedelta(seconds=life))

    wait = ask_in(payment, NOW + timedelta(seconds=at))

    assert wait is None or timedelta(seconds=1) <= wait <= 17 * DAY


@pytest.mark.parametrize(
    ("status", "at", "ended"),
    [
        (Status.PENDING, EXPIRY + MINUTE, True),
        (Status.PENDING, EXPIRY + 59 * SECOND, False),
        (Status.CREATED, EXPIRY + HOUR, False),
        (Status.SETTLEMENT, EXPIRY + HOUR, False),
    ],
)
def test_only_a_pending_payment_a_minute_over_its_time_is_ended_there(
    status: Status, at: datetime, *, ended: bool
) -> None:
    assert is_to_be_expired(a_payment(status=status), at) is ended


@pytest.mark.parametrize(
    ("told", "at", "ended"),
    [
        (EXPIRY + HOUR, EXPIRY + HOUR + 59 * SECOND, False),
        (EXPIRY + HOUR, EXPIRY + HOUR + MINUTE, True),
        (EXPIRY - 5 * MINUTE, EXPIRY + 59 * SECOND, False),
        (EXPIRY - 5 * MINUTE, EXPIRY + MINUTE, True),
        (None, EXPIRY + MINUTE, True),
    ],
)
def test_nor_is_it_ended_while_midtrans_itself_lets_it_be_paid(
    told: datetime | None, at: datetime, *, ended: bool
) -> None:
    assert is_to_be_expired(a_payment(status=Status.PENDING), at, told=told) is ended


@pytest.mark.parametrize(
    ("changes", "cancelled"),
    [
        ({"status": Status.PENDING, "breaks": (Break(reason=AFTER_FAILURE, subject="t-1"),)}, True),
        ({"status": Status.PENDING}, False),
        ({"status": Status.SETTLEMENT, "breaks": (Break(reason=AFTER_FAILURE, subject="t-1"),)}, False),
    ],
)
def test_a_charge_that_turned_up_after_a_told_failure_is_cancelled_there(
    changes: dict[str, Any], *, cancelled: bool
) -> None:
    assert is_to_be_cancelled(a_payment(**changes)) is cancelled
