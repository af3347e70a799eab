"""What can be refunded of a payment: never more than was paid, whatever is under way."""

from dataclasses import replace
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import IllegalTransition, InvalidPayment, RefundExceedsPayment
from domain.payment import Break, Payment
from domain.refund import Refund, RefundStatus, accepted_of, amount_to_refund, left_of, own_transaction
from domain.status import Status
from support.builders import NOW, a_payment, a_refund
from support.grid import in_status

TWICE: Final = (Break(reason="paid_twice", subject="t-2"),)


def paid(**changes: Any) -> Payment:
    return in_status("settlement", **changes)


def of_status(status: RefundStatus, amount: int = 4_000, **changes: Any) -> Refund:
    accepted_at = NOW if status is RefundStatus.ACCEPTED else None
    return a_refund(status=status, amount=amount, accepted_at=accepted_at, **changes)


def amount(payment: Payment, *refunds: Refund, wanted: int | None = None, of: str = "t-1") -> int:
    return amount_to_refund(payment, refunds, transaction=of, amount=wanted)


def test_without_an_amount_all_of_it_is_refunded() -> None:
    assert amount(paid()) == 10_000


@pytest.mark.parametrize("wanted", [1, 9_999, 10_000])
def test_any_part_of_it_can_be_refunded(wanted: int) -> None:
    assert amount(paid(), wanted=wanted) == wanted


@pytest.mark.parametrize("wanted", [10_001, 10**30, 0, -1])
def test_more_than_was_paid_cannot_be_refunded(wanted: int) -> None:
    with pytest.raises(RefundExceedsPayment, match="at most 10000 of payment"):
        amount(paid(), wanted=wanted)


@pytest.mark.parametrize(
    ("status", "left"),
    [
        (RefundStatus.REQUESTED, 6_000),
        (RefundStatus.ACCEPTED, 6_000),
        (RefundStatus.REFUSED, 10_000),
        (RefundStatus.NOT_SENT, 10_000),
    ],
)
def test_a_refund_counts_while_it_may_be_or_was_taken(status: RefundStatus, left: int) -> None:
    assert left_of(paid(), [of_status(status)], "t-1") == left
    assert amount(paid(), of_status(status)) == left


def test_what_went_back_by_the_dashboard_counts() -> None:
    payment = in_status("partial_refund", refunded_amount=7_000)

    assert amount(payment, of_status(RefundStatus.REQUESTED, 2_000)) == 1_000


def test_an_accepted_refund_counts_once_when_midtrans_has_told_of_it_too() -> None:
    payment = in_status("partial_refund", refunded_amount=4_000)

    assert amount(payment, of_status(RefundStatus.ACCEPTED)) == 6_000


@pytest.mark.parametrize(
    ("payment", "refunds"),
    [
        (paid(), [of_status(RefundStatus.REQUESTED, 10_000)]),
        (in_status("refund", refunded_amount=10_000), [of_status(RefundStatus.ACCEPTED, 10_000)]),
        (in_status("refund", refunded_amount=10_000), [of_status(RefundStatus.REQUESTED, 4_000)]),
    ],
    ids=["under way", "refunded", "refunded by the dashboard with one under way"],
)
@pytest.mark.parametrize("wanted", [None, 1])
def test_with_nothing_left_nothing_is_refunded(
    payment: Payment, refunds: list[Refund], wanted: int | None
) -> None:
    with pytest.raises(RefundExceedsPayment, match="Nothing of payment order-1 is left"):
        amount(payment, *refunds, wanted=wanted)


@pytest.mark.parametrize("status", [status for status in Status if not status.is_paid])
def test_what_was_not_paid_cannot_be_refunded(status: Status) -> None:
    payment = in_status(status)

    with pytest.raises(IllegalTransition, match=f"Payment order-1 is {status}, so it cannot") as refused:
        amount(payment, of=own_transaction(payment))

    assert refused.value.payment == payment


@pytest.mark.parametrize("status", ["partial_chargeback", "chargeback"])
def test_what_the_bank_took_back_cannot_be_refunded(status: str) -> None:
    with pytest.raises(IllegalTransition):
        amount(in_status(status))


def test_a_second_paid_transaction_has_its_own_amount() -> None:
    payment = paid(breaks=TWICE, refunded_amount=9_000)
    refunds = (
        of_status(RefundStatus.REQUESTED, 1_000),
        of_status(RefundStatus.ACCEPTED, 2_500, transaction="t-2"),
        of_status(RefundStatus.REQUESTED, 500, transaction="t-2"),
    )

    assert amount(payment, *refunds, of="t-2") == 7_000
    with pytest.raises(RefundExceedsPayment):
        amount(payment, *refunds, of="t-2", wanted=7_001)


def test_a_second_one_can_be_refunded_when_the_first_was() -> None:
    assert amount(in_status("chargeback", breaks=TWICE), of="t-2") == 10_000


@pytest.mark.parametrize("of", ["t-3", "order-1", ""])
def test_a_transaction_that_is_not_the_payment_s_cannot_be_refunded(of: str) -> None:
    with pytest.raises(InvalidPayment, match="no paid transaction of order-1"):
        amount(paid(breaks=TWICE), of=of)


def test_another_break_names_no_transaction_to_refund() -> None:
    payment = paid(breaks=(Break(reason="transaction_taken", subject="t-9"),))

    with pytest.raises(InvalidPayment):
        amount(payment, of="t-9")


def test_a_payment_without_a_transaction_is_known_by_its_order_id() -> None:
    adopted = a_payment(status=Status.SETTLEMENT, log_length=0)
    asked = of_status(RefundStatus.ACCEPTED, transaction="order-1")

    assert own_transaction(adopted) == "order-1"
    assert amount(adopted, asked, of="order-1") == 6_000


def test_what_was_refunded_by_order_id_counts_when_the_transaction_is_known() -> None:
    asked = of_status(RefundStatus.REQUESTED, transaction="order-1")

    assert amount(paid(), asked) == 6_000
    assert accepted_of(paid(), [replace(asked, status=RefundStatus.ACCEPTED)], "t-1") == 4_000


REFUNDS = st.lists(
    st.builds(of_status, st.sampled_from(list(RefundStatus)), st.integers(1, 12_000)), max_size=6
)


@given(REFUNDS, st.integers(0, 10_000), st.none() | st.integers(-5, 12_000))
def test_whatever_was_refunded_what_counts_never_exceeds_the_payment(
    refunds: list[Refund], refunded: int, wanted: int | None
) -> None:
    payment = paid(refunded_amount=refunded)
    try:
        fresh = amount(payment, *refunds, wanted=wanted)
    except RefundExceedsPayment:
        return

    counting = {RefundStatus.REQUESTED, RefundStatus.ACCEPTED}
    assert fresh >= 1
    assert fresh + sum(refund.amount for refund in refunds if refund.status in counting) <= 10_000
    assert fresh + refunded <= 10_000
