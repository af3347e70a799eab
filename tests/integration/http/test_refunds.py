"""Refunds through the real database and simulator: one per key, and never more than was paid."""

import asyncio
from typing import Any

import pytest

from domain.access import OPERATOR
from domain.history import Source
from domain.idempotency import IdempotentCall
from domain.refund import Refund, RefundStatus
from domain.usecases.refund_payment import RefundWish
from integration.http.harness import MIDTRANS, Fault, Held, Shop, a_shop
from integration.http.refunding import (
    PATH,
    REPLAYED,
    arm,
    at_midtrans,
    has_intact_log,
    listed,
    paid,
    pass_time,
    refund,
    repeat,
)
from support.builders import SERVER_KEY
from support.service import eventually


async def test_a_refund_is_accepted_and_later_confirmed_by_the_bank(shop: Shop) -> None:
    payment = await paid(shop)

    answer = await refund(shop, amount=4_000, reason="out of stock")
    assert (answer.status_code, answer.json()["status"]) == (201, "accepted")
    (there,) = await at_midtrans(shop)
    assert (there["refund_key"], there["refund_amount"]) == (answer.json()["refund_key"], "4000.00")
    assert there["reason"] == "out of stock"
    await shop.midtrans.post(f"/simulator/transactions/{payment['transaction_id']}/confirm-refunds")

    async def is_confirmed() -> bool:
        await shop.confirm()
        (found,) = await listed(shop)
        return found["confirmed_at"] is not None

    await eventually(is_confirmed)
    now = (await shop.get("/api/payments/order-1001")).json()
    assert (now["status"], now["refunded_amount"]) == ("partial_refund", 4_000)
    whats = [entry.what for entry in await shop.log("order-1001")]
    assert whats[-4:] == ["refund requested", "refund accepted", "partial_refund", "refund confirmed"]
    assert await has_intact_log(shop)


async def test_both_notifications_of_a_refund_are_processed(shop: Shop) -> None:
    payment = await paid(shop)
    await refund(shop)
    await shop.midtrans.post(f"/simulator/transactions/{payment['transaction_id']}/confirm-refunds")

    async def are_processed() -> bool:
        await shop.confirm()
        return [event["processed"] for event in await shop.events("refund")] == [True, True]

    await eventually(are_processed)
    assert await shop.status_of("order-1001") == "refund"


async def test_parts_add_up_to_the_whole(quiet_shop: Shop) -> None:
    await paid(quiet_shop)

    for number, amount in enumerate((1_000, 3_000, 6_000)):
        answer = await refund(quiet_shop, f"part-{number}", amount=amount)
        assert answer.status_code == 201, answer.text
    more = await refund(quiet_shop, "more", amount=1)

    assert (more.status_code, more.json()["code"]) == (422, "refund-exceeds-payment")
    now = (await quiet_shop.get("/api/payments/order-1001")).json()
    assert (now["status"], now["refunded_amount"]) == ("refund", 10_000)
    assert await has_intact_log(quiet_shop)


@pytest.mark.parametrize("attempt", range(5))
async def test_two_parallel_full_refunds_one_accepted(quiet_shop: Shop, attempt: int) -> None:
    await paid(quiet_shop)

    answers = await asyncio.gather(
        refund(quiet_shop, f"{attempt}-a"), refund(quiet_shop, f"{attempt}-b", amount=10_000)
    )

    assert sorted(answer.status_code for answer in answers) == [201, 422]
    assert [one["refund_amount"] for one in await at_midtrans(quiet_shop)] == ["10000.00"]
    assert len(await listed(quiet_shop)) == 1


async def test_many_parallel_parts_never_exceed_the_payment(quiet_shop: Shop) -> None:
    await paid(quiet_shop)

    answers = await asyncio.gather(
        *(refund(quiet_shop, f"key-{number}", amount=3_000) for number in range(8))
    )

    taken = [answer for answer in answers if answer.status_code == 201]
    assert len(taken) == 3
    assert {answer.status_code for answer in answers} <= {201, 422, 503}
    assert len(await at_midtrans(quiet_shop)) == 3
    assert (await quiet_shop.stored("order-1001")).refunded_amount == 9_000
    assert await has_intact_log(quiet_shop)


async def test_many_repeats_at_once_are_one_refund(quiet_shop: Shop) -> None:
    await paid(quiet_shop)

    answers = await asyncio.gather(*(refund(quiet_shop, amount=4_000) for _ in range(10)))

    fresh = [a for a in answers if a.status_code == 201 and REPLAYED not in a.headers]
    assert len(fresh) == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len(await at_midtrans(quiet_shop)) == 1


async def test_a_repeat_is_the_first_refund(quiet_shop: Shop) -> None:
    await paid(quiet_shop)
    first = await refund(quiet_shop, amount=4_000)

    again = await refund(quiet_shop, amount=4_000)

    assert (again.status_code, again.headers[REPLAYED]) == (201, "true")
    assert again.json() == first.json()
    assert len(await at_midtrans(quiet_shop)) == 1


async def test_a_lost_one_is_also_found_by_the_same_call(quiet_shop: Shop) -> None:
    await paid(quiet_shop)
    await arm(quiet_shop, "answer-lost")
    await refund(quiet_shop, amount=4_000)
    await quiet_shop.midtrans.post("/simulator/clock", json={"seconds": 360})

    answer = await refund(quiet_shop, amount=4_000)

    assert (answer.status_code, answer.json()["status"]) == (201, "accepted")
    assert len(await at_midtrans(quiet_shop)) == 1


async def test_a_lost_one_is_found_by_its_notification(shop: Shop) -> None:
    await paid(shop)
    await arm(shop, "answer-lost")
    assert (await refund(shop, amount=4_000)).status_code == 504

    async def is_accepted() -> bool:
        await shop.confirm()
        return [one["status"] for one in await listed(shop)] == ["accepted"]

    await eventually(is_accepted)
    assert await shop.status_of("order-1001") == "partial_refund"


async def test_a_refund_after_its_window_tells_the_windows(quiet_shop: Shop) -> None:
    await paid(quiet_shop)
    await quiet_shop.midtrans.post("/simulator/clock", json={"seconds": 46 * 86_400})

    refused = await refund(quiet_shop)

    assert (refused.status_code, refused.json()["gateway_code"]) == (502, "412")
    assert "within 45 days" in refused.json()["detail"]
    assert (await quiet_shop.stored("order-1001")).refunded_amount == 0


async def test_what_the_dashboard_refunded_is_not_refunded_again(quiet_shop: Shop) -> None:
    payment = await paid(quiet_shop)
    transaction = payment["transaction_id"]
    await quiet_shop.midtrans.post(f"/v2/{transaction}/refund", json={"amount": 7_000})

    refused = await refund(quiet_shop)
    await quiet_shop.notify(
        order_id="order-1001", transaction_id=transaction, transaction_status="partial_refund"
    )
    await quiet_shop.confirm()
    too_much = await refund(quiet_shop, "two", amount=3_001)
    rest = await refund(quiet_shop, "three")

    assert (refused.status_code, refused.json()["gateway_code"]) == (502, "414")
    assert too_much.json()["code"] == "refund-exceeds-payment"
    assert (rest.status_code, rest.json()["amount"]) == (201, 3_000)


async def test_what_was_not_sent_is_503_and_sent_by_the_next_call(quiet_shop: Shop) -> None:
    await paid(quiet_shop)
    quiet_shop.line.faults.append(Fault.NO_CONNECTION)

    unsent = await refund(quiet_shop, amount=4_000)
    taken = await repeat(quiet_shop)
    again = await refund(quiet_shop, amount=4_000)

    assert (unsent.status_code, unsent.json()["code"]) == (503, "gateway-unavailable")
    assert taken == 0
    assert (again.status_code, REPLAYED in again.headers) == (201, False)
    assert len(await at_midtrans(quiet_shop)) == 1


async def test_a_refund_of_a_process_that_died_is_made_by_another(quiet_shop: Shop) -> None:
    await paid(quiet_shop)
    held = Held()
    quiet_shop.line.faults.append(held)
    dying = asyncio.create_task(refund(quiet_shop, amount=4_000))
    async with asyncio.timeout(10):
        await held.taken.wait()
    early = await refund(quiet_shop, amount=4_000)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)

    await repeat(quiet_shop)

    assert (early.status_code, early.json()["code"]) == (409, "in-progress")
    assert 1 <= int(early.headers["retry-after"]) <= 30
    assert [one["status"] for one in await listed(quiet_shop)] == ["accepted"]
    assert len(await at_midtrans(quiet_shop)) == 1


async def test_no_connection_is_held_while_midtrans_is_asked(database_url: str) -> None:
    async with a_shop(database_url, notified=False, pool_size=1) as shop:
        await paid(shop)
        held = Held()
        shop.line.faults.append(held)
        refunding = asyncio.create_task(refund(shop))
        async with asyncio.timeout(10):
            await held.taken.wait()

            meanwhile = await listed(shop)

        held.released.set()
        assert [one["status"] for one in meanwhile] == ["requested"]
        assert (await refunding).status_code == 201


async def test_after_seven_days_it_is_a_break_and_keeps_its_amount(quiet_shop: Shop) -> None:
    await paid(quiet_shop)
    await arm(quiet_shop, "error-500")
    await refund(quiet_shop, amount=4_000)
    await pass_time(quiet_shop, 7 * 86_400)

    await repeat(quiet_shop)
    again = await repeat(quiet_shop)

    payment = await quiet_shop.stored("order-1001")
    (found,) = await listed(quiet_shop)
    assert [(b.reason, b.subject) for b in payment.breaks] == [("refund_unknown", found["refund_key"])]
    assert found["status"] == RefundStatus.REQUESTED
    assert again == 0
    assert (await refund(quiet_shop, "two", amount=6_001)).status_code == 422
    assert await at_midtrans(quiet_shop) == []


async def test_a_second_paid_transaction_is_refunded_by_its_id(quiet_shop: Shop) -> None:
    payment = await quiet_shop.created(order_id="order-1001")
    twice = {"fault": "paid-twice", "transaction_id": payment["transaction_id"]}
    assert (await quiet_shop.midtrans.post("/simulator/faults", json=twice)).status_code == 201
    await quiet_shop.pay(payment)
    both = (await quiet_shop.midtrans.get("/simulator/orders/order-1001")).json()["transactions"]
    for one in both:
        await quiet_shop.notify(order_id="order-1001", transaction_id=one["transaction_id"])
    await quiet_shop.confirm()
    (found,) = (await quiet_shop.stored("order-1001")).breaks

    ended = await _by_an_operator(quiet_shop, transaction=found.subject)

    assert found.reason == "paid_twice"
    assert (ended.status, ended.transaction, ended.amount) == ("accepted", found.subject, 10_000)
    states = {
        one["transaction_id"]: one["transaction_status"]
        for one in (await quiet_shop.midtrans.get("/simulator/orders/order-1001")).json()["transactions"]
    }
    assert sorted(states.values()) == ["refund", "settlement"]
    assert states[found.subject] == "refund"


async def _by_an_operator(shop: Shop, **wish: Any) -> Refund:
    call = IdempotentCall(user_id=OPERATOR.user_id, key="k", fingerprint=b"")
    done = await shop.container.refund_payment()(
        "order-1001", OPERATOR, RefundWish(**wish), call, source=Source.OPERATOR
    )
    refund: Refund = done.refund
    return refund


async def test_the_server_key_is_in_no_answer(quiet_shop: Shop) -> None:
    await paid(quiet_shop)
    await arm(quiet_shop, "refund-refused")

    texts = [(await refund(quiet_shop)).text, (await quiet_shop.get(PATH)).text]

    assert not any(SERVER_KEY in text or MIDTRANS in text for text in texts)
