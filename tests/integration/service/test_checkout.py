"""The customer's side of the program itself: streams over real connections, and no token in any line."""

import asyncio
import json
import re
import resource
import signal
import time
from contextlib import AsyncExitStack, ExitStack
from typing import Any

import httpx
import pytest

from entrypoints.embedded_postgres import embedded_postgres
from entrypoints.migrations import migrate_up
from support.builders import SERVER_KEY
from support.database import connected, open_directory
from support.events import following
from support.service import (
    CREATE,
    HOST,
    Serving,
    bearer,
    environment,
    eventually,
    free_port,
    serving,
    simulating,
)


def stream_of(service: Serving, payment: dict[str, Any]) -> str:
    token = payment["checkout_url"].rpartition("/")[2]
    return f"{service.url}/api/payments/{payment['order_id']}/stream?token={token}"


async def created(service: Serving, **fields: Any) -> dict[str, Any]:
    async with httpx.AsyncClient(headers=bearer(), trust_env=False, timeout=30) as http:
        answer = await http.post(service.url + CREATE, json=fields)
    assert answer.status_code == 201, answer.text
    payment: dict[str, Any] = answer.json()
    return payment


async def a_stream(service: Serving) -> str:
    """Where a payment of its own is followed."""
    return stream_of(service, await created(service))


async def pay(simulator: Serving, payment: dict[str, Any]) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(f"{simulator.url}/wallet/{payment['transaction_id']}/pay")
    assert answer.status_code == 200


async def open_streams(service: Serving) -> float:
    async with httpx.AsyncClient(trust_env=False) as http:
        text = (await http.get(f"{service.url}/metrics")).text
    return float(re.findall(r"^bayar_open_streams ([0-9.]+)$", text, re.MULTILINE)[0])


@pytest.fixture
def public(env: dict[str, str]) -> tuple[int, dict[str, str]]:
    """A port, and the variables of a service that Midtrans reaches there."""
    port = free_port()
    return port, env | {"BAYAR_PUBLIC_URL": f"http://{HOST}:{port}"}


async def test_a_payment_is_followed_to_its_end_and_a_reconnect_is_told_not_to_come_back(
    public: tuple[int, dict[str, str]], simulator: Serving
) -> None:
    port, env = public
    async with serving(env=env, port=port) as service:
        payment = await created(service)
        assert payment["checkout_url"].startswith(f"{service.url}/checkout/")
        async with following(stream_of(service, payment)) as follower:
            await follower.hears("pending")
            await pay(simulator, payment)
            await follower.hears("pending", "settlement")
            await follower.ends()
        last_id = follower.events[-1][0]
        async with following(stream_of(service, payment), last_id=last_id) as again:
            assert again.status == 204
        async with following(stream_of(service, payment), last_id=last_id - 1) as behind:
            await behind.hears("settlement")
            await behind.ends()


async def test_a_comment_comes_every_fifteen_seconds(env: dict[str, str]) -> None:
    async with serving(env=env) as service, following(await a_stream(service)) as follower:
        began = time.monotonic()

        async def has_come() -> bool:
            return follower.comments == 1

        await eventually(has_come, within=30)

    assert 14 <= time.monotonic() - began < 25
    assert follower.statuses == ["pending"]


@pytest.mark.parametrize("arguments", [(), ("--workers", "2")], ids=" ".join)
async def test_open_streams_do_not_hold_up_an_end(env: dict[str, str], arguments: tuple[str, ...]) -> None:
    async with serving(*arguments, env=env) as service, AsyncExitStack() as viewers:
        payment = await created(service)
        followers = [
            await viewers.enter_async_context(following(stream_of(service, payment))) for _ in range(20)
        ]
        for follower in followers:
            await follower.hears("pending")
        service.program.signal(signal.SIGTERM)

        ended = await service.program.ended(within=20)
        for follower in followers:
            await follower.ends()

    assert ended.status == 0
    assert "Traceback" not in ended.out + ended.err


async def test_whoever_leaves_is_forgotten_and_the_database_with_the_last(
    env: dict[str, str], database_url: str
) -> None:
    async def is_asked() -> bool:
        """Whether the watcher's question was asked since the last look."""
        async with connected(database_url) as connection:
            return bool(
                await connection.fetchval(
                    "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%AS seen (payment_id, entries)%'"
                    " AND pid <> pg_backend_pid() AND query_start > now() - interval '0.5 seconds'"
                )
            )

    async with serving(env=env) as service:
        payment = await created(service)
        async with AsyncExitStack() as viewers:
            for _ in range(10):
                follower = await viewers.enter_async_context(following(stream_of(service, payment)))
                await follower.hears("pending")
            assert await open_streams(service) == 10
            await eventually(is_asked)

        async def are_gone() -> bool:
            return await open_streams(service) == 0

        async def is_quiet() -> bool:
            return not await is_asked()

        await eventually(are_gone)
        await eventually(is_quiet)


async def test_a_restart_of_the_database_is_survived_by_everybody_who_watches() -> None:
    with open_directory() as home, ExitStack() as postgres:

        def start() -> str:
            return postgres.enter_context(embedded_postgres(home, database="bayar"))

        url = start()
        await asyncio.to_thread(migrate_up, url)
        async with connected(url) as connection:
            await connection.execute("INSERT INTO users DEFAULT VALUES")
        port = free_port()
        async with simulating() as simulator:
            env = environment(
                DATABASE_URL=url,
                MIDTRANS_BASE_URL=simulator.url,
                BAYAR_PUBLIC_URL=f"http://{HOST}:{port}",
            )
            async with serving(env=env, port=port) as service, AsyncExitStack() as viewers:
                payment = await created(service)
                followers = [
                    await viewers.enter_async_context(following(stream_of(service, payment)))
                    for _ in range(5)
                ]
                for follower in followers:
                    await follower.hears("pending")

                async def is_noticed() -> bool:
                    return "watcher.database_away" in service.program.said

                postgres.close()
                await eventually(is_noticed)
                start()
                await pay(simulator, payment)

                for follower in followers:
                    await follower.hears("pending", "settlement", within=30)
                    await follower.ends()
                said = service.program.said
    assert said.count("watcher.database_away") == 1
    assert "Traceback" not in said


async def test_no_line_of_the_log_has_a_token_whatever_goes_wrong(
    env: dict[str, str], database_url: str
) -> None:
    env = env | {"LOG_LEVEL": "debug"}
    async with serving(env=env) as service, httpx.AsyncClient(trust_env=False, timeout=30) as http:
        payment = await created(service)
        token = payment["checkout_url"].rpartition("/")[2]
        async with following(stream_of(service, payment)) as follower:
            await follower.hears("pending")
        for path in (
            f"/checkout/{token}",
            f"/checkout/{token}/",
            f"/checkout/{token}/x",
            f"/checkout/{token}%0d%0ax",
            f"/api/payments/{payment['order_id']}/qr.svg?token={token}",
            f"/api/payments/nobody-s/stream?token={token}",
            f"/api/payments?token={token}",
            f"/nowhere/{token}?token={token}",
        ):
            await http.get(service.url + path)
            await http.request("BREW", service.url + path)
        # What is no HTTP at all, and a caller who leaves in the middle.
        for lines in (f"GET /checkout/{token}\r\n\r\n", f"GET /checkout/{token} HTTP/1.1\r\nHost: x\r\nA"):
            _, writer = await asyncio.open_connection(HOST, int(service.url.rpartition(":")[2]))
            writer.write(lines.encode())
            await writer.drain()
            writer.close()
        # Rows that Postgres refuses, and repeats in its own words.
        async with connected(database_url) as connection:
            await connection.execute(
                "ALTER TABLE payment_transactions ADD CONSTRAINT full_up CHECK (gross_amount <> 11)"
            )
        refused = await http.post(service.url + CREATE, json={"gross_amount": 11}, headers=bearer())
        async with connected(database_url) as connection:
            await connection.execute("ALTER TABLE payment_transactions DROP CONSTRAINT full_up")
            tokens = [
                row["checkout_token"]
                for row in await connection.fetch("SELECT checkout_token FROM payment_transactions")
            ]
        said = service.program.said

    lines = [json.loads(line) for line in said.splitlines()]
    assert refused.status_code == 500
    assert [line["event"] for line in lines if line["level"] == "error"] == ["request.failed"]
    assert "violates check constraint" in said
    assert "Failing row" not in said
    assert tokens == [token]
    assert token not in said
    assert SERVER_KEY not in said


async def test_more_viewers_than_a_server_takes_calls_are_all_told_and_calls_are_still_answered(
    public: tuple[int, dict[str, str]], simulator: Serving
) -> None:
    port, env = public
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    arriving = asyncio.Semaphore(16)
    looking = 0

    async def look(url: str) -> bool:
        """Follow to the end; whether it was told that the payment is paid."""
        nonlocal looking
        async with arriving:
            reader, writer = await asyncio.open_connection(HOST, port)
            writer.write(f"GET {url.removeprefix(service.url)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            await reader.readuntil(b'"status":"pending"')
            looking += 1
        rest = await reader.readuntil(b"0\r\n\r\n")
        writer.close()
        return b'"status":"settlement"' in rest

    async with serving(env=env, port=port) as service:
        payment = await created(service)
        viewers = [asyncio.create_task(look(stream_of(service, payment))) for _ in range(1100)]

        async def are_there() -> bool:
            return looking == len(viewers)

        await eventually(are_there, within=60)
        assert await open_streams(service) == 1100
        await pay(simulator, payment)

        async with asyncio.timeout(60):
            assert all(await asyncio.gather(*viewers))

        async def are_gone() -> bool:
            return await open_streams(service) == 0

        await eventually(are_gone)
