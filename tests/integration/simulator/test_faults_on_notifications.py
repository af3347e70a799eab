import asyncio
import hashlib
from datetime import timedelta
from typing import Any

import httpx
import pytest

from support.simulator_desk import SERVER_KEY, Desk, a_charge, everything_due

ID = "00000000-0000-4000-8000-000000000001"


def is_signed(body: dict[str, Any]) -> bool:
    text = f"{body['order_id']}{body['status_code']}{body['gross_amount']}{SERVER_KEY}"
    return bool(body["signature_key"] == hashlib.sha512(text.encode()).hexdigest())


async def test_a_dropped_notification_never_comes(desk: Desk) -> None:
    await desk.trigger("notification-dropped")
    await desk.charge(custom_expiry={"expiry_duration": 7, "unit": "day"})
    await desk.clock.advance(timedelta(days=1))

    assert desk.receiver.requests == []
    await desk.post("/wallet/o-1/pay")
    assert desk.receiver.statuses == ["settlement"]


async def test_a_duplicated_notification_comes_twice_and_the_same(desk: Desk) -> None:
    await desk.trigger("notification-duplicated")
    await desk.charge()

    first, second = desk.receiver.requests
    assert first.content == second.content


async def test_a_delayed_notification_tells_what_was_true(desk: Desk) -> None:
    await desk.trigger("notification-delayed", seconds=90)
    await desk.charge()
    await desk.post("/wallet/o-1/pay")
    assert desk.receiver.statuses == ["settlement"]

    await desk.clock.advance(timedelta(seconds=90))
    assert desk.receiver.statuses == ["settlement", "pending"]


async def test_a_reordered_notification_comes_after_the_next(desk: Desk) -> None:
    hanging = asyncio.Event()
    await desk.trigger("notification-reordered")
    await desk.charge()
    await desk.charge("o-2")
    assert [body["order_id"] for body in desk.receiver.bodies] == ["o-2"]

    desk.receiver.script = [hanging]
    await desk.post("/wallet/o-1/pay")
    assert desk.receiver.statuses == ["pending", "settlement"]

    hanging.set()
    await everything_due()
    assert desk.receiver.statuses == ["pending", "settlement", "pending"]


async def test_what_was_held_back_does_not_come_again_with_the_next_ones_repeat(desk: Desk) -> None:
    await desk.trigger("notification-reordered")
    await desk.charge()
    desk.receiver.script = [httpx.Response(503)]
    await desk.post("/wallet/o-1/pay")
    await desk.clock.advance(timedelta(minutes=2))

    assert desk.receiver.statuses == ["settlement", "pending", "settlement"]


async def test_what_is_held_back_comes_though_the_next_is_dropped_or_the_faults_are_reset(desk: Desk) -> None:
    await desk.trigger("notification-reordered", order_id="o-1")
    await desk.trigger("notification-dropped", order_id="o-1")
    await desk.trigger("notification-reordered", order_id="o-2")
    await desk.charge("o-1")
    await desk.charge("o-2")

    await desk.post("/wallet/o-1/pay")
    assert [(b["order_id"], b["transaction_status"]) for b in desk.receiver.bodies] == [("o-1", "pending")]

    await desk.client.delete("/simulator/faults")
    await everything_due()
    assert desk.receiver.bodies[-1]["order_id"] == "o-2"


async def test_a_forged_notification_stays_forged_when_it_is_repeated(desk: Desk) -> None:
    await desk.trigger("notification-forged")
    desk.receiver.script = [httpx.Response(403)]
    await desk.charge()
    await desk.clock.advance(timedelta(minutes=2))

    assert len(desk.receiver.bodies) == 2
    assert not any(is_signed(body) for body in desk.receiver.bodies)


async def test_a_wrong_amount_can_be_signed(desk: Desk) -> None:
    await desk.charge()
    await desk.trigger("notification-wrong-amount")
    await desk.post("/wallet/o-1/pay")

    told = desk.receiver.bodies[-1]
    assert told["gross_amount"] == "10001.00"
    assert is_signed(told)


async def test_a_settlement_can_have_the_code_of_a_pending_one(desk: Desk) -> None:
    await desk.trigger("notification-wrong-code")
    await desk.charge()
    await desk.post("/wallet/o-1/pay")

    told = desk.receiver.bodies[-1]
    assert (told["transaction_status"], told["status_code"]) == ("settlement", "201")
    assert is_signed(told)


async def test_a_stranger_can_claim_a_settlement(desk: Desk) -> None:
    await desk.trigger("forged-settlement")
    await desk.charge()

    by_status = {body["transaction_status"]: body for body in desk.receiver.bodies}
    assert set(by_status) == {"pending", "settlement"}
    assert is_signed(by_status["pending"])
    assert not is_signed(by_status["settlement"])
    assert (await desk.status("o-1"))["transaction_status"] == "pending"


@pytest.mark.parametrize("fault", ["missing-fields", "unknown-fields", "uppercase-status"])
async def test_a_notification_can_be_garbled_and_still_be_signed(desk: Desk, fault: str) -> None:
    await desk.trigger(fault, on="notification")
    await desk.charge()
    await desk.charge("o-2")

    garbled, clean = desk.receiver.bodies
    assert set(garbled) != set(clean) or garbled["transaction_status"] == "PENDING"
    assert is_signed(garbled)


async def test_every_address_is_struck_and_nobody_else(desk: Desk) -> None:
    await desk.trigger("notification-dropped", order_id="o-1")
    await desk.charge("o-1", headers={"X-Override-Notification": "https://a.example,https://b.example"})
    await desk.charge("o-2")

    assert [body["order_id"] for body in desk.receiver.bodies] == ["o-2"]


async def test_a_notification_can_come_before_the_charges_answer(desk: Desk) -> None:
    await desk.trigger("notification-first")
    hanging = asyncio.Event()
    desk.receiver.script = [hanging]
    call = asyncio.create_task(desk.client.post("/v2/charge", json=a_charge()))
    await everything_due()
    assert desk.receiver.statuses == ["pending"]
    assert not call.done()

    hanging.set()
    await everything_due()
    assert call.done()
    assert (await call).json()["status_code"] == "201"


async def test_a_charge_waits_only_so_long_for_its_notification(desk: Desk) -> None:
    await desk.trigger("notification-first", seconds=5)
    await desk.trigger("notification-dropped")
    call = asyncio.create_task(desk.client.post("/v2/charge", json=a_charge()))
    await everything_due()
    assert not call.done()

    await desk.clock.advance(timedelta(seconds=5))
    assert call.done()
    assert (await call).json()["status_code"] == "201"


async def test_a_payment_can_turn_out_to_be_by_qr(desk: Desk) -> None:
    await desk.trigger("paid-by-qr")
    await desk.charge()
    await desk.post("/wallet/o-1/pay", json={"by": "deeplink"})

    assert desk.receiver.bodies[-1]["payment_type"] == "qris"


@pytest.mark.parametrize("end", ["expire", "cancel"])
@pytest.mark.parametrize("before", [True, False])
async def test_money_can_come_after_an_unpaid_end(desk: Desk, end: str, before: bool) -> None:  # noqa: FBT001
    await desk.charge()
    if before:
        await desk.trigger("paid-late", order_id="o-1", seconds=60)
    await desk.post(f"/v2/o-1/{end}")
    if not before:
        await desk.trigger("paid-late", order_id="o-1", seconds=60)
    assert (await desk.status("o-1"))["transaction_status"] == end

    await desk.clock.advance(timedelta(seconds=60))

    status = await desk.status("o-1")
    assert status["transaction_status"] == "settlement"
    assert status["settlement_time"] == "2024-06-22 10:01:00"
    assert desk.receiver.statuses == ["pending", end, "settlement"]


async def test_late_money_comes_without_delay_unless_told(desk: Desk) -> None:
    await desk.trigger("paid-late")
    await desk.charge()
    await desk.clock.advance(timedelta(minutes=15))

    assert desk.receiver.statuses == ["pending", "expire", "settlement"]


async def test_each_order_is_paid_twice_as_long_as_that_lasts(desk: Desk) -> None:
    await desk.trigger("paid-twice", times=1_000_000)
    for order_id in ("o-1", "o-2"):
        await desk.charge(order_id=order_id)
        await desk.post(f"/wallet/{order_id}/pay")

    paid = [body["order_id"] for body in desk.receiver.bodies if body["transaction_status"] == "settlement"]
    assert sorted(paid) == ["o-1", "o-1", "o-2", "o-2"]


@pytest.mark.parametrize("before", [True, False])
async def test_an_order_can_be_paid_twice(desk: Desk, before: bool) -> None:  # noqa: FBT001
    await desk.charge()
    if before:
        await desk.trigger("paid-twice", order_id="o-1")
    await desk.post("/wallet/o-1/pay")
    if not before:
        await desk.trigger("paid-twice", order_id="o-1")

    first, second = desk.receiver.bodies[1:]
    assert first["order_id"] == second["order_id"] == "o-1"
    assert first["transaction_status"] == second["transaction_status"] == "settlement"
    assert first["transaction_id"] == ID != second["transaction_id"]
    assert (await desk.status(ID))["transaction_status"] == "settlement"
    assert (await desk.status(second["transaction_id"]))["transaction_status"] == "settlement"
    assert (await desk.refund(second["transaction_id"]))["status_code"] == "200"
