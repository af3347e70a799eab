"""Laws of the deciding function: total, idempotent, order-free, and never back from paid to unpaid."""

import itertools
from datetime import timedelta
from functools import reduce
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.decide import decide
from domain.evidence import (
    ChargeAnswer,
    ChargeRefused,
    Evidence,
    Notification,
    NoTransaction,
    RefundAccepted,
    RefundInDoubt,
    StatusReply,
    TransactionElsewhere,
)
from domain.payment import Payment
from domain.status import Status
from support.builders import (
    NOW,
    a_charge_answer,
    a_notification,
    a_payment,
    a_refund_accepted,
    a_status_reply,
    an_opened_payment,
)
from support.log import is_intact
from support.recorded import NOTIFIED_CODES, REPLIED_CODES

TIMES = st.integers(1, 1_000).map(lambda seconds: NOW + timedelta(seconds=seconds))
TRANSACTIONS = st.sampled_from(["t-1", "t-2", "t-3"])
REPLIES: st.SearchStrategy[StatusReply] = st.builds(
    a_status_reply,
    transaction_status=st.sampled_from(sorted(REPLIED_CODES)),
    transaction_id=TRANSACTIONS,
    refund_amount=st.none() | st.integers(0, 12_000),
    settled_at=st.none() | TIMES,
    received_at=TIMES,
)
ANSWERS: st.SearchStrategy[ChargeAnswer] = st.builds(
    a_charge_answer,
    status=st.sampled_from([Status.PENDING, Status.DENY]),
    transaction_id=TRANSACTIONS,
    received_at=TIMES,
)
REFUSALS: st.SearchStrategy[Any] = st.builds(
    ChargeRefused, code=st.just("400"), message=st.just("no"), received_at=TIMES
) | st.builds(NoTransaction, received_at=TIMES)
REFUNDS: st.SearchStrategy[RefundAccepted] = st.builds(
    a_refund_accepted,
    total=st.integers(1, 12_000),
    transaction_id=TRANSACTIONS,
    received_at=TIMES,
)
IN_DOUBT: st.SearchStrategy[RefundInDoubt] = st.builds(
    RefundInDoubt,
    reason=st.sampled_from(["refund_unknown", "refund_amount"]),
    subject=st.sampled_from(["one", "another"]),
    received_at=TIMES,
)
BELIEVED = st.lists(REPLIES | ANSWERS | REFUNDS | IN_DOUBT, max_size=5)

WORDS = st.sampled_from(["settlement", "PENDING", "expire", "refund", "capture", "", "\x00", "ß"])
CODES = st.sampled_from(["200", "201", "202", "407", "404", "", "٢٠٠"])
AMOUNTS = st.sampled_from(["10000.00", "10000", "9.99", "-1", "", "1" * 40, "NaN"])
ANY_TEXT = st.none() | st.text(max_size=5)
CLAIM = {
    "order_id": st.sampled_from(["order-1", "order-2", ""]),
    "status_code": CODES | st.text(max_size=4),
    "gross_amount": AMOUNTS | st.text(max_size=4),
    "transaction_status": WORDS | st.text(max_size=4) | st.sampled_from(sorted(NOTIFIED_CODES)),
    "fraud_status": ANY_TEXT | st.just("accept"),
    "currency": ANY_TEXT | st.just("IDR"),
    "settled_at": st.none() | TIMES,
    "received_at": TIMES,
}
EVIDENCE: st.SearchStrategy[Evidence] = st.one_of(
    REPLIES,
    ANSWERS,
    REFUNDS,
    IN_DOUBT,
    REFUSALS,
    st.builds(TransactionElsewhere, transaction_id=TRANSACTIONS, received_at=TIMES),
    st.builds(
        Notification,
        transaction_id=st.none() | TRANSACTIONS,
        previous_key=st.booleans(),
        **CLAIM,
    ),
    st.builds(
        StatusReply,
        transaction_id=TRANSACTIONS,
        refund_amount=st.none() | st.integers(-5, 20_000),
        **CLAIM,
    ),
    st.builds(
        lambda status: a_notification(transaction_status=status),
        st.sampled_from(sorted(NOTIFIED_CODES)),
    ),
)


def after(payment: Payment, evidence: list[Evidence]) -> Payment:
    return reduce(lambda now, piece: decide(now, piece).payment, evidence, payment)


def outcome(payment: Payment) -> tuple[object, ...]:
    """What may not depend on the order of the evidence; ``paid_at``, ``late`` and the log are history."""
    return payment.status, payment.refunded_amount, payment.transaction_id, payment.breaks


@given(BELIEVED)
def test_any_order_of_believed_evidence_ends_in_the_same_payment(evidence: list[Any]) -> None:
    expected = outcome(after(a_payment(), evidence))

    ends = {outcome(after(a_payment(), list(order))) for order in itertools.permutations(evidence)}

    assert ends == {expected}


@given(
    st.sampled_from(list(Status)),
    st.none() | st.just("t-2"),
    st.lists(REPLIES | ANSWERS | REFUNDS, min_size=2, max_size=3),
)
def test_the_same_holds_for_every_payment_that_was_adopted(
    status: Status, transaction_id: str | None, evidence: list[Any]
) -> None:
    adopted = a_payment(status=status, transaction_id=transaction_id, log_length=0)
    expected = outcome(after(adopted, evidence))[:3]

    ends = {outcome(after(adopted, list(order)))[:3] for order in itertools.permutations(evidence)}

    assert ends == {expected}


@given(st.lists(REPLIES | ANSWERS | REFUNDS, min_size=6, max_size=40), st.randoms(use_true_random=False))
def test_so_does_a_longer_one_however_it_is_shuffled(evidence: list[Any], random: Random) -> None:
    shuffled = list(evidence)
    random.shuffle(shuffled)

    assert outcome(after(a_payment(), shuffled)) == outcome(after(a_payment(), evidence))


@given(BELIEVED, st.data())
def test_any_number_of_repeats_ends_in_the_same_payment(evidence: list[Any], data: Any) -> None:
    repeats = data.draw(st.lists(st.sampled_from(evidence), max_size=5)) if evidence else []
    mixed = data.draw(st.permutations(evidence + repeats))

    assert outcome(after(a_payment(), mixed)) == outcome(after(a_payment(), evidence))


@given(st.lists(REPLIES | ANSWERS | REFUNDS, min_size=1, max_size=5), REFUSALS, st.data())
def test_a_refusal_among_the_evidence_changes_nothing_once_there_is_a_transaction(
    evidence: list[Any], refusal: Any, data: Any
) -> None:
    position = data.draw(st.integers(0, len(evidence)))
    mixed = [*evidence[:position], refusal, *evidence[position:]]

    # The shop was told of a failure in between: that is a break, and history.
    assert outcome(after(a_payment(), mixed))[:3] == outcome(after(a_payment(), evidence))[:3]


@given(st.lists(EVIDENCE, max_size=6))
def test_whatever_comes_a_paid_payment_stays_paid_and_history_is_written_once(
    evidence: list[Any],
) -> None:
    payment = a_payment()

    for piece in evidence:
        before, payment = payment, decide(payment, piece).payment

        assert payment.status.rank >= before.status.rank
        assert not before.status.is_paid or payment.status.is_paid
        assert before.paid_at in {None, payment.paid_at}
        assert payment.late >= before.late
        assert 0 <= before.refunded_amount <= payment.refunded_amount <= payment.gross_amount
        assert payment.updated_at >= before.updated_at
        assert payment.charge_answer == before.charge_answer or before.charge_answer is None


@given(st.lists(EVIDENCE, max_size=6), EVIDENCE)
def test_evidence_decides_once(evidence: list[Any], piece: Any) -> None:
    payment = after(a_payment(), evidence)
    once = decide(payment, piece)

    again = decide(once.payment, piece)

    assert again.payment == once.payment
    assert again.entries == ()


@given(st.lists(EVIDENCE, max_size=6), st.booleans())
def test_every_change_is_in_an_unbroken_log_and_nothing_else_is(
    evidence: list[Any],
    adopted: bool,  # noqa: FBT001 - Hypothesis draws it
) -> None:
    payment, opening = an_opened_payment(**({"log_length": 0} if adopted else {}))
    log = list(opening)

    for piece in evidence:
        decision = decide(payment, piece)
        changed = decision.payment != payment
        payment = decision.payment
        log += decision.entries

        assert changed == decision.changed == bool(decision.entries)
        assert not (changed and (decision.doubts or decision.set_aside))

    assert is_intact(log, payment)


@given(EVIDENCE)
def test_what_an_order_fixed_never_changes(piece: Any) -> None:
    before = a_payment(metadata={"cart": "17"}, callback_url="https://shop.example")

    payment = decide(before, piece).payment

    fixed = ("id", "user_id", "order_id", "gross_amount", "payment_type", "created_at")
    for name in (*fixed, "expires_at", "callback_url", "metadata"):
        assert getattr(payment, name) == getattr(before, name)
