"""One payment, ``order-1001``, and what a fault makes of it."""

from typing import Any, Final

import httpx

from integration.http.harness import Shop
from support.database import connected
from support.log import is_intact
from support.service import CREATE, bearer

ORDER: Final = "order-1001"
QUARTER_OF_AN_HOUR: Final = 900


async def arm(shop: Shop, fault: str, **wish: object) -> None:
    """Have the fault strike the next occasion."""
    answer = await shop.midtrans.post("/simulator/faults", json={"fault": fault} | wish)
    assert answer.status_code == 201, answer.text


async def disarm(shop: Shop) -> None:
    await shop.midtrans.delete("/simulator/faults")


async def is_over(shop: Shop) -> bool:
    """Whether no fault waits for its occasion any more."""
    return not (await shop.midtrans.get("/simulator/faults")).json()["armed"]


async def create(shop: Shop) -> httpx.Response:
    """The same call each time, under one key."""
    headers = bearer() | {"Idempotency-Key": "one"}
    return await shop.http.post(CREATE, json={"order_id": ORDER, "expiry_minutes": 60}, headers=headers)


async def pay(shop: Shop, **how: str) -> None:
    """The customer pays, in the wallet."""
    answer = await shop.midtrans.post(f"/wallet/{ORDER}/pay", json=how)
    assert answer.status_code == 200, answer.text


async def let_pass(shop: Shop, seconds: float) -> None:
    """At Midtrans it is later: what is due there happens."""
    await shop.midtrans.post("/simulator/clock", json={"seconds": seconds})


async def ask(shop: Shop) -> bool:
    """Ask Midtrans, however recently it was asked; whether it answered."""
    async with connected(shop.database_url) as connection:
        await connection.execute("UPDATE payment_transactions SET asked_at = NULL")
    answer = await shop.get(f"/api/payments/{ORDER}/status")
    assert answer.status_code == 200, answer.text
    return bool(answer.json()["refreshed"])


async def reconcile(shop: Shop) -> None:
    """One round of the background work, when everything has come due."""
    async with connected(shop.database_url) as connection:
        await connection.execute("UPDATE payment_transactions SET due_at = now(), asked_at = NULL")
    await shop.confirm()
    await shop.container.reconcile_payments()(limit=10)


async def transactions(shop: Shop) -> list[dict[str, Any]]:
    """What Midtrans has of the order, the newest first."""
    found: list[dict[str, Any]] = (await shop.midtrans.get(f"/simulator/orders/{ORDER}")).json()[
        "transactions"
    ]
    return found


async def is_true(shop: Shop, status: str) -> bool:
    """Whether Midtrans took the charge once, and both sides say that it is this, with the whole log."""
    (transaction,) = await transactions(shop)
    payment = await shop.stored(ORDER)
    return (
        transaction["transaction_status"] == payment.status == status
        and transaction["transaction_id"] == payment.transaction_id
        and transaction["gross_amount"] == payment.gross_amount
        and is_intact(await shop.log(ORDER), payment)
    )


async def is_true_that_nothing_was_charged(shop: Shop) -> bool:
    payment = await shop.stored(ORDER)
    return (
        await transactions(shop) == []
        and payment.status == "failure"
        and is_intact(await shop.log(ORDER), payment)
    )


async def forget_the_key(shop: Shop) -> None:
    """The charge was sent so long ago that Midtrans knows its key no more."""
    long_ago = "now() - interval '5 minutes'"
    await let_pass(shop, 300)
    async with connected(shop.database_url) as connection:
        await connection.execute(
            f"UPDATE payment_transactions SET charged_first_at = {long_ago}, charged_last_at = {long_ago}"  # noqa: S608
        )


async def make_overdue(shop: Shop) -> None:
    """The payment's time was over some minutes ago."""
    async with connected(shop.database_url) as connection:
        await connection.execute("UPDATE payment_transactions SET expires_at = now() - interval '5 minutes'")
