# ruff: noqa: S608 - the statements are put together from this file's own constants
"""How long the background work is behind: whatever of it is due and taken up by nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from adapters.postgres.health import PostgresHealth
from entrypoints.migrations import versions

if TYPE_CHECKING:
    from adapters.postgres.pool import Pool

ENDPOINT: Final = "00000000-0000-4000-8000-000000000001"
OTHER: Final = "00000000-0000-4000-8000-000000000002"
GIVEN: Final = f"""
INSERT INTO users (id) VALUES (1);
INSERT INTO payment_transactions (user_id, order_id, gross_amount, payment_type, status, due_at)
VALUES (1, 'order-1', 10000, 'gopay', 'settlement', NULL);
INSERT INTO payment_refunds (
  id, payment_id, user_id, key, fingerprint, transaction, amount, created_at, leased_until, due_at)
SELECT gen_random_uuid(), id, 1, 'key', '', 't-1', 1, now(), '-infinity', now() + interval '1 hour'
  FROM payment_transactions;
INSERT INTO merchant_endpoints (id, url, secret) VALUES ('{ENDPOINT}', 'https://shop.example', 'x');
INSERT INTO merchant_events (id, payment_id, seq, type, body)
SELECT gen_random_uuid(), id, n, 'payment.settlement', '' FROM payment_transactions, generate_series(1, 2) n;
INSERT INTO merchant_deliveries (event_id, endpoint_id, payment_id, seq, due_at)
SELECT id, '{ENDPOINT}', payment_id, seq, now() + interval '1 hour' FROM merchant_events;
"""
OVERDUE: Final = "now() - interval '10 minutes'"
EVENTS: Final = f"UPDATE merchant_deliveries SET due_at = {OVERDUE}"


async def behind(pool: Pool, *changes: str) -> float:
    async with pool.acquire() as connection:
        await connection.execute(GIVEN)
        for change in changes:
            await connection.execute(change)
    condition = await PostgresHealth(pool=pool, migrations=versions()).condition()
    return condition.behind_seconds


async def test_what_is_due_later_is_not_behind(pool: Pool) -> None:
    assert await behind(pool) == 0


@pytest.mark.parametrize(
    "overdue",
    [
        f"UPDATE payment_transactions SET due_at = {OVERDUE}",
        f"UPDATE payment_refunds SET due_at = {OVERDUE}",
        EVENTS,
        f"{EVENTS} WHERE seq = 2",
    ],
)
async def test_a_payment_a_refund_or_an_event_that_nobody_takes_up_shows(pool: Pool, overdue: str) -> None:
    assert 600 <= await behind(pool, overdue) < 660


async def test_what_somebody_has_taken_before_he_died_shows_too(pool: Pool) -> None:
    died = "UPDATE merchant_deliveries SET leased_until = now() - interval '5 minutes'"

    assert await behind(pool, EVENTS, died) >= 600


@pytest.mark.parametrize(
    "reason",
    [
        "UPDATE merchant_endpoints SET paused_until = now() + interval '50 seconds', strikes = 20",
        "UPDATE merchant_endpoints SET disabled_at = now()",
        "UPDATE merchant_deliveries SET leased_until = now() + interval '20 seconds' WHERE seq = 1",
        "UPDATE merchant_deliveries SET gave_up_at = now()",
        "UPDATE merchant_deliveries SET delivered_at = now()",
    ],
    ids=["down", "disabled", "being told", "given up", "told"],
)
async def test_what_waits_for_its_endpoint_is_not_behind(pool: Pool, reason: str) -> None:
    assert await behind(pool, EVENTS, reason) == 0


async def test_what_waited_for_a_pause_is_behind_from_its_end_on(pool: Pool) -> None:
    over = "UPDATE merchant_endpoints SET paused_until = now() - interval '3 minutes', strikes = 20"

    assert 180 <= await behind(pool, EVENTS, over) < 240


async def test_an_endpoint_that_is_down_hides_no_other(pool: Pool) -> None:
    down = f"""
    INSERT INTO merchant_endpoints (id, url, secret, paused_until) VALUES ('{OTHER}', '', '', 'infinity');
    INSERT INTO merchant_deliveries (event_id, endpoint_id, payment_id, seq, due_at)
    SELECT id, '{OTHER}', payment_id, seq, now() - interval '1 hour' FROM merchant_events;
    """

    assert 600 <= await behind(pool, EVENTS, down) < 660
