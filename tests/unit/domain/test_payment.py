import json
from datetime import timedelta
from typing import Any

import pytest

from domain.access import ANY_PAYMENT, Caller, seen_by
from domain.errors import PaymentNotFound
from domain.payment import expiry_of, read_answer
from domain.status import Status
from support.builders import NOW, a_payment
from support.recorded import QR_STRING, gopay_charge, qris_charge


def test_a_payment_offers_what_the_answer_to_its_charge_told() -> None:
    payment = a_payment(charge_answer=json.dumps(gopay_charge()))

    assert [action.name for action in payment.actions] == ["qr-code", "deeplink-redirect"]
    assert payment.qr_string is None


def test_a_qris_payment_has_the_text_of_its_qr() -> None:
    payment = a_payment(charge_answer=json.dumps(qris_charge()))

    assert [action.name for action in payment.actions] == ["qr-code"]
    assert payment.qr_string == QR_STRING


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "null",
        "[]",
        '"text"',
        "17",
        "{}",
        '{"actions": null, "qr_string": null}',
        '{"actions": {}, "qr_string": 17}',
        '{"actions": "generate-qr-code", "qr_string": ""}',
        '{"actions": [null, 1, "x"], "qr_string": ["0002"]}',
    ],
)
def test_an_answer_of_another_shape_offers_nothing(answer: str | None) -> None:
    payment = a_payment(charge_answer=answer)

    assert payment.actions == ()
    assert payment.qr_string is None
    assert isinstance(read_answer(answer), dict)


@pytest.mark.parametrize(
    ("answer", "life"),
    [
        ({"expiry_time": "2026-02-06 10:20:00"}, timedelta(minutes=20)),
        ({"expire_time": "2026-02-06 10:25:00"}, timedelta(minutes=25)),
        ({"expiry_time": "soon"}, timedelta(minutes=15)),
        ({"expiry_time": 17}, timedelta(minutes=15)),
        ({}, timedelta(minutes=15)),
    ],
)
def test_a_row_without_an_end_takes_it_from_the_answer_to_its_charge(
    answer: dict[str, Any], life: timedelta
) -> None:
    assert expiry_of(answer, NOW) == NOW + life


def test_the_owner_sees_a_payment() -> None:
    payment = a_payment(user_id=7)

    assert seen_by(Caller(user_id=7), payment, "order-1") is payment


def test_the_scope_for_any_payment_sees_everybodys() -> None:
    payment = a_payment(user_id=7)
    caller = Caller(user_id=8, scopes=frozenset({ANY_PAYMENT}))

    assert seen_by(caller, payment, "order-1") is payment


@pytest.mark.parametrize("scopes", [set(), {"payments"}, {"payments:any2"}, {"payments:refund"}])
def test_anothers_payment_is_answered_exactly_like_an_absent_one(scopes: set[str]) -> None:
    caller = Caller(user_id=8, scopes=frozenset(scopes))

    with pytest.raises(PaymentNotFound) as foreign:
        seen_by(caller, a_payment(user_id=7), "order-1")
    with pytest.raises(PaymentNotFound) as absent:
        seen_by(caller, None, "order-1")

    assert str(foreign.value) == str(absent.value)
    assert foreign.value.code == absent.value.code == "payment-not-found"


def test_the_life_cycle_ranks_every_status_as_the_contract_says() -> None:
    assert [str(status) for status in sorted(Status, key=lambda status: status.rank)] == [
        "created",
        "failure",
        "pending",
        "deny",
        "expire",
        "cancel",
        "settlement",
        "partial_refund",
        "refund",
        "partial_chargeback",
        "chargeback",
    ]


@pytest.mark.parametrize("status", list(Status))
def test_every_status_is_open_paid_or_an_unpaid_end_and_only_one_of_them(status: Status) -> None:
    assert [status.is_open, status.is_paid, status.is_unpaid_end].count(True) == 1


def test_only_created_and_pending_are_open() -> None:
    assert {status for status in Status if status.is_open} == {Status.CREATED, Status.PENDING}


def test_failure_deny_expire_and_cancel_are_the_unpaid_ends() -> None:
    assert {str(status) for status in Status if status.is_unpaid_end} == {
        "failure",
        "deny",
        "expire",
        "cancel",
    }
