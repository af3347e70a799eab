import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain import history
from domain.chain import Chain, anchor, contradiction_in, fault_in, row_of
from domain.decide import decide
from domain.history import Entry, seal
from domain.status import Status
from support.builders import NOW, a_charge_answer, a_payment, a_status_reply


@pytest.fixture
def chain() -> Chain:
    """Created, charged, settled: three entries."""
    payment, entries = history.opened(a_payment(log_length=0, log_head=b""))
    for evidence in (a_charge_answer(), a_status_reply()):
        decision = decide(payment, evidence)
        payment, entries = decision.payment, entries + decision.entries
    return Chain(
        row=row_of(payment),
        payment_id=payment.id,
        length=payment.log_length,
        head=payment.log_head,
        entries=entries,
    )


def resealed(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """The entries with digests made anew, as somebody would who knows how."""
    head, done = b"", []
    for entry in entries:
        sealed = replace(entry, digest=seal(entry, head))
        done.append(sealed)
        head = sealed.digest
    return tuple(done)


def edited(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    return (entries[0], replace(entries[1], detail={"transaction_id": "t-other"}), *entries[2:])


def edited_and_resealed(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    return resealed(edited(entries))


def without_the_second(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    return (entries[0], *entries[2:])


def without_the_last(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    return entries[:-1]


def without_any(_entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    return ()


def with_one_more(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    return resealed((*entries, replace(entries[-1], seq=len(entries) + 1)))


def with_one_between(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    return (entries[0], entries[0], *entries[1:])


def swapped(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    return (entries[0], replace(entries[2], seq=2), replace(entries[1], seq=3))


def test_a_log_as_it_was_written_is_whole(chain: Chain) -> None:
    assert len(chain.entries) == 3
    assert (fault_in(chain), contradiction_in(chain)) == (None, None)


@pytest.mark.parametrize(
    ("touch", "told"),
    [
        (edited, "entry 2 .* is not as it was written"),
        (edited_and_resealed, "head is not the last entry's digest"),
        (without_the_second, "entry 2 is missing"),
        (without_the_last, "has 2 entries, the payment knows of 3"),
        (without_any, "has 0 entries, the payment knows of 3"),
        (with_one_more, "has 4 entries, the payment knows of 3"),
        (with_one_between, "entry 1 is there twice"),
        (swapped, "entry 2 .* is not as it was written"),
    ],
)
def test_whatever_is_done_to_a_log_is_found(
    chain: Chain, touch: Callable[[tuple[Entry, ...]], tuple[Entry, ...]], told: str
) -> None:
    fault = fault_in(replace(chain, entries=touch(chain.entries)))

    assert fault is not None
    assert re.search(told, fault)


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        ({"status": "refund"}, "status is refund, its log says settlement"),
        ({"gross_amount": 9_999}, "gross_amount is 9999, its log says 10000"),
        ({"refunded_amount": 1}, "refunded_amount is 1, its log says 0"),
        ({"paid_at": None}, "paid_at is nothing, its log says 2026-"),
        ({"paid_at": NOW - timedelta(microseconds=1)}, "paid_at is 2026-.*, its log says 2026-"),
        ({"late": True}, "late is True, its log says False"),
        ({"transaction_id": "t-other"}, "transaction_id is t-other, its log says"),
        ({"order_id": "order-2"}, "order_id is order-2, its log says order-1"),
        ({"payment_type": "qris"}, "payment_type is qris, its log says gopay"),
        ({"expires_at": NOW}, "expires_at is 2026-.*, its log says 2026-"),
    ],
    ids=str,
)
def test_a_row_that_says_something_else_than_its_log_is_found(
    chain: Chain, edit: dict[str, Any], told: str
) -> None:
    edited_row = replace(chain, row=replace(chain.row, **edit))
    found = contradiction_in(edited_row)

    assert fault_in(edited_row) is None
    assert found is not None
    assert re.search(told, found)


@pytest.mark.parametrize(
    "found",
    [
        {},
        {"status": Status.REFUND},
        {"status": Status.SETTLEMENT, "paid_at": NOW, "payment_type": ""},
        {"transaction_id": None},
        {"status": Status.SETTLEMENT, "earlier_status": "capture"},
    ],
    ids=str,
)
def test_an_adopted_row_is_compared_with_what_was_found_and_came_since(found: dict[str, Any]) -> None:
    """Its log begins with the state as it was found, which says nothing of the expiry."""
    payment = a_payment(**{"log_length": 0, "status": Status.PENDING, "transaction_id": "t-1"} | found)
    decision = decide(payment, a_status_reply(transaction_status="partial_refund", refund_amount=4_000))
    after, entries = decision.payment, decision.entries
    chain = Chain(
        row=replace(row_of(after), expires_at=None),
        payment_id=after.id,
        length=after.log_length,
        head=after.log_head,
        entries=entries,
    )

    assert entries[0].what == "adopted"
    assert (fault_in(chain), contradiction_in(chain)) == (None, None)
    assert contradiction_in(replace(chain, row=replace(chain.row, refunded_amount=17))) is not None


def test_a_log_that_was_cut_together_with_its_payments_row_shows_in_the_anchor(chain: Chain) -> None:
    row = replace(chain.row, status="pending", paid_at=None)
    cut = replace(chain, row=row, entries=chain.entries[:-1], length=2, head=chain.entries[1].digest)

    assert fault_in(cut) is None
    assert anchor(b"", cut) != anchor(b"", chain)


def test_the_anchor_tells_the_order_and_the_number_of_logs(chain: Chain) -> None:
    other = replace(chain, head=b"x" * 32)

    assert anchor(anchor(b"", chain), other) != anchor(anchor(b"", other), chain)
    assert anchor(anchor(b"", chain), chain) != anchor(b"", chain)
