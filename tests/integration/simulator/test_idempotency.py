import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from os import urandom

import pytest
from msgspec.structs import replace

from simulator.core.answers import Answer, Charged
from simulator.core.idempotency import IdempotencyKeys
from support.simulator_desk import Desk, ManualClock, a_charge, a_desk, a_transaction, everything_due

KEY = {"Idempotency-Key": "d63ae3e0-a7c5-4733-8d81-b451168d8a2c-charge"}


async def test_a_repeated_charge_gets_the_first_answer_and_is_taken_once(desk: Desk) -> None:
    first = await desk.charge(headers=KEY)

    second = await desk.charge(headers=KEY)

    assert second.content == first.content
    assert desk.receiver.statuses == ["pending"]


async def test_the_first_answer_comes_whatever_the_body(desk: Desk) -> None:
    first = await desk.charge("o-1", headers=KEY)

    second = await desk.client.post("/v2/charge", content=b"{", headers=KEY)

    assert second.content == first.content


async def test_the_first_answer_stays_what_it_was(desk: Desk) -> None:
    first = await desk.charge(headers=KEY)
    await desk.post("/wallet/o-1/pay")

    assert (await desk.charge(headers=KEY)).content == first.content


@pytest.mark.parametrize("action", ["cancel", "expire"])
async def test_keys_are_one_space_over_all_endpoints(desk: Desk, action: str) -> None:
    first = await desk.charge(headers=KEY)

    second = await desk.post(f"/v2/o-1/{action}", headers=KEY)

    assert second.content == first.content
    assert (await desk.status("o-1"))["transaction_status"] == "pending"


@pytest.mark.parametrize("action", ["cancel", "expire"])
async def test_a_repeated_end_gets_the_first_answer_too(desk: Desk, action: str) -> None:
    await desk.charge()
    first = await desk.post(f"/v2/o-1/{action}", headers=KEY)

    second = await desk.post(f"/v2/o-1/{action}", headers=KEY)

    assert second.json()["transaction_status"] == action
    assert second.content == first.content


async def test_after_five_minutes_the_request_is_processed_anew(desk: Desk) -> None:
    await desk.charge(headers=KEY)

    await desk.clock.advance(timedelta(minutes=5, seconds=-1))
    assert (await desk.charge(headers=KEY)).json()["status_code"] == "201"

    await desk.clock.advance(timedelta(seconds=1))
    assert (await desk.charge(headers=KEY)).json()["status_code"] == "406"


async def test_a_refusal_is_not_remembered(desk: Desk) -> None:
    refused = await desk.charge(headers=KEY, payment_type="paper")

    taken = await desk.charge(headers=KEY)

    assert refused.json()["status_code"] == "400"
    assert taken.json()["status_code"] == "201"


@pytest.mark.parametrize(("length", "status_code"), [(46, "201"), (47, "406")])
async def test_a_key_longer_than_46_characters_is_ignored(desk: Desk, length: int, status_code: str) -> None:
    headers = {"Idempotency-Key": "k" * length}
    await desk.charge(headers=headers)

    assert (await desk.charge(headers=headers)).json()["status_code"] == status_code


async def test_an_empty_key_is_none(desk: Desk) -> None:
    await desk.charge(headers={"Idempotency-Key": ""})

    assert (await desk.charge(headers={"Idempotency-Key": ""})).json()["status_code"] == "406"


async def test_a_repeat_before_the_first_is_answered_gets_http_202(desk: Desk) -> None:
    may_go_on = asyncio.Event()

    async def slow_body() -> AsyncIterator[bytes]:
        yield b"{"
        await may_go_on.wait()
        yield b"}"

    first = asyncio.create_task(desk.client.post("/v2/charge", content=slow_body(), headers=KEY))
    await everything_due()

    meanwhile = await desk.charge(headers=KEY)
    may_go_on.set()
    refused = await first

    assert meanwhile.status_code == 202
    assert "transaction_status" not in meanwhile.json()
    assert refused.json()["status_code"] == "400"
    assert (await desk.charge(headers=KEY)).json()["status_code"] == "201"


async def test_only_so_many_answers_are_remembered() -> None:
    async with a_desk(most_transactions=2) as desk:
        for number in (1, 2, 3):
            await desk.charge(f"o-{number}", headers={"Idempotency-Key": f"key-{number}"})

        newest = await desk.charge("o-3", headers={"Idempotency-Key": "key-3"})
        forgotten = await desk.client.post(
            "/v2/charge", json=a_charge("o-3"), headers={"Idempotency-Key": "key-1"}
        )

    assert newest.json()["status_code"] == "201"
    assert forgotten.json()["status_code"] == "406"


async def test_the_answers_remembered_take_only_so_much_memory() -> None:
    keys = IdempotencyKeys(ManualClock(), limit=100, most_bytes=3_000)

    async def asked(key: str, number: int) -> Answer:
        async def work() -> Answer:
            return Charged(replace(a_transaction(number), metadata=urandom(1_000)))

        return await keys.once(key, work)

    for number in range(4):
        await asked(f"key-{number}", number)

    again = [await asked(f"key-{number}", 99) for number in (3, 0)]

    assert [answer.transaction.order_id for answer in again if isinstance(answer, Charged)] == ["o-3", "o-99"]
