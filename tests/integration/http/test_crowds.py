"""However many create or call at once, notifications are stored and everybody else is answered."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any, Final

from integration.http.harness import Held, Shop, a_shop

POOL: Final = 4
CHARGES: Final = 12


async def paid(shop: Shop, payment: dict[str, Any]) -> None:
    """Midtrans tells that it was paid, and the service takes it."""
    answer = await shop.notify(
        order_id=payment["order_id"],
        transaction_id=payment["transaction_id"],
        gross_amount=f"{payment['gross_amount']}.00",
    )
    assert answer.status_code == 200, answer.text


async def status_read(shop: Shop, payment: dict[str, Any]) -> str:
    answer = await shop.get(f"/api/payments/{payment['order_id']}/status")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["status"])


async def held_whole(pool: Any) -> AsyncExitStack:
    """Every connection that a share of the pool gives away at a time."""
    async with AsyncExitStack() as stack:
        for _ in range(pool.get_max_size()):
            await stack.enter_async_context(pool.acquire(timeout=5))
        return stack.pop_all()


async def test_more_slow_charges_than_connections_hold_up_neither_notifications_nor_reads(
    database_url: str,
) -> None:
    async with a_shop(database_url, notified=False, pool_size=POOL) as shop:
        payment = await shop.created()
        charges = [Held() for _ in range(CHARGES)]
        shop.line.faults.extend(charges)
        creating = [asyncio.create_task(shop.create(order_id=f"slow-{n}")) for n in range(CHARGES)]
        async with asyncio.timeout(60):
            for charge in charges:
                await charge.taken.wait()

            await paid(shop, payment)
            assert await status_read(shop, payment) == "settlement"

        assert not any(create.done() for create in creating)
        for charge in charges:
            charge.released.set()
        assert {(await create).status_code for create in creating} == {201}


async def test_creates_leave_connections_to_whoever_reads_and_to_notifications(database_url: str) -> None:
    async with a_shop(database_url, notified=False, pool_size=POOL) as shop:
        payment = await shop.created()

        async with await held_whole(shop.container.creators()):
            await paid(shop, payment)
            assert await status_read(shop, payment) == "settlement"


async def test_all_callers_together_leave_a_connection_to_notifications(database_url: str) -> None:
    async with a_shop(database_url, notified=False, pool_size=POOL) as shop:
        payment = await shop.created()

        async with await held_whole(shop.container.callers()):
            await paid(shop, payment)

        assert await status_read(shop, payment) == "settlement"


async def test_a_create_comes_through_when_its_turn_comes(database_url: str) -> None:
    async with a_shop(database_url, notified=False, pool_size=POOL) as shop:
        async with await held_whole(shop.container.creators()):
            creating = asyncio.create_task(shop.create())
            await shop.get("/api/payments")

            assert not creating.done()

        assert (await creating).status_code == 201
