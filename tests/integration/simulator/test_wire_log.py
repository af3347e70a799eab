import json
from base64 import b64encode
from datetime import timedelta
from typing import Any

import httpx
import pytest

from simulator.core.wire_log import LONGEST_BODY, Direction, Exchange, Wanted, WireLog
from support.simulator_desk import DASHBOARD, SERVER_KEY, START, Desk, a_desk

ID = "00000000-0000-4000-8000-000000000001"


def an_exchange(**changes: Any) -> Exchange:
    known: dict[str, Any] = {
        "at": START,
        "direction": Direction.IN,
        "method": "POST",
        "url": "/v2/charge",
        "headers": (),
        "request": b'{"transaction_details":{"order_id":"o-1"}}',
        "status": 200,
        "response": b'{"order_id":"o-1","transaction_id":"t-1"}',
        "outcome": "",
        "took": timedelta(0),
    }
    return Exchange(**known | changes)


async def exchanges(desk: Desk, **wanted: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await desk.client.get("/simulator/log", params=wanted)).json()["exchanges"]
    return found


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        (Wanted(), True),
        (Wanted(any_id="o-1"), True),
        (Wanted(any_id="t-1"), True),
        (Wanted(any_id="o"), False),
        (Wanted(direction=Direction.IN), True),
        (Wanted(direction=Direction.OUT), False),
        (Wanted(path="charge"), True),
        (Wanted(path="status"), False),
        (Wanted(status="200"), True),
        (Wanted(status="2"), True),
        (Wanted(status="5"), False),
        (Wanted(status="none"), False),
        (Wanted(any_id="o-1", status="5"), False),
    ],
)
def test_an_exchange_is_found_by_what_it_is_about(wanted: Wanted, fits: bool) -> None:  # noqa: FBT001
    assert wanted.fits(an_exchange()) is fits


def test_an_exchange_without_an_answer_or_a_body_can_be_found_too() -> None:
    silent = an_exchange(url="/v2/o-2/status", status=None, request=b"", response=b"<html>")

    assert Wanted(status="none", any_id="o-2").fits(silent)


def test_the_log_keeps_the_latest_and_no_more_of_a_body_than_it_may() -> None:
    log = WireLog(2, secrets=())
    for number in range(5):
        log.add(an_exchange(request=str(number).encode() * 2 * LONGEST_BODY))

    kept = list(log.newest_first(Wanted()))

    assert [number for number, _ in kept] == [5, 4]
    assert [exchange.request[:1] for _, exchange in kept] == [b"4", b"3"]
    assert all(len(exchange.request) == LONGEST_BODY for _, exchange in kept)
    assert log.find(5) is kept[0][1]
    assert log.find(1) is None


async def test_both_directions_are_heard_newest_first(desk: Desk) -> None:
    await desk.charge(headers={"Idempotency-Key": "k-1"})
    await desk.client.get("/v2/o-1/status?x=y")

    status, notification, charge = await exchanges(desk)

    assert (status["direction"], status["method"], status["url"]) == ("in", "GET", "/v2/o-1/status?x=y")
    assert json.loads(status["response"])["transaction_status"] == "pending"
    assert (notification["direction"], notification["url"], notification["status"]) == ("out", DASHBOARD, 200)
    assert json.loads(notification["request"]) == desk.receiver.bodies[0]
    assert notification["headers"]["user-agent"] == "Veritrans"
    assert (charge["method"], charge["url"], charge["status"]) == ("POST", "/v2/charge", 200)
    assert charge["headers"]["idempotency-key"] == "k-1"
    assert json.loads(charge["request"])["payment_type"] == "gopay"


async def test_the_log_can_be_narrowed(desk: Desk) -> None:
    desk.receiver.script = [httpx.Response(503)]
    await desk.charge("o-1")
    await desk.charge("o-2")

    assert {e["url"] for e in await exchanges(desk, order_id="o-1")} == {"/v2/charge", DASHBOARD}
    assert [e["direction"] for e in await exchanges(desk, order_id=ID, direction="in")] == ["in"]
    assert [e["status"] for e in await exchanges(desk, status="5")] == [503]
    assert len(await exchanges(desk, path="charge")) == 2
    assert "o-2" not in (await desk.client.get("/wire", params={"order_id": "o-1"})).text


async def test_no_secret_is_ever_kept(desk: Desk) -> None:
    basic = b64encode(f"{SERVER_KEY}:".encode()).decode()
    await desk.charge(custom_field1=SERVER_KEY, custom_field2=basic)
    await desk.client.get(f"/v2/{SERVER_KEY}/status")

    texts = [
        (await desk.client.get("/simulator/log")).text,
        (await desk.client.get("/wire")).text,
    ]

    for text in texts:
        assert SERVER_KEY not in text
        assert basic not in text
        assert "uthorization" not in text
        assert "[server key]" in text


async def test_the_password_in_a_receivers_address_is_not_kept() -> None:
    async with a_desk(notify_url="https://user:password@shop.example/n") as desk:
        await desk.charge()

        [notification] = await exchanges(desk, direction="out")

    assert notification["url"] == "https://shop.example/n"


async def test_what_got_no_answer_says_why(desk: Desk) -> None:
    desk.receiver.script = [httpx.ConnectError("nobody there")]
    await desk.trigger("answer-lost")
    with pytest.raises(httpx.RemoteProtocolError):
        await desk.charge()
    await desk.clock.advance(timedelta(0))

    notification, charge = await exchanges(desk, status="none")

    assert notification["outcome"] == "ConnectError: nobody there"
    assert charge["outcome"] == "The connection broke before the answer. Fault: answer-lost."
    assert "no answer" in (await desk.client.get("/wire")).text


async def test_pictures_and_the_simulators_own_pages_are_no_wire_traffic(desk: Desk) -> None:
    await desk.charge()
    await desk.client.get(f"/wallet/{ID}")
    await desk.client.get("/")
    await desk.client.get(f"/v2/gopay/{ID}/qr-code")

    picture, *others = await exchanges(desk)

    assert picture["response"].startswith("(a PNG picture,")
    assert len(others) == 2


async def test_a_notification_can_be_sent_again_byte_for_byte(desk: Desk) -> None:
    await desk.charge()
    await desk.post("/wallet/o-1/pay")
    pending = (await exchanges(desk, direction="out"))[-1]

    answer = await desk.post(f"/simulator/log/{pending['number']}/send-again")
    form = await desk.post(f"/simulator/log/{pending['number']}/send-again", data={"number": "1"})

    assert answer.status_code == 202
    assert (form.status_code, form.headers["location"]) == (303, "/wire")
    assert desk.receiver.statuses == ["pending", "settlement", "pending", "pending"]
    assert desk.receiver.requests[2].content == desk.receiver.requests[0].content


async def test_only_a_notification_can_be_sent_again(desk: Desk) -> None:
    await desk.charge()
    [charge] = await exchanges(desk, direction="in")

    for number in (charge["number"], 99):
        assert (await desk.post(f"/simulator/log/{number}/send-again")).status_code == 404
    cross = {"Sec-Fetch-Site": "cross-site"}
    assert (await desk.post("/simulator/log/2/send-again", headers=cross)).status_code == 403
    assert len(desk.receiver.requests) == 1


async def test_sending_again_leads_back_to_what_was_shown(desk: Desk) -> None:
    await desk.charge()
    page = await desk.client.get("/wire", params={"order_id": "o-1", "direction": "out"})
    assert 'name="shown" value="order_id=o-1&amp;direction=out"' in page.text

    answer = await desk.post(
        "/simulator/log/2/send-again", data={"number": "2", "shown": "order_id=o-1&direction=out\r\nX-A: b"}
    )

    assert answer.headers["location"] == "/wire?order_id=o-1&direction=out%0D%0AX-A%3A+b"
    assert len(desk.receiver.requests) == 2
