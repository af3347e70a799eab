"""How far a request came, over real connections: a loopback server that misbehaves on purpose."""

import asyncio
import gzip
import json
import socket
import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from adapters.midtrans.client import (
    LARGEST_REPLY,
    Lost,
    MidtransClient,
    NotSent,
    Reply,
    create_transport,
)
from adapters.midtrans.gateway import MidtransGateway
from adapters.system.clock import SystemClock
from domain.evidence import ChargeAnswer
from domain.ports.gateway import NotTaken, Unanswered
from support.builders import SERVER_KEY, a_charge
from support.recorded import gopay_charge

BODY = json.dumps(gopay_charge()).encode()
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
    len(BODY),
    BODY,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    head: str
    body: bytes

    @property
    def line(self) -> str:
        return self.head.partition("\r\n")[0]

    def header(self, name: str) -> str | None:
        for line in self.head.split("\r\n")[1:]:
            found, _, value = line.partition(": ")
            if found.lower() == name.lower():
                return value
        return None


Misbehave = Callable[["Server", asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(kw_only=True, slots=True)
class Server:
    """Accepts connections and treats each as told; remembers every request that it read to its end."""

    behave: Misbehave
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def read(self, reader: asyncio.StreamReader) -> Request:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        request = Request(head=head, body=b"")
        body = await reader.readexactly(int(request.header("Content-Length") or 0))
        request = Request(head=head, body=body)
        self.requests.append(request)
        self.arrived.release()
        return request

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self.behave(self, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(
    behave: Misbehave, *, host: str = "127.0.0.1"
) -> AsyncIterator[tuple[Server, MidtransClient]]:
    """A server that behaves so, and a client as the service makes it."""
    server = Server(behave=behave)
    listening = await asyncio.start_server(server.accept, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    async with client_to(port, host=host) as client:
        yield server, client
    server.over.set()
    listening.close()
    await listening.wait_closed()


@asynccontextmanager
async def client_to(port: int, *, host: str = "127.0.0.1") -> AsyncIterator[MidtransClient]:
    base_url = f"http://{host}:{port}"
    async with create_transport(connections=4) as transport:
        yield MidtransClient(transport=transport, base_url=base_url, server_key=SERVER_KEY)


@pytest.fixture
def closed_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        port: int = opened.getsockname()[1]
        return port


async def post(client: MidtransClient, within: float = 5) -> Reply | NotSent | Lost:
    return await client.send("POST", "/v2/charge", content=b'{"a": 1}', within=within)


async def answer(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Well, and keep the connection open for the next request."""
    while True:
        await server.read(reader)
        writer.write(ANSWER)
        await writer.drain()


async def close_unanswered(
    server: Server, reader: asyncio.StreamReader, _writer: asyncio.StreamWriter
) -> None:
    await server.read(reader)


async def reset_unanswered(
    server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    await server.read(reader)
    _reset(writer)


async def reset_in_the_head(
    server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    await server.read(reader)
    writer.write(ANSWER[:20])
    await writer.drain()
    _reset(writer)


async def reset_in_the_body(
    server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    await server.read(reader)
    writer.write(ANSWER[:-20])
    await writer.drain()
    _reset(writer)


async def close_in_the_body(
    server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    await server.read(reader)
    writer.write(ANSWER[:-20])
    await writer.drain()


async def talk_nonsense(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await server.read(reader)
    writer.write(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")
    await writer.drain()


async def send_a_broken_gzip(
    server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    await server.read(reader)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n"
    writer.write(head + b"nope")
    await writer.drain()


async def name_an_odd_reason(
    server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    await server.read(reader)
    writer.write(ANSWER.replace(b"200 OK", b"200 O\xffK"))
    await writer.drain()


def packed(body: bytes, packing: bytes = b"gzip") -> Misbehave:
    """Though nobody asked for it to be."""

    async def send(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await server.read(reader)
        head = b"HTTP/1.1 200 OK\r\nContent-Encoding: %b\r\nContent-Length: %d\r\n\r\n" % (packing, len(body))
        writer.write(head + body)
        await writer.drain()

    return send


async def say_too_much(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await server.read(reader)
    size = LARGEST_REPLY + 1
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b" " * size)
    await writer.drain()


async def never_stop(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await server.read(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"4000\r\n" + b" " * 0x4000 + b"\r\n")
        await writer.drain()


async def never_answer(server: Server, reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await server.read(reader)
    await server.over.wait()


async def trickle(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Every byte comes in time, the answer as a whole does not."""
    await server.read(reader)
    for byte in ANSWER[:-1]:
        writer.write(bytes([byte]))
        await writer.drain()
    await server.over.wait()


async def answer_once_then_close(
    server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Say keep-alive, and close all the same."""
    await server.read(reader)
    writer.write(ANSWER)
    await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close by RST, as a crashed or overloaded peer does."""
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def test_an_answer_is_a_reply() -> None:
    async with serving(answer) as (server, client):
        reply = await post(client)

    assert isinstance(reply, Reply)
    assert (reply.status, reply.body) == (200, BODY)
    assert [request.line for request in server.requests] == ["POST /v2/charge HTTP/1.1"]
    assert server.requests[0].body == b'{"a": 1}'


async def test_a_refused_connection_means_that_nothing_was_sent(closed_port: int) -> None:
    async with client_to(closed_port) as client:
        outcome = await post(client)

    assert isinstance(outcome, NotSent)


@pytest.mark.parametrize(
    "misbehave",
    [
        close_unanswered,
        reset_unanswered,
        reset_in_the_head,
        reset_in_the_body,
        close_in_the_body,
        talk_nonsense,
        send_a_broken_gzip,
        pytest.param(packed(gzip.compress(b" " * (LARGEST_REPLY + 1))), id="send_a_little_that_is_much"),
        pytest.param(packed(gzip.compress(BODY)[:-9]), id="send_half_a_gzip"),
        pytest.param(packed(BODY, b"br"), id="send_what_nobody_unpacks"),
        name_an_odd_reason,
        say_too_much,
    ],
)
async def test_a_request_that_arrived_and_got_no_whole_answer_is_lost(misbehave: Misbehave) -> None:
    async with serving(misbehave) as (server, client):
        outcome = await post(client)

    assert isinstance(outcome, Lost)
    assert len(server.requests) == 1


@pytest.mark.parametrize("misbehave", [never_answer, trickle])
async def test_an_answer_slower_than_its_time_is_lost(misbehave: Misbehave) -> None:
    async with serving(misbehave) as (server, client), asyncio.timeout(5):
        outcome = await post(client, within=0.2)

    assert isinstance(outcome, Lost)
    assert len(server.requests) <= 1


async def test_a_connection_that_is_never_accepted_does_not_hold_anybody_up() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        async with client_to(listening.getsockname()[1]) as client, asyncio.timeout(5):
            outcome = await post(client, within=0.2)

    assert isinstance(outcome, Lost)


async def test_a_connection_is_kept_for_the_next_request() -> None:
    async with serving(answer) as (server, client):
        replies = [await post(client) for _ in range(3)]

    assert [type(reply) for reply in replies] == [Reply] * 3
    assert (len(server.requests), server.connections) == (3, 1)


async def test_a_kept_connection_that_the_server_closed_never_posts_twice() -> None:
    """What aiohttp would retry by itself for a GET must not be a second charge."""
    async with serving(answer_once_then_close) as (server, client):
        outcomes = [await post(client) for _ in range(20)]

    answered = sum(isinstance(outcome, Reply) for outcome in outcomes)
    assert isinstance(outcomes[0], Reply)
    assert len(server.requests) == answered
    assert not any(isinstance(outcome, NotSent) for outcome in outcomes)


async def test_a_kept_connection_that_dies_under_a_request_never_posts_twice() -> None:
    async def answer_then_die(
        server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await server.read(reader)
        writer.write(ANSWER)
        await writer.drain()
        await server.read(reader)

    async with serving(answer_then_die) as (server, client):
        first = await post(client)
        second = await post(client)

    assert isinstance(first, Reply)
    assert isinstance(second, Lost)
    assert (len(server.requests), server.connections) == (2, 1)


async def test_after_a_loss_the_next_request_gets_a_connection_of_its_own() -> None:
    async def lose_the_first(
        server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if server.connections == 1:
            await reset_unanswered(server, reader, writer)
        else:
            await answer(server, reader, writer)

    async with serving(lose_the_first) as (server, client):
        first, second = await post(client), await post(client)

    assert isinstance(first, Lost)
    assert isinstance(second, Reply)
    assert server.connections == 2


async def test_requests_at_once_do_not_get_each_others_answers() -> None:
    async def echo(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = await server.read(reader)
            head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(request.body)
            writer.write(head + request.body)
            await writer.drain()

    async with serving(echo) as (_, client):
        replies = await asyncio.gather(
            *(
                client.send("POST", "/v2/charge", content=f"{number}".encode(), within=5)
                for number in range(32)
            )
        )

    bodies = [reply.body for reply in replies if isinstance(reply, Reply)]
    assert bodies == [f"{number}".encode() for number in range(32)]


async def test_a_request_that_finds_no_free_connection_in_time_is_not_sent_over_another() -> None:
    async with serving(never_answer) as (server, client), asyncio.timeout(10):
        busy = [asyncio.create_task(post(client, within=10)) for _ in range(4)]
        for _ in busy:
            await server.arrived.acquire()

        outcome = await post(client, within=0.2)

        for task in busy:
            task.cancel()
        await asyncio.wait(busy)

    assert not isinstance(outcome, Reply)
    assert (len(server.requests), server.connections) == (4, 4)


async def test_an_answer_as_large_as_may_be_is_a_reply() -> None:
    async def say_much(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await server.read(reader)
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % LARGEST_REPLY
        writer.write(head + b" " * LARGEST_REPLY)
        await writer.drain()

    async with serving(say_much) as (_, client):
        reply = await post(client)

    assert isinstance(reply, Reply)
    assert len(reply.body) == LARGEST_REPLY


async def test_an_endless_answer_is_given_up_long_before_its_time() -> None:
    async with serving(never_stop) as (_, client), asyncio.timeout(5):
        outcome = await post(client, within=60)

    assert isinstance(outcome, Lost)


@pytest.mark.parametrize("body", [gzip.compress(BODY), zlib.compress(BODY)], ids=["gzip", "deflate"])
async def test_what_comes_packed_all_the_same_is_unpacked(body: bytes) -> None:
    async with serving(packed(body)) as (_, client):
        reply = await post(client)

    assert isinstance(reply, Reply)
    assert reply.body == BODY


async def test_nothing_packed_is_asked_for() -> None:
    async with serving(answer) as (server, client):
        await post(client)

    assert server.requests[0].header("Accept-Encoding") == "identity"


async def test_no_cookie_is_kept() -> None:
    async def offer_cookies(
        server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while True:
            await server.read(reader)
            writer.write(ANSWER.replace(b"\r\n", b"\r\nSet-Cookie: session=1; Path=/\r\n", 1))
            await writer.drain()

    # By name: a jar takes no cookies of bare addresses.
    async with serving(offer_cookies, host="localhost") as (server, client):
        replies = [await post(client) for _ in range(2)]

    assert [type(reply) for reply in replies] == [Reply] * 2
    assert [request.header("Cookie") for request in server.requests] == [None, None]


async def test_a_redirect_is_not_followed() -> None:
    async def redirect(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await server.read(reader)
        writer.write(b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with serving(redirect) as (server, client):
        reply = await post(client)

    assert isinstance(reply, Reply)
    assert reply.status == 307
    assert len(server.requests) == 1


def gateway_over(client: MidtransClient) -> MidtransGateway:
    url = "https://pay.shop.example/api/payments/webhook"
    return MidtransGateway(client=client, clock=SystemClock(), notify_url=url)


async def test_a_charge_over_a_real_connection() -> None:
    async with serving(answer) as (server, client):
        outcome = await gateway_over(client).charge(a_charge(), within=5)

    assert isinstance(outcome, ChargeAnswer)
    (request,) = server.requests
    assert json.loads(request.body)["transaction_details"]["gross_amount"] == 10_000
    assert request.header("Content-Type") == "application/json"
    assert request.header("Idempotency-Key") == a_charge().key
    assert request.header("Authorization") == httpx.BasicAuth(SERVER_KEY, "")._auth_header
    assert request.header("X-Override-Notification") == "https://pay.shop.example/api/payments/webhook"


@pytest.mark.parametrize(
    "misbehave",
    [close_unanswered, reset_unanswered, reset_in_the_body, name_an_odd_reason, say_too_much],
)
async def test_a_charge_that_arrived_and_was_not_answered_may_exist(misbehave: Misbehave) -> None:
    async with serving(misbehave) as (server, client):
        outcome = await gateway_over(client).charge(a_charge(), within=5)

    assert isinstance(outcome, Unanswered)
    assert len(server.requests) == 1


async def test_a_charge_without_a_connection_was_not_taken(closed_port: int) -> None:
    async with client_to(closed_port) as client:
        outcome = await gateway_over(client).charge(a_charge(), within=5)

    assert isinstance(outcome, NotTaken)


@pytest.mark.parametrize(
    ("transaction", "line"),
    [
        ("order-1", "GET /v2/order-1/status HTTP/1.1"),
        ("A~b_c.d-e", "GET /v2/A~b_c.d-e/status HTTP/1.1"),
        ("a/b", "GET /v2/a%2Fb/status HTTP/1.1"),
        ("a b#c?d", "GET /v2/a%20b%23c%3Fd/status HTTP/1.1"),
        ("a%2Fb", "GET /v2/a%252Fb/status HTTP/1.1"),
        ("a\r\nX-Evil: 1", "GET /v2/a%0D%0AX-Evil:%201/status HTTP/1.1"),
    ],
)
async def test_an_id_stays_one_percent_encoded_segment_on_the_wire(transaction: str, line: str) -> None:
    async with serving(answer) as (server, client):
        await gateway_over(client).status(transaction)

    assert [request.line for request in server.requests] == [line]
    assert server.requests[0].header("X-Evil") is None
