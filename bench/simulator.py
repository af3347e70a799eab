"""What the Midtrans look-alike takes: time at a steady rate, and memory when it is full.

    .venv/bin/python bench/simulator.py                 # both, about 20 minutes
    .venv/bin/python bench/simulator.py rate --json     # 300 charges/s for a minute, as JSON
    .venv/bin/python bench/simulator.py memory --transactions 20000

The simulator runs as users run it, `bayar simulator` in a process of its own, on one core; the
load and the shop's end run in this process on another. Everything stays on the loopback
interface and ends by itself.
"""

import argparse
import asyncio
import json
import os
import socket
import sys
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp

HOST: Final = "127.0.0.1"
KEY: Final = "SB-Mid-server-bench"
BAYAR: Final = Path(sys.executable).with_name("bayar")
MEGABYTE: Final = 1024 * 1024
# Accepting 100,000 refunds takes longer than the bank's 30 s; the last ones are waited for.
CONFIRMED_AFTER: Final = 35
AT_ONCE: Final = 32


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is done to every transaction before the memory is read."""

    name: str
    what: str
    refunded: bool
    receiver: bool


CASES: Final = (
    Case(name="paid", what="charged with an Idempotency-Key, paid", refunded=False, receiver=True),
    Case(
        name="refunded",
        what="the same, and refunded with a key of its own, and confirmed",
        refunded=True,
        receiver=True,
    ),
    Case(
        name="unheard",
        what="the same, and nobody receives the notifications, so that they wait for their repeats",
        refunded=True,
        receiver=False,
    ),
)


@dataclass
class Receiver:
    """The shop's end: answers 200 at once, and remembers when each order was told of last."""

    told: dict[str, float] = field(default_factory=dict)

    def heard(self, body: bytes) -> None:
        self.told[json.loads(body)["order_id"]] = time.perf_counter()


class Connection(asyncio.Protocol):
    """As little of HTTP as a notification needs."""

    ANSWER: Final = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._heard = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._heard += data
        while True:
            head, end, rest = self._heard.partition(b"\r\n\r\n")
            if not end:
                return
            length = next(
                int(line.split(b":")[1])
                for line in head.lower().split(b"\r\n")
                if line.startswith(b"content-length:")
            )
            if len(rest) < length:
                return
            self._receiver.heard(rest[:length])
            self._heard = rest[length:]
            self._transport.write(self.ANSWER)


@dataclass(frozen=True)
class Simulator:
    """A running one: its address, its process, and how to read what that takes."""

    url: str
    pid: int

    @property
    def resident(self) -> float:
        """Megabytes of memory that it holds now."""
        return self._status("VmRSS") / 1024

    @property
    def most_resident(self) -> float:
        return self._status("VmHWM") / 1024

    @property
    def processor_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _status(self, name: str) -> int:
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(name))


@asynccontextmanager
async def a_simulator(receiver: Receiver | None) -> AsyncIterator[Simulator]:
    """Run one on the first core that there is, and this process on the others."""
    cores = sorted(os.sched_getaffinity(0))
    port, notify_port = free_port(), free_port()
    server = None
    if receiver:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Connection(receiver), HOST, notify_port)
    options = ["--port", str(port), "--server-key", KEY, "--notify", f"http://{HOST}:{notify_port}/told"]
    process = await asyncio.create_subprocess_exec(
        BAYAR, "simulator", *options, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    os.sched_setaffinity(process.pid, cores[:1])
    os.sched_setaffinity(0, cores[1:] or cores)
    try:
        await listening(port)
        yield Simulator(f"http://{HOST}:{port}", process.pid)
    finally:
        os.sched_setaffinity(0, cores)
        process.terminate()
        await process.wait()
        if server:
            server.close()


async def rate(per_second: int, seconds: int) -> dict[str, Any]:
    """Charge steadily, whether or not the answers come; a late answer counts from when it was due."""
    receiver = Receiver()
    async with a_simulator(receiver) as simulator, a_client() as client:
        await charge(client, simulator, "warm-up")
        await until(lambda: receiver.told)
        latencies: list[float] = []
        answered: dict[str, float] = {}
        backlogs: list[int] = []

        async def one(number: int, due: float) -> None:
            await charge(client, simulator, f"o-{number}")
            answered[f"o-{number}"] = time.perf_counter()
            latencies.append(time.perf_counter() - due)

        start = time.perf_counter()
        spent = simulator.processor_seconds
        async with asyncio.TaskGroup() as group:
            for number in range(per_second * seconds):
                due = start + number / per_second
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                group.create_task(one(number, due))
                if number % per_second == 0:
                    backlogs.append(number + 1 - len(receiver.told))
        took = time.perf_counter() - start
        spent = simulator.processor_seconds - spent
        await until(lambda: answered.keys() <= receiver.told.keys())
        delays = [max(0.0, receiver.told[name] - at) for name, at in answered.items()]
        return {
            "charges_per_second": round(len(latencies) / took, 1),
            "seconds": round(took, 1),
            "notifications": len(receiver.told) - 1,
            "answer_ms": percentiles(latencies),
            "notification_ms_after_the_answer": percentiles(delays),
            "most_charges_not_yet_told": max(backlogs),
            "not_yet_told_in_the_last_second": backlogs[-1],
            "core_used": f"{spent / took:.0%}",
            "resident_mb": round(simulator.most_resident),
        }


async def memory(case: Case, transactions: int) -> dict[str, Any]:
    """Fill it up, and read what it holds."""
    receiver = Receiver() if case.receiver else None
    async with a_simulator(receiver) as simulator, a_client() as client:
        empty = simulator.resident
        start = time.perf_counter()

        async def one(number: int) -> None:
            name = f"order-{number:030}"
            await charge(client, simulator, name)
            await called(client.post(f"{simulator.url}/wallet/{name}/pay"))
            if case.refunded:
                wish = {"refund_key": f"refund-{number:030}", "reason": "the goods were broken"}
                key = {"Idempotency-Key": f"refund-{number:030}"}
                await called(client.post(f"{simulator.url}/v2/{name}/refund", json=wish, headers=key))

        await in_parallel(one, transactions)
        took = time.perf_counter() - start
        await asyncio.sleep(CONFIRMED_AFTER if case.refunded else 1)
        last = f"{simulator.url}/simulator/orders/order-{transactions - 1:030}"
        await called(client.get(last))
        return {
            "case": case.name,
            "what": case.what,
            "transactions": transactions,
            "seconds": round(took),
            "empty_mb": round(empty),
            "resident_mb": round(simulator.resident),
            "most_resident_mb": round(simulator.most_resident),
        }


async def charge(client: aiohttp.ClientSession, simulator: Simulator, order_id: str) -> None:
    body = {
        "payment_type": "gopay",
        "transaction_details": {"order_id": order_id, "gross_amount": 25_000},
        "item_details": [{"name": "Kopi susu", "price": 12_500, "quantity": 2}],
        "customer_details": {
            "first_name": "Budi",
            "last_name": "Utomo",
            "email": f"budi.utomo.{order_id[-6:]}@shop.example",
            "phone": "081234567890",
        },
        "gopay": {"enable_callback": True, "callback_url": f"https://shop.example/orders/{order_id}"},
        "custom_expiry": {"expiry_duration": 1, "unit": "day"},
    }
    headers = {"Idempotency-Key": order_id[-36:]}
    answer = await called(client.post(f"{simulator.url}/v2/charge", json=body, headers=headers))
    assert answer["status_code"] == "201", answer


async def called(call: Any) -> dict[str, Any]:
    async with call as answer:
        body: dict[str, Any] = await answer.json()
        assert answer.status == 200, body
        return body


async def in_parallel(work: Callable[[int], Awaitable[None]], times: int) -> None:
    numbers = iter(range(times))

    async def some() -> None:
        for number in numbers:
            await work(number)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(some())


@asynccontextmanager
async def a_client() -> AsyncIterator[aiohttp.ClientSession]:
    authorization = f"Basic {b64encode(f'{KEY}:'.encode()).decode()}"
    async with aiohttp.ClientSession(
        headers={"Authorization": authorization}, connector=aiohttp.TCPConnector(limit=0)
    ) as client:
        yield client


async def until(came: Callable[[], object], *, within: float = 30) -> None:
    deadline = time.perf_counter() + within
    while not came():
        if time.perf_counter() > deadline:
            raise SystemExit("The notifications did not all arrive.")
        await asyncio.sleep(0.05)


async def listening(port: int) -> None:
    for _ in range(200):
        try:
            _, writer = await asyncio.open_connection(HOST, port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise SystemExit("The simulator did not start.")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def percentiles(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {
        name: round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)
        for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0))
    }


def show(results: dict[str, Any]) -> None:
    for name, value in results.get("rate", {}).items():
        print(f"{name.replace('_', ' '):<36} {value}")
    rows = results.get("memory", [])
    if rows:
        print(f"\n{'memory, MB':<14}{'empty':>8}{'full':>8}{'most':>8}   of {rows[0]['transactions']:,}")
    for row in rows:
        print(
            f"{row['case']:<14}{row['empty_mb']:>8}{row['resident_mb']:>8}{row['most_resident_mb']:>8}"
            f"   {row['what']}"
        )


async def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("part", nargs="?", choices=("all", "rate", "memory"), default="all")
    parser.add_argument("--rate", type=int, default=300, help="charges per second")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--transactions", type=int, default=100_000)
    parser.add_argument("--case", choices=[case.name for case in CASES], help="only this one of memory's")
    parser.add_argument("--json", action="store_true", dest="as_json")
    given = parser.parse_args()
    results: dict[str, Any] = {}
    if given.part in {"all", "rate"}:
        results["rate"] = await rate(given.rate, given.seconds)
    if given.part in {"all", "memory"}:
        wanted = [case for case in CASES if given.case in {None, case.name}]
        results["memory"] = [await memory(case, given.transactions) for case in wanted]
    if given.as_json:
        print(json.dumps(results, indent=2))
    else:
        show(results)


if __name__ == "__main__":
    asyncio.run(main())
