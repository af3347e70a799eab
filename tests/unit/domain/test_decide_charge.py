"""What the answer to a charge, a refusal, or Midtrans's not knowing any transaction means."""

import json
from datetime import timedelta
from typing import Final

import pytest

from domain.decide import decide
from domain.evidence import ChargeRefused, Evidence, NoTransaction, TransactionElsewhere
from domain.history import Source
from domain.payment import Break
from domain.status import Status
from support.builders import MINUTE, NOW, a_charge_answer, a_payment, a_status_reply
from support.grid import Cell, cells, in_status

# Rows: what became of the charge. Columns: the payment before. Cells: after; "." is unchanged.
GRID = """
          created failure pending deny expire cancel settlement partial_refund refund partial_chargeback chargeback
pending   pending pending .       .    .      .      .          .              .      .                  .
deny      deny    deny    deny    .    .      .      .          .              .      .                  .
refused   failure .       .       .    .      .      .          .              .      .                  .
unknown   failure .       .       .    .      .      .          .              .      .                  .
elsewhere .       .       .       .    .      .      .          .              .      .                  .
"""  # noqa: E501

REFUSED = ChargeRefused(code="402", message="Payment channel is not activated.", received_at=NOW)
LATER = NOW + timedelta(minutes=10, seconds=25)
EVIDENCE: Final[dict[str, Evidence]] = {
    "pending": a_charge_answer(),
    "deny": a_charge_answer(status=Status.DENY),
    "refused": REFUSED,
    "unknown": NoTransaction(received_at=LATER),
    "elsewhere": TransactionElsewhere(transaction_id="t-9", received_at=LATER),
}


@pytest.mark.parametrize("cell", cells(GRID), ids=str)
def test_the_charge_moves_only_what_is_not_known_better(cell: Cell) -> None:
    before = in_status(cell.before)
    expected = before.status if cell.after == "." else Status(cell.after)

    decision = decide(before, EVIDENCE[cell.told])

    assert decision.payment.status is expected
    assert decision.doubts == ()
    assert decision.set_aside is None


@pytest.mark.parametrize("cell", cells(GRID), ids=str)
def test_the_same_again_changes_nothing(cell: Cell) -> None:
    once = decide(in_status(cell.before), EVIDENCE[cell.told]).payment

    again = decide(once, EVIDENCE[cell.told])

    assert again.payment == once
    assert again.entries == ()


def test_a_taken_charge_gives_transaction_answer_and_an_entry() -> None:
    answer = a_charge_answer(transaction_id="t-7")

    decision = decide(a_payment(), answer)

    assert decision.payment.transaction_id == "t-7"
    assert decision.payment.charge_answer == answer.answer
    assert decision.payment.updated_at == answer.received_at
    (entry,) = decision.entries
    assert (entry.what, entry.source) == ("pending", Source.CHARGE)
    assert entry.detail == {"from": "created", "transaction_id": "t-7"}


def test_an_answer_that_comes_after_the_money_is_kept_all_the_same() -> None:
    answer = a_charge_answer()
    settled = decide(a_payment(), a_status_reply()).payment

    decision = decide(settled, answer)

    assert decision.payment.status is Status.SETTLEMENT
    assert decision.payment.charge_answer == answer.answer
    assert [entry.what for entry in decision.entries] == ["charge answered"]


def test_the_first_answer_stands() -> None:
    first = decide(a_payment(), a_charge_answer()).payment

    decision = decide(first, a_charge_answer(answer=json.dumps({"qr_string": "other"})))

    assert decision.payment == first


def test_a_refusal_keeps_midtranss_own_code_and_words_in_the_log() -> None:
    decision = decide(a_payment(), REFUSED)

    (entry,) = decision.entries
    assert (entry.what, entry.source) == ("failure", Source.CHARGE)
    assert entry.detail == {
        "from": "created",
        "refused_code": "402",
        "refused_message": "Payment channel is not activated.",
    }
    assert decision.payment.transaction_id is None


@pytest.mark.parametrize(
    ("age", "status"),
    [
        (timedelta(0), Status.CREATED),
        (timedelta(minutes=10, seconds=24), Status.CREATED),
        (timedelta(minutes=10, seconds=25), Status.FAILURE),
        (timedelta(days=3), Status.FAILURE),
    ],
)
def test_an_unknown_order_is_a_failure_only_once_no_charge_can_be_under_way(
    age: timedelta, status: Status
) -> None:
    decision = decide(a_payment(), NoTransaction(received_at=NOW + age))

    assert decision.payment.status is status


@pytest.mark.parametrize(
    ("told", "read"),
    [(timedelta(hours=1), timedelta(minutes=1)), (timedelta(minutes=1), timedelta(hours=1))],
    ids=["the process's clock is ahead", "it was told long before it is looked at"],
)
def test_an_unknown_order_is_a_failure_only_by_the_databases_clock_too(
    told: timedelta, read: timedelta
) -> None:
    payment = a_payment(charged_at=NOW, read_at=NOW + read)

    assert not decide(payment, NoTransaction(received_at=NOW + told)).changed


def test_money_after_a_failure_is_late() -> None:
    failed = decide(a_payment(), REFUSED).payment

    paid = decide(failed, a_status_reply()).payment

    assert (paid.status, paid.late, paid.transaction_id) == (Status.SETTLEMENT, True, "t-1")


def test_a_charge_after_a_failure_is_a_break_and_its_money_is_late() -> None:
    failed = decide(a_payment(), REFUSED).payment

    found = decide(failed, a_status_reply(transaction_status="pending")).payment
    paid = decide(found, a_status_reply()).payment

    assert found.breaks == (Break(reason="charge_after_failure", subject="t-1"),)
    assert (found.status, found.late) == (Status.PENDING, False)
    assert (paid.status, paid.late) == (Status.SETTLEMENT, True)


def test_a_transaction_that_is_anothers_is_a_break() -> None:
    decision = decide(a_payment(), TransactionElsewhere(transaction_id="t-9", received_at=NOW + MINUTE))

    assert decision.payment.breaks == (Break(reason="transaction_taken", subject="t-9"),)
    assert decision.payment.transaction_id is None
    assert decision.entries[0].detail == {"break_transaction_taken": "t-9"}
