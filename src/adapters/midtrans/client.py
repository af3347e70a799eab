"""One HTTP exchange with Midtrans; whether anything was sent at all is the question that matters."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 12.0

# What aiohttp raises before the request is on its way. The transport maps every other loss of a connection
# to httpx.ConnectTimeout too, also one after the request was sent, so only the cause can be trusted.
_NOT_SENT: Final = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class NotSent:
    """No connection was made: Midtrans cannot have seen the request."""

    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Lost:
    """The request may have arrived; its answer did not."""

    reason: str


def create_http(*, base_url: str, server_key: str, connections: int) -> httpx.AsyncClient:
    """An unopened client that authenticates as Midtrans asks: the server key as user, no password.

    Over aiohttp's connections: httpx's own pool slows down with every request in flight.
    """
    limits = httpx.Limits(max_connections=connections, keepalive_expiry=30)
    return httpx.AsyncClient(
        base_url=base_url,
        auth=httpx.BasicAuth(server_key, ""),
        headers={"Accept": "application/json", "User-Agent": "bayar"},
        # The transport knows no time limit on writing; ``within`` bounds the whole exchange.
        timeout=httpx.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS, write=10.0, pool=5.0),
        transport=AiohttpTransport(limits=limits),
        follow_redirects=False,
    )


class MidtransClient:
    def __init__(self, *, http: httpx.AsyncClient) -> None:
        self._http = http

    async def send(
        self,
        method: str,
        path: str,
        *,
        within: float,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply | NotSent | Lost:
        """The reply, whatever it says, or how far the request came. Takes ``within`` seconds at most."""
        try:
            async with asyncio.timeout(within):
                reply = await self._http.request(method, path, content=content, headers=headers)
        except (httpx.HTTPError, aiohttp.ClientError) as trouble:
            reason = type(trouble.__cause__ or trouble).__name__
            if isinstance(trouble, httpx.ConnectError) or isinstance(trouble.__cause__, _NOT_SENT):
                return NotSent(reason=reason)
            return Lost(reason=reason)
        except TimeoutError:
            return Lost(reason="no answer in time")
        return Reply(status=reply.status_code, headers=reply.headers, body=reply.content)
