"""How far a request came: answered, certainly not sent, or lost on the way."""

import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp
import httpx
import pytest
from aiohttp.client_reqrep import ConnectionKey

from adapters.midtrans.client import (
    CONNECT_SECONDS,
    READ_SECONDS,
    Lost,
    MidtransClient,
    NotSent,
    Reply,
)
from support.builders import SERVER_KEY

NOWHERE = ConnectionKey(
    host="midtrans.example",
    port=443,
    is_ssl=True,
    ssl=True,
    proxy=None,
    proxy_auth=None,
    proxy_headers_hash=None,
)


def client_over(handle: Callable[[httpx.Request], Any]) -> MidtransClient:
    transport = httpx.MockTransport(handle)
    return MidtransClient(transport=transport, base_url="https://midtrans.example", server_key=SERVER_KEY)


async def send(answer: httpx.Response | Exception, *, within: float = 10) -> Reply | NotSent | Lost:
    def handle(_request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return await client_over(handle).send("POST", "/v2/charge", within=within, content=b"{}")


def mapped(httpx_error: Exception, cause: Exception) -> Exception:
    """As the aiohttp transport raises it: httpx's name for it, with the cause behind."""
    httpx_error.__cause__ = cause
    return httpx_error


@pytest.mark.parametrize("status", [200, 201, 302, 400, 404, 429, 500, 503])
async def test_every_answer_is_a_reply_whatever_its_status(status: int) -> None:
    reply = await send(httpx.Response(status, content=b"body", headers={"Retry-After": "7"}))

    assert isinstance(reply, Reply)
    assert (reply.status, reply.body) == (status, b"body")
    assert reply.headers["retry-after"] == "7"


async def test_a_redirect_is_not_followed() -> None:
    requests = []

    def handle(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(307, headers={"Location": "https://elsewhere.example/v2/charge"})

    reply = await client_over(handle).send("POST", "/v2/charge", within=10)

    assert isinstance(reply, Reply)
    assert [str(request.url) for request in requests] == ["https://midtrans.example/v2/charge"]


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ConnectError("refused"),
        mapped(
            httpx.ConnectError("refused"),
            aiohttp.ClientConnectorError(NOWHERE, ConnectionRefusedError()),
        ),
        mapped(
            httpx.ConnectError("no such name"),
            aiohttp.ClientConnectorDNSError(NOWHERE, OSError("no such name")),
        ),
        mapped(httpx.ConnectTimeout("slow"), aiohttp.ConnectionTimeoutError("slow")),
    ],
    ids=["httpx", "refused", "name", "connect timeout"],
)
async def test_without_a_connection_nothing_was_sent(trouble: Exception) -> None:
    assert isinstance(await send(trouble), NotSent)


@pytest.mark.parametrize(
    "trouble",
    [
        mapped(httpx.ConnectTimeout("closed"), aiohttp.ServerDisconnectedError()),
        mapped(httpx.ConnectTimeout("reset"), aiohttp.ClientOSError(104, "reset")),
        mapped(httpx.ReadTimeout("slow"), aiohttp.SocketTimeoutError("slow")),
        mapped(httpx.ReadError("cut off"), aiohttp.ClientPayloadError("cut off")),
        mapped(httpx.TimeoutException("slow"), aiohttp.ServerTimeoutError("slow")),
        httpx.ConnectTimeout("without a cause that could be trusted"),
        httpx.ReadError("reset"),
        httpx.WriteError("reset"),
        httpx.RemoteProtocolError("closed"),
        httpx.DecodingError("gzip"),
        aiohttp.ServerDisconnectedError(),
        aiohttp.ClientPayloadError("cut off"),
    ],
    ids=lambda trouble: f"{type(trouble).__name__} of {type(trouble.__cause__).__name__}",
)
async def test_after_the_connection_the_request_may_have_arrived(trouble: Exception) -> None:
    assert isinstance(await send(trouble), Lost)


async def test_the_reason_names_the_trouble_and_nothing_of_the_request() -> None:
    url = "https://midtrans.example/v2/charge?secret"
    cause = aiohttp.ServerDisconnectedError(url)

    lost = await send(mapped(httpx.ConnectTimeout(url), cause))

    assert lost == Lost(reason="ServerDisconnectedError")


async def test_an_answer_that_does_not_come_within_its_time_is_lost() -> None:
    async def hang(_request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    lost = await client_over(hang).send("POST", "/v2/charge", within=0.01)

    assert lost == Lost(reason="no answer in time")


async def test_somebody_who_stops_waiting_is_not_told_an_outcome() -> None:
    started = asyncio.Event()

    async def hang(_request: httpx.Request) -> httpx.Response:
        started.set()
        await asyncio.Event().wait()
        raise AssertionError

    task = asyncio.create_task(client_over(hang).send("POST", "/v2/charge", within=10))
    await started.wait()

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_fault_of_our_own_is_not_taken_for_the_networks() -> None:
    with pytest.raises(ZeroDivisionError):
        await send(ZeroDivisionError())


async def test_every_wait_of_the_client_ends() -> None:
    requests = []

    def handle(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200)

    await client_over(handle).send("GET", "/v2/order-1/status", within=10)

    timeout = requests[0].extensions["timeout"]
    assert (timeout["connect"], timeout["read"]) == (CONNECT_SECONDS, READ_SECONDS)
    assert None not in {timeout[wait] for wait in ("connect", "read", "write", "pool")}
