"""What a notification of a refund claims, and whether a reply of Midtrans's own tells as much."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.evidence import NoTransaction, ReportedRefund, StatusReply
from domain.refund_claim import RefundClaim, is_told, read
from domain.status import Status
from support.builders import NOW, a_payment, a_status_reply

ONE = {"refund_key": "one", "refund_amount": "3000.00"}
TWO = {"refund_key": "two", "refund_amount": "2000.00", "bank_confirmed_at": "2026-02-07 10:00:00"}


@pytest.mark.parametrize(
    ("body", "claim"),
    [
        ({"refund_amount": "5000.00"}, RefundClaim(amount=5_000)),
        ({"refund_amount": 5000.0}, RefundClaim(amount=5_000)),
        ({"refund_key": "two"}, RefundClaim(keys=frozenset({"two"}))),
        (
            {"refund_key": "two", "refund_amount": "5000.00", "refunds": [ONE, TWO]},
            RefundClaim(amount=5_000, keys=frozenset({"one", "two"}), confirmed=frozenset({"two"})),
        ),
        ({}, RefundClaim()),
        ({"refund_amount": "0.00"}, RefundClaim()),
        ({"refund_amount": "many", "refund_key": ["two"], "refunds": "two"}, RefundClaim()),
        ({"refund_amount": None, "refund_key": "", "refunds": [1, None, {}, [ONE]]}, RefundClaim()),
        ({"refunds": [{"refund_key": "one"}, {"refund_amount": "1.00"}]}, RefundClaim()),
        ({"refund_key": "k" * 256}, RefundClaim()),
        ([ONE], RefundClaim()),
        (None, RefundClaim()),
    ],
)
def test_a_claim_is_what_is_legible_of_it(body: object, claim: RefundClaim) -> None:
    assert read(body) == claim


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*TWO, "refunds"]), inner),
    max_leaves=8,
)


@given(VALUES)
def test_whatever_a_body_is_there_is_a_claim(body: Any) -> None:
    assert isinstance(read(body), RefundClaim)


def replied(amount: int | None, *refunds: ReportedRefund, **changes: Any) -> StatusReply:
    told = {"transaction_status": "partial_refund", "refund_amount": amount, "refunds": refunds}
    return a_status_reply(**told | changes)


FIRST, SECOND = ReportedRefund(key="one", amount=3_000), ReportedRefund(key="two", amount=2_000)
SURE = ReportedRefund(key="two", amount=2_000, confirmed_at=NOW)
OTHER = {"transaction_id": "t-2"}


@pytest.mark.parametrize(
    ("body", "known", "reply", "told"),
    [
        ({"refund_amount": "5000.00"}, 3_000, replied(3_000), False),
        ({"refund_amount": "5000.00"}, 5_000, replied(5_000), True),
        ({"refund_amount": "5000.00"}, 5_000, replied(3_000), False),
        ({"refund_amount": "5000.00"}, 5_000, NoTransaction(received_at=NOW), False),
        ({"refund_amount": "3000.00"}, 5_000, replied(None, transaction_status="settlement"), False),
        ({"refund_key": "two"}, 3_000, NoTransaction(received_at=NOW), False),
        ({"refund_amount": "99999.00"}, 10_000, replied(10_000), True),
        ({"refund_amount": "99999.00"}, 5_000, replied(5_000), False),
        ({"refunds": [ONE, TWO]}, 5_000, replied(5_000, FIRST), False),
        ({"refunds": [ONE, TWO]}, 5_000, replied(5_000, FIRST, SECOND), False),
        ({"refunds": [ONE, TWO]}, 5_000, replied(5_000, FIRST, SURE), True),
        ({"refund_amount": "2000.00", "refund_key": "two"}, 3_000, replied(3_000, FIRST), False),
        ({"refund_amount": "5000.00", "refunds": [ONE, TWO]}, 5_000, replied(5_000), True),
        ({"refund_key": "two"}, 3_000, replied(3_000), None),
        ({}, 3_000, replied(3_000, FIRST), None),
        # What went back of the payment's own transaction says nothing of another one.
        ({"refund_amount": "5000.00"}, 9_000, replied(3_000, **OTHER), False),
        ({"refund_amount": "5000.00"}, 0, replied(5_000, **OTHER), True),
        ({"refund_amount": "10000.00"}, 0, replied(None, transaction_status="REFUND", **OTHER), True),
        ({"refund_amount": "10000.00"}, 0, replied(None, **OTHER), False),
    ],
)
def test_a_claim_is_told_once_its_sum_its_keys_and_the_banks_word_are(
    body: Any, known: int, reply: StatusReply | NoTransaction, *, told: bool | None
) -> None:
    payment = a_payment(status=Status.PARTIAL_REFUND, transaction_id="t-1", refunded_amount=known)

    assert is_told(read(json.loads(json.dumps(body))), payment.gross_amount, reply) is told
