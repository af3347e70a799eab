"""One key, one charge, through the real database and simulator: what went astray is found and finished."""

import asyncio
from typing import Any, Final

import httpx
import pytest

from integration.http.harness import Fault, Held, Shop
from support.database import connected
from support.log import is_intact
from support.service import CREATE, bearer

FIVE_MINUTES: Final = 300
REPLAYED: Final = "idempotent-replayed"


async def create(shop: Shop, **fields: Any) -> httpx.Response:
    """The same call each time: ``order-1001``, an hour to pay it, under one key."""
    body = {"order_id": "order-1001", "expiry_minutes": 60} | fields
    return await shop.http.post(CREATE, json=body, headers=bearer() | {"Idempotency-Key": "one"})


async def pass_time(shop: Shop, seconds: int) -> None:
    """What the database's clock decides moves into the past: leases, and when the charge was sent."""
    async with connected(shop.database_url) as connection:
        await connection.execute(
            "UPDATE payment_idempotency_keys SET leased_until = leased_until - make_interval(secs => $1)",
            seconds,
        )
        await connection.execute(
            "UPDATE payment_transactions SET charged_first_at = charged_first_at - make_interval(secs => $1),"
            " charged_last_at = charged_last_at - make_interval(secs => $1)",
            seconds,
        )


async def lose_the_answer(shop: Shop) -> None:
    """A first call whose charge is taken and never answered."""
    shop.line.always = Fault.LOST_ANSWER
    answer = await create(shop)
    assert (answer.status_code, answer.json()["code"]) == (504, "outcome-unknown")
    shop.line.always = None
    shop.line.calls.clear()


async def charges_of(shop: Shop) -> list[dict[str, Any]]:
    found = (await shop.midtrans.get("/simulator/orders/order-1001")).json()
    charges: list[dict[str, Any]] = found["transactions"]
    return charges


async def test_a_repeat_is_the_first_payment_and_one_charge(shop: Shop) -> None:
    first = await create(shop)
    again = await create(shop)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert (REPLAYED in first.headers, again.headers[REPLAYED]) == (False, "true")
    assert shop.line.charges == 1


async def test_a_lost_answer_is_fetched_by_the_next_call_with_its_qr(quiet_shop: Shop) -> None:
    await lose_the_answer(quiet_shop)

    answer = await create(quiet_shop)

    assert (answer.status_code, answer.json()["status"]) == (201, "pending")
    assert [action["name"] for action in answer.json()["actions"]] == ["qr-code", "deeplink-redirect"]
    assert quiet_shop.line.calls == [("POST", "/v2/charge")]
    assert len(await charges_of(quiet_shop)) == 1
    assert is_intact(await quiet_shop.log("order-1001"), await quiet_shop.stored("order-1001"))


async def test_a_charge_without_its_qr_is_cancelled_at_midtrans_after_four_minutes(quiet_shop: Shop) -> None:
    await lose_the_answer(quiet_shop)
    await pass_time(quiet_shop, FIVE_MINUTES)

    lost = await create(quiet_shop)
    again = await create(quiet_shop)

    assert (lost.status_code, lost.json()["code"]) == (502, "charge-lost")
    assert again.json() == lost.json()
    assert (REPLAYED in lost.headers, again.headers[REPLAYED]) == (False, "true")
    assert [charge["transaction_status"] for charge in await charges_of(quiet_shop)] == ["cancel"]
    assert await quiet_shop.status_of("order-1001") == "cancel"
    assert quiet_shop.line.charges == 0
    assert is_intact(await quiet_shop.log("order-1001"), await quiet_shop.stored("order-1001"))


async def test_a_charge_that_was_paid_meanwhile_is_taken_over(quiet_shop: Shop) -> None:
    await lose_the_answer(quiet_shop)
    (charge,) = await charges_of(quiet_shop)
    await quiet_shop.pay(charge)
    await pass_time(quiet_shop, FIVE_MINUTES)

    answer = await create(quiet_shop)

    assert (answer.status_code, answer.json()["status"]) == (201, "settlement")
    assert quiet_shop.line.charges == 0


async def test_with_nothing_at_midtrans_it_is_charged_anew_after_four_minutes(quiet_shop: Shop) -> None:
    quiet_shop.line.always = Fault.NOT_MIDTRANS
    assert (await create(quiet_shop)).status_code == 504
    quiet_shop.line.always = None
    await pass_time(quiet_shop, FIVE_MINUTES)

    answer = await create(quiet_shop)

    assert (answer.status_code, answer.json()["status"]) == (201, "pending")
    assert quiet_shop.line.calls == [("GET", "/v2/order-1001/status"), ("POST", "/v2/charge")]
    assert len(await charges_of(quiet_shop)) == 1


async def test_a_payment_that_could_not_be_sent_is_charged_by_the_next_call(shop: Shop) -> None:
    shop.line.always = Fault.NO_CONNECTION
    assert (await create(shop)).status_code == 503
    shop.line.always = None

    answer = await create(shop)

    assert (answer.status_code, answer.json()["status"]) == (201, "pending")
    assert shop.line.charges == 1


async def test_a_refusal_after_a_lost_answer_is_no_failure(quiet_shop: Shop) -> None:
    await lose_the_answer(quiet_shop)
    quiet_shop.line.server_key = "another key"

    answer = await create(quiet_shop)

    assert (answer.status_code, answer.json()["code"]) == (504, "outcome-unknown")
    assert await quiet_shop.status_of("order-1001") == "created"


async def test_a_call_that_died_is_resumed_when_its_lease_is_over(quiet_shop: Shop) -> None:
    held = Held()
    quiet_shop.line.faults.append(held)
    dying = asyncio.create_task(create(quiet_shop))
    async with asyncio.timeout(10):
        await held.taken.wait()
    early = await create(quiet_shop)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    await pass_time(quiet_shop, 31)

    answer = await create(quiet_shop)

    assert (early.status_code, early.json()["code"]) == (409, "in-progress")
    assert 1 <= int(early.headers["retry-after"]) <= 30
    assert (answer.status_code, answer.json()["status"]) == (201, "pending")
    assert len(await charges_of(quiet_shop)) == 1


@pytest.mark.parametrize("fault", ["answer-lost", "connection-closed", "error-500-taken", "in-process"])
async def test_whatever_happens_to_a_charge_it_is_one(quiet_shop: Shop, fault: str) -> None:
    command = {"fault": fault, "on": "charge", "times": 2}
    armed = await quiet_shop.midtrans.post("/simulator/faults", json=command)

    answer = await create(quiet_shop)

    assert armed.status_code == 201
    assert (answer.status_code, answer.json()["status"]) == (201, "pending"), answer.text
    assert answer.json()["transaction_id"] == (await charges_of(quiet_shop))[0]["transaction_id"]
    assert len(await charges_of(quiet_shop)) == 1


async def test_other_values_under_the_key_are_refused_over_the_database(shop: Shop) -> None:
    await create(shop)

    answer = await create(shop, gross_amount=1)

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency-key-reused")
    assert shop.line.charges == 1


async def test_many_at_once_are_one_payment_and_one_charge(shop: Shop) -> None:
    answers = await asyncio.gather(*(create(shop) for _ in range(20)))

    fresh = [a for a in answers if a.status_code == 201 and REPLAYED not in a.headers]
    assert len(fresh) == 1
    assert {a.status_code for a in answers} <= {201, 409}
    assert shop.line.charges == 1
