"""The wire between the merchant and the API, which can be cut, slowed and garbled."""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, NoReturn, cast

import httpx
import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPReceiveMessage, HTTPRequestEvent, Message, Receive, Scope, Send

from simulator.core.answers import (
    CHANNEL_INACTIVE,
    DUPLICATE_ORDER_ID,
    TRANSACTION_NOT_FOUND,
    UNAVAILABLE,
    UNEXPECTED,
    UNKNOWN_SERVER_KEY,
    Answer,
    InProcess,
)
from simulator.core.disturbed import DISTURBING, disturbed
from simulator.core.fault_plan import Armed, FaultPlan, Occasion
from simulator.core.faults import Fault, Point
from simulator.core.transaction import Transaction
from simulator.http.respond import framework_error
from simulator.ports import Clock

# Where in a call's state its fault is found by whoever listens.
STRUCK_BY: Final = "struck_by"
_PATH: Final = re.compile(
    r"/v2/(?:(?P<charge>charge)|(?P<id>[^/]+)/(?P<act>status|cancel|expire|refund)(?:/online/direct)?)"
)
_LARGEST_BODY: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class HttpReply:
    """An answer as it goes over the wire."""

    status: int
    body: bytes
    media_type: bytes = b"application/json"


_BAD_GATEWAY: Final = HttpReply(
    502,
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    b"<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n",
    b"text/html",
)
# docs.midtrans.com/reference/code-4xx: the one answer without a status_code.
_RATE_LIMITED: Final = HttpReply(429, b'{"message":"API rate limit exceeded"}')

# What is answered instead of Midtrans's answer: before anything is carried out, or after.
_INSTEAD: Final[Mapping[Fault, HttpReply | Answer]] = {
    Fault.ERROR_500: UNEXPECTED,
    Fault.BAD_GATEWAY: _BAD_GATEWAY,
    Fault.UNAVAILABLE: UNAVAILABLE,
    Fault.RATE_LIMITED: _RATE_LIMITED,
    Fault.UNAUTHORIZED: UNKNOWN_SERVER_KEY,
    Fault.CHANNEL_INACTIVE: CHANNEL_INACTIVE,
    Fault.NOT_FOUND: TRANSACTION_NOT_FOUND,
}
_AFTERWARDS: Final[Mapping[Fault, HttpReply | Answer]] = {
    Fault.ERROR_500_TAKEN: UNEXPECTED,
    Fault.BAD_GATEWAY_TAKEN: _BAD_GATEWAY,
    Fault.IN_PROCESS: InProcess(),
    Fault.DUPLICATE_ORDER_ID: DUPLICATE_ORDER_ID,
}
_ON_THE_WIRE: Final = (
    Fault.ANSWER_LOST,
    Fault.CONNECTION_CLOSED,
    Fault.SLOW_ANSWER,
    Fault.FRAMEWORK_404,
    Fault.NOTIFICATION_FIRST,
    *_INSTEAD,
    *_AFTERWARDS,
    *DISTURBING,
)


class FaultyWire:
    """Passes calls on to the API and spoils those that a planned fault strikes.

    `write` turns an answer into HTTP status and body; `find` knows transactions by either id;
    `sign` signs order id, status code and amount; `told` gives an event that is set once a
    notification about the order has been attempted.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        plan: FaultPlan,
        clock: Clock,
        find: Callable[[str], Transaction | None],
        write: Callable[[Answer], tuple[int, dict[str, object]]],
        sign: Callable[[str, str, str], str],
        told: Callable[[str], asyncio.Event],
    ) -> None:
        self._app = app
        self._plan = plan
        self._clock = clock
        self._find = find
        self._write = write
        self._sign = sign
        self._told = told

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_calm = scope["type"] != ScopeType.HTTP or not self._plan.armed
        path = None if is_calm else _PATH.fullmatch(scope["path"])
        if path is None:
            await self._app(scope, receive, send)
            return
        body = await _whole_body(receive)
        occasion = self._occasion(path, body)
        armed = self._plan.take(occasion, *_ON_THE_WIRE)
        if armed is None:
            await self._app(scope, _again(body), send)
            return
        scope["state"][STRUCK_BY] = armed.fault
        reply = await self._reply(armed, occasion, scope, body)
        if reply is None:
            await _cut_off(send)
        await _send(reply, send)

    def _occasion(self, path: re.Match[str], body: bytes) -> Occasion:
        if path["charge"]:
            return Occasion(point=Point.CHARGE, order_id=_order_id(body), transaction_id=None)
        transaction = self._find(path["id"])
        return Occasion(
            point=Point(path["act"]),
            order_id=transaction.order_id if transaction else path["id"],
            transaction_id=transaction.transaction_id if transaction else None,
        )

    async def _reply(self, armed: Armed, occasion: Occasion, scope: Scope, body: bytes) -> HttpReply | None:
        """Answer as the fault demands; None for no answer at all."""
        fault = armed.fault
        if fault is Fault.CONNECTION_CLOSED:
            return None
        if fault is Fault.FRAMEWORK_404:
            missing = framework_error(404, scope["path"], self._clock.now())
            return HttpReply(404, msgspec.json.encode(missing))
        if fault in _INSTEAD:
            return self._written(_INSTEAD[fault])
        told = self._told(occasion.order_id or "") if fault is Fault.NOTIFICATION_FIRST else asyncio.Event()
        reply = await self._passed_on(scope, body)
        if fault is Fault.ANSWER_LOST:
            return None
        if fault in {Fault.SLOW_ANSWER, Fault.NOTIFICATION_FIRST}:
            await self._clock.wait(told, timedelta(seconds=armed.delay))
            return reply
        if fault in _AFTERWARDS:
            return self._written(_AFTERWARDS[fault])
        return self._disturbed(reply, fault)

    async def _passed_on(self, scope: Scope, body: bytes) -> HttpReply:
        status, chunks = 0, list[bytes]()

        async def collect(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                chunks.append(message["body"])

        await self._app(scope, _again(body), collect)
        return HttpReply(status, b"".join(chunks))

    def _written(self, answer: HttpReply | Answer) -> HttpReply:
        if isinstance(answer, HttpReply):
            return answer
        status, fields = self._write(answer)
        return HttpReply(status, msgspec.json.encode(fields))

    def _disturbed(self, reply: HttpReply, fault: Fault) -> HttpReply:
        # Metadata is passed on as it is: it may hold numbers that Python cannot.
        parts = msgspec.json.decode(reply.body, type=dict[str, msgspec.Raw])
        fields = {
            name: part if name == "metadata" else msgspec.json.decode(part) for name, part in parts.items()
        }
        fields = disturbed(fields, fault)
        if "signature_key" in fields:
            signed = (str(fields[name]) for name in ("order_id", "status_code", "gross_amount"))
            fields["signature_key"] = self._sign(*signed)
        return HttpReply(reply.status, msgspec.json.encode(fields))


async def _whole_body(receive: Receive) -> bytes:
    body = b""
    while len(body) <= _LARGEST_BODY:
        message = await receive()
        if message["type"] != "http.request":
            break
        body += message["body"]
        if not message["more_body"]:
            break
    return body


def _again(body: bytes) -> Receive:
    messages: list[HTTPRequestEvent] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> HTTPReceiveMessage:
        return messages.pop() if messages else {"type": "http.disconnect"}

    return receive


def _order_id(body: bytes) -> str | None:
    try:
        order_id = msgspec.json.decode(body, type=dict[str, object])["transaction_details"]["order_id"]  # type: ignore[index]
    except (msgspec.DecodeError, ValueError, RecursionError, KeyError, TypeError):
        return None
    return order_id if isinstance(order_id, str) else None


async def _send(reply: HttpReply, send: Send) -> None:
    await _start(send, reply.status, reply.media_type, len(reply.body))
    await send({"type": "http.response.body", "body": reply.body, "more_body": False})


async def _cut_off(send: Send) -> NoReturn:
    """Break the connection. A server cannot before the head is out, so it breaks right after.

    The error ends the call; a client in the same process gets it as if from the wire.
    """
    await _start(send, 200, b"application/json", 1)
    await send({"type": "http.response.body", "body": b"", "more_body": True})
    raise httpx.RemoteProtocolError("Server disconnected without sending a response.")


async def _start(send: Send, status: int, media_type: bytes, length: int) -> None:
    headers = [(b"content-type", media_type), (b"content-length", str(length).encode())]
    start = {"type": "http.response.start", "status": status, "headers": headers}
    await send(cast("Message", start))
