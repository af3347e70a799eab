"""One HTTP exchange with Midtrans; whether anything was sent at all is the question that matters."""

import asyncio
import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, cast

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 12.0
# A real one has a few kilobytes.
LARGEST_REPLY: Final = 1 << 20
_TOO_LARGE: Final = f"an answer of more than {LARGEST_REPLY} bytes"
# zlib's word for: whatever head there is, a gzip's or a zlib's.
_EITHER_HEAD: Final = 32
_KEEPALIVE_SECONDS: Final = 30.0
# The transport knows no time limit on writing; ``within`` bounds the whole exchange.
_TIMEOUT: Final = httpx.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS, write=10.0, pool=5.0).as_dict()

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


# Every charge goes to one address, and httpx takes as long to parse it as for all the rest of a request.
_url: Final = lru_cache(maxsize=64)(httpx.URL)


def create_transport(*, connections: int) -> httpx.AsyncBaseTransport:
    """Unopened connections, aiohttp's: httpx's own pool slows down with every request in flight.

    They keep no cookies.
    """
    tls = httpx.create_ssl_context()

    def session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=connections, keepalive_timeout=_KEEPALIVE_SECONDS, ssl=tls)
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    return AiohttpTransport(verify=tls, client=session)


class MidtransClient:
    """Authenticates as Midtrans asks: the server key as user, no password. No redirect is followed.

    It speaks to the transport itself. What ``httpx.AsyncClient`` does besides, as keeping cookies, is of no
    use here and costs as much again as the exchange.
    """

    def __init__(self, *, transport: httpx.AsyncBaseTransport, base_url: str, server_key: str) -> None:
        self._transport, self._base_url = transport, base_url.rstrip("/")
        basic = base64.b64encode(f"{server_key}:".encode()).decode()
        self._headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "bayar",
            "Authorization": f"Basic {basic}",
        }

    async def send(
        self,
        method: str,
        path: str,
        *,
        within: float,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply | NotSent | Lost:
        """The reply, whatever it says, or how far the request came. Takes ``within`` seconds at most.

        A reply that is no HTTP, or over ``LARGEST_REPLY`` bytes, is lost like one that was cut off.
        """
        request = httpx.Request(
            method,
            _url(self._base_url + path),
            headers=self._headers | dict(headers or {}),
            content=content,
            extensions={"timeout": _TIMEOUT},
        )
        try:
            async with asyncio.timeout(within):
                reply = await self._transport.handle_async_request(request)
                try:
                    body = await _read(reply)
                finally:
                    await reply.aclose()
        except (httpx.HTTPError, aiohttp.ClientError) as trouble:
            reason = type(trouble.__cause__ or trouble).__name__
            if isinstance(trouble, httpx.ConnectError) or isinstance(trouble.__cause__, _NOT_SENT):
                return NotSent(reason=reason)
            return Lost(reason=reason)
        except TimeoutError:
            return Lost(reason="no answer in time")
        except _UnreadableReply as unreadable:
            return Lost(reason=str(unreadable))
        except (OSError, ValueError) as odd:  # as a reason phrase that is no text
            return Lost(reason=type(odd).__name__)
        return Reply(status=reply.status_code, headers=reply.headers, body=body)


class _UnreadableReply(Exception):
    """A reply that is not read to its end; what it says, says why."""


async def _read(reply: httpx.Response) -> bytes:
    """The body, unpacked if it came packed although that was not asked for."""
    body = bytearray()
    async for chunk in cast("httpx.AsyncByteStream", reply.stream):
        body += chunk
        if len(body) > LARGEST_REPLY:
            raise _UnreadableReply(_TOO_LARGE)
    packing = reply.headers.get("content-encoding", "").strip().lower()
    return bytes(body) if packing in {"", "identity"} else _unpacked(bytes(body))


def _unpacked(body: bytes) -> bytes:
    """A gzip's or deflate's content, up to the same size: few bytes could become any number."""
    unpack = zlib.decompressobj(wbits=zlib.MAX_WBITS | _EITHER_HEAD)
    try:
        content = unpack.decompress(body, LARGEST_REPLY + 1)
    except zlib.error as torn:
        raise _UnreadableReply("an answer that is packed in another way or torn") from torn
    if len(content) > LARGEST_REPLY or not unpack.eof:
        raise _UnreadableReply(_TOO_LARGE if unpack.unconsumed_tail else "a packed answer that is cut off")
    return content
