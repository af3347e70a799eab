from datetime import timedelta

import pytest

from domain.access import SHOWN_AFTER_END, is_shown_to_its_customer
from domain.status import Status
from support.builders import MINUTE, NOW, a_payment

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("status", [status for status in Status if not status.is_open])
def test_a_payment_is_shown_to_its_customer_until_a_day_after_its_end(status: Status) -> None:
    payment = a_payment(status=status)
    ended_at = NOW + MINUTE

    assert timedelta(hours=24) == SHOWN_AFTER_END
    assert is_shown_to_its_customer(payment, ended_at=ended_at, now=ended_at + SHOWN_AFTER_END - SECOND)
    assert not is_shown_to_its_customer(payment, ended_at=ended_at, now=ended_at + SHOWN_AFTER_END)


@pytest.mark.parametrize("status", [Status.CREATED, Status.PENDING])
def test_one_that_never_ends_is_shown_until_a_day_after_it_could_last_be_paid(status: Status) -> None:
    payment = a_payment(status=status)
    last = payment.expires_at + SHOWN_AFTER_END

    assert is_shown_to_its_customer(payment, ended_at=None, now=last - SECOND)
    assert not is_shown_to_its_customer(payment, ended_at=None, now=last)


def test_one_that_ended_long_after_its_time_is_shown_until_a_day_after_that() -> None:
    payment = a_payment(status=Status.SETTLEMENT)
    ended_at = payment.expires_at + timedelta(days=3)

    assert is_shown_to_its_customer(payment, ended_at=ended_at, now=ended_at + timedelta(hours=23))
