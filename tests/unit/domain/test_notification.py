"""A notification's body: what it says, and what may be shown of one that was kept."""

import json
from typing import Any

import pytest

from domain.errors import NotANotification
from domain.notification import NEEDED, read, readable, stored, without_signature
from support.builders import NOW, a_delivery

SIGNATURE = "d65b4adf15335095" * 8


def a_body(**changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(a_delivery().body)
    return body | changes


def test_a_body_says_what_the_domain_needs_and_its_signature() -> None:
    body = a_body(settlement_time="2026-02-06 10:00:40", currency="IDR", fraud_status="accept", odd=[1])

    said, signature_key = read(body, at=NOW)

    assert (said.order_id, said.transaction_id, said.transaction_status) == ("order-1", "t-1", "settlement")
    assert (said.status_code, said.gross_amount, said.currency) == ("200", "10000.00", "IDR")
    assert (said.received_at, said.previous_key) == (NOW, False)
    assert said.settled_at is not None
    assert said.settled_at.isoformat() == "2026-02-06T03:00:40+00:00"
    assert signature_key == body["signature_key"]


@pytest.mark.parametrize("value", [None, True, 1, 1.5, "text", [], [{}]])
def test_what_is_no_object_is_no_notification(value: object) -> None:
    with pytest.raises(NotANotification, match=r"^This is not a notification: it is not an object\.$"):
        read(value, at=NOW)


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize("value", [None, "", 200, ["x"], {}, "x" * 256])
def test_a_needed_field_that_is_no_text_of_its_size_is_named(name: str, value: object) -> None:
    with pytest.raises(NotANotification, match=name):
        read(a_body(**{name: value}), at=NOW)


@pytest.mark.parametrize(
    ("value", "kept"), [(None, None), (7, "7"), (["t-1"], "['t-1']"), ("t" * 99, "t" * 64), ("", "")]
)
def test_an_odd_optional_field_is_kept_as_text_so_that_it_differs(value: object, kept: str | None) -> None:
    assert read(a_body(transaction_id=value), at=NOW)[0].transaction_id == kept


@pytest.mark.parametrize(
    "body",
    [
        {"order_id": "order-1", "signature_key": SIGNATURE},
        {"order_id": "order-1", "Signature_Key": SIGNATURE},
        {"order_id": "order-1", "headers": [{"SIGNATURE_KEY": SIGNATURE}]},
        {"order_id": "order-1", "raw": json.dumps({"signature_key": SIGNATURE})},
        {"order_id": "order-1", "sha512": SIGNATURE.upper()},
        {"order_id": "order-1", f"x{SIGNATURE}": 1},
        json.dumps({"order_id": "order-1", "signature_key": SIGNATURE}),
        [f"order-1: expected {SIGNATURE}{SIGNATURE}, got {SIGNATURE}"],
    ],
)
def test_no_signature_is_shown_wherever_it_was_put(body: object) -> None:
    shown = json.dumps(readable(json.dumps(body)))

    assert SIGNATURE[:16] not in shown.lower()
    assert "order-1" in shown


def test_all_else_of_a_body_is_shown_as_it_is() -> None:
    body = {"a": [1, 2.5, None, True, {"b": "ü"}], "transaction_id": "e48447d1-cfa9-4b02-b163-2e915d4417ac"}

    assert readable(json.dumps(body)) == body


@pytest.mark.parametrize("body", ["1" * 5000, '{"a": [-' + "9" * 131_000 + "]}"])
def test_a_number_that_is_too_long_for_python_breaks_nothing(body: str) -> None:
    assert " digits)" in json.dumps(readable(body))
    stored(body)


@pytest.mark.parametrize("depth", [400, 900, 5000, 100_000])
def test_a_body_that_is_nested_too_deep_breaks_nothing(depth: int) -> None:
    body = "[" * depth + "]" * depth

    assert json.dumps(readable(body), indent=2)
    assert stored(body) is None or isinstance(stored(body), list)


@pytest.mark.parametrize("text", ["", "order-1", "a" * 127, "e48447d1-cfa9-4b02-b163-2e915d4417ac"])
def test_a_text_without_a_signature_stays_as_it_is(text: str) -> None:
    assert without_signature(text) == text
