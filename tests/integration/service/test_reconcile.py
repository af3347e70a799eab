"""One pass of the background work as a command: what it finds, it also tells, and it ends by itself."""

from typing import Any, Final

import httpx

from support.database import connected
from support.merchant import SECRET
from support.receiver import Receiver, Reply, receiving
from support.service import CREATE, Serving, bearer, ran, serving

PAID: Final = ["payment.pending", "payment.settlement"]


async def sold(env: dict[str, str], simulator: Serving, receiver: Receiver) -> tuple[str, str]:
    """Two paid orders: of the first a refund was lost on its way, of the second nobody told us."""
    told = {
        "BAYAR_MERCHANT_URL": receiver.url,
        "BAYAR_MERCHANT_SECRET": SECRET,
        "BAYAR_MERCHANT_ALLOW_PRIVATE": "true",
    }
    async with (
        serving("--no-worker", env=env | told) as service,
        httpx.AsyncClient(base_url=service.url, trust_env=False, timeout=30) as http,
        httpx.AsyncClient(base_url=simulator.url, trust_env=False, timeout=30) as midtrans,
    ):
        order_ids = []
        for _ in range(2):
            created = await http.post(CREATE, headers=bearer())
            assert created.status_code == 201, created.text
            order_ids.append(created.json()["order_id"])
            paid = await midtrans.post(f"/wallet/{created.json()['transaction_id']}/pay")
            assert paid.status_code == 200, paid.text
        known, unknown = order_ids
        asked = await http.get(f"/api/payments/{known}/status", headers=bearer())
        assert asked.json()["status"] == "settlement"
        lost = {"fault": "connection-closed", "on": "refund", "order_id": known}
        assert (await midtrans.post("/simulator/faults", json=lost)).status_code == 201
        headers = bearer(scope="payments:refund") | {"Idempotency-Key": "one"}
        refund = await http.post(f"/api/payments/{known}/refunds", json={"amount": 4_000}, headers=headers)
        assert (refund.status_code, refund.json()["code"]) == (504, "outcome-unknown")
    async with connected(env["DATABASE_URL"]) as connection:
        await connection.execute("UPDATE payment_transactions SET due_at = now(), asked_at = NULL")
        await connection.execute("UPDATE payment_refunds SET due_at = now(), leased_until = now()")
    return known, unknown


async def rows(env: dict[str, str], statement: str) -> list[Any]:
    async with connected(env["DATABASE_URL"]) as connection:
        return await connection.fetch(statement)


async def test_one_pass_repeats_refunds_finds_money_and_tells_the_shop_of_it(
    env: dict[str, str], simulator: Serving
) -> None:
    async with receiving() as receiver:
        known, unknown = await sold(env, simulator, receiver)
        before = receiver.types

        done = await ran("reconcile", "--once", "--json", env=env)
        again = await ran("reconcile", "--once", env=env)

    assert before == []
    assert (done.status, done.err) == (0, "")
    assert done.json["asked"] >= 1
    payments = await rows(env, "SELECT order_id, status, refunded_amount FROM payment_transactions")
    assert {tuple(row) for row in payments} == {(known, "partial_refund", 4_000), (unknown, "settlement", 0)}
    assert [row["status"] for row in await rows(env, "SELECT status FROM payment_refunds")] == ["accepted"]
    told = [(got.said["data"]["order_id"], got.said["type"]) for got in receiver.got]
    assert [what for order_id, what in told if order_id == known] == [*PAID, "payment.partial_refund"]
    assert [what for order_id, what in told if order_id == unknown] == PAID
    assert [got.verified()["type"] for got in receiver.got] == receiver.types
    assert len(receiver.got) == 5
    assert await rows(env, "SELECT FROM merchant_deliveries WHERE delivered_at IS NULL") == []
    assert (again.status, again.out) == (0, "Nothing more is due; Midtrans was asked about 0 payments.\n")


async def test_a_pass_ends_beside_a_backend_that_is_down(env: dict[str, str], simulator: Serving) -> None:
    async with receiving() as receiver:
        receiver.reply = lambda _got: Reply(status=503)
        await sold(env, simulator, receiver)

        done = await ran("reconcile", "--once", env=env)

    assert (done.status, done.err) == (0, "")
    assert receiver.types != []
    waiting = await rows(env, "SELECT leased_until > now() AS held FROM merchant_deliveries")
    assert [row["held"] for row in waiting] == [False] * 5
