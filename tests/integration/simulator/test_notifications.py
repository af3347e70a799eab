import asyncio
import hashlib
from datetime import timedelta

import httpx
import pytest

from simulator.notifications.courier import CONNECTIONS
from simulator.notifications.sender import HttpSender, notification_client
from support.simulator_desk import DASHBOARD, SERVER_KEY, Desk, a_charge, a_desk, everything_due

ID = "00000000-0000-4000-8000-000000000001"


def signed(status_code: str) -> str:
    return hashlib.sha512(f"o-1{status_code}10000.00{SERVER_KEY}".encode()).hexdigest()


async def test_a_notification_has_the_headers_of_midtrans(desk: Desk) -> None:
    await desk.charge()

    [request] = desk.receiver.requests
    assert request.method == "POST"
    assert str(request.url) == DASHBOARD
    assert request.headers["user-agent"] == "Veritrans"
    assert request.headers["accept"] == "application/json"
    assert request.headers["content-type"] == "application/json"


async def test_a_pending_gopay_charge_is_told_key_by_key(desk: Desk) -> None:
    await desk.charge()

    expected = {
        "transaction_time": "2024-06-22 10:00:00",
        "transaction_status": "pending",
        "transaction_id": ID,
        "status_message": "midtrans payment notification",
        "status_code": "201",
        "signature_key": signed("201"),
        "payment_type": "gopay",
        "order_id": "o-1",
        "merchant_id": "G141532850",
        "gross_amount": "10000.00",
        "fraud_status": "accept",
        "expiry_time": "2024-06-22 10:15:00",
        "currency": "IDR",
    }
    assert list(desk.receiver.bodies[0].items()) == list(expected.items())


async def test_a_settled_qris_charge_is_told_key_by_key(desk: Desk) -> None:
    await desk.charge(
        payment_type="qris",
        customer_details={
            "first_name": "Budi",
            "last_name": "Utomo",
            "email": "budi@shop.example",
            "phone": "0812",
        },
        custom_field2="kursi 7",
        metadata={"cart": 5},
    )
    await desk.clock.advance(timedelta(seconds=40))
    await desk.post(f"/wallet/{ID}/pay")

    body = desk.receiver.bodies[-1]
    expected = {
        "transaction_type": "on-us",
        "transaction_time": "2024-06-22 10:00:00",
        "transaction_status": "settlement",
        "transaction_id": ID,
        "status_message": "midtrans payment notification",
        "status_code": "200",
        "signature_key": signed("200"),
        "settlement_time": "2024-06-22 10:00:40",
        "payment_type": "qris",
        "order_id": "o-1",
        "metadata": {"cart": 5},
        "merchant_id": "G141532850",
        "merchant_cross_reference_id": body["merchant_cross_reference_id"],
        "issuer": "gopay",
        "gross_amount": "10000.00",
        "fraud_status": "accept",
        "expiry_time": "2024-06-22 10:15:00",
        "customer_details": {
            "phone": "0812",
            "full_name": "Budi Utomo",
            "email": "budi@shop.example",
        },
        "custom_field2": "kursi 7",
        "currency": "IDR",
        "acquirer": "gopay",
    }
    assert list(body.items()) == list(expected.items())


@pytest.mark.parametrize("end", ["cancel", "expire"])
async def test_an_end_without_payment_is_told_as_202(desk: Desk, end: str) -> None:
    await desk.charge()
    await desk.post(f"/v2/o-1/{end}")

    body = desk.receiver.bodies[-1]
    assert body["transaction_status"] == end
    assert body["status_code"] == "202"
    assert body["signature_key"] == signed("202")
    assert "settlement_time" not in body


@pytest.mark.parametrize(
    ("headers", "urls"),
    [
        ({"X-Override-Notification": "https://a.example"}, ["https://a.example"]),
        (
            {"X-Override-Notification": "https://a.example, https://b.example"},
            ["https://a.example", "https://b.example"],
        ),
        (
            {
                "X-Override-Notification": (
                    "https://a.example,https://b.example,https://c.example,https://d.example"
                )
            },
            ["https://a.example", "https://b.example", "https://c.example"],
        ),
        ({"X-Append-Notification": "https://a.example"}, [DASHBOARD, "https://a.example"]),
        (
            {
                "X-Override-Notification": "https://a.example",
                "X-Append-Notification": "https://b.example",
            },
            ["https://a.example", "https://b.example"],
        ),
        ({"X-Override-Notification": " , "}, [DASHBOARD]),
    ],
)
async def test_a_charge_may_choose_where_its_notifications_go(
    desk: Desk, headers: dict[str, str], urls: list[str]
) -> None:
    await desk.charge(headers=headers)
    await desk.post(f"/wallet/{ID}/pay")

    assert desk.receiver.urls == urls * 2
    assert desk.receiver.statuses == ["pending"] * len(urls) + ["settlement"] * len(urls)


async def test_without_any_address_nothing_is_sent() -> None:
    async with a_desk(notify_url=None) as desk:
        await desk.charge()

        assert desk.receiver.requests == []


async def test_a_receiver_that_hangs_keeps_nobody_else_waiting(desk: Desk) -> None:
    hanging = asyncio.Event()
    desk.receiver.script = [hanging]

    first = await desk.charge("o-1")
    second = await desk.charge("o-2")

    assert first.json()["status_code"] == second.json()["status_code"] == "201"
    assert [body["order_id"] for body in desk.receiver.bodies] == ["o-1", "o-2"]
    hanging.set()


async def test_a_flood_of_notifications_is_delivered_to_the_last(desk: Desk) -> None:
    flood = CONNECTIONS + 10
    for number in range(flood):
        await desk.client.post("/v2/charge", json=a_charge(f"o-{number}"))
    await everything_due()

    assert len({body["order_id"] for body in desk.receiver.bodies}) == flood


async def test_an_attempt_without_an_answer_in_time_is_over() -> None:
    async def hang(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        return httpx.Response(200)

    async with notification_client(httpx.MockTransport(hang)) as client:
        send = HttpSender(client, seconds=0)

        attempt = asyncio.create_task(send("https://shop.example", b"{}"))
        await everything_due()

        assert attempt.done()
        assert isinstance(attempt.exception(), TimeoutError)
