# ruff: noqa: S608 - the statements are put together from this file's own constants
from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec
import pytest

from adapters.postgres.evidence_log import PostgresEvidenceLog
from domain.usecases.applying import ApplyEvidence
from domain.usecases.verify_log import VerifyLog
from entrypoints.http.schemas import event_list
from support.builders import NOW, a_charge_answer, a_status_reply, given
from support.rows import run

if TYPE_CHECKING:
    from adapters.postgres.payments import PostgresPaymentReader
    from adapters.postgres.pool import Pool
    from domain.ports.work import UnitOfWork

LAST = "(SELECT max(seq) FROM payment_events e WHERE e.payment_id = payment_events.payment_id)"
COLUMNS = "payment_id, seq + 100, recorded_at, what, source, status, detail, digest"
OF = "payment_id = (SELECT id FROM payment_transactions WHERE order_id = 'order-2')"
# Edits to what no entry of ours says, and nothing of ours could read.
ODD = [
    f"UPDATE payment_events SET status = 'paid' WHERE {OF} AND seq = {LAST}",
    f"UPDATE payment_events SET source = 'nobody' WHERE {OF} AND seq = {LAST}",
    f'UPDATE payment_events SET detail = detail || \'{{"evidence": "no hex"}}\' WHERE {OF}',
    f"UPDATE payment_events SET detail = detail || '{{\"paid_at\": [1]}}' WHERE {OF} AND seq = {LAST}",
    f"UPDATE payment_events SET detail = detail || '{{\"n\": 1e20}}' WHERE {OF} AND seq = {LAST}",
    f"UPDATE payment_events SET detail = detail || '{{\"n\": 1e5000}}' WHERE {OF} AND seq = {LAST}",
    f"UPDATE payment_events SET detail = '[\"evidence\"]' WHERE {OF} AND seq = {LAST}",
    f"UPDATE payment_events SET detail = '\"evidence\"' WHERE {OF} AND seq = {LAST}",
    f"UPDATE payment_events SET detail = 'null' WHERE {OF} AND seq = {LAST}",
    f"UPDATE payment_events SET detail = (repeat('[', 5000) || repeat(']', 5000))::jsonb WHERE {OF}",
    f"UPDATE payment_events SET recorded_at = '0044-03-15 BC' WHERE {OF} AND seq = {LAST}",
    f"UPDATE payment_events SET recorded_at = 'infinity' WHERE {OF} AND seq = {LAST}",
    f"UPDATE payment_events SET recorded_at = '-infinity' WHERE {OF} AND seq = {LAST}",
]


@pytest.fixture
async def verify(begin: UnitOfWork, pool: Pool) -> VerifyLog:
    """Three settled payments with a log of their own each."""
    for number in (1, 2, 3):
        await given(begin, order_id=f"order-{number}")
        known = {"order_id": f"order-{number}", "transaction_id": f"t-{number}"}
        raw = f'{{"order_id": "order-{number}"}}'.encode()
        evidence = (a_charge_answer(transaction_id=f"t-{number}"), a_status_reply(raw=raw, **known))
        await ApplyEvidence(begin)(f"order-{number}", evidence, at=NOW)
    return VerifyLog(log=PostgresEvidenceLog(pool=pool))


async def test_logs_that_nobody_touched_are_whole(verify: VerifyLog) -> None:
    checked: list[int] = []

    found = await verify(tell=checked.append)

    assert (found.payments, found.entries, found.faults) == (3, 9, ())
    assert checked == [1, 2, 3]


@pytest.mark.parametrize(
    "touch",
    [
        f"UPDATE payment_events SET detail = detail || '{{\"late\": true}}' WHERE {OF} AND seq = 1",
        f"UPDATE payment_events SET recorded_at = recorded_at + '1 microsecond' WHERE {OF} AND seq = 1",
        f"UPDATE payment_events SET status = 'refund' WHERE {OF} AND seq = {LAST}",
        f"UPDATE payment_events SET source = 'shop' WHERE {OF} AND seq = {LAST}",
        f"DELETE FROM payment_events WHERE {OF} AND seq = 1",
        f"DELETE FROM payment_events WHERE {OF} AND seq = {LAST}",
        f"DELETE FROM payment_events WHERE {OF}",
        f"INSERT INTO payment_events SELECT {COLUMNS} FROM payment_events WHERE {OF}",
        f"UPDATE payment_events SET seq = CASE seq WHEN 1 THEN 1000 ELSE seq END WHERE {OF}",
        f"UPDATE payment_events SET evidence = NULL WHERE {OF}",
        f"UPDATE payment_events SET evidence = evidence || 'x' WHERE {OF}",
        f"UPDATE payment_events SET evidence = 'x' WHERE {OF} AND seq = 1",
        "UPDATE payment_transactions SET log_head = 'x' WHERE order_id = 'order-2'",
        "UPDATE payment_transactions SET log_length = log_length + 1 WHERE order_id = 'order-2'",
        "UPDATE payment_transactions SET status = 'refund' WHERE order_id = 'order-2'",
        "UPDATE payment_transactions SET status = 'paid' WHERE order_id = 'order-2'",
        "UPDATE payment_transactions SET gross_amount = 1 WHERE order_id = 'order-2'",
        "UPDATE payment_transactions SET refunded_amount = 1 WHERE order_id = 'order-2'",
        "UPDATE payment_transactions SET paid_at = NULL WHERE order_id = 'order-2'",
        "UPDATE payment_transactions SET paid_at = paid_at - interval '1 day' WHERE order_id = 'order-2'",
        "UPDATE payment_transactions SET late = true WHERE order_id = 'order-2'",
        "UPDATE payment_transactions SET midtrans_transaction_id = NULL WHERE order_id = 'order-2'",
        "UPDATE payment_transactions SET log_length = -1 WHERE order_id = 'order-2'",
        "UPDATE payment_transactions SET paid_at = '0044-03-15 BC' WHERE order_id = 'order-2'",
        "UPDATE payment_transactions SET expires_at = 'infinity' WHERE order_id = 'order-2'",
        *ODD,
    ],
)
async def test_a_touched_log_is_named_and_the_others_are_whole(
    verify: VerifyLog, pool: Pool, touch: str
) -> None:
    async with pool.acquire() as connection:
        await connection.execute(touch)

    found = await verify()

    assert [fault.order_id for fault in found.faults] == ["order-2"]
    assert found.payments == 3


@pytest.mark.parametrize("touch", ODD)
async def test_an_odd_entry_hides_no_other_one_and_its_timeline_is_still_read(
    verify: VerifyLog, pool: Pool, reader: PostgresPaymentReader, touch: str
) -> None:
    await run(pool, touch)
    await run(pool, "DELETE FROM payment_events WHERE seq = 3 AND NOT " + OF)

    found = await verify()
    payment = await reader.find("order-2")
    assert payment is not None
    entries = await reader.log(payment.id)
    shown = json.loads(msgspec.json.encode(event_list(entries)))["items"]

    assert sorted(fault.order_id for fault in found.faults) == ["order-1", "order-2", "order-3"]
    assert [entry["seq"] for entry in shown] == [1, 2, 3]
    assert [entry.raw for entry in entries] == [b"", b"", b'{"order_id": "order-2"}']


async def test_adopted_payments_are_whole_with_whatever_log_they_have(
    verify: VerifyLog, begin: UnitOfWork, pool: Pool
) -> None:
    """A word of the earlier service's own, and nothing where that had nothing."""
    async with pool.acquire() as connection:
        await connection.execute(
            "ALTER TABLE payment_transactions ALTER payment_type DROP NOT NULL, ALTER status DROP NOT NULL"
        )
        for number, status in enumerate(("pending", "SETTLEMENT", "capture", "odd", None), start=10):
            await connection.execute(
                "INSERT INTO payment_transactions (user_id, order_id, gross_amount, payment_type, status,"
                " midtrans_transaction_id, paid_at, expires_at)"
                " VALUES (1, $1, 10000, NULL, $2, $3, $4, NULL)",
                f"old-{number}", status, f"t-{number}", NOW if number % 2 else None,
            )  # fmt: skip
    untouched = await verify()

    for number in (10, 11, 12, 13, 14):
        known = {"order_id": f"old-{number}", "transaction_id": f"t-{number}"}
        reply = a_status_reply(transaction_status="partial_refund", refund_amount=4_000, **known)
        await ApplyEvidence(begin)(f"old-{number}", (reply,), at=NOW)
    found = await verify()

    assert (untouched.payments, untouched.faults) == (3, ())
    assert (found.payments, found.faults) == (8, ())


async def test_one_payments_log_can_be_verified_alone(verify: VerifyLog, pool: Pool) -> None:
    async with pool.acquire() as connection:
        await connection.execute(f"DELETE FROM payment_events WHERE {OF}")

    one, two = await verify("order-1"), await verify("order-2")

    assert (one.payments, one.faults) == (1, ())
    assert [fault.order_id for fault in two.faults] == ["order-2"]


async def test_the_head_is_the_same_until_something_changes(verify: VerifyLog, begin: UnitOfWork) -> None:
    before, again = await verify(), await verify()
    await given(begin, order_id="order-4")

    assert before.head == again.head
    assert (await verify()).head != before.head
