"""Refunds of one payment, ``order-1001`` of 10,000 rupiah, asked for over HTTP."""

from typing import Any, Final

import httpx

from integration.http.harness import Shop
from support.database import connected
from support.log import is_intact
from support.service import bearer

PATH: Final = "/api/payments/order-1001/refunds"
REPLAYED: Final = "idempotent-replayed"


async def refund(shop: Shop, key: str = "one", **fields: Any) -> httpx.Response:
    headers = bearer(scope="payments:refund") | {"Idempotency-Key": key}
    return await shop.http.post(PATH, json=fields, headers=headers)


async def paid(shop: Shop, **fields: Any) -> dict[str, Any]:
    """The payment, paid, and known here to be."""
    payment = await shop.created(order_id="order-1001", **fields)
    await shop.pay(payment)
    await shop.get("/api/payments/order-1001/status")
    await shop.reaches("order-1001", "settlement")
    return payment


async def listed(shop: Shop) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await shop.get(PATH)).json()["items"]
    return items


async def at_midtrans(shop: Shop) -> list[dict[str, Any]]:
    """The refunds that Midtrans has of the order."""
    told = (await shop.midtrans.get("/v2/order-1001/status")).json()
    refunds: list[dict[str, Any]] = told.get("refunds", [])
    return refunds


async def arm(shop: Shop, fault: str, **more: Any) -> None:
    """Have the fault strike the next refund."""
    answer = await shop.midtrans.post("/simulator/faults", json={"fault": fault, "on": "refund"} | more)
    assert answer.status_code == 201, answer.text


async def pass_time(shop: Shop, seconds: int) -> None:
    """What the database's clock decides moves into the past."""
    async with connected(shop.database_url) as connection:
        await connection.execute(
            "UPDATE payment_refunds SET leased_until = leased_until - make_interval(secs => $1),"
            " requested_at = requested_at - make_interval(secs => $1),"
            " due_at = due_at - make_interval(secs => $1)",
            seconds,
        )


async def repeat(shop: Shop) -> int:
    """One round of the background work on refunds, once they are due."""
    await pass_time(shop, 3600)
    taken: int = await shop.container.repeat_refunds()(limit=100)
    return taken


async def has_intact_log(shop: Shop) -> bool:
    return is_intact(await shop.log("order-1001"), await shop.stored("order-1001"))
