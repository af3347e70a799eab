"""What Midtrans itself says of a transaction moves every payment by rank, and by nothing else."""

import itertools
from datetime import timedelta

import pytest

from domain.decide import decide
from domain.history import Source
from domain.payment import Break
from domain.status import Status
from support.builders import MINUTE, NOW, a_payment, a_status_reply
from support.grid import Cell, cells, in_status

# Rows: what Midtrans replies. Columns: the payment before. Cells: the payment after; "." is unchanged.
GRID = """
                   created failure pending deny expire cancel settlement partial_refund refund partial_chargeback chargeback
pending            pending pending .       .    .      .      .          .              .      .                  .
deny               deny    deny    deny    .    .      .      .          .              .      .                  .
expire             expire  expire  expire  expire .    .      .          .              .      .                  .
cancel             cancel  cancel  cancel  cancel cancel .    .          .              .      .                  .
settlement         settlement settlement settlement settlement settlement settlement . .        .      .          .
partial_refund     partial_refund partial_refund partial_refund partial_refund partial_refund partial_refund partial_refund . . . .
refund             refund refund refund refund refund refund refund refund . . .
partial_chargeback partial_chargeback partial_chargeback partial_chargeback partial_chargeback partial_chargeback partial_chargeback partial_chargeback partial_chargeback partial_chargeback . .
chargeback         chargeback chargeback chargeback chargeback chargeback chargeback chargeback chargeback chargeback chargeback .
"""  # noqa: E501


@pytest.mark.parametrize("cell", cells(GRID), ids=str)
def test_a_reply_moves_a_payment_by_rank(cell: Cell) -> None:
    before = in_status(cell.before)
    expected = before.status if cell.after == "." else Status(cell.after)

    decision = decide(before, a_status_reply(transaction_status=cell.told))

    assert decision.payment.status is expected
    assert decision.doubts == ()
    assert decision.set_aside is None
    found = {found.reason for found in decision.payment.breaks}
    after_failure = (before.status, decision.payment.status) == (Status.FAILURE, Status.PENDING)
    assert found == ({"charge_after_failure"} if after_failure else set())


@pytest.mark.parametrize("cell", cells(GRID), ids=str)
def test_the_same_reply_again_changes_nothing(cell: Cell) -> None:
    reply = a_status_reply(transaction_status=cell.told, refund_amount=1_000)
    once = decide(in_status(cell.before), reply).payment

    again = decide(once, reply)

    assert again.payment == once
    assert again.entries == ()


@pytest.mark.parametrize("before", ["failure", "deny", "expire", "cancel"])
def test_money_after_an_unpaid_end_is_late(before: str) -> None:
    decision = decide(in_status(before), a_status_reply())

    assert decision.payment.status is Status.SETTLEMENT
    assert decision.payment.late
    assert decision.entries[-1].detail["late"] is True


@pytest.mark.parametrize("before", ["created", "pending"])
def test_money_for_an_open_payment_is_not_late(before: str) -> None:
    decision = decide(in_status(before), a_status_reply())

    assert decision.payment.status is Status.SETTLEMENT
    assert not decision.payment.late


def test_a_late_payment_stays_late_when_it_is_refunded() -> None:
    late = decide(in_status("expire"), a_status_reply()).payment

    refunded = decide(late, a_status_reply(transaction_status="refund")).payment

    assert refunded.status is Status.REFUND
    assert refunded.late


def test_a_payment_was_paid_when_midtrans_says_so() -> None:
    settled_at = NOW + timedelta(seconds=90)

    decision = decide(in_status("pending"), a_status_reply(settled_at=settled_at))

    assert decision.payment.paid_at == settled_at


def test_without_a_settlement_time_it_was_paid_when_we_heard_of_it() -> None:
    heard_at = NOW + timedelta(minutes=7)

    decision = decide(in_status("pending"), a_status_reply(received_at=heard_at))

    assert decision.payment.paid_at == heard_at


@pytest.mark.parametrize("later", ["settlement", "partial_refund", "refund", "chargeback"])
def test_when_it_was_paid_is_written_once(later: str) -> None:
    first = NOW + timedelta(seconds=90)
    paid = decide(in_status("pending"), a_status_reply(settled_at=first)).payment

    after = decide(paid, a_status_reply(transaction_status=later, settled_at=NOW + MINUTE * 60))

    assert after.payment.paid_at == first


def test_a_refund_that_is_the_first_news_of_money_was_paid_at_its_settlement_time() -> None:
    settled_at = NOW + timedelta(seconds=90)
    reply = a_status_reply(transaction_status="refund", settled_at=settled_at)

    assert decide(in_status("pending"), reply).payment.paid_at == settled_at


@pytest.mark.parametrize("told", ["pending", "expire"])
def test_news_without_money_says_nothing_about_when_an_adopted_payment_was_paid(told: str) -> None:
    adopted = a_payment(status=Status.SETTLEMENT, transaction_id="t-1", log_length=0)

    decision = decide(adopted, a_status_reply(transaction_status=told))

    assert decision.payment.paid_at is None


@pytest.mark.parametrize(
    ("status", "told", "counted"),
    [
        ("partial_refund", 4_000, 4_000),
        ("partial_refund", None, 0),
        ("refund", None, 10_000),
        ("refund", 10_000, 10_000),
        ("refund", 25_000, 10_000),
        ("partial_refund", 10_001, 10_000),
        ("chargeback", 2_000, 2_000),
        ("settlement", 4_000, 0),
        ("pending", 4_000, 0),
    ],
)
def test_refunds_are_counted_and_never_exceed_the_payment(
    status: str, told: int | None, counted: int
) -> None:
    reply = a_status_reply(transaction_status=status, refund_amount=told)

    assert decide(in_status("pending"), reply).payment.refunded_amount == counted


def test_the_sum_of_refunds_only_grows() -> None:
    more = a_status_reply(transaction_status="partial_refund", refund_amount=6_000)
    less = a_status_reply(transaction_status="partial_refund", refund_amount=4_000)

    payment = decide(decide(in_status("settlement"), more).payment, less).payment

    assert payment.refunded_amount == 6_000


def test_a_second_partial_refund_is_an_entry_although_the_status_stays() -> None:
    once = a_status_reply(transaction_status="partial_refund", refund_amount=4_000)
    twice = a_status_reply(transaction_status="partial_refund", refund_amount=6_000)
    before = decide(in_status("settlement"), once).payment

    decision = decide(before, twice)

    assert [entry.what for entry in decision.entries] == ["refunded"]
    assert decision.entries[0].detail == {"refunded_amount": 6_000}


def test_a_reply_gives_a_payment_its_transaction() -> None:
    decision = decide(in_status("created"), a_status_reply(transaction_id="t-7"))

    assert decision.payment.transaction_id == "t-7"
    assert decision.entries[0].source is Source.STATUS_REPLY


@pytest.mark.parametrize("words", ["SETTLEMENT", "Settlement", "settlement"])
def test_the_case_of_midtranss_words_does_not_matter(words: str) -> None:
    reply = a_status_reply(transaction_status=words, fraud_status="ACCEPT")

    assert decide(in_status("pending"), reply).payment.status is Status.SETTLEMENT


@pytest.mark.parametrize("first", ["t-1", "t-2"])
def test_of_two_settled_transactions_the_other_is_a_break_whatever_the_order(first: str) -> None:
    second = {"t-1": "t-2", "t-2": "t-1"}[first]
    once = decide(a_payment(), a_status_reply(transaction_id=first)).payment

    decision = decide(once, a_status_reply(transaction_id=second))

    assert decision.payment.transaction_id == "t-1"
    assert decision.payment.status is Status.SETTLEMENT
    assert decision.payment.breaks == (Break(reason="paid_twice", subject="t-2"),)
    assert [entry.what for entry in decision.entries] == ["break"]


def test_three_settled_transactions_are_two_breaks() -> None:
    payment = a_payment()

    for transaction_id in ("t-3", "t-1", "t-2"):
        payment = decide(payment, a_status_reply(transaction_id=transaction_id)).payment

    assert payment.transaction_id == "t-1"
    assert {found.subject for found in payment.breaks} == {"t-2", "t-3"}


@pytest.mark.parametrize(
    "order",
    list(
        itertools.permutations(
            [("t-1", "settlement"), ("t-2", "refund"), ("t-1", "refund"), ("t-2", "settlement")]
        )
    ),
    ids=str,
)
def test_whichever_transaction_stands_in_the_end_the_other_is_the_one_break(
    order: tuple[tuple[str, str], ...],
) -> None:
    payment = a_payment()

    for transaction_id, status in order:
        reply = a_status_reply(transaction_id=transaction_id, transaction_status=status)
        payment = decide(payment, reply).payment

    assert (payment.status, payment.transaction_id) == (Status.REFUND, "t-1")
    assert payment.breaks == (Break(reason="paid_twice", subject="t-2"),)


def test_a_second_transaction_that_was_never_paid_is_no_break() -> None:
    paid = decide(a_payment(), a_status_reply(transaction_id="t-1")).payment

    decision = decide(paid, a_status_reply(transaction_id="t-0", transaction_status="expire"))

    assert decision.payment == paid
    assert not decision.changed


def test_the_transaction_with_the_money_is_the_payments() -> None:
    expired = decide(a_payment(), a_status_reply(transaction_id="t-1", transaction_status="expire")).payment

    paid = decide(expired, a_status_reply(transaction_id="t-2")).payment

    assert (paid.status, paid.transaction_id, paid.breaks) == (Status.SETTLEMENT, "t-2", ())


@pytest.mark.parametrize("transaction_ids", [("t-1", "t-2"), ("t-2", "t-1")])
def test_of_two_pending_transactions_the_smaller_id_stands(transaction_ids: tuple[str, str]) -> None:
    payment = a_payment()

    for transaction_id in transaction_ids:
        reply = a_status_reply(transaction_id=transaction_id, transaction_status="pending")
        payment = decide(payment, reply).payment

    assert payment.transaction_id == "t-1"


@pytest.mark.parametrize(
    "transactions",
    [(("t-9", "pending"), ("t-1", "settlement")), (("t-1", "settlement"), ("t-9", "pending"))],
)
def test_an_adopted_paid_payment_takes_the_transaction_with_the_money_whatever_the_order(
    transactions: tuple[tuple[str, str], ...],
) -> None:
    payment = a_payment(status=Status.SETTLEMENT, paid_at=NOW, log_length=0)

    for transaction_id, status in transactions:
        reply = a_status_reply(transaction_id=transaction_id, transaction_status=status)
        payment = decide(payment, reply).payment

    assert payment.transaction_id == "t-1"
    assert payment.breaks == ()


@pytest.mark.parametrize(
    ("about", "found"),
    [
        (
            {"order_id": "order-2"},
            Break(reason="order_id", subject="order id order-2 instead of order-1"),
        ),
        (
            {"gross_amount": "9999.00"},
            Break(reason="amount", subject="amount 9999.00 instead of 10000"),
        ),
        (
            {"gross_amount": "10000.50"},
            Break(reason="amount", subject="amount 10000.50 instead of 10000"),
        ),
        ({"currency": "USD"}, Break(reason="currency", subject="currency USD instead of IDR")),
        (
            {"status_code": "201"},
            Break(
                reason="status", subject="status settlement does not go with code 201, fraud status accept"
            ),
        ),
        (
            {"fraud_status": "challenge"},
            Break(
                reason="status",
                subject="status settlement does not go with code 200, fraud status challenge",
            ),
        ),
        (
            {"transaction_status": "authorize", "fraud_status": None},
            Break(reason="status", subject="status authorize does not go with code 200"),
        ),
    ],
)
def test_a_reply_that_contradicts_the_row_is_a_break_and_moves_nothing(
    about: dict[str, str], found: Break
) -> None:
    before = in_status("pending")

    decision = decide(before, a_status_reply(**about))

    assert decision.payment.breaks == (found,)
    assert decision.payment.status is Status.PENDING
    assert decision.payment.paid_at is None
    assert [entry.what for entry in decision.entries] == ["break"]


def test_the_same_contradiction_is_one_break() -> None:
    reply = a_status_reply(gross_amount="9999.00")
    once = decide(in_status("pending"), reply).payment

    again = decide(once, reply)

    assert again.payment == once
    assert again.entries == ()


# The status codes of GET status, which are not those of notifications.
@pytest.mark.parametrize(
    ("status", "codes"),
    [
        ("pending", {"201"}),
        ("deny", {"200", "202"}),
        ("expire", {"407"}),
        ("cancel", {"200"}),
        ("settlement", {"200"}),
        ("partial_refund", {"200"}),
        ("refund", {"200"}),
        ("partial_chargeback", {"200"}),
        ("chargeback", {"200"}),
    ],
)
@pytest.mark.parametrize("code", ["200", "201", "202", "407", "404", "412", ""])
def test_a_reply_is_believed_only_with_its_own_code(status: str, codes: set[str], code: str) -> None:
    reply = a_status_reply(transaction_status=status, status_code=code)

    decision = decide(in_status("created"), reply)

    assert (decision.payment.status == status) == (code in codes)
    assert bool(decision.payment.breaks) == (code not in codes)


@pytest.mark.parametrize("status", ["failure", "created", "capture", "authorize", "unheard-of", ""])
@pytest.mark.parametrize("code", ["200", "201", "202", "407"])
def test_a_status_that_midtrans_does_not_have_for_these_payments_moves_nothing(
    status: str, code: str
) -> None:
    reply = a_status_reply(transaction_status=status, status_code=code)

    decision = decide(in_status("pending"), reply)

    assert decision.payment.status is Status.PENDING
    assert decision.payment.breaks[0].reason == "status"


@pytest.mark.parametrize("fraud", [None, "", "accept", "ACCEPT"])
def test_money_is_believed_without_a_fraud_verdict_or_with_an_accepting_one(
    fraud: str | None,
) -> None:
    decision = decide(in_status("pending"), a_status_reply(fraud_status=fraud))

    assert decision.payment.status is Status.SETTLEMENT


@pytest.mark.parametrize("fraud", ["deny", "challenge", "DENY", "unheard-of"])
@pytest.mark.parametrize(
    "status", ["settlement", "partial_refund", "refund", "partial_chargeback", "chargeback"]
)
def test_money_is_not_believed_against_the_fraud_verdict(fraud: str, status: str) -> None:
    reply = a_status_reply(transaction_status=status, fraud_status=fraud)

    decision = decide(in_status("pending"), reply)

    assert decision.payment.status is Status.PENDING
    assert decision.payment.paid_at is None


def test_a_denial_is_believed_whatever_the_fraud_verdict_is() -> None:
    reply = a_status_reply(transaction_status="deny", fraud_status="deny")

    assert decide(in_status("pending"), reply).payment.status is Status.DENY
