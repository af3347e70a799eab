"""Strangers who want the service away: many slow ones at once, and a flood of forged notifications."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Final

import httpx
import pytest

from support.builders import signed
from support.database import connected
from support.service import (
    CREATE,
    HOST,
    WEBHOOK,
    Serving,
    bearer,
    environment,
    eventually,
    serving,
    simulating,
)

SLOW_ONES: Final = 300
FORGED: Final = 10_000
CALLERS: Final = 32


@pytest.fixture
async def service(database_url: str) -> AsyncIterator[Serving]:
    async with connected(database_url) as connection:
        await connection.execute("INSERT INTO users DEFAULT VALUES")
    async with simulating() as simulator:
        env = environment(
            DATABASE_URL=database_url, MIDTRANS_BASE_URL=simulator.url, BAYAR_CREATE_RATE="100000"
        )
        async with serving(env=env) as service:
            yield service


async def slow_one(service: Serving, first: bytes, then: bytes) -> bytes:
    """Somebody who sends a request a bit at a time; what it is told before the service hangs up."""
    reader, writer = await asyncio.open_connection(HOST, int(service.url.rpartition(":")[2]))
    writer.write(first)

    async def drip() -> None:
        while then:
            writer.write(then)
            await writer.drain()
            await asyncio.sleep(1)

    dripping = asyncio.create_task(drip())
    try:
        return await reader.read(200)
    except ConnectionError:
        return b""
    finally:
        dripping.cancel()
        await asyncio.gather(dripping, return_exceptions=True)
        writer.close()


async def test_slow_callers_are_hung_up_on_and_keep_nobody_waiting(service: Serving) -> None:
    kinds = {
        "headers": (b"GET /health/live HTTP/1.1\r\nHost: x\r\n", b"X: y\r\n"),
        "body": (b"POST /api/payments/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n", b" "),
        "silence": (b"", b""),
    }
    tasks = {
        kind: [asyncio.create_task(slow_one(service, *sent)) for _ in range(SLOW_ONES)]
        for kind, sent in kinds.items()
    }
    async with httpx.AsyncClient(base_url=service.url, trust_env=False, timeout=40) as http:
        while not all(task.done() for task in tasks["body"]):
            answers = [await http.get("/health/ready"), await http.post(CREATE, json={}, headers=bearer())]
            assert [answer.status_code for answer in answers] == [200, 201]
    async with asyncio.timeout(60):
        told = {kind: Counter(await asyncio.gather(*them)) for kind, them in tasks.items()}

    assert told["headers"] == told["silence"] == {b"": SLOW_ONES}
    assert {answer[:12] for answer in told["body"]} == {b"HTTP/1.1 408"}
    assert service.program.said.count("Traceback") == 0


async def test_ten_thousand_forged_notifications_hide_no_genuine_one_and_fill_nothing(
    service: Serving, database_url: str
) -> None:
    limits = httpx.Limits(max_connections=CALLERS + 4)
    statuses: Counter[int] = Counter()
    async with httpx.AsyncClient(base_url=service.url, trust_env=False, timeout=40, limits=limits) as http:
        orders = [f"genuine-{number}" for number in range(50)]
        await charge(http, orders)
        numbers = iter(range(FORGED))

        async def forge() -> None:
            for number in numbers:
                body = {**claims(f"genuine-{number % 100}"), "signature_key": "0" * 128, "x": "y" * 2000}
                statuses[(await http.post(WEBHOOK, content=json.dumps(body))).status_code] += 1

        flood = [asyncio.create_task(forge()) for _ in range(CALLERS)]
        for order_id in orders:
            answer = await http.post(WEBHOOK, content=json.dumps(genuine(order_id)))
            assert answer.status_code == 200
        meanwhile = sum(statuses.values())
        await asyncio.gather(*flood)

        async def all_are_paid() -> bool:
            listed = (await http.get("/api/payments?limit=100", headers=bearer())).json()["items"]
            return {payment["status"] for payment in listed} == {"settlement"}

        await eventually(all_are_paid)
    async with connected(database_url) as connection:
        kept = await connection.fetchval("SELECT count(*) FROM payment_webhook_events WHERE NOT is_verified")
        size = await connection.fetchval("SELECT sum(length(raw_body::text)) FROM payment_webhook_events")

    assert meanwhile < FORGED, "the genuine ones came when the flood was over"
    assert statuses == {403: FORGED}
    # Two hundred in a minute are enough to look at, and of each no more than its claims.
    assert 0 < kept <= FORGED // 10
    assert size < FORGED // 10 * 400


async def charge(http: httpx.AsyncClient, orders: list[str]) -> None:
    for order_id in orders:
        fields = {"order_id": order_id, "gross_amount": 10_000}
        answer = await http.post(CREATE, json=fields, headers=bearer())
        assert answer.status_code == 201, answer.text
        _transactions[order_id] = answer.json()["transaction_id"]


_transactions: Final[dict[str, str]] = {}


def claims(order_id: str) -> dict[str, str]:
    return {
        "order_id": order_id,
        "status_code": "200",
        "gross_amount": "10000.00",
        "transaction_status": "settlement",
    }


def genuine(order_id: str) -> dict[str, str]:
    said = claims(order_id)
    return said | {
        "transaction_id": _transactions[order_id],
        "signature_key": signed(said["order_id"], said["status_code"], said["gross_amount"]),
    }
