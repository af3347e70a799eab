"""Answers to requests that no route took."""

from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, NotAuthorizedException
from litestar.status_codes import HTTP_413_REQUEST_ENTITY_TOO_LARGE
from litestar.types import ExceptionHandlersMap

from simulator.core.answers import MALFORMED, UNEXPECTED, UNKNOWN_SERVER_KEY
from simulator.http.respond import Respond, framework_error, json_response
from simulator.ports import Clock

_log = structlog.stdlib.get_logger()


def error_handlers(respond: Respond, clock: Clock) -> ExceptionHandlersMap:
    """Answer as Midtrans does: its own words where it has some, else those of its framework."""

    def on_http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
        if isinstance(error, NotAuthorizedException):
            return respond(UNKNOWN_SERVER_KEY)
        if error.status_code == HTTP_413_REQUEST_ENTITY_TOO_LARGE:
            return respond(MALFORMED)
        body = framework_error(error.status_code, request.url.path, clock.now())
        return json_response(body, error.status_code)

    def on_any_error(request: Request[Any, Any, Any], _: Exception) -> Response[bytes]:
        _log.exception("request.failed", path=request.url.path)
        return respond(UNEXPECTED)

    return {HTTPException: on_http_error, Exception: on_any_error}
