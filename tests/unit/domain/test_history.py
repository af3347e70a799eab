import itertools
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import pytest

from domain.decide import decide
from domain.history import Entry, Source, seal
from domain.payment import Payment
from domain.status import Status
from support.builders import (
    MINUTE,
    NOW,
    a_charge_answer,
    a_notification,
    a_payment,
    a_status_reply,
    an_id,
    an_opened_payment,
)
from support.log import is_intact


def a_log() -> tuple[Payment, list[Entry]]:
    payment, entries = an_opened_payment()
    log = list(entries)
    for evidence in (
        a_charge_answer(),
        a_status_reply(),
        a_status_reply(transaction_status="refund"),
    ):
        decision = decide(payment, evidence)
        payment, log = decision.payment, log + list(decision.entries)
    return payment, log


def test_a_new_payments_log_opens_with_what_was_ordered() -> None:
    payment, entries = an_opened_payment()

    (entry,) = entries
    assert (entry.seq, entry.what, entry.source) == (1, "created", Source.SHOP)
    assert (entry.payment_id, entry.status, entry.recorded_at) == (payment.id, "created", NOW)
    assert entry.detail == {
        "order_id": "order-1",
        "gross_amount": 10_000,
        "payment_type": "gopay",
        "expires_at": "2026-02-06T03:15:00+00:00",
    }
    assert is_intact(entries, payment)


def test_an_adopted_payments_first_entry_is_sealed_as_ever() -> None:
    """Its digest is in logs that were written before."""
    adopted = a_payment(log_length=0, status=Status.PENDING, transaction_id="t-1")

    first, _ = decide(adopted, a_notification()).entries

    assert first.digest.hex() == "774b51c76a680b5eca7b0e5a60b94da60729219dba514fdc13dcc2f93a63e2c9"


@pytest.mark.parametrize("word", ["capture", "waiting", ""])
def test_an_adopted_payments_first_entry_has_a_word_that_is_none_of_ours(word: str) -> None:
    known = a_payment(log_length=0, status=Status.PENDING, transaction_id="t-1")
    adopted = replace(known, earlier_status=word)

    decision = decide(adopted, a_notification())
    first, second = decision.entries

    assert adopted == known
    assert (first.what, first.status, first.detail["earlier_status"]) == ("adopted", "pending", word)
    assert "earlier_status" not in second.detail
    assert is_intact(decision.entries, decision.payment)


def test_a_log_that_nobody_touched_is_intact() -> None:
    payment, log = a_log()

    assert [entry.what for entry in log] == ["created", "pending", "settlement", "refund"]
    assert is_intact(log, payment)


@pytest.mark.parametrize("position", range(4))
@pytest.mark.parametrize(
    "edit",
    [
        {"recorded_at": NOW + timedelta(microseconds=1)},
        {"what": "cancel"},
        {"source": Source.NOTIFICATION},
        {"status": Status.CHARGEBACK},
        {"detail": {}},
        {"detail": {"gross_amount": 1}},
        {"payment_id": an_id("other")},
        {"seq": 9},
        {"digest": b"\x00" * 32},
    ],
)
def test_an_edited_entry_breaks_the_chain(position: int, edit: dict[str, Any]) -> None:
    payment, log = a_log()
    edited = replace(log[position], **edit)
    assert edited != log[position], "the edit of this example changes nothing"

    log[position] = edited

    assert not is_intact(log, payment)


@pytest.mark.parametrize("position", range(4))
def test_a_removed_entry_breaks_the_chain(position: int) -> None:
    payment, log = a_log()

    del log[position]

    assert not is_intact(log, payment)


@pytest.mark.parametrize("position", range(5))
def test_an_inserted_entry_breaks_the_chain(position: int) -> None:
    payment, log = a_log()

    log.insert(position, log[1])

    assert not is_intact(log, payment)


def test_no_other_order_of_the_entries_is_intact() -> None:
    payment, log = a_log()

    intact = [order for order in itertools.permutations(log) if is_intact(order, payment)]

    assert intact == [tuple(log)]


def test_a_log_that_was_cut_and_sealed_anew_does_not_fit_the_payment() -> None:
    payment, log = a_log()
    _, forged = an_opened_payment(gross_amount=1)

    assert not is_intact(log[:3], payment)
    assert not is_intact(forged, payment)


def test_an_edit_with_its_own_digest_recomputed_breaks_the_next_one() -> None:
    payment, log = a_log()
    edited = replace(log[1], what="deny")

    log[1] = replace(edited, digest=seal(edited, log[0].digest))

    assert not is_intact(log, payment)


def test_the_same_instant_in_another_zone_has_the_same_seal() -> None:
    _, (entry, *_) = a_log()
    elsewhere = replace(entry, recorded_at=NOW.astimezone(timezone(timedelta(hours=7))))

    assert seal(elsewhere, b"") == seal(entry, b"")


def test_the_seal_does_not_depend_on_the_order_of_the_details() -> None:
    _, (entry, *_) = a_log()
    turned = replace(entry, detail=dict(reversed(list(entry.detail.items()))))

    assert list(turned.detail) != list(entry.detail)
    assert seal(turned, b"") == seal(entry, b"")


def test_an_adopted_payments_log_starts_with_its_state_as_found() -> None:
    adopted = a_payment(status=Status.SETTLEMENT, transaction_id="t-1", paid_at=NOW, log_length=0)

    decision = decide(adopted, a_status_reply(transaction_status="refund", received_at=NOW + MINUTE))

    first, second = decision.entries
    assert (first.seq, first.what, first.source) == (1, "adopted", Source.ADOPTION)
    assert (first.status, first.recorded_at) == (Status.SETTLEMENT, NOW + MINUTE)
    assert first.detail == {
        "order_id": "order-1",
        "gross_amount": 10_000,
        "payment_type": "gopay",
        "transaction_id": "t-1",
        "paid_at": NOW.isoformat(),
    }
    assert (second.seq, second.what, second.status) == (2, "refund", Status.REFUND)
    assert is_intact(decision.entries, decision.payment)


def test_an_adopted_payment_is_adopted_once() -> None:
    adopted = a_payment(status=Status.PENDING, transaction_id="t-1", log_length=0)
    first = decide(adopted, a_status_reply())

    second = decide(first.payment, a_status_reply(transaction_status="refund"))

    assert [entry.what for entry in second.entries] == ["refund"]
    assert is_intact(first.entries + second.entries, second.payment)


def test_news_that_arrives_out_of_time_does_not_turn_the_payments_clock_back() -> None:
    settled = decide(a_payment(), a_status_reply(received_at=NOW + MINUTE)).payment

    decision = decide(settled, a_charge_answer(received_at=NOW))

    assert decision.payment.updated_at == NOW + MINUTE
    assert decision.entries[0].recorded_at == NOW
