"""Who may use the API."""

import hmac
from base64 import b64encode
from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard


def require_server_key(server_key: str) -> Guard:
    """Let through only Basic authentication with the server key and an empty password.

    Source: docs.midtrans.com/docs/api-authorization-headers.
    """
    expected = b"Basic " + b64encode(f"{server_key}:".encode())

    # Litestar would call a plain function in a thread of its own.
    async def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        given = connection.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), expected):
            raise NotAuthorizedException

    return guard
