from datetime import datetime, timedelta
from typing import Any

import pytest

from support.simulator_desk import Desk


@pytest.mark.parametrize(
    ("custom_expiry", "expiry_time"),
    [
        ({"expiry_duration": 20, "unit": "second"}, "2024-06-22 10:00:20"),
        ({"expiry_duration": 30}, "2024-06-22 10:30:00"),
        ({"expiry_duration": 2, "unit": "hour"}, "2024-06-22 12:00:00"),
        ({"expiry_duration": 1, "unit": "day"}, "2024-06-23 10:00:00"),
        (
            {"order_time": "2024-06-22 09:50:00 +0700", "expiry_duration": 15},
            "2024-06-22 10:05:00",
        ),
        (
            {"order_time": "2024-06-22 03:30:00 +0000", "expiry_duration": 15},
            "2024-06-22 10:45:00",
        ),
    ],
)
async def test_a_custom_expiry_counts_from_the_order_time(
    desk: Desk, custom_expiry: dict[str, Any], expiry_time: str
) -> None:
    answer = await desk.charge(custom_expiry=custom_expiry)

    assert answer.json()["expiry_time"] == expiry_time


@pytest.mark.parametrize(
    ("payment", "expiry_time"),
    [
        ({"payment_type": "gopay"}, "2024-06-29 10:00:00"),
        (
            {"payment_type": "qris", "qris": {"acquirer": "airpay shopee"}},
            "2024-06-27 10:00:00",
        ),
        ({"payment_type": "qris"}, "2024-12-19 10:00:00"),
    ],
)
@pytest.mark.parametrize(
    "custom_expiry",
    [
        {"expiry_duration": 181, "unit": "day"},
        {"expiry_duration": 10**18, "unit": "day"},
        {"order_time": "9999-12-31 23:59:59 +0700", "expiry_duration": 15},
    ],
)
async def test_a_custom_expiry_too_far_away_is_trimmed(
    desk: Desk, payment: dict[str, Any], custom_expiry: dict[str, Any], expiry_time: str
) -> None:
    answer = await desk.charge(custom_expiry=custom_expiry, **payment)

    assert answer.json()["expiry_time"] == expiry_time


@pytest.mark.parametrize(
    ("custom_expiry", "message"),
    [
        (
            {"expiry_duration": 19, "unit": "second"},
            "custom_expiry is below minimum threshold",
        ),
        ({"expiry_duration": 0}, "custom_expiry is below minimum threshold"),
        ({"expiry_duration": -5}, "custom_expiry is below minimum threshold"),
        ({"expiry_duration": -(10**18), "unit": "day"}, "custom_expiry is below minimum threshold"),
        (
            {"order_time": "2024-06-22 09:45:00 +0700", "expiry_duration": 15},
            "custom_expiry is below minimum threshold",
        ),
        (
            {"order_time": "0001-01-01 00:00:00 +0700", "expiry_duration": 15},
            "custom_expiry is below minimum threshold",
        ),
        ({}, "custom_expiry.expiry_duration is required"),
        ({"expiry_duration": "15"}, "custom_expiry.expiry_duration is not a number"),
        ({"expiry_duration": 15, "unit": "week"}, "custom_expiry.unit is invalid"),
        (
            {"expiry_duration": 15, "order_time": "2024-06-22 10:00:00"},
            "custom_expiry.order_time is invalid",
        ),
        (15, "custom_expiry is not an object"),
    ],
)
async def test_a_custom_expiry_that_makes_no_sense_is_refused(
    desk: Desk, custom_expiry: object, message: str
) -> None:
    answer = await desk.charge(custom_expiry=custom_expiry)

    assert answer.status_code == 400
    assert message in answer.json()["validation_messages"]


async def test_a_transaction_expires_by_itself_on_the_second_that_was_told(desk: Desk) -> None:
    charge = await desk.charge()
    left = datetime.fromisoformat(f"{charge.json()['expiry_time']}+07:00") - desk.clock.now()

    await desk.clock.advance(left - timedelta(microseconds=1))
    assert desk.receiver.statuses == ["pending"]

    await desk.clock.advance(timedelta(microseconds=1))
    assert desk.receiver.statuses == ["pending", "expire"]
    assert (await desk.status("o-1"))["transaction_status"] == "expire"


async def test_the_one_that_expires_sooner_does_so_first(desk: Desk) -> None:
    await desk.charge("late", custom_expiry={"expiry_duration": 20})
    await desk.charge("soon", custom_expiry={"expiry_duration": 10})

    await desk.clock.advance(timedelta(minutes=10))

    assert (await desk.status("soon"))["transaction_status"] == "expire"
    assert (await desk.status("late"))["transaction_status"] == "pending"


async def test_a_paid_transaction_does_not_expire(desk: Desk) -> None:
    await desk.charge()
    await desk.post("/wallet/o-1/pay")

    await desk.clock.advance(timedelta(minutes=15))

    assert desk.receiver.statuses == ["pending", "settlement"]


async def test_an_overdue_transaction_is_expired_for_everyone_who_asks_first(desk: Desk) -> None:
    await desk.charge()
    # The clock jumps without waking the background task.
    desk.clock._now += timedelta(minutes=15)

    assert (await desk.status("o-1"))["status_code"] == "407"
    assert (await desk.client.post("/wallet/o-1/pay")).status_code == 409
    assert (await desk.client.post("/v2/o-1/cancel")).json()["status_code"] == "412"
    assert (await desk.charge()).json()["status_code"] == "201"
    assert desk.receiver.statuses == ["pending", "expire", "pending"]


@pytest.mark.parametrize("before", [True, False])
async def test_a_transaction_can_outlive_its_time(desk: Desk, before: bool) -> None:  # noqa: FBT001
    await desk.charge("o-1")
    await desk.charge("o-2")
    for order_id in ("o-1", "o-2") if before else ():
        await desk.trigger("expired-late", order_id=order_id, seconds=60)
    await desk.clock.advance(timedelta(minutes=14))
    for order_id in () if before else ("o-1", "o-2"):
        await desk.trigger("expired-late", order_id=order_id, seconds=60)
    await desk.clock.advance(timedelta(minutes=1))

    assert (await desk.status("o-1"))["transaction_status"] == "pending"
    assert (await desk.charge("o-1")).json()["status_code"] == "406"
    await desk.post("/wallet/o-1/pay")
    await desk.clock.advance(timedelta(seconds=60))

    assert (await desk.status("o-1"))["transaction_status"] == "settlement"
    assert (await desk.status("o-2"))["transaction_status"] == "expire"
    told = [(body["order_id"], body["transaction_status"]) for body in desk.receiver.bodies[2:]]
    assert told == [("o-1", "settlement"), ("o-2", "expire")]
