"""The program itself, as it is run: `bayar serve` with a database, a Midtrans and signals."""

import asyncio
import fcntl
import json
import os
import re
import signal
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from integration.http.harness import a_notification
from support.builders import SERVER_KEY
from support.killing import children_of
from support.service import (
    CREATE,
    HOST,
    TOKEN_SECRET,
    WEBHOOK,
    Serving,
    a_token,
    bearer,
    environment,
    eventually,
    free_port,
    ran,
    serving,
    started,
)

TRANSACTION: Final = "e48447d1-cfa9-4b02-b163-2e915d4417ac"


@asynccontextmanager
async def calling(url: str, **given: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        base_url=url, headers=bearer(), trust_env=False, timeout=30, **given
    ) as http:
        yield http


async def is_settled(http: httpx.AsyncClient, order_id: str) -> bool:
    answer = await http.get(f"/api/payments/{order_id}")
    return bool(answer.json()["status"] == "settlement")


async def test_a_payment_goes_from_create_to_settlement_over_real_sockets(
    env: dict[str, str], simulator: Serving
) -> None:
    port = free_port()
    public = f"http://{HOST}:{port}"

    async with serving(env=env | {"BAYAR_PUBLIC_URL": public}, port=port) as service:
        async with calling(service.url) as http:
            created = (await http.post(CREATE)).json()
            paid = await http.post(f"{simulator.url}/wallet/{created['transaction_id']}/pay")
            assert paid.status_code == 200
            await eventually(lambda: is_settled(http, created["order_id"]))
        said = service.program.said

    # Logs are lines of JSON in a pipe, and nothing secret is among them.
    lines = [json.loads(line) for line in said.splitlines()]
    assert {"server.started", "payment.changed", "request.finished"} <= {line["event"] for line in lines}
    secrets = [SERVER_KEY, TOKEN_SECRET, *a_token().split(".")[:1], "signature_key"]
    assert [secret for secret in secrets if secret in said] == []


async def test_sigterm_drains_and_the_status_is_zero(env: dict[str, str]) -> None:
    async with serving(env=env) as service:
        service.program.signal(signal.SIGTERM)

        ended = await service.program.ended(within=20)

    assert ended.status == 0
    assert "Traceback" not in ended.out + ended.err


async def test_ctrl_c_ends_it_like_sigterm(env: dict[str, str]) -> None:
    async with serving(env=env) as service:
        service.program.signal(signal.SIGINT)

        assert (await service.program.ended(within=20)).status == 0


class SlowMidtrans:
    """Takes a charge, and answers it a while later."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.charged = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
        body = await reader.readexactly(int(length[1])) if length else b"{}"
        answer: dict[str, Any] = {"status_code": "404", "status_message": "Transaction doesn't exist."}
        if head.startswith("POST /v2/charge"):
            self.charged.set()
            await asyncio.sleep(self._seconds)
            asked = json.loads(body)["transaction_details"]
            answer = {
                "status_code": "201",
                "transaction_id": TRANSACTION,
                "order_id": asked["order_id"],
                "gross_amount": f"{asked['gross_amount']}.00",
                "currency": "IDR",
                "payment_type": "gopay",
                "transaction_status": "pending",
                "actions": [],
            }
        text = json.dumps(answer).encode()
        head_back = f"HTTP/1.1 200 OK\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n"
        writer.write(head_back.encode() + text)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def slow_midtrans(seconds: float) -> AsyncIterator[tuple[SlowMidtrans, str]]:
    midtrans = SlowMidtrans(seconds)
    server = await asyncio.start_server(midtrans, HOST, 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield midtrans, f"http://{HOST}:{port}"


@pytest.mark.parametrize("arguments", [(), ("--workers", "2"), ("--no-worker",)], ids=" ".join)
async def test_a_create_that_is_under_way_when_it_is_told_to_end_is_answered(
    env: dict[str, str], arguments: tuple[str, ...]
) -> None:
    async with (
        slow_midtrans(1.5) as (midtrans, url),
        serving(*arguments, env=env | {"MIDTRANS_BASE_URL": url}) as service,
        calling(service.url) as http,
    ):
        creating = asyncio.create_task(http.post(CREATE, json={"order_id": "order-1001"}))
        async with asyncio.timeout(20):
            await midtrans.charged.wait()
        service.program.signal(signal.SIGTERM)
        await eventually(lambda: is_closed(service.url))
        service.program.signal(signal.SIGTERM)

        answer = await creating
        ended = await service.program.ended(within=20)

    assert (answer.status_code, answer.json()["status"]) == (201, "pending")
    assert ended.status == 0
    assert "Traceback" not in ended.out + ended.err
    shown = await ran("payments", "show", "order-1001", "--json", env=env)
    assert [entry["what"] for entry in shown.json["timeline"]] == ["created", "pending"]


async def is_closed(url: str) -> bool:
    """Whether nobody takes new connections there."""
    try:
        _, writer = await asyncio.open_connection(HOST, int(url.rpartition(":")[2]))
    except ConnectionRefusedError:
        return True
    writer.close()
    return False


async def is_let_go(folder: Path) -> bool:
    """Whether no process holds its lock on the folder any more."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


async def test_the_metrics_of_two_workers_are_added_up(env: dict[str, str]) -> None:
    requests = 40
    count = r'bayar_http_request_seconds_count\{method="GET",route="/api/payments",status="200"\} ([0-9.]+)'
    async with serving("--workers", "2", env=env) as service:
        for _ in range(requests):
            async with calling(service.url) as http:  # a connection each, so that both get some
                assert (await http.get("/api/payments")).status_code == 200
        texts = []
        for _ in range(8):
            async with calling(service.url) as http:
                texts.append((await http.get("/metrics")).text)

    assert [re.findall(count, text) for text in texts] == [[f"{requests:.1f}"]] * len(texts)


async def test_a_worker_that_dies_is_replaced(env: dict[str, str]) -> None:
    async with serving("--workers", "2", env=env) as service:
        # One that dies within two seconds of its start would do so again, and is not replaced.
        ready_at = time.monotonic()
        await eventually(lambda: is_past(ready_at + 2.1))
        victim = children_of(service.program.pid)[0]
        os.kill(victim, signal.SIGKILL)

        async def are_two_others() -> bool:
            now = children_of(service.program.pid)
            return len(now) == 2 and victim not in now

        await eventually(are_two_others)
        async with calling(service.url) as http:
            await eventually(lambda: is_ready(http))
        service.program.signal(signal.SIGTERM)

        assert (await service.program.ended(within=20)).status == 0


async def test_a_killed_service_starts_again_at_once_and_its_left_folder_goes(
    env: dict[str, str], tmp_path: Path
) -> None:
    env = env | {"TMPDIR": str(tmp_path)}
    port = free_port()
    async with serving("--workers", "2", env=env, port=port) as service:
        (left,) = metrics_folders(tmp_path)
        service.program.signal(signal.SIGKILL)
        await service.program.ended()
        # Its processes end by themselves, as soon as they have nothing in hand; the last one lets go.
        await eventually(lambda: is_let_go(left))
    long_ago = time.time() - 3600
    os.utime(left, (long_ago, long_ago))

    async with serving("--workers", "2", env=env, port=port) as service:
        (fresh,) = metrics_folders(tmp_path)
        os.utime(fresh, (long_ago, long_ago))

        async with serving("--workers", "2", env=env):
            assert len(metrics_folders(tmp_path)) == 2, "one in use is left alone"

    assert fresh != left
    assert metrics_folders(tmp_path) == []


def metrics_folders(temporary: Path) -> list[Path]:
    return [*temporary.glob("bayar-metrics-*")]


async def is_ready(http: httpx.AsyncClient) -> bool:
    try:
        return (await http.get("/health/ready")).is_success
    except httpx.HTTPError:
        return False


async def is_past(instant: float) -> bool:
    return time.monotonic() > instant


async def test_a_taken_port_is_one_plain_sentence(env: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]

        ended = await ran("serve", "--port", str(port), env=env)

    assert (ended.status, ended.out) == (1, "")
    assert ended.err.count("\n") == 1
    assert f"{HOST}:{port}" in ended.err
    assert "Traceback" not in ended.err


async def test_a_second_service_on_the_same_port_is_told_so(env: dict[str, str]) -> None:
    async with serving(env=env) as service:
        port = service.url.rpartition(":")[2]

        ended = await ran("serve", "--port", port, env=env)

    assert ended.status == 1
    assert "choose another --port" in ended.err


@pytest.mark.parametrize("command", [["serve"], ["worker"]], ids=" ".join)
async def test_missing_settings_are_named_all_at_once(command: list[str]) -> None:
    ended = await ran(*command, env={})

    assert (ended.status, ended.out) == (1, "")
    for variable in ("DATABASE_URL", "MIDTRANS_SERVER_KEY", "AUTH_JWT_SECRET or AUTH_JWT_PUBLIC_KEY"):
        assert f"{variable} is not set" in ended.err
    assert "Traceback" not in ended.err


async def test_bad_settings_are_named_and_never_repeated() -> None:
    bad = {"AUTH_JWT_SECRET": "hunter2", "MIDTRANS_SERVER_KEY": "hunter2 hunter2"}

    ended = await ran("serve", env=environment(**bad))

    assert ended.status == 1
    assert {line.split()[0] for line in ended.err.splitlines()} == set(bad)
    assert "hunter2" not in ended.err


async def test_with_the_database_away_it_starts_and_says_503(simulator: Serving) -> None:
    env = environment(
        DATABASE_URL=f"postgresql://bayar:hunter2@{HOST}:1/bayar", MIDTRANS_BASE_URL=simulator.url
    )
    port = free_port()
    async with started("serve", "--port", str(port), env=env) as program:
        async with calling(f"http://{HOST}:{port}") as http:

            async def is_live() -> bool:
                try:
                    return (await http.get("/health/live")).is_success
                except httpx.HTTPError:
                    return False

            await eventually(is_live, within=20)
            answers = [
                await http.get("/health/ready"),
                await http.get("/api/payments"),
                await http.post(WEBHOOK, json=a_notification()),
            ]
        said = program.said

    assert [answer.status_code for answer in answers] == [503] * 3
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in answers)
    assert "Traceback" not in said
    assert "hunter2" not in said


async def test_a_key_that_midtrans_refuses_is_said_at_the_start(env: dict[str, str]) -> None:
    async with serving(env=env | {"MIDTRANS_SERVER_KEY": "SB-Mid-server-other"}) as service:

        async def is_told() -> bool:
            return "midtrans.key_refused" in service.program.said

        await eventually(is_told)
        assert "SB-Mid-server-other" not in service.program.said


@pytest.mark.parametrize("path", [CREATE, WEBHOOK])
async def test_a_body_of_10_mb_is_refused_and_the_service_goes_on(env: dict[str, str], path: str) -> None:
    async with serving(env=env) as service, calling(service.url) as http:
        headers = {"Content-Type": "application/json"}

        answer = await http.post(path, content=b" " * 10_000_000, headers=headers)

        assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")
        assert (await http.get("/health/ready")).is_success


async def test_a_body_in_pieces_is_read_whole_and_cut_off_when_too_large(
    env: dict[str, str],
) -> None:
    async def pieces(number: int) -> AsyncIterator[bytes]:
        yield b"{"
        for _ in range(number):
            yield b" " * 1_000
        yield b"}"

    headers = {"Content-Type": "application/json"}
    async with serving(env=env) as service, calling(service.url) as http:
        small = await http.post(CREATE, content=pieces(10), headers=headers)
        large = await http.post(CREATE, content=pieces(10_000), headers=headers)

    assert (small.status_code, large.status_code) == (201, 413)


async def test_without_a_worker_doubt_waits_for_a_worker_elsewhere(
    env: dict[str, str], simulator: Serving
) -> None:
    env = env | {"BAYAR_CONFIRM": "always"}
    async with serving("--no-worker", env=env) as service, calling(service.url) as http:
        created = (await http.post(CREATE)).json()
        await http.post(f"{simulator.url}/wallet/{created['transaction_id']}/pay")
        said = a_notification(order_id=created["order_id"], transaction_id=created["transaction_id"])
        assert (await http.post(WEBHOOK, json=said)).status_code == 200
        assert not await is_settled(http, created["order_id"])

        async with started("worker", env=env) as worker:
            await eventually(lambda: is_settled(http, created["order_id"]), within=15)
            worker.signal(signal.SIGTERM)
            ended = await worker.ended(within=20)

    assert ended.status == 0
    told = [json.loads(line)["event"] for line in ended.out.splitlines()]
    assert (told[0], told[-1]) == ("worker.started", "worker.stopped")
    assert "Traceback" not in ended.out + ended.err
