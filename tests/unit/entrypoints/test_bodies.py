"""What is taken for a body at all, and how strictly it is read."""

import json
from typing import Any, Final

import httpx
import pytest

from domain.status import Status
from support.builders import NOW
from support.service import CREATE, bearer
from unit.entrypoints.harness import JSON, Service, a_service, problem_of, wrong_fields

LARGEST: Final = 64 * 1024
MALFORMED: Final = (400, "malformed-json")


@pytest.fixture
def service() -> Service:
    """A service whose next charge is taken."""
    service = a_service()
    service.charges_are_taken()
    return service


@pytest.mark.parametrize("value", ['"1000"', "1.0", "1000.0", "1e3", "true", "false", "[1000]", '{"a":1}'])
@pytest.mark.parametrize("field", ["gross_amount", "expiry_minutes"])
async def test_only_a_json_integer_is_a_number(service: Service, field: str, value: str) -> None:
    answer = await service.create_raw(f'{{"{field}": {value}}}'.encode())

    assert problem_of(answer) == (400, "invalid-body")
    assert wrong_fields(answer) == {field}
    assert service.gateway.charges == []


@pytest.mark.parametrize("field", ["order_id", "callback_url", "payment_type"])
@pytest.mark.parametrize("value", [1, True, 1.5, ["a"], {"a": "b"}])
async def test_only_a_json_string_is_a_text(service: Service, field: str, value: object) -> None:
    assert wrong_fields(await service.create({field: value})) == {field}


@pytest.mark.parametrize("payment_type", ["card", "GOPAY", "gopay ", "", "shopeepay"])
async def test_another_payment_type_is_refused(service: Service, payment_type: str) -> None:
    assert wrong_fields(await service.create({"payment_type": payment_type})) == {"payment_type"}


@pytest.mark.parametrize("value", [1, None, ["a"], {"b": "c"}, True])
async def test_metadata_holds_texts_alone(service: Service, value: object) -> None:
    assert wrong_fields(await service.create({"metadata": {"a": value}})) == {"metadata"}


@pytest.mark.parametrize(
    ("fields", "unknown"),
    [
        ({"amount": 1}, "amount"),
        ({"Gross_Amount": 1}, "Gross_Amount"),
        ({"status": "settlement"}, "status"),
        ({"customer": {"name": "Siti"}}, "customer.name"),
        ({"items": [{"name": "x", "price": 1, "quantity": 1, "sku": "y"}]}, "items[0].sku"),
        ({"": 1}, ""),
    ],
)
async def test_an_unknown_field_is_refused(service: Service, fields: dict[str, object], unknown: str) -> None:
    answer = await service.create(fields)

    assert wrong_fields(answer) == {unknown}
    assert answer.json()["errors"][0]["detail"] == "is not a known field"


async def test_every_bad_field_is_named_at_once(service: Service) -> None:
    answer = await service.create(
        {
            "gross_amount": "1000",
            "payment_type": "card",
            "order_id": "byr-mine",
            "callback_url": "javascript:alert(1)",
            "expiry_minutes": 0,
            "customer": {"email": 1, "name": "Siti"},
            "items": [
                {"name": "Kopi", "price": 1, "quantity": 1},
                {"name": "", "price": "1", "quantity": 0},
                7,
            ],
            "metadata": {"a": "x" * 5000},
            "colour": "red",
        }
    )

    assert wrong_fields(answer) == {
        "gross_amount", "payment_type", "order_id", "callback_url", "expiry_minutes", "customer.email",
        "customer.name", "items[1].name", "items[1].price", "items[1].quantity", "items[2]", "metadata",
        "colour",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"gross_amount": "1"}, "#/gross_amount"),
        ({"customer": {"email": 1}}, "#/customer/email"),
        ({"items": [{"name": "x", "price": 1, "quantity": 0}]}, "#/items/0/quantity"),
        ({"a/b~c.d[0]": 1}, "#/a~1b~0c.d[0]"),
        ({"order_id": "byr-1"}, "#/order_id"),
        ([], "#"),
    ],
)
async def test_a_bad_field_is_pointed_to(service: Service, fields: Any, pointer: str) -> None:
    answer = await service.create(fields) if fields else await service.create_raw(b"[]")

    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"1", b"true", b"null", b"[{}]"])
async def test_a_body_that_is_no_object_is_refused(service: Service, body: bytes) -> None:
    answer = await service.create_raw(body)

    assert problem_of(answer) == (400, "invalid-body")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"{}{}",
        b"{} x",
        b"{'order_id': 'a'}",
        b'{"order_id": "a",}',
        b'{order_id: "a"}',
        b'{"gross_amount": 01}',
        b'{"gross_amount": +1}',
        b'{"gross_amount": 1_000}',
        b'{"gross_amount": 0x10}',
        b'{"gross_amount": NaN}',
        b'{"gross_amount": Infinity}',
        b'{"order_id": "a\x01b"}',
        b'{"order_id": "a\tb"}',
        b"{} // a comment",
        b"order_id=a",
    ],
)
async def test_a_body_that_is_no_json_is_refused(service: Service, body: bytes) -> None:
    assert problem_of(await service.create_raw(body)) == MALFORMED
    assert service.gateway.charges == []


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf{}",
        "{}".encode("utf-16"),
        '{"metadata": {"a": "\u00e9"}}'.encode("latin-1"),
        b'{"metadata": {"a": "\xc0\xaf"}}',
        b'{"metadata": {"a": "\xed\xa0\x80"}}',
        b'{"metadata": {"a": "\xf4\x90\x80\x80"}}',
    ],
)
async def test_a_body_that_is_no_plain_utf_8_is_refused(service: Service, body: bytes) -> None:
    assert problem_of(await service.create_raw(body)) == MALFORMED


@pytest.mark.parametrize(
    "body",
    [
        rb'{"order_id": "a\u0000"}',
        rb'{"callback_url": "https://shop.example/\u0000"}',
        rb'{"payment_type": "gopay\u0000"}',
        rb'{"metadata": {"a": "\u0000"}}',
        rb'{"metadata": {"a\u0000": "b"}}',
        rb'{"customer": {"email": "\u0000"}}',
        rb'{"items": [{"name": "\u0000", "price": 1, "quantity": 1}]}',
        rb'{"unknown": ["\u0000"]}',
        rb'{"\u0000": 1}',
    ],
)
async def test_a_null_character_in_any_text_or_name_is_refused(service: Service, body: bytes) -> None:
    answer = await service.create_raw(body)

    assert problem_of(answer) == MALFORMED
    assert service.begin.state.payments == {}


@pytest.mark.parametrize(
    "text", [r"\ud800", r"\udc00", r"\ud800 and more", r"\ud800\u0041", r"\udc00\ud800", r"\ud83d\ud83d"]
)
@pytest.mark.parametrize("body", ['{"metadata": {"a": "%s"}}', '{"metadata": {"%s": "a"}}', '{"%s": 1}'])
async def test_half_a_character_is_refused(service: Service, body: str, text: str) -> None:
    assert problem_of(await service.create_raw((body % text).encode())) == MALFORMED


async def test_a_whole_character_in_two_escapes_is_taken(service: Service) -> None:
    answer = await service.create_raw(rb'{"metadata": {"a": "\ud83d\ude00"}}')

    assert answer.json()["metadata"] == {"a": "\U0001f600"}


async def test_of_a_name_given_twice_the_last_one_counts(service: Service) -> None:
    answer = await service.create_raw(b'{"gross_amount": 1, "gross_amount": 2000}')

    assert answer.json()["gross_amount"] == 2000
    assert [charge.order.gross_amount for charge in service.gateway.charges] == [2000]


def nested(levels: int) -> bytes:
    """An object whose one unknown field makes it so many levels deep."""
    return b'{"x":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


@pytest.mark.parametrize(("levels", "code"), [(32, "invalid-body"), (33, "malformed-json")])
async def test_32_levels_are_read_and_33_are_not(service: Service, levels: int, code: str) -> None:
    assert problem_of(await service.create_raw(nested(levels))) == (400, code)


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
async def test_levels_without_end_are_refused(service: Service, opening: bytes) -> None:
    assert problem_of(await service.create_raw(opening * 10_000)) == MALFORMED


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("9" * 40, "invalid-body"),
        ("9" * 41, "malformed-json"),
        ("-" + "9" * 40, "invalid-body"),
        ("-" + "9" * 41, "malformed-json"),
        ("9" * 5000, "malformed-json"),
        ("1e39", "invalid-body"),
        ("1e40", "malformed-json"),
        ("1e-39", "invalid-body"),
        ("1e-40", "malformed-json"),
        ("0." + "1" * 39, "invalid-body"),
        ("0." + "1" * 40, "malformed-json"),
        ("1e300", "malformed-json"),
        ("1e-300", "malformed-json"),
        ("1e131000", "malformed-json"),
        ("-1E+131000", "malformed-json"),
        ("1e99999999999999999999", "malformed-json"),
        ("1e-99999999999999999999", "malformed-json"),
        ("0e99999999999999999999", "malformed-json"),
    ],
)
async def test_a_number_has_40_digits_written_out_at_most(service: Service, number: str, code: str) -> None:
    assert problem_of(await service.create_raw(f'{{"x": {number}}}'.encode())) == (400, code)


async def test_a_storage_bomb_of_numbers_is_refused(service: Service) -> None:
    body = b'{"metadata": {}, "x": [' + b",".join([b"1e131000"] * 1_600) + b"]}"

    assert len(body) < 15_000
    assert problem_of(await service.create_raw(body)) == MALFORMED


@pytest.mark.parametrize(("length", "status"), [(LARGEST, 201), (LARGEST + 1, 413)])
async def test_a_body_has_64_kb_at_most(service: Service, length: int, status: int) -> None:
    answer = await service.create_raw(b"{}".ljust(length))

    assert answer.status_code == status


async def test_a_body_over_64_kb_is_told_to_be_so(service: Service) -> None:
    answer = await service.create_raw(b"{}".ljust(10_000_000))

    assert problem_of(answer) == (413, "body-too-large")


async def test_a_body_that_never_ends_is_cut_off(service: Service) -> None:
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        while sent < 100_000_000:
            sent += 1_000_000
            yield b" " * 1_000_000

    answer = await service.client.post(
        CREATE, content=endless(), headers=bearer() | {"Content-Type": "application/json"}
    )

    assert problem_of(answer) == (413, "body-too-large")
    assert sent < 20_000_000


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json-patch+json",
        "application/vnd.api+json",
        "text/json",
        "json",
        "application/jsonp",
    ],
)
async def test_a_body_that_does_not_say_it_is_json_is_refused(service: Service, content_type: str) -> None:
    answer = await service.create_raw(b"{}", **{"Content-Type": content_type})

    assert problem_of(answer) == (415, "unsupported-media-type")
    assert service.gateway.charges == []


async def test_a_body_without_a_content_type_is_refused(service: Service) -> None:
    answer = await service.client.post(CREATE, content=b"{}", headers=bearer())

    assert problem_of(answer) == (415, "unsupported-media-type")


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON", "application/json; charset=utf-8", "application/json ;x=y"],
)
async def test_json_may_be_said_in_any_form(service: Service, content_type: str) -> None:
    assert (await service.create_raw(b"{}", **{"Content-Type": content_type})).status_code == 201


async def test_the_token_is_looked_at_before_the_body(service: Service) -> None:
    answer: httpx.Response = await service.client.post(
        CREATE, content=json.dumps({"x": 1}), headers={"Content-Type": "text/plain"}
    )

    assert problem_of(answer) == (401, "unauthenticated")


async def test_a_body_that_got_lost_is_refused_and_refunds_nothing(service: Service) -> None:
    await service.given(status=Status.SETTLEMENT, paid_at=NOW)
    headers = bearer(scope="payments:refund") | JSON | {"Idempotency-Key": "one"}

    lost = await service.client.post("/api/payments/order-1/refunds", content=b"", headers=headers)

    # Without an amount all that is left would go back: nobody says "json" and means that by nothing at all.
    assert problem_of(lost) == MALFORMED
    assert service.gateway.refunds == []
