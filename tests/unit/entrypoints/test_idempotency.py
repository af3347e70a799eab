"""The Idempotency-Key over HTTP: what counts as the same call, and what a repeat is answered."""

from typing import Final

import httpx
import pytest

from domain.evidence import ChargeRefused
from domain.ports.gateway import Charge, ChargeOutcome, NotTaken, Unanswered
from support import builders
from support.builders import NOW
from unit.entrypoints.harness import JSON, OTHER_USER, Service, a_service, keyed, problem_of, wrong_fields

REPLAYED: Final = "idempotent-replayed"
REFUSED: Final = ChargeRefused(code="402", message="Payment channel is not activated.", received_at=NOW)


async def test_a_repeat_is_answered_like_the_first_and_says_so(service: Service) -> None:
    service.charges_are_taken()

    first = await service.create({"gross_amount": 5_000}, headers=keyed("one"))
    again = await service.create({"gross_amount": 5_000}, headers=keyed("one"))

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert REPLAYED not in first.headers
    assert again.headers[REPLAYED] == "true"
    assert len(service.gateway.charges) == 1


async def test_without_a_key_nothing_is_replayed(service: Service) -> None:
    service.charges_are_taken(2)

    answers = [await service.create() for _ in range(2)]

    assert answers[0].json()["order_id"] != answers[1].json()["order_id"]
    assert all(REPLAYED not in answer.headers for answer in answers)


async def test_quoted_and_bare_are_one_key(service: Service) -> None:
    service.charges_are_taken()

    first = await service.create(headers=keyed('"abc"'))
    again = await service.create(headers=keyed("abc"))

    assert again.json() == first.json()
    assert again.headers[REPLAYED] == "true"


async def test_spaces_the_fields_order_and_nulls_do_not_make_another_call(service: Service) -> None:
    service.charges_are_taken()
    customer = b'"customer":{"first_name":"Siti","phone":"08"}'
    turned = b'"customer": {"phone": "08", "first_name": "Siti"}'
    bodies = [
        b'{"gross_amount":5000,"metadata":{"a":"1","b":"2"},%s}' % customer,
        b'{ "metadata": {"b": "2", "a": "1"},\n %s, "gross_amount": 5000, "order_id": null }' % turned,
        b'{"gross_amount":5000,"metadata":{"\\u0061":"1","b":"2"},%s}' % customer,
    ]

    answers = [await service.create_raw(body, **{"Idempotency-Key": "one"}) for body in bodies]

    assert [answer.headers.get(REPLAYED) for answer in answers] == [None, "true", "true"]


async def test_no_body_and_an_empty_object_are_the_same_call(service: Service) -> None:
    service.charges_are_taken()
    first = await service.client.post("/api/payments/gopayqris/create", headers=keyed("one"))

    again = await service.create({}, headers=keyed("one"))

    assert (first.status_code, again.headers[REPLAYED]) == (201, "true")


@pytest.mark.parametrize(
    "other",
    [
        {"gross_amount": 5_001},
        {"gross_amount": 5_000, "order_id": "order-1"},
        {"gross_amount": 5_000, "metadata": {"a": "1"}},
        {},
    ],
)
async def test_other_values_are_refused(service: Service, other: dict[str, object]) -> None:
    service.charges_are_taken()
    await service.create({"gross_amount": 5_000}, headers=keyed("one"))

    answer = await service.create(other, headers=keyed("one"))

    assert problem_of(answer) == (422, "idempotency-key-reused")
    assert REPLAYED not in answer.headers
    assert len(service.gateway.charges) == 1


async def test_the_order_of_items_counts(service: Service) -> None:
    service.charges_are_taken()
    items = [{"name": name, "price": 500, "quantity": 1} for name in ("tea", "rice")]
    await service.create({"items": items}, headers=keyed("one"))

    answer = await service.create({"items": items[::-1]}, headers=keyed("one"))

    assert problem_of(answer) == (422, "idempotency-key-reused")


async def test_a_repeat_while_the_first_runs_is_told_when_to_come_back(service: Service) -> None:
    repeats: list[httpx.Response] = []

    async def repeat(_charge: Charge, _within: float) -> ChargeOutcome:
        repeats.append(await service.create(headers=keyed("one")))
        return builders.a_charge_answer()

    service.gateway.answers_charges_with(repeat)
    first = await service.create(headers=keyed("one"))

    assert first.status_code == 201
    assert problem_of(repeats[0]) == (409, "in-progress")
    assert 1 <= int(repeats[0].headers["retry-after"]) <= 30


@pytest.mark.parametrize("key", ["", '""', "x" * 256, f'"{"x" * 256}"', '"open'])
async def test_a_bad_key_is_refused_and_named(service: Service, key: str) -> None:
    answer = await service.create(headers=keyed(key))

    assert problem_of(answer) == (400, "invalid-body")
    assert wrong_fields(answer) == {"Idempotency-Key"}
    assert service.gateway.charges == []


async def test_a_key_that_is_no_ascii_is_refused(service: Service) -> None:
    headers = [(b"idempotency-key", "café".encode()), (b"authorization", keyed("")["Authorization"].encode())]

    answer = await service.client.post("/api/payments/gopayqris/create", headers=headers)

    assert problem_of(answer) == (400, "invalid-body")


async def test_the_longest_key_is_taken(service: Service) -> None:
    service.charges_are_taken()
    await service.create(headers=keyed("x" * 255))

    again = await service.create(headers=keyed("x" * 255))

    assert again.headers[REPLAYED] == "true"


async def test_a_refusal_is_replayed_as_the_same_problem(service: Service) -> None:
    service.gateway.answers_charges_with(REFUSED)

    first = await service.create(headers=keyed("one"))
    again = await service.create(headers=keyed("one"))

    assert problem_of(first) == problem_of(again) == (502, "gateway-refused")
    assert again.json() == first.json()
    assert again.json()["gateway_code"] == "402"
    assert (REPLAYED in first.headers, again.headers[REPLAYED]) == (False, "true")
    assert len(service.gateway.charges) == 1


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        ([NotTaken(reason="ConnectError")] * 2, (503, "gateway-unavailable")),
        ([Unanswered(reason="ReadError")] * 7, (504, "outcome-unknown")),
    ],
)
async def test_after_a_503_and_a_504_the_repeat_goes_on_with_the_same_payment(
    service: Service, trouble: list[ChargeOutcome], told: tuple[int, str]
) -> None:
    service.gateway.answers_charges_with(*trouble)
    first = await service.create(headers=keyed("one"))
    service.charges_are_taken()

    again = await service.create(headers=keyed("one"))

    assert problem_of(first) == told
    assert (again.status_code, again.json()["status"]) == (201, "pending")
    assert REPLAYED not in again.headers
    assert {charge.key for charge in service.gateway.charges} == {
        str(service.stored(again.json()["order_id"]).id)
    }


async def test_the_keys_of_two_users_are_apart(service: Service) -> None:
    service.charges_are_taken(2)

    mine = await service.create({"gross_amount": 1}, headers=keyed("one"))
    theirs = await service.create({"gross_amount": 2}, headers=keyed("one", user=OTHER_USER))

    assert (mine.status_code, theirs.status_code) == (201, 201)
    assert theirs.json()["order_id"] != mine.json()["order_id"]
    assert REPLAYED not in theirs.headers


async def test_what_was_refused_before_it_was_stored_leaves_the_key_free(service: Service) -> None:
    await service.given()
    taken = await service.create({"order_id": "order-1"}, headers=keyed("one"))
    invalid = await service.create({"gross_amount": 0}, headers=keyed("one"))
    malformed = await service.create_raw(b"{", **{"Idempotency-Key": "one"})
    service.gateway.answers_charges_with(builders.a_charge_answer(transaction_id="t-2"))

    answer = await service.create({"order_id": "order-2"}, headers=keyed("one"))

    assert [refused.status_code for refused in (taken, invalid, malformed)] == [409, 422, 400]
    assert answer.status_code == 201


async def test_repeats_are_not_counted_as_creates() -> None:
    service = a_service(BAYAR_CREATE_RATE="1")
    service.charges_are_taken()

    answers = [await service.create(headers=keyed("one")) for _ in range(4)]
    another = await service.create(headers=keyed("two"))

    assert [answer.status_code for answer in answers] == [201] * 4
    assert problem_of(another) == (429, "too-many-requests")


async def test_after_72_hours_a_key_is_forgotten(service: Service) -> None:
    service.charges_are_taken(2)
    first = await service.create(headers=keyed("one"))
    service.clock.advance(72 * 3600)

    again = await service.create(headers=keyed("one"))

    assert again.json()["order_id"] != first.json()["order_id"]


async def test_a_page_of_the_shop_may_read_that_it_was_replayed() -> None:
    service = a_service(CORS_ALLOWED_ORIGINS="https://shop.example")
    service.charges_are_taken()

    answer = await service.create_raw(b"{}", Origin="https://shop.example", **JSON)

    assert "Idempotent-Replayed" in answer.headers["access-control-expose-headers"]
