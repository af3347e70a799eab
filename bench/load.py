"""Requests over raw sockets, with as little work of our own as can be."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from service import HOST


def request(method: str, path: str, *, token: str = "", body: object = None, host: str = HOST) -> bytes:
    """The bytes of a request; the connection stays open."""
    content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", f"host: {host}"]
    if token:
        lines.append(f"authorization: Bearer {token}")
    if body is not None:
        lines += ["content-type: application/json", f"content-length: {len(content)}"]
    return "\r\n".join([*lines, "", ""]).encode() + content


@dataclass
class Taken:
    """What became of many requests: answers by status (0: none), and how long each took."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    lasted: float = 0.0

    @property
    def good(self) -> int:
        return sum(count for status, count in self.statuses.items() if status // 100 == 2)

    @property
    def bad(self) -> dict[int, int]:
        return {status: count for status, count in sorted(self.statuses.items()) if status // 100 != 2}

    @property
    def rate(self) -> float:
        return self.good / self.lasted if self.lasted else 0.0

    def milliseconds(self, part: float) -> float:
        """Within so long that part of them was answered."""
        ordered = sorted(self.seconds)
        return ordered[min(int(len(ordered) * part), len(ordered) - 1)] * 1000 if ordered else float("nan")

    def add(self, status: int, seconds: float) -> None:
        self.statuses[status] += 1
        self.seconds.append(seconds)


class Connection(asyncio.Protocol):
    """One request at a time, and the status of its answer."""

    def __init__(self) -> None:
        self._read = bytearray()
        self._waiting: asyncio.Future[int] | None = None
        self.is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport, self.is_open = transport, True

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.is_open = False
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(0)

    def data_received(self, data: bytes) -> None:
        self._read += data
        end = self._read.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._read[:end].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].partition(b"\r\n")[0]) if at >= 0 else 0
        if len(self._read) < end + 4 + length:
            return
        status = int(self._read[9:12])
        del self._read[: end + 4 + length]
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(status)

    async def ask(self, sent: bytes) -> int:
        """The status of the answer; 0 when the connection broke."""
        if not self.is_open:
            return 0
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(sent)
        return await self._waiting

    def close(self) -> None:
        self._transport.close()


async def connect(port: int) -> Connection:
    _, connection = await asyncio.get_running_loop().create_connection(Connection, HOST, port)
    return connection


async def hammer(port: int, requests: Iterator[bytes], *, connections: int, seconds: float) -> Taken:
    """So many connections, each sending the next request as soon as it has the answer to its last."""
    taken = Taken()
    started = time.perf_counter()
    until = started + seconds

    async def one() -> None:
        connection = await connect(port)
        try:
            while (at := time.perf_counter()) < until:
                sent = next(requests, None)
                if sent is None:
                    return
                status = await connection.ask(sent)
                taken.add(status, time.perf_counter() - at)
                if not connection.is_open:
                    connection = await connect(port)
        finally:
            connection.close()

    await asyncio.gather(*(one() for _ in range(connections)))
    taken.lasted = time.perf_counter() - started
    return taken


async def all_at_once(port: int, requests: list[bytes]) -> Taken:
    """Each on a connection of its own, which are open before the first is sent."""
    arriving = asyncio.Semaphore(100)

    async def opened() -> Connection:
        async with arriving:
            return await connect(port)

    connections = await asyncio.gather(*(opened() for _ in requests))
    taken = Taken()
    started = time.perf_counter()

    async def one(connection: Connection, sent: bytes) -> None:
        status = await connection.ask(sent)
        taken.add(status, time.perf_counter() - started)
        connection.close()

    await asyncio.gather(*map(one, connections, requests))
    taken.lasted = time.perf_counter() - started
    return taken


async def steadily(port: int, requests: Iterator[bytes], *, per_second: float, stop: asyncio.Event) -> Taken:
    """So many in a second, whether or not earlier ones were answered; each counts from when it was to be sent."""
    taken, started, number = Taken(), time.perf_counter(), 0
    free: list[Connection] = []
    under_way: set[asyncio.Task[None]] = set()

    async def one(sent: bytes, due: float) -> None:
        connection = free.pop() if free else await connect(port)
        status = await connection.ask(sent)
        taken.add(status, time.perf_counter() - due)
        if connection.is_open:
            free.append(connection)

    while not stop.is_set():
        due = started + number / per_second
        number += 1
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        sent = next(requests, None)
        if sent is None:
            break
        task = asyncio.create_task(one(sent, due))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    while under_way:
        await asyncio.wait(under_way)
    taken.lasted = time.perf_counter() - started
    for connection in free:
        connection.close()
    return taken
