"""Cancelling through the real database and simulator."""

import asyncio
from typing import Any

import httpx
import pytest

from integration.http.harness import Fault, Held, Shop, a_shop
from support.log import is_intact
from support.service import bearer


async def cancel(shop: Shop, order_id: str = "order-1001") -> httpx.Response:
    return await shop.http.post(f"/api/payments/{order_id}/cancel", headers=bearer())


async def at_midtrans(shop: Shop) -> str:
    told = (await shop.midtrans.get("/v2/order-1001/status")).json()
    return str(told["transaction_status"])


async def arm(shop: Shop, fault: str, **more: Any) -> None:
    answer = await shop.midtrans.post("/simulator/faults", json={"fault": fault, "on": "cancel"} | more)
    assert answer.status_code == 201, answer.text


async def test_a_pending_payment_is_cancelled_here_and_there(shop: Shop) -> None:
    await shop.created(order_id="order-1001")

    answer = await cancel(shop)

    assert (answer.status_code, answer.json()["status"]) == (200, "cancel")
    assert await at_midtrans(shop) == "cancel"
    log = await shop.log("order-1001")
    told = [entry.what for entry in log]
    # The notification may be faster than the answer, which then confirms it.
    assert told[told.index("cancel asked") + 1 :] in (["cancel"], ["cancel", "confirmed"])
    assert is_intact(log, await shop.stored("order-1001"))


async def test_money_that_was_faster_is_409_with_the_payment(quiet_shop: Shop) -> None:
    payment = await quiet_shop.created(order_id="order-1001")
    await quiet_shop.pay(payment)

    answer = await cancel(quiet_shop)

    assert (answer.status_code, answer.json()["code"]) == (409, "illegal-transition")
    told = answer.json()["payment"]
    assert (told["order_id"], told["status"]) == ("order-1001", "settlement")
    assert told["paid_at"] is not None
    assert await quiet_shop.status_of("order-1001") == "settlement"


async def test_a_cancelled_payment_is_409_with_the_payment(quiet_shop: Shop) -> None:
    await quiet_shop.created(order_id="order-1001")
    await cancel(quiet_shop)

    again = await cancel(quiet_shop)

    assert (again.status_code, again.json()["payment"]["status"]) == (409, "cancel")


async def test_cancels_at_the_same_instant_end_in_one(quiet_shop: Shop) -> None:
    await quiet_shop.created(order_id="order-1001")

    answers = await asyncio.gather(*(cancel(quiet_shop) for _ in range(5)))

    assert 200 in {answer.status_code for answer in answers}
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert await quiet_shop.status_of("order-1001") == "cancel"


@pytest.mark.parametrize("fault", ["answer-lost", "error-500-taken", "in-process", "wrong-order-id"])
async def test_a_lost_answer_is_504_and_the_status_tells(quiet_shop: Shop, fault: str) -> None:
    await quiet_shop.created(order_id="order-1001")
    await arm(quiet_shop, fault)

    lost = await cancel(quiet_shop)
    status = await quiet_shop.get("/api/payments/order-1001/status")

    assert (lost.status_code, lost.json()["code"]) == (504, "outcome-unknown")
    assert lost.json()["order_id"] == "order-1001"
    assert status.json()["status"] == "cancel"


async def test_a_lost_answer_is_made_good_by_a_second_cancel(quiet_shop: Shop) -> None:
    await quiet_shop.created(order_id="order-1001")
    await arm(quiet_shop, "answer-lost")
    assert (await cancel(quiet_shop)).status_code == 504

    answer = await cancel(quiet_shop)

    assert (answer.status_code, answer.json()["status"]) == (200, "cancel")


async def test_with_midtrans_out_of_reach_it_is_504_and_stays_pending(quiet_shop: Shop) -> None:
    await quiet_shop.created(order_id="order-1001")
    quiet_shop.line.faults.append(Fault.NO_CONNECTION)

    answer = await cancel(quiet_shop)

    assert (answer.status_code, answer.json()["code"]) == (504, "outcome-unknown")
    assert await quiet_shop.status_of("order-1001") == "pending"


async def test_a_refused_cancel_is_502_and_stays_pending(quiet_shop: Shop) -> None:
    await quiet_shop.created(order_id="order-1001")
    await arm(quiet_shop, "unauthorized")

    answer = await cancel(quiet_shop)

    assert (answer.status_code, answer.json()["code"]) == (502, "gateway-refused")
    assert answer.json()["gateway_code"] == "401"
    assert await quiet_shop.status_of("order-1001") == "pending"


async def test_a_cancelled_payment_is_not_charged_again_by_its_key(quiet_shop: Shop) -> None:
    headers = bearer() | {"Idempotency-Key": "one"}
    create = "/api/payments/gopayqris/create"
    await quiet_shop.http.post(create, json={"order_id": "order-1001"}, headers=headers)
    await cancel(quiet_shop)

    again = await quiet_shop.http.post(create, json={"order_id": "order-1001"}, headers=headers)

    assert (again.status_code, again.json()["status"]) == (201, "cancel")
    assert quiet_shop.line.charges == 1


async def test_no_connection_is_held_while_midtrans_is_asked(database_url: str) -> None:
    async with a_shop(database_url, notified=False, pool_size=1) as shop:
        await shop.created(order_id="order-1001")
        held = Held()
        shop.line.faults.append(held)
        cancelling = asyncio.create_task(cancel(shop))
        async with asyncio.timeout(10):
            await held.taken.wait()

            meanwhile = await shop.get("/api/payments/order-1001")

        held.released.set()
        assert meanwhile.json()["status"] == "pending"
        assert (await cancelling).status_code == 200
