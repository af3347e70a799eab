"""`bayar demo`: the whole of it at one's desk, with and without a person."""

import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from support.database import open_directory
from support.service import CREATE, HOST, Program, answering, eventually, free_port, ran, started


@pytest.fixture
def home() -> Iterator[Path]:
    with open_directory() as made:
        yield made / "demo"


async def test_once_takes_a_payment_from_create_to_paid_and_shows_its_timeline(home: Path) -> None:
    arguments = ("demo", "--once", "--data", str(home), "--port", str(free_port()))

    ended = await ran(*arguments, env={}, within=90)

    assert ended.status == 0, ended.out + ended.err
    timeline = re.findall(r"^[0-9-]+ [0-9:]+ +(\w+) +(shop|charge|notification)", ended.out, re.MULTILINE)
    assert timeline == [("created", "shop"), ("pending", "charge"), ("settlement", "notification")]
    assert "Traceback" not in ended.out + ended.err


async def test_it_tells_what_to_do_next_and_keeps_its_data(home: Path) -> None:
    port = free_port()
    url = f"http://{HOST}:{port}"
    arguments = ("demo", "--data", str(home), "--port", str(port))
    async with started(*arguments, env={}) as program:
        await answering(f"{url}/health/ready", program, within=60)
        await eventually(lambda: is_told(program, "Ctrl-C"))
        token = re.search(r"export TOKEN=(\S+)", program.said)
        assert token is not None
        async with httpx.AsyncClient(
            headers={"Authorization": f"Bearer {token[1]}"}, trust_env=False
        ) as http:
            created = (await http.post(f"{url}{CREATE}", json={"gross_amount": 25_000})).json()
            refunds = f"{url}/api/payments/{created['order_id']}/refunds"
            early = await http.post(refunds, headers={"Idempotency-Key": "early"})
        database = re.search(r"export DATABASE_URL='(\S+)'", program.said)
        assert database is not None
        listed = await ran("payments", "list", "--json", env={"DATABASE_URL": database[1]})
        program.signal(signal.SIGINT)
        ended = await program.ended()
    assert (ended.status, ended.err) == (0, "")
    assert f"{url}/docs" in ended.out
    assert early.json()["code"] == "illegal-transition", "the token may refund, as the README tries"
    # Newest first; the other is the one that is ready when the demo starts.
    assert listed.json[0]["order_id"] == created["order_id"]
    assert len(listed.json) == 2

    async with started(*arguments, env={}) as program:
        await answering(f"{url}/health/ready", program, within=60)
        async with httpx.AsyncClient(
            headers={"Authorization": f"Bearer {token[1]}"}, trust_env=False
        ) as http:
            kept = await http.get(f"{url}/api/payments/{created['order_id']}")
    assert kept.json() == created


async def is_told(program: Program, word: str) -> bool:
    return word in program.said


@pytest.mark.parametrize("above", [0, 1])
async def test_a_taken_port_is_one_plain_sentence(home: Path, above: int) -> None:
    port = free_port()
    with socket.socket() as taken:
        taken.bind((HOST, port + above))
        taken.listen()

        ended = await ran("demo", "--data", str(home), "--port", str(port), env={})

    assert (ended.status, ended.out) == (1, "")
    assert ended.err.count("\n") == 1
    assert f"{HOST}:{port + above}" in ended.err
