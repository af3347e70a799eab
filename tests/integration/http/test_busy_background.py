"""Much background work at once: it waits its turn for a connection, and the API does not wait for it."""

import asyncio
from typing import Final

from domain.usecases.reconcile_payments import Rest
from integration.http.harness import Shop, a_shop
from support.database import connected

PAYMENTS: Final = 12
# As a busy database: one after another they take longer than any caller is made to wait.
SLOW: Final = """
CREATE FUNCTION be_slow() RETURNS trigger LANGUAGE plpgsql
  AS $$ BEGIN PERFORM pg_sleep(0.5); RETURN NEW; END $$;
CREATE TRIGGER slow BEFORE UPDATE ON payment_transactions FOR EACH ROW
  WHEN (NEW.log_length > OLD.log_length) EXECUTE FUNCTION be_slow()
"""
QUICK: Final = "DROP FUNCTION be_slow() CASCADE"
DUE: Final = "UPDATE payment_transactions SET due_at = now(), asked_at = NULL"


async def execute(shop: Shop, statement: str) -> None:
    async with connected(shop.database_url) as connection:
        await connection.execute(statement)


async def test_a_crowd_of_answers_is_stored_whole_and_the_api_answers_meanwhile(database_url: str) -> None:
    async with a_shop(database_url, notified=False, pool_size=2) as shop:
        payments = [await shop.created(order_id=f"order-{number}") for number in range(PAYMENTS)]
        for payment in payments:
            await shop.pay(payment)
        await execute(shop, DUE)
        await execute(shop, SLOW)
        try:
            working = asyncio.create_task(shop.container.reconcile_payments()(limit=PAYMENTS))
            read = []
            while not working.done():
                read.append((await shop.get("/api/payments")).status_code)
                await asyncio.sleep(0.05)
            asked = (await working).asked
        finally:
            await execute(shop, QUICK)

        assert asked == PAYMENTS
        assert {await shop.status_of(payment["order_id"]) for payment in payments} == {"settlement"}
        assert set(read) == {200}
        assert (await shop.container.reconcile_payments()(limit=1)).rest is Rest.NOTHING_DUE
