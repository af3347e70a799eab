"""The look-alike as a program of its own, and commanding it from another one."""

import asyncio
from typing import Any

import httpx
import pytest

from simulator.core.faults import FAULTS
from support.builders import SERVER_KEY
from support.service import HOST, Serving, ran, simulating


async def charge(simulator: Serving, order_id: str) -> httpx.Response:
    details = {"order_id": order_id, "gross_amount": 10_000}
    async with httpx.AsyncClient(auth=(SERVER_KEY, ""), trust_env=False) as midtrans:
        return await midtrans.post(
            f"{simulator.url}/v2/charge", json={"payment_type": "gopay", "transaction_details": details}
        )


@pytest.mark.parametrize("public_url", [None, "https://midtrans.example"])
async def test_links_start_where_others_reach_it(public_url: str | None) -> None:
    arguments = ("--public-url", public_url) if public_url else ()
    async with simulating(*arguments) as simulator:
        actions = (await charge(simulator, "o-1")).json()["actions"]

        assert {action["url"].partition("/v")[0].partition("/wallet")[0] for action in actions} == {
            public_url or simulator.url
        }


async def test_it_can_listen_everywhere_and_be_linked_to() -> None:
    async with simulating("--host", "0.0.0.0") as simulator:  # noqa: S104 - ended with the test
        answer = (await charge(simulator, "o-1")).json()

    assert all(action["url"].startswith(f"http://{HOST}:") for action in answer["actions"])


async def test_faults_are_listed_and_triggered(simulator: Serving) -> None:
    listed = await ran("simulator", "trigger", "--json", env={})
    told = await ran(
        "simulator", "trigger", "error-500", "--url", simulator.url, "--order-id", "struck", "--on", "charge",
        env={},
    )  # fmt: skip

    assert {fault["name"]: fault["description"] for fault in listed.json} == {
        str(fault): kind.description for fault, kind in FAULTS.items()
    }
    assert told.out == "armed: error-500. HTTP 500 with an id; nothing is carried out.\n"
    assert (await charge(simulator, "spared")).status_code == 200
    assert (await charge(simulator, "struck")).status_code == 500
    assert (await charge(simulator, "struck")).status_code == 200


async def test_one_transaction_can_be_named(simulator: Serving) -> None:
    taken: dict[str, Any] = (await charge(simulator, "o-named")).json()

    armed = await ran(
        "simulator", "trigger", "not-found", "--transaction-id", taken["transaction_id"], "--json",
        "--url", simulator.url, env={},
    )  # fmt: skip

    assert armed.json["transaction_id"] == taken["transaction_id"]
    async with httpx.AsyncClient(auth=(SERVER_KEY, ""), trust_env=False) as midtrans:
        struck = await midtrans.get(f"{simulator.url}/v2/o-named/status")
    assert struck.json()["status_code"] == "404"


async def test_what_cannot_be_triggered_is_told_in_one_sentence(simulator: Serving) -> None:
    senseless = await ran(
        "simulator", "trigger", "error-500", "--on", "payment", "--url", simulator.url, env={}
    )
    nobody = await ran("simulator", "trigger", "error-500", "--url", f"http://{HOST}:1", env={})
    nowhere = await ran("simulator", "trigger", "error-500", "--url", "http://[::1", env={})

    assert (senseless.status, nobody.status, nowhere.status) == (1, 1, 1)
    points = "charge, cancel, expire, refund, status"
    assert senseless.err == f"The simulator refused: error-500 strikes on {points}, not on payment.\n"
    assert nobody.err == f"No simulator answers at http://{HOST}:1; start one with: bayar simulator\n"
    assert nowhere.err == "No simulator answers at http://[::1; start one with: bayar simulator\n"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 301 Moved Permanently\r\nLocation: https://midtrans.example/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\n\r\n[]",
    ],
)
async def test_what_is_no_simulator_takes_no_fault(answer: bytes) -> None:
    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"}")
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(reply, HOST, 0) as server:
        url = f"http://{HOST}:{server.sockets[0].getsockname()[1]}"
        told = await ran("simulator", "trigger", "answer-lost", "--url", url, "--json", env={})

    status = answer.split(b" ")[1].decode()
    assert (told.status, told.out) == (1, "")
    assert told.err == f"What answers at {url} (HTTP {status}) is no simulator of Bayar.\n"
