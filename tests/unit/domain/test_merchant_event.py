"""What the shop is told of a payment's changes."""

import json
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.decide import decide
from domain.evidence import ChargeRefused, Evidence
from domain.merchant_event import PAID_TWICE, MerchantEvent, news
from domain.payment import Payment
from domain.status import Status
from support.builders import (
    MINUTE,
    NOW,
    a_charge_answer,
    a_notification,
    a_payment,
    a_refund_accepted,
    a_status_reply,
    an_opened_payment,
)


def after(payment: Payment, *evidence: Evidence) -> tuple[Payment, tuple[MerchantEvent, ...]]:
    """The payment and the news once all of it is stored in one change."""
    entries: tuple[Any, ...] = ()
    for piece in evidence:
        decision = decide(payment, piece)
        payment, entries = decision.payment, entries + decision.entries
    return payment, news(payment, entries)


def types(events: tuple[MerchantEvent, ...]) -> list[str]:
    return [event.type for event in events]


def said(event: MerchantEvent) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(event.body)
    return body


def pending(**changes: Any) -> Payment:
    return a_payment(status=Status.PENDING, transaction_id="t-1", **changes)


def test_that_a_payment_was_created_is_no_news() -> None:
    assert news(*an_opened_payment()) == ()


def test_a_second_payment_is_told_once_and_not_again_when_it_was_given_back() -> None:
    payment, _ = after(pending(), a_notification())
    payment, twice = after(payment, a_status_reply(transaction_id="t-2"))

    payment, refunded = after(payment, a_refund_accepted(total=10_000, transaction_id="t-2"))
    _, repeated = after(payment, a_status_reply(transaction_id="t-1"))

    assert types(twice) == [PAID_TWICE]
    assert types(refunded) == ["payment.refund"]
    assert types(repeated) == []


def test_each_change_of_the_status_is_news() -> None:
    payment, charged = after(a_payment(), a_charge_answer())
    payment, paid = after(payment, a_notification())
    _, refunded = after(payment, a_status_reply(transaction_status="refund", refund_amount=10_000))

    assert types(charged) == ["payment.pending"]
    assert types(paid) == ["payment.settlement"]
    assert types(refunded) == ["payment.refund"]


def test_a_refused_charge_is_news() -> None:
    refused = ChargeRefused(code="402", message="not activated", received_at=NOW)

    assert types(after(a_payment(), refused)[1]) == ["payment.failure"]


def test_each_growth_of_what_was_given_back_is_news_under_the_status() -> None:
    payment = pending()
    seen = []
    for amount in (1_000, 1_000, 2_500):
        reply = a_status_reply(transaction_status="partial_refund", refund_amount=amount)
        payment, events = after(payment, reply)
        seen += [(event.type, said(event)["data"]["refunded_amount"]) for event in events]

    assert seen == [("payment.partial_refund", 1_000), ("payment.partial_refund", 2_500)]


def test_a_second_payment_of_one_order_is_news_and_says_what_to_refund() -> None:
    payment, _ = after(pending(), a_status_reply())

    _, events = after(payment, a_status_reply(transaction_id="t-2"))

    assert types(events) == [PAID_TWICE]
    data = said(events[0])["data"]
    assert (data["status"], data["transaction_id"]) == ("settlement", "t-1")
    assert data["second_transaction_id"] == "t-2"


def test_another_break_is_a_matter_for_the_operator() -> None:
    assert after(pending(), a_status_reply(gross_amount="1.00"))[1] == ()


def test_what_changes_nothing_that_a_shop_sees_is_no_news() -> None:
    payment = a_payment(status=Status.PENDING)

    assert types(after(payment, a_status_reply(transaction_status="pending"))[1]) == []


def test_of_an_adopted_payment_only_the_change_is_news() -> None:
    adopted = pending(log_length=0)

    assert types(after(adopted, a_status_reply())[1]) == ["payment.settlement"]


def test_the_body_is_the_payment_as_it_is_stored_and_nothing_to_pay_with() -> None:
    payment, (event,) = after(pending(metadata={"cart": "42", "note": "café ☕"}), a_notification())

    assert said(event) == {
        "type": "payment.settlement",
        "timestamp": "2026-02-06T03:01:00Z",
        "data": {
            "order_id": "order-1",
            "status": "settlement",
            "late": False,
            "gross_amount": 10_000,
            "refunded_amount": 0,
            "currency": "IDR",
            "payment_type": "gopay",
            "transaction_id": "t-1",
            "metadata": {"cart": "42", "note": "café ☕"},
            "created_at": "2026-02-06T03:00:00Z",
            "updated_at": "2026-02-06T03:01:00Z",
            "expires_at": "2026-02-06T03:15:00Z",
            "paid_at": "2026-02-06T03:01:00Z",
        },
    }
    assert event.payment_id == payment.id
    assert event.seq == payment.log_length
    assert event.body.isascii()


def test_times_are_written_in_utc_with_their_fraction() -> None:
    jakarta = timezone(timedelta(hours=7))
    at = (NOW + timedelta(microseconds=123456)).astimezone(jakarta)

    _, (event,) = after(pending(), a_notification(received_at=at))

    assert said(event)["timestamp"] == "2026-02-06T03:00:00.123456Z"


def test_an_event_is_the_same_to_the_byte_however_often_it_is_made() -> None:
    first, again = (after(pending(), a_notification())[1] for _ in range(2))

    assert first == again
    assert first[0].body == again[0].body


def test_every_event_has_an_id_of_its_own() -> None:
    payment, paid = after(pending(), a_notification())
    twice = a_status_reply(transaction_id="t-2", transaction_status="refund", refund_amount=10_000)
    _, both = after(payment, twice)
    _, other = after(pending(order_id="order-2"), a_notification(order_id="order-2"))

    ids = {event.id for event in (*paid, *both, *other)}
    assert types(both) == ["payment.refund", PAID_TWICE]
    assert len(ids) == 4


def test_of_two_changes_stored_at_once_the_earlier_tells_no_more_than_its_own() -> None:
    _, events = after(a_payment(), a_charge_answer(), a_status_reply(received_at=NOW + 2 * MINUTE))

    first, second = (said(event)["data"] for event in events)
    assert types(events) == ["payment.pending", "payment.settlement"]
    assert (first["status"], first["paid_at"]) == ("pending", None)
    assert (second["status"], second["paid_at"]) == ("settlement", "2026-02-06T03:02:00Z")


def test_a_late_payment_is_told_as_such() -> None:
    payment, _ = after(pending(), a_status_reply(transaction_status="expire"))

    _, (event,) = after(payment, a_status_reply())

    assert said(event)["data"]["late"] is True


EVIDENCE = st.one_of(
    st.sampled_from(
        ["pending", "deny", "expire", "cancel", "settlement", "partial_refund", "refund"]
    ).flatmap(
        lambda status: st.builds(
            lambda transaction, amount: a_status_reply(
                transaction_status=status, transaction_id=transaction, refund_amount=amount
            ),
            st.sampled_from(["t-1", "t-2"]),
            st.sampled_from([None, 1, 5_000, 10_000]),
        )
    ),
    st.just(a_charge_answer()),
    st.just(ChargeRefused(code="402", message="no", received_at=NOW)),
)


@given(st.lists(EVIDENCE, max_size=6))
def test_whatever_happens_the_last_news_is_how_the_payment_stands(evidence: list[Evidence]) -> None:
    """What decides and what tells are two files: a change that only one of them knows would be silent."""
    payment = a_payment()
    told = (payment.status, payment.refunded_amount)
    twice = 0
    for piece in evidence:
        before = payment
        decision = decide(payment, piece)
        payment = decision.payment
        events = news(payment, decision.entries)
        moved = (payment.status, payment.refunded_amount) != (before.status, before.refunded_amount)
        assert bool([event for event in events if event.type != PAID_TWICE]) == moved
        for event in events:
            data = said(event)["data"]
            told = (Status(data["status"]), data["refunded_amount"])
            assert event.type in {f"payment.{payment.status}", PAID_TWICE}
            twice += event.type == PAID_TWICE
    assert told == (payment.status, payment.refunded_amount)
    assert bool(twice) == any(found.reason == "paid_twice" for found in payment.breaks)


def test_nothing_of_a_payment_is_told_that_its_reader_is_not_shown() -> None:
    payment = replace(
        pending(), charge_answer='{"qr_string": "the-qr", "actions": []}', callback_url="app://x"
    )

    _, (event,) = after(payment, a_notification())

    assert "the-qr" not in event.body
    assert "app://x" not in event.body
    assert event.body not in repr(event)
