"""Listening on the wire."""

from collections.abc import Iterator
from typing import Final

import httpx
from litestar.datastructures import Headers
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, ReceiveMessage, Scope, Send

from simulator.core.wire_log import LONGEST_BODY, Direction, Exchange, WireLog
from simulator.http.faulty import STRUCK_BY
from simulator.ports import Clock

_LISTENED_TO: Final = ("/v2/", "/v4/")
# All others stay unheard, Authorization among them.
_HEADERS: Final = (
    "user-agent",
    "content-type",
    "idempotency-key",
    "x-override-notification",
    "x-append-notification",
)


class WireTap:
    """Writes down every call of the API with the answer that really left."""

    def __init__(self, app: ASGIApp, log: WireLog, clock: Clock) -> None:
        self._app = app
        self._log = log
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or not scope["path"].startswith(_LISTENED_TO):
            await self._app(scope, receive, send)
            return
        call = _Call()

        async def listening_receive() -> ReceiveMessage:
            message = await receive()
            if message["type"] == "http.request":
                call.request = _grown(call.request, message["body"])
            return message

        async def listening_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                call.status = message["status"]
            elif message["type"] == "http.response.body":
                call.response = _grown(call.response, message["body"])
                call.is_whole = not message["more_body"]
            await send(message)

        at = self._clock.now()
        try:
            await self._app(scope, listening_receive, listening_send)
        finally:
            self._log.add(
                Exchange(
                    at=at,
                    direction=Direction.IN,
                    method=scope["method"],
                    url=_address(scope),
                    headers=_heard(Headers.from_scope(scope)),
                    request=call.request,
                    status=call.status if call.is_whole else None,
                    response=_readable(call.response),
                    outcome=" ".join(call.outcome(scope["state"].get(STRUCK_BY))),
                    took=self._clock.now() - at,
                )
            )


class ListeningTransport(httpx.AsyncBaseTransport):
    """Writes down every notification that goes out, with the receiver's answer."""

    def __init__(self, transport: httpx.AsyncBaseTransport, log: WireLog, clock: Clock) -> None:
        self._transport = transport
        self._log = log
        self._clock = clock

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        at = self._clock.now()
        status, content, outcome = None, b"", "No answer in time."
        try:
            response = await self._transport.handle_async_request(request)
            content = await response.aread()
            status, outcome = response.status_code, ""
        except Exception as error:
            outcome = f"{type(error).__name__}: {error}"
            raise
        else:
            return response
        finally:
            self._log.add(
                Exchange(
                    at=at,
                    direction=Direction.OUT,
                    method=request.method,
                    # Without a user name and password.
                    url=str(request.url.copy_with(userinfo=b"")),
                    headers=_heard(request.headers),
                    request=request.content,
                    status=status,
                    response=_readable(content),
                    outcome=outcome,
                    took=self._clock.now() - at,
                )
            )

    async def aclose(self) -> None:
        await self._transport.aclose()


class _Call:
    """What has been heard so far."""

    __slots__ = ("is_whole", "request", "response", "status")

    def __init__(self) -> None:
        self.request = b""
        self.status: int | None = None
        self.response = b""
        self.is_whole = False

    def outcome(self, fault: str | None) -> Iterator[str]:
        if not self.is_whole:
            yield "The connection broke before the answer."
        if fault:
            yield f"Fault: {fault}."


def _grown(heard: bytes, more: bytes) -> bytes:
    return heard + more if len(heard) < LONGEST_BODY else heard


def _readable(body: bytes) -> bytes:
    return f"(a PNG picture, {len(body)} bytes)".encode() if body.startswith(b"\x89PNG") else body


def _address(scope: HTTPScope) -> str:
    query = scope["query_string"].decode(errors="replace")
    return f"{scope['path']}?{query}" if query else scope["path"]


def _heard(headers: Headers | httpx.Headers) -> tuple[tuple[str, str], ...]:
    return tuple((name, headers[name]) for name in _HEADERS if name in headers)
