"""What a shop may rely on when it sends an Idempotency-Key, seen from outside.

Runs against any service: ``BAYAR_BASE_URL=… BAYAR_TOKEN=… pytest tests/idempotency``. The token's user gets
some payments of 1,000 rupiah. Without an address it runs against a service of its own, and then looks at
the charges at Midtrans's side as well.
"""

import asyncio
from typing import Final

import httpx
import pytest

from idempotency.desk import Desk, a_key, an_order_id

REPLAYED: Final = "idempotent-replayed"
AMOUNT: Final = 1_000


def told(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_a_repeat_gets_the_first_payment_again(desk: Desk) -> None:
    key, order_id = a_key(), an_order_id()

    first = await desk.create(key, order_id=order_id, gross_amount=AMOUNT)
    again = await desk.create(key, order_id=order_id, gross_amount=AMOUNT)

    assert (first.status_code, again.status_code) == (201, 201), first.text
    assert again.json() == first.json()
    assert (REPLAYED in first.headers, again.headers[REPLAYED]) == (False, "true")
    if desk.midtrans:
        assert await desk.charges_of(order_id) == 1


async def test_a_repeat_without_an_order_id_gets_the_first_payment_again(desk: Desk) -> None:
    key = a_key()

    first = await desk.create(key, gross_amount=AMOUNT)
    again = await desk.create(key, gross_amount=AMOUNT)

    assert again.json()["order_id"] == first.json()["order_id"]


async def test_without_a_key_every_call_is_a_payment(desk: Desk) -> None:
    answers = [await desk.create(None, gross_amount=AMOUNT) for _ in range(2)]

    assert len({answer.json()["order_id"] for answer in answers}) == 2
    assert all(REPLAYED not in answer.headers for answer in answers)


async def test_quoted_and_bare_are_one_key(desk: Desk) -> None:
    key = a_key()

    first = await desk.create(f'"{key}"', gross_amount=AMOUNT)
    again = await desk.create(key, gross_amount=AMOUNT)

    assert again.json() == first.json()
    assert again.headers[REPLAYED] == "true"


async def test_spaces_and_the_fields_order_do_not_count(desk: Desk) -> None:
    key = a_key()

    first = await desk.send(key, content=b'{"gross_amount":1000,"payment_type":"qris"}')
    again = await desk.send(key, content=b' { "payment_type" : "qris",\n "gross_amount" : 1000 } ')

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers[REPLAYED] == "true"


async def test_other_values_are_refused(desk: Desk) -> None:
    key = a_key()
    await desk.create(key, gross_amount=AMOUNT)

    answer = await desk.create(key, gross_amount=AMOUNT + 1)

    assert told(answer) == (422, "idempotency-key-reused")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("key", ["", '""', "x" * 256, '"open'])
async def test_a_bad_key_is_refused(desk: Desk, key: str) -> None:
    answer = await desk.create(key, gross_amount=AMOUNT)

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["Idempotency-Key"]


async def test_an_invalid_call_leaves_the_key_free(desk: Desk) -> None:
    key = a_key()
    refused = await desk.create(key, gross_amount=0)

    answer = await desk.create(key, gross_amount=AMOUNT)

    assert (refused.status_code, answer.status_code) == (422, 201)


async def test_the_keys_of_two_users_are_apart(desk: Desk) -> None:
    if desk.others_token is None:
        pytest.skip("a service elsewhere has only the one user that BAYAR_TOKEN names")
    key = a_key()

    mine = await desk.create(key, gross_amount=AMOUNT)
    theirs = await desk.create(key, token=desk.others_token, gross_amount=AMOUNT + 1)

    assert (mine.status_code, theirs.status_code) == (201, 201)
    assert theirs.json()["order_id"] != mine.json()["order_id"]


async def test_fifty_at_once_are_one_payment_and_one_charge(desk: Desk) -> None:
    key, order_id = a_key(), an_order_id()

    answers = await asyncio.gather(
        *(desk.create(key, order_id=order_id, gross_amount=AMOUNT) for _ in range(50))
    )
    last = await desk.create(key, order_id=order_id, gross_amount=AMOUNT)

    codes = {answer.status_code for answer in answers}
    assert 201 in codes
    assert codes <= {201, 409}
    taken = [answer for answer in answers if answer.status_code == 201]
    waiting = [answer for answer in answers if answer.status_code == 409]
    assert {told(answer) for answer in waiting} <= {(409, "in-progress")}
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in waiting)
    assert len([answer for answer in taken if REPLAYED not in answer.headers]) == 1
    assert {answer.json()["transaction_id"] for answer in taken} == {last.json()["transaction_id"]}
    if desk.midtrans:
        assert await desk.charges_of(order_id) == 1


async def test_fifty_at_once_without_an_order_id_are_one_payment(desk: Desk) -> None:
    if desk.midtrans is None:
        pytest.skip("a service elsewhere counts these creates against its rate")
    key = a_key()

    answers = await asyncio.gather(*(desk.create(key, gross_amount=AMOUNT) for _ in range(50)))

    taken = {answer.json()["order_id"] for answer in answers if answer.status_code == 201}
    assert len(taken) == 1
    assert await desk.charges_of(taken.pop()) == 1


@pytest.mark.parametrize("fault", ["answer-lost", "connection-closed", "error-500-taken", "in-process"])
async def test_a_charge_that_went_astray_is_one_charge_with_its_qr(desk: Desk, fault: str) -> None:
    if desk.midtrans is None:
        pytest.skip("only our own simulator misbehaves on command")
    key, order_id = a_key(), an_order_id()
    await desk.misbehaves(fault, order_id)

    first = await desk.create(key, order_id=order_id, gross_amount=AMOUNT)
    again = await desk.create(key, order_id=order_id, gross_amount=AMOUNT)

    assert (first.status_code, first.json()["status"]) == (201, "pending"), first.text
    assert "qr-code" in {action["name"] for action in first.json()["actions"]}
    assert again.json() == first.json()
    assert await desk.charges_of(order_id) == 1


async def test_a_charge_whose_qr_is_lost_is_cancelled_and_told_the_same_twice(desk: Desk) -> None:
    if desk.midtrans is None:
        pytest.skip("only our own simulator misbehaves on command")
    key, order_id = a_key(), an_order_id()
    await desk.misbehaves("duplicate-order-id", order_id)

    first = await desk.create(key, order_id=order_id, gross_amount=AMOUNT)
    again = await desk.create(key, order_id=order_id, gross_amount=AMOUNT)

    assert told(first) == told(again) == (502, "charge-lost")
    assert again.json() == first.json()
    assert again.headers[REPLAYED] == "true"
    (transaction,) = (await desk.midtrans.get(f"/simulator/orders/{order_id}")).json()["transactions"]
    assert transaction["transaction_status"] == "cancel"


async def test_a_denied_charge_is_told_the_same_twice(desk: Desk) -> None:
    if desk.midtrans is None:
        pytest.skip("only our own simulator misbehaves on command")
    key, order_id = a_key(), an_order_id()
    await desk.misbehaves("denied", order_id)

    first = await desk.create(key, order_id=order_id, gross_amount=AMOUNT)
    again = await desk.create(key, order_id=order_id, gross_amount=AMOUNT)

    assert told(first) == told(again) == (502, "gateway-refused")
    assert again.json() == first.json()
    assert again.headers[REPLAYED] == "true"
