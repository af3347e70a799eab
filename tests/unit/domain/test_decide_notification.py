"""What a signed notification does by itself, and when Midtrans has to be asked first."""

from datetime import timedelta
from typing import Any

import pytest

from domain.decide import Doubt, decide
from domain.history import Source
from domain.status import Status
from support.builders import NOW, a_notification, a_payment
from support.grid import Cell, cells, in_status

# Rows: what is notified of the payment's own transaction. Columns: the payment before.
# Cells: ">" it moves, "=" nothing new, "?" doubtful, so that Midtrans is asked first.
GRID = """
                   created failure pending deny expire cancel settlement partial_refund refund partial_chargeback chargeback
pending            ?       ?       =       =    =      =      =          =              =      =                  =
deny               ?       ?       >       =    ?      ?      ?          ?              ?      ?                  ?
expire             ?       ?       >       ?    =      ?      ?          ?              ?      ?                  ?
cancel             ?       ?       >       ?    ?      =      ?          ?              ?      ?                  ?
settlement         ?       ?       >       ?    ?      ?      =          =              =      =                  =
partial_refund     ?       ?       ?       ?    ?      ?      ?          ?              ?      ?                  ?
refund             ?       ?       ?       ?    ?      ?      ?          ?              ?      ?                  ?
partial_chargeback ?       ?       ?       ?    ?      ?      ?          ?              ?      =                  =
chargeback         ?       ?       ?       ?    ?      ?      ?          ?              ?      ?                  =
"""  # noqa: E501


@pytest.mark.parametrize("cell", cells(GRID), ids=str)
def test_a_notification_moves_a_payment_only_where_there_is_no_doubt(cell: Cell) -> None:
    before = in_status(cell.before)

    decision = decide(before, a_notification(transaction_status=cell.told))

    assert decision.set_aside is None
    assert (decision.payment.status is Status(cell.told)) == (cell.after == ">" or cell.told == cell.before)
    assert bool(decision.entries) == (cell.after == ">")
    assert bool(decision.doubts) == (cell.after == "?")
    if cell.after != ">":
        assert decision.payment == before


@pytest.mark.parametrize("cell", cells(GRID), ids=str)
def test_the_same_notification_again_changes_nothing(cell: Cell) -> None:
    notification = a_notification(transaction_status=cell.told)
    once = decide(in_status(cell.before), notification).payment

    again = decide(once, notification)

    assert again.payment == once
    assert again.entries == ()


def test_a_settlement_pays_a_pending_payment() -> None:
    settled_at = NOW + timedelta(seconds=90)

    decision = decide(in_status("pending"), a_notification(settled_at=settled_at))

    payment = decision.payment
    assert (payment.status, payment.paid_at, payment.late) == (
        Status.SETTLEMENT,
        settled_at,
        False,
    )
    (entry,) = decision.entries
    assert (entry.what, entry.source) == ("settlement", Source.NOTIFICATION)
    assert entry.detail == {"from": "pending", "paid_at": settled_at.isoformat()}


def test_a_settlement_without_its_time_was_paid_when_it_was_received() -> None:
    received_at = NOW + timedelta(minutes=3)

    decision = decide(in_status("pending"), a_notification(received_at=received_at))

    assert decision.payment.paid_at == received_at


def test_a_notification_without_a_transaction_is_about_the_payments_own() -> None:
    decision = decide(in_status("pending"), a_notification(transaction_id=None))

    assert decision.payment.status is Status.SETTLEMENT
    assert decision.payment.transaction_id == "t-1"


# The codes of notifications: an expiry comes with 202 here, and 407 in GET status.
@pytest.mark.parametrize(
    ("status", "codes"),
    [
        ("pending", {"201"}),
        ("deny", {"202"}),
        ("expire", {"202", "407"}),
        ("cancel", {"202"}),
        ("settlement", {"200"}),
        ("partial_refund", {"200"}),
        ("refund", {"200"}),
        ("partial_chargeback", {"200"}),
        ("chargeback", {"200"}),
    ],
)
@pytest.mark.parametrize("code", ["200", "201", "202", "407", "404", "2000", "", "\uff12\uff10\uff10"])
def test_status_and_code_have_to_agree(status: str, codes: set[str], code: str) -> None:
    before = in_status("created")

    decision = decide(before, a_notification(transaction_status=status, status_code=code))

    assert decision.payment == before
    assert (decision.set_aside is None) == (code in codes)


def test_a_settlement_signed_over_the_code_of_a_pending_payment_is_set_aside() -> None:
    before = in_status("pending")

    decision = decide(before, a_notification(status_code="201"))

    assert decision.payment == before
    assert decision.set_aside == ("status settlement does not go with code 201, fraud status accept")


@pytest.mark.parametrize("fraud", ["deny", "challenge", "CHALLENGE", "unheard-of"])
def test_a_settlement_against_the_fraud_verdict_is_set_aside(fraud: str) -> None:
    before = in_status("pending")

    decision = decide(before, a_notification(fraud_status=fraud))

    assert decision.payment == before
    assert decision.set_aside == f"status settlement does not go with code 200, fraud status {fraud}"


@pytest.mark.parametrize("fraud", [None, "accept", "ACCEPT"])
def test_a_settlement_without_a_fraud_verdict_or_with_an_accepting_one_is_believed(
    fraud: str | None,
) -> None:
    decision = decide(in_status("pending"), a_notification(fraud_status=fraud))

    assert decision.payment.status is Status.SETTLEMENT


@pytest.mark.parametrize("word", ["SETTLEMENT", "Settlement"])
def test_the_case_of_midtranss_words_does_not_matter(word: str) -> None:
    decision = decide(in_status("pending"), a_notification(transaction_status=word))

    assert decision.payment.status is Status.SETTLEMENT


@pytest.mark.parametrize("word", ["capture", "authorize", "failure", "created", "paid", "", " settlement"])
def test_a_status_that_these_payments_cannot_have_is_set_aside(word: str) -> None:
    before = in_status("pending")

    decision = decide(before, a_notification(transaction_status=word))

    assert decision.payment == before
    assert decision.set_aside == (f"status {word} does not go with code 200, fraud status accept")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"gross_amount": "9999.00"}, "amount 9999.00 instead of 10000"),
        ({"gross_amount": "1000000"}, "amount 1000000 instead of 10000"),
        ({"gross_amount": "10000.01"}, "amount 10000.01 instead of 10000"),
        ({"gross_amount": "1e4"}, "amount 1e4 instead of 10000"),
        ({"gross_amount": ""}, "amount  instead of 10000"),
        ({"currency": "SGD"}, "currency SGD instead of IDR"),
        ({"order_id": "order-2"}, "order id order-2 instead of order-1"),
    ],
)
@pytest.mark.parametrize("status", ["settlement", "pending", "refund", "expire"])
def test_another_amount_currency_or_order_is_set_aside_whatever_the_status(
    changes: dict[str, str], why: str, status: str
) -> None:
    before = in_status("pending")

    decision = decide(before, a_notification(transaction_status=status, **changes))

    assert decision.payment == before
    assert decision.set_aside == why
    assert decision.doubts == ()


def test_an_amount_without_decimals_is_the_same_amount() -> None:
    decision = decide(in_status("pending"), a_notification(gross_amount="10000"))

    assert decision.payment.status is Status.SETTLEMENT


# "x2001" + "200" + "500.00" also reads as order "x", code "200" and 1,200,500 rupiah.
DOUBTS: list[tuple[Any, dict[str, Any], tuple[Doubt, ...]]] = [
    (in_status("expire"), {}, (Doubt.CONTRADICTS_FINAL,)),
    (in_status("settlement"), {"transaction_status": "cancel"}, (Doubt.CONTRADICTS_FINAL,)),
    (in_status("settlement"), {"transaction_status": "refund"}, (Doubt.MONEY_BACK,)),
    (in_status("settlement"), {"transaction_status": "chargeback"}, (Doubt.MONEY_BACK,)),
    (in_status("pending"), {"transaction_id": "t-2"}, (Doubt.OTHER_TRANSACTION,)),
    (in_status("settlement"), {"transaction_id": "t-2"}, (Doubt.OTHER_TRANSACTION,)),
    (a_payment(), {}, (Doubt.NO_TRANSACTION_YET,)),
    (a_payment(), {"transaction_id": None}, (Doubt.NO_TRANSACTION_YET,)),
    (a_payment(), {"transaction_status": "pending"}, (Doubt.NO_TRANSACTION_YET,)),
    (in_status("pending"), {"previous_key": True}, (Doubt.PREVIOUS_KEY,)),
    (
        in_status("pending", order_id="x2001", gross_amount=500),
        {"order_id": "x2001", "gross_amount": "500.00"},
        (Doubt.SECOND_READING,),
    ),
    (
        in_status("expire", order_id="x2001", gross_amount=500),
        {
            "order_id": "x2001",
            "gross_amount": "500.00",
            "transaction_status": "refund",
            "transaction_id": "t-2",
            "previous_key": True,
        },
        (
            Doubt.CONTRADICTS_FINAL,
            Doubt.MONEY_BACK,
            Doubt.OTHER_TRANSACTION,
            Doubt.PREVIOUS_KEY,
            Doubt.SECOND_READING,
        ),
    ),
]


@pytest.mark.parametrize(("before", "said", "doubts"), DOUBTS)
def test_each_doubt_is_found_and_moves_nothing(
    before: Any, said: dict[str, Any], doubts: tuple[Doubt, ...]
) -> None:
    decision = decide(before, a_notification(**said))

    assert decision.doubts == doubts
    assert decision.payment == before
    assert decision.entries == ()


@pytest.mark.parametrize("doubtful", [{"previous_key": True}, {"transaction_id": None}])
def test_what_tells_nothing_new_needs_no_asking(doubtful: dict[str, Any]) -> None:
    before = in_status("settlement")

    decision = decide(before, a_notification(**doubtful))

    assert decision.payment == before
    assert decision.doubts == ()


@pytest.mark.parametrize("before", ["settlement", "refund", "chargeback"])
@pytest.mark.parametrize("told", ["deny", "expire", "cancel"])
def test_a_late_failure_notice_does_not_unsettle_a_payment(before: str, told: str) -> None:
    paid = in_status(before)

    decision = decide(paid, a_notification(transaction_status=told))

    assert decision.payment == paid
    assert Doubt.CONTRADICTS_FINAL in decision.doubts


def test_a_settlement_that_arrives_before_its_pending_stays() -> None:
    settled = decide(in_status("pending"), a_notification()).payment

    decision = decide(settled, a_notification(transaction_status="pending"))

    assert decision.payment == settled
    assert decision.doubts == ()
