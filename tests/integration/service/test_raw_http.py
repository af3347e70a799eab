"""Bytes that no client library would send: no request is smuggled, and nothing of it is a fault of ours."""

import asyncio
import json
from typing import Final

import httpx

from support.service import HOST, WEBHOOK, Serving, a_token, serving

_HOOK: Final = f"POST {WEBHOOK} HTTP/1.1\r\nHost: x\r\n".encode()
_LIVE: Final = b"GET /health/live HTTP/1.1\r\nHost: x\r\n"
_LIST: Final = b"GET /api/payments%b HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\n"
_SECOND: Final = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
# What must not be understood at all: where one request ends and the next begins is not clear.
AMBIGUOUS: Final = {
    "length and chunks": _HOOK
    + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    + _SECOND,
    "two encodings": _HOOK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "two lengths": _HOOK + b"Content-Length: 2\r\nContent-Length: 5\r\n\r\n{}abc",
    "a length below nothing": _HOOK + b"Content-Length: -2\r\n\r\n{}",
    "a length beyond everything": _HOOK + b"Content-Length: 99999999999999999999\r\n\r\n{}",
    "a chunk of no size": _HOOK + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n",
    "a folded header": _LIVE + b"A: b\r\n c\r\n\r\n",
    "a null character in the path": b"GET /checkout/\x00abc HTTP/1.1\r\nHost: x\r\n\r\n",
    "5000 headers": _LIVE + b"".join(b"X-%d: y\r\n" % number for number in range(5000)) + b"\r\n",
    "an address of 120 KB": b"GET /health/live?" + b"a=1&" * 30_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
}
# What may be understood, but as no more than it says.
ODD: Final = {
    "half a character in the path": b"/%ed%a0%80",
    "no UTF-8 in the path": b"/%ff%fe",
    "a null character in an id": b"/%00/status",
    "no UTF-8 in the query": b"?cursor=%ff&status=%c0%af",
    "40 KB of path": b"/" + b"a/" * 20_000,
    "slashes": b"/" * 60_000,
}
HEADERS: Final = {
    "no Latin in the token": b"Authorization: Bearer \xe9\xff",
    "100 KB of cookies": b"Cookie: " + b"a=b; " * 20_000,
    "200 KB of languages": b"Accept-Language: " + b"a;q=0.1," * 20_000,
    "an endless id": b"Last-Event-ID: " + b"9" * 50_000,
    "an upgrade": b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13",
    "a second host": b"Host: evil.example",
}


async def answers(service: Serving, request: bytes) -> list[int]:
    """The statuses of all answers to these bytes, up to where the service falls silent or hangs up."""
    reader, writer = await asyncio.open_connection(HOST, int(service.url.rpartition(":")[2]))
    writer.write(request.replace(b"\r\nHost: x\r\n", b"\r\nHost: x\r\nConnection: close\r\n"))
    try:
        async with asyncio.timeout(20):
            told = await reader.read()
    except ConnectionError:
        return []
    finally:
        writer.close()
    return [int(line.split()[1]) for line in told.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]


async def test_odd_bytes_are_refused_or_taken_for_what_they_say(env: dict[str, str]) -> None:
    async with serving(env=env | {"AUTH_COOKIE": "token"}) as service:
        for what, request in AMBIGUOUS.items():
            told = await answers(service, request)
            assert len(told) <= 1, what
            assert all(400 <= status < 500 for status in told), what
        token = a_token().encode()
        for what, path in ODD.items():
            told = await answers(service, _LIST % (path, token) + b"\r\n")
            assert len(told) == 1, what
            assert told[0] < 500, what
        for what, header in HEADERS.items():
            for start in (_LIVE, b"GET /checkout/" + b"k" * 32 + b" HTTP/1.1\r\nHost: x\r\n"):
                told = await answers(service, start + header + b"\r\n\r\n")
                assert len(told) <= 1, what
                assert all(status < 500 for status in told), what
        async with httpx.AsyncClient(trust_env=False) as http:
            ready = await http.get(f"{service.url}/health/ready")
        said = service.program.said

    assert ready.status_code == 200
    assert [line for line in said.splitlines() if json.loads(line)["level"] == "error"] == []
