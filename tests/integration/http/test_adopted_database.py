"""A database that an earlier service left: its payments are read, settled and logged like ours."""

from pathlib import Path
from typing import Final

import pytest

from entrypoints.migrations import migrate_up
from integration.http.harness import Fault, Shop, a_shop
from support.database import connected
from support.log import is_intact

EARLIER: Final = (Path(__file__).parents[1] / "data" / "earlier_service.sql").read_text()
PENDING: Final = {
    "order_id": "earlier-pending",
    "gross_amount": "25000.00",
    "transaction_id": "e48447d1-cfa9-4b02-b163-2e915d4417ac",
}
SITI, BUDI = 7, 8


@pytest.fixture
async def adopted_url(empty_database_url: str) -> str:
    async with connected(empty_database_url) as connection:
        await connection.execute(EARLIER)
    migrate_up(empty_database_url)
    return empty_database_url


async def test_earlier_payments_are_read_by_their_owner(adopted_url: str) -> None:
    async with a_shop(adopted_url, users=()) as shop:
        payment = (await shop.get("/api/payments/earlier-pending", user=SITI)).json()
        listed = (await shop.get("/api/payments", user=SITI)).json()["items"]
        foreign = await shop.get("/api/payments/earlier-pending", user=BUDI)

    assert (payment["status"], payment["gross_amount"]) == ("pending", 25_000)
    assert payment["created_at"] == "2026-02-06T03:00:00Z"
    assert payment["expires_at"] == "2026-02-06T03:30:00Z"
    assert [action["name"] for action in payment["actions"]] == ["qr-code"]
    assert (payment["late"], payment["refunded_amount"], payment["metadata"]) == (False, 0, {})
    assert [entry["order_id"] for entry in listed] == ["earlier-pending", "earlier-settlement"]
    assert foreign.status_code == 404


async def test_an_earlier_pending_payment_is_settled_by_a_notification(adopted_url: str) -> None:
    async with a_shop(adopted_url, users=()) as shop:
        answer = await shop.notify(**PENDING)

        payment = (await shop.get("/api/payments/earlier-pending", user=SITI)).json()
        log = await shop.log("earlier-pending")
        stored = await shop.stored("earlier-pending")

    assert (answer.status_code, payment["status"]) == (200, "settlement")
    assert payment["paid_at"] is not None
    assert [(entry.what, entry.source) for entry in log] == [
        ("adopted", "earlier service"),
        ("settlement", "notification"),
    ]
    assert log[0].status == "pending"
    assert log[0].detail["transaction_id"] == PENDING["transaction_id"]
    assert is_intact(log, stored)


async def test_an_earlier_payment_without_a_transaction_is_asked_about(adopted_url: str) -> None:
    async with a_shop(adopted_url, users=(), notified=False) as shop:
        charge = {"order_id": "earlier-word-of-its-own", "gross_amount": 10_000}
        charged = await shop.midtrans.post(
            "/v2/charge", json={"payment_type": "gopay", "transaction_details": charge}
        )
        await shop.pay(charged.json())

        answer = await shop.get("/api/payments/earlier-word-of-its-own/status", user=BUDI)

        assert (answer.json()["status"], answer.json()["refreshed"]) == ("settlement", True)
        assert (await shop.log("earlier-word-of-its-own"))[0].what == "adopted"


async def test_reading_an_earlier_payment_writes_nothing(adopted_url: str) -> None:
    async with a_shop(adopted_url, users=()) as shop:
        shop.line.always = Fault.NO_CONNECTION
        for tail in ("", "/status", "/qr.svg"):
            await shop.get(f"/api/payments/earlier-pending{tail}", user=SITI)

        assert await shop.log("earlier-pending") == []


async def test_an_earlier_user_creates_payments_beside_the_earlier_ones(adopted_url: str) -> None:
    async with a_shop(adopted_url, users=()) as shop:
        await created_and_paid(shop)

        listed = (await shop.get("/api/payments", user=SITI)).json()["items"]

    assert [(entry["order_id"], entry["status"]) for entry in listed] == [
        ("order-1001", "settlement"),
        ("earlier-pending", "pending"),
        ("earlier-settlement", "settlement"),
    ]


async def created_and_paid(shop: Shop) -> None:
    payment = await shop.created(user=SITI, order_id="order-1001")
    await shop.pay(payment)
    await shop.reaches("order-1001", "settlement")


async def test_an_earlier_order_id_is_taken(adopted_url: str) -> None:
    async with a_shop(adopted_url, users=()) as shop:
        answer = await shop.create(user=BUDI, order_id="earlier-pending")

    assert (answer.status_code, answer.json()["code"]) == (409, "order-id-taken")


async def test_a_users_table_that_demands_more_takes_nobody_by_itself(adopted_url: str) -> None:
    async with a_shop(adopted_url, users=(), BAYAR_AUTO_CREATE_USERS="true") as shop:
        answer = await shop.create(user=99)

    assert (answer.status_code, answer.json()["code"]) == (403, "unknown-user")
    assert "full_name" in answer.json()["detail"]


async def test_the_events_of_the_earlier_service_are_left_alone(adopted_url: str) -> None:
    async with a_shop(adopted_url, users=()) as shop:
        await shop.notify(**PENDING)
        await shop.confirm()
        async with connected(adopted_url) as connection:
            errors = await connection.fetch(
                "SELECT processing_error, processed FROM payment_webhook_events ORDER BY received_at LIMIT 3"
            )

    assert [tuple(row) for row in errors] == [(None, True), ("bad signature", False), (None, False)]
