"""The least that answers like Midtrans, each call after so long: what is measured is the caller.

It remembers what it charged and nothing else. `bayar simulator` is the look-alike to try things out with.
"""

import argparse
import asyncio
import json
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any, Final

HOST: Final = "127.0.0.1"
_CUSTOMERS_LIFE: Final = "2036-01-01 10:15:00"


@dataclass
class Desk:
    """What was charged, by order id and by transaction id."""

    delay: float
    known: dict[str, dict[str, Any]] = field(default_factory=dict)

    def charge(self, body: bytes) -> dict[str, Any]:
        details = json.loads(body)["transaction_details"]
        transaction = str(uuid.uuid4())
        made = {
            "status_code": "201",
            "status_message": "GoPay transaction is created",
            "transaction_id": transaction,
            "order_id": details["order_id"],
            "merchant_id": "G123456789",
            "gross_amount": f"{details['gross_amount']}.00",
            "currency": "IDR",
            "payment_type": "gopay",
            "transaction_time": "2026-01-01 10:00:00",
            "transaction_status": "pending",
            "fraud_status": "accept",
        }
        self.known[details["order_id"]] = self.known[transaction] = made
        there = "https://api.sandbox.midtrans.com/v2"
        actions = [
            {"name": "generate-qr-code", "method": "GET", "url": f"{there}/gopay/{transaction}/qr-code"},
            {"name": "deeplink-redirect", "method": "GET", "url": f"https://simulator.sandbox.midtrans.com/{transaction}"},
            {"name": "get-status", "method": "GET", "url": f"{there}/{transaction}/status"},
            {"name": "cancel", "method": "POST", "url": f"{there}/{transaction}/cancel"},
        ]
        return made | {"actions": actions, "expiry_time": _CUSTOMERS_LIFE}

    def status(self, known_as: str) -> dict[str, Any]:
        return self.known.get(known_as) or {"status_code": "404", "status_message": "Transaction doesn't exist."}


class Caller(asyncio.Protocol):
    """One connection of the service: a request, its answer, the next."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._read = desk, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, found, rest = self._read.partition(b"\r\n\r\n")
        if not found:
            return
        length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
        if len(rest) < length:
            return
        self._read = rest[length:]
        method, path, _ = head.split(b" ", 2)
        charges = method == b"POST" and path == b"/v2/charge"
        answer = self._desk.charge(rest[:length]) if charges else self._desk.status(path.decode().split("/")[2])
        asyncio.get_running_loop().call_later(self._desk.delay, self._answer, json.dumps(answer).encode())

    def _answer(self, body: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
        self._transport.write(head + body)


@contextmanager
def a_gateway(*, delay: float = 0.0) -> Iterator[str]:
    """Its address, while a process of its own answers there."""
    command = [sys.executable, str(Path(__file__)), "--delay", str(delay)]
    with Popen(command, stdout=PIPE, text=True) as process:  # noqa: S603 - this file
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


async def serve(delay: float) -> None:
    desk = Desk(delay=delay)
    server = await asyncio.get_running_loop().create_server(lambda: Caller(desk), HOST, 0, backlog=2048)
    print(f"http://{HOST}:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    asyncio.run(serve(parser.parse_args().delay))
