"""The service behind a PgBouncer that pools transactions: two of the server's connections for everybody."""

import asyncio
import os
from collections.abc import Iterator

import pytest

from integration.http.harness import Shop, a_shop
from support.pgbouncer import pgbouncer, pooled

SERVER_CONNECTIONS = 2
PAYMENTS = 12


@pytest.fixture
def pooled_url(database_url: str) -> Iterator[str]:
    """Nobody needs PgBouncer to work on something else, but CI does."""
    if pgbouncer() is None and os.environ.get("CI"):
        pytest.fail("CI needs PgBouncer: apt-get install pgbouncer")
    if pgbouncer() is None:
        pytest.skip("there is no PgBouncer; install it with: apt-get install pgbouncer")
    with pooled(database_url, size=SERVER_CONNECTIONS) as url:
        yield url


async def notified(shop: Shop, payment: dict[str, object]) -> int:
    answer = await shop.notify(
        order_id=payment["order_id"],
        transaction_id=payment["transaction_id"],
        gross_amount=f"{payment['gross_amount']}.00",
    )
    return answer.status_code


async def test_more_at_once_than_the_server_has_connections_for_are_all_served(pooled_url: str) -> None:
    async with a_shop(pooled_url, notified=False) as shop:
        payments = await asyncio.gather(*(shop.created(order_id=f"order-{n}") for n in range(PAYMENTS)))

        *told, listed = await asyncio.gather(
            *(notified(shop, payment) for payment in payments), shop.get("/api/payments?limit=50")
        )

        assert told == [200] * PAYMENTS
        assert {payment["order_id"] for payment in listed.json()["items"]} == {
            payment["order_id"] for payment in payments
        }
        read = await asyncio.gather(*(shop.get(f"/api/payments/order-{n}/status") for n in range(PAYMENTS)))
        assert {answer.json()["status"] for answer in read} == {"settlement"}


async def test_what_nobody_told_is_found_and_the_log_is_whole(pooled_url: str) -> None:
    async with a_shop(pooled_url, notified=False) as shop:
        payments = [await shop.created(order_id=f"order-{n}") for n in range(PAYMENTS)]
        for payment in payments:
            await shop.pay(payment)

        sync = shop.container.reconcile_payments().sync
        synced = await asyncio.gather(*(sync(payment["order_id"]) for payment in payments))

        assert {payment.status for payment in synced} == {"settlement"}
        verified = await shop.container.verify_log()()
        assert (verified.payments, verified.faults) == (PAYMENTS, ())
