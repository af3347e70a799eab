"""Every set of up to five pieces of evidence, in every order: the same payment in the end.

Not examples: all of them. ``test_decide_laws`` adds longer ones at random.
"""

import itertools
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

import pytest

from domain.decide import decide
from domain.evidence import ChargeAnswer, Evidence, Notification, StatusReply
from domain.payment import Payment
from domain.status import Status
from support.builders import MINUTE, NOW, a_charge_answer, a_notification, a_payment, a_status_reply

Believed = ChargeAnswer | StatusReply
Outcome = tuple[object, ...]

_MOST: Final = 5
TOLD: Final[dict[str, Believed]] = {
    "charged": a_charge_answer(),
    "denied": a_status_reply(transaction_status="deny"),
    "expired": a_status_reply(transaction_status="expire"),
    "cancelled": a_status_reply(transaction_status="cancel"),
    "paid": a_status_reply(settled_at=NOW + timedelta(seconds=90)),
    "partly refunded": a_status_reply(transaction_status="partial_refund", refund_amount=4_000),
    "refunded": a_status_reply(transaction_status="refund", refund_amount=10_000),
    "charged back": a_status_reply(transaction_status="chargeback"),
    "another pending": a_status_reply(transaction_status="pending", transaction_id="t-2"),
    "another paid": a_status_reply(transaction_id="t-2", settled_at=NOW + MINUTE),
    "another partly charged back": a_status_reply(
        transaction_status="partial_chargeback", transaction_id="t-2"
    ),
}


def outcome(payment: Payment) -> Outcome:
    """What may not depend on the order; ``paid_at``, ``late`` and the log are history."""
    return payment.status, payment.refunded_amount, payment.transaction_id, payment.breaks


def orders(
    payment: Payment, known: tuple[str, ...] = (), most: int = _MOST
) -> Iterator[tuple[tuple[str, ...], Payment]]:
    """Every order of every set of what can be told, with the payment that it leaves."""
    yield known, payment
    if len(known) < most:
        for name, evidence in TOLD.items():
            if name not in known:
                yield from orders(decide(payment, evidence).payment, (*known, name), most)


def test_every_order_of_every_five_ends_in_the_same_payment() -> None:
    ends: dict[frozenset[str], Outcome] = {}
    sequences = 0

    for known, payment in orders(a_payment()):
        sequences += 1
        assert ends.setdefault(frozenset(known), outcome(payment)) == outcome(payment), known

    assert sequences == sum(_orders_of(len(TOLD), size) for size in range(_MOST + 1))


def test_whatever_was_told_before_telling_it_again_changes_nothing() -> None:
    for known, payment in orders(a_payment(), most=3):
        for name in known:
            again = decide(payment, TOLD[name])
            assert (outcome(again.payment), again.payment.paid_at) == (outcome(payment), payment.paid_at)


def test_on_every_way_the_rank_grows_and_history_is_written_once() -> None:
    for known, payment in orders(a_payment(), most=3):
        for name, evidence in TOLD.items():
            after = decide(payment, evidence).payment
            assert after.status.rank >= payment.status.rank, (known, name)
            assert payment.paid_at in {None, after.paid_at}, (known, name)
            assert after.late >= payment.late, (known, name)
            assert 0 <= payment.refunded_amount <= after.refunded_amount <= after.gross_amount


@pytest.mark.parametrize("told", Status)
@pytest.mark.parametrize("before", Status)
def test_of_every_two_statuses_the_higher_rank_stays(before: Status, told: Status) -> None:
    """Whoever says it: a charge's answer, a reply, or a notification that is believed or doubted."""
    payment = a_payment(status=before, transaction_id="t-1", log_length=0)

    for evidence in _claims(told):
        decision = decide(payment, evidence)
        higher = max(before, told, key=lambda status: status.rank)
        assert decision.payment.status in {before, higher}
        if isinstance(evidence, StatusReply):
            assert decision.payment.status is higher
        if decision.doubts or decision.set_aside:
            assert decision.payment == payment


@pytest.mark.parametrize("before", Status)
def test_from_every_status_any_two_that_are_told_may_change_places(before: Status) -> None:
    for transaction_id in (None, "t-1", "t-2", "t-3"):
        start = a_payment(status=before, transaction_id=transaction_id, log_length=0)
        for one, other in itertools.combinations(TOLD.values(), 2):
            ends = [
                outcome(decide(decide(start, first).payment, second).payment)[:3]
                for first, second in ((one, other), (other, one))
            ]
            assert ends[0] == ends[1]


def _claims(status: Status) -> Iterator[Evidence]:
    if status in {Status.PENDING, Status.DENY}:
        yield a_charge_answer(status=status)
    if status not in {Status.CREATED, Status.FAILURE}:
        yield a_status_reply(transaction_status=status)
        notification: Notification = a_notification(transaction_status=status)
        yield notification


def _orders_of(many: int, size: int) -> int:
    count = 1
    for left in range(size):
        count *= many - left
    return count
