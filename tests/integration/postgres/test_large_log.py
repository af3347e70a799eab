# ruff: noqa: S608 - the statements are put together from this file's own constants
"""An evidence log of a hundred thousand entries: checked whole in seconds, and every touch in it found."""

from __future__ import annotations

from time import process_time
from typing import TYPE_CHECKING, Final

from adapters.postgres.evidence_log import PostgresEvidenceLog
from domain.usecases.verify_log import VerifyLog
from support.filled import fill, settled

if TYPE_CHECKING:
    from adapters.postgres.pool import Pool

PAYMENTS: Final = 33_334
ENTRIES: Final = 3 * PAYMENTS
# Of the verifier's own work, whatever else the machine does meanwhile; the database's comes beside it.
MOST_SECONDS: Final = 10
TOUCHES: Final = {
    "edited": "UPDATE payment_events SET detail = detail || '{{\"amount\": 1}}' WHERE {of} AND seq = 2",
    "deleted": "DELETE FROM payment_events WHERE {of} AND seq = 2",
    "inserted": "INSERT INTO payment_events"
    " SELECT payment_id, 4, recorded_at, what, source, status, detail, digest"
    " FROM payment_events WHERE {of} AND seq = 3",
    # Two entries change places.
    "reordered": "UPDATE payment_events SET seq = 50 - 10 * seq WHERE {of} AND seq > 1;"
    "UPDATE payment_events SET seq = seq / 10 WHERE {of} AND seq > 1",
}


async def test_a_hundred_thousand_entries_are_checked_and_every_touch_is_found(pool: Pool) -> None:
    others = [f"order-{number}" for number in range(PAYMENTS - len(TOUCHES))]
    verify = VerifyLog(log=PostgresEvidenceLog(pool=pool))
    async with pool.acquire() as connection:
        await fill(connection, map(settled, (*TOUCHES, *others)), due_at=None)

    started = process_time()
    whole = await verify()
    took = process_time() - started
    async with pool.acquire() as connection:
        for name, touch in TOUCHES.items():
            of = f"payment_id = (SELECT id FROM payment_transactions WHERE order_id = '{name}')"
            await connection.execute(touch.format(of=of))
    touched = await verify()

    assert (whole.entries, whole.faults) == (ENTRIES, ())
    assert took < MOST_SECONDS
    assert {fault.order_id for fault in touched.faults} == TOUCHES.keys()
    assert touched.payments == PAYMENTS
