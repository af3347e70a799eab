"""HTTP toward addresses that somebody chose: nothing private is connected to, and nothing is followed."""

from http.cookiejar import CookieJar, DefaultCookiePolicy
from socket import socket
from typing import Any, Final

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver
from httpx_aiohttp import AiohttpTransport

from adapters.merchant.addresses import is_public

# A server may end a connection that was idle for a moment, which would look like a failure of the next event.
_KEEPALIVE_SECONDS: Final = 1.0


class PrivateAddress(OSError):
    """The one text for all, so that a name with several such addresses is told like one with one."""

    def __init__(self) -> None:
        super().__init__("the address is private")


def create_http(
    *, allow_private: bool, connections: int, resolver: AbstractResolver | None = None
) -> httpx.AsyncClient:
    """An unopened client without proxy, cookies or redirects; each address is checked as it is connected to.

    What is checked is the very address that the socket then gets, after every name was resolved: there is no
    moment in between for a name to lead elsewhere.
    """

    tls = httpx.create_ssl_context()

    def session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=connections,
            keepalive_timeout=_KEEPALIVE_SECONDS,
            ssl=tls,
            resolver=resolver,
            socket_factory=_any_socket if allow_private else _public_socket,
        )
        return aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
        )

    return httpx.AsyncClient(
        headers={"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "bayar"},
        cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
        # Only so that nothing hangs for ever: the caller bounds the whole exchange.
        timeout=httpx.Timeout(60.0),
        transport=AiohttpTransport(verify=tls, client=session),
        follow_redirects=False,
        trust_env=False,
    )


def _any_socket(info: Any) -> socket:
    family, kind, protocol, *_ = info
    return socket(family=family, type=kind, proto=protocol)


def _public_socket(info: Any) -> socket:
    *_, address = info
    if not is_public(address[0]):
        raise PrivateAddress
    return _any_socket(info)
