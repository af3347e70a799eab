"""Around every request: its id, its log line, its duration, and headers that belong on every answer."""

import re
from collections.abc import Iterable
from secrets import token_hex
from time import perf_counter
from typing import Any, Final

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from litestar.utils import normalize_path

from entrypoints.http.turns import Turns
from entrypoints.settings import WEBHOOK_PATH
from entrypoints.telemetry.metrics import REQUESTS

# Anybody can make up more, and each would be counted apart for ever.
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_ALWAYS: Final = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]
# With a cookie for a token, nothing else tells a cache that an answer is one user's.
_PRIVATE: Final = "/api/"
_NO_STORE: Final = (b"cache-control", b"no-store")
_STREAM: Final = "/api/payments/{order_id}/stream"
# Asked every few seconds by whatever watches the service.
_OK: Final = 200
_QUIET: Final = frozenset({"/health/live", "/health/ready", "/metrics"})
_log: Final = structlog.get_logger()


class Envelope:
    """The outermost ASGI application.

    A POST to the webhook goes to an application of its own. The webhook is outside CORS: whatever is inside
    never learns that it was called from another origin.
    """

    def __init__(self, app: ASGIApp, *, webhook: ASGIApp) -> None:
        self._app, self._webhook, self._turns = app, webhook, Turns()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        headers = scope["headers"]
        given = next((value for name, value in headers if name == b"x-request-id"), b"")
        request_id = given if _REQUEST_ID.fullmatch(given) else token_hex(8).encode()
        app = self._app
        if (
            scope["path"] == WEBHOOK_PATH or normalize_path(scope["path"]) == WEBHOOK_PATH
        ):  # as the router reads it
            scope["headers"] = [(name, value) for name, value in headers if name != b"origin"]
            if scope["method"] == "POST":
                scope["path_template"] = WEBHOOK_PATH
                app = self._webhook
        structlog.contextvars.bind_contextvars(request_id=request_id.decode())
        status, began = 500, 0.0

        async def answer(message: Message) -> None:
            nonlocal status, began
            if message["type"] == "http.response.start":
                status, began = message["status"], perf_counter() - started
                own = (b"x-request-id", request_id), *_ALWAYS
                if scope["path"].startswith(_PRIVATE) and not _says_how_to_cache(message["headers"]):
                    own += (_NO_STORE,)
                message["headers"] = [*message["headers"], *own]
            await send(message)

        started = perf_counter()
        try:
            if scope["method"] == "POST" and app is self._app:
                await self._turns()
            await app(scope, receive, answer)
        finally:
            _tell(scope, status, seconds=perf_counter() - started, began=began)
            structlog.contextvars.unbind_contextvars("request_id")


def _says_how_to_cache(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    return any(name.lower() == b"cache-control" for name, _ in headers)


def _tell(scope: Any, status: int, *, seconds: float, began: float) -> None:
    """The route template, never the path: a path may carry a token.

    A stream is open for as long as its viewer likes, so what counts is when it ``began`` to answer.
    """
    route = scope.get("path_template") or "unmatched"
    method = scope["method"] if scope["method"] in _METHODS else "other"
    REQUESTS.labels(method, route, status).observe(began if route == _STREAM else seconds)
    told = {"method": method, "route": route, "status": status}
    # A notification that was taken has its own line, ``webhook.received``.
    is_told = route in _QUIET or (route == WEBHOOK_PATH and status == _OK)
    tell = _log.debug if is_told else _log.info
    tell("request.finished", **told, milliseconds=round(seconds * 1000, 1))
