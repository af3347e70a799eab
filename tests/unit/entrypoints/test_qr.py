"""The QR of a pending payment: drawn, or Midtrans's own picture of it."""

import json
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest
import segno

from domain.status import Status
from support import recorded
from unit.entrypoints.harness import Service, a_service, problem_of

QR = "/api/payments/order-1/qr.svg"


def charged_with(picture: str, **more: Any) -> str:
    """A charge answer without the text of the QR, whose one picture is there."""
    actions = [{"name": "generate-qr-code", "method": "GET", "url": picture}]
    return json.dumps(recorded.gopay_charge(actions=actions, **more))


async def redirect_to(service: Service, picture: str) -> httpx.Response:
    await service.given(charge_answer=charged_with(picture))
    return await service.get(QR)


async def test_the_text_of_the_qr_is_drawn(service: Service) -> None:
    await service.given(payment_type="qris", charge_answer=json.dumps(recorded.qris_charge()))

    answer = await service.get(QR)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["cache-control"] == "no-store"
    drawing = ET.fromstring(answer.content)  # noqa: S314 - our own
    assert drawing.tag == "{http://www.w3.org/2000/svg}svg"
    assert b"<script" not in answer.content


async def test_a_qr_is_drawn_once(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often its page is loaded: drawing holds up everybody else."""
    body = recorded.qris_charge(qr_string="0002DRAWN-ONCE")
    await service.given(payment_type="qris", charge_answer=json.dumps(body))
    first = await service.get(QR)
    monkeypatch.setattr(segno, "make", None)

    again = await service.get(QR)

    assert again.status_code == 200
    assert again.content == first.content


async def test_two_texts_are_two_pictures(service: Service) -> None:
    for order_id, text in (("order-1", "0002AAAA"), ("order-2", "0002AAAB")):
        body = recorded.qris_charge(qr_string=text)
        await service.given(order_id=order_id, transaction_id=order_id, charge_answer=json.dumps(body))

    one = await service.get(QR)
    other = await service.get("/api/payments/order-2/qr.svg")

    assert one.content != other.content


async def test_without_a_text_the_client_is_led_to_midtrans_s_picture(service: Service) -> None:
    await service.given(charge_answer=json.dumps(recorded.gopay_charge()))

    answer = await service.get(QR)

    assert answer.status_code == 302
    assert answer.headers["location"] == (f"{recorded.API}//v4/qris/gopay/A120260206100000ID/qr-code")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    "picture",
    [
        "https://midtrans.com/qr",
        "https://api.midtrans.com/v2/gopay/x/qr-code",
        "https://API.Midtrans.COM/qr",
        "https://api.veritrans.co.id/v2/gopay/x/qr-code",
        "https://api.midtrans.com:443/qr",
    ],
)
async def test_midtrans_s_own_hosts_may_be_led_to(service: Service, picture: str) -> None:
    answer = await redirect_to(service, picture)

    assert answer.headers["location"] == picture


async def test_the_host_of_the_base_url_may_be_led_to() -> None:
    service = a_service(MIDTRANS_BASE_URL="http://127.0.0.1:8091")

    answer = await redirect_to(service, "http://127.0.0.1:8091/v2/gopay/x/qr-code")

    assert answer.headers["location"] == "http://127.0.0.1:8091/v2/gopay/x/qr-code"


@pytest.mark.parametrize(
    "picture",
    [
        "http://api.midtrans.com/qr",
        "https://midtrans.com.evil.example/qr",
        "https://evilmidtrans.com/qr",
        "https://evil.example/midtrans.com",
        "https://api.midtrans.com@evil.example/qr",
        "https://evil.example\\.midtrans.com/qr",
        "https://evil.example\\@api.midtrans.com/qr",
        "https://api.midtrans.com/qr\r\nSet-Cookie: a=b",
        "https://api.midtrans.com/\u202e",
        "https://[api.midtrans.com/qr",
        "//api.midtrans.com/qr",
        "/qr",
        "",
        "javascript:alert(1)//midtrans.com",
        "data:image/png;base64,AAAA",
    ],
)
async def test_nobody_is_led_anywhere_else(service: Service, picture: str) -> None:
    answer = await redirect_to(service, picture)

    assert problem_of(answer) == (409, "illegal-transition")


@pytest.mark.parametrize(
    "picture",
    ["http://127.0.0.1:8092/qr", "https://127.0.0.1:8091/qr", "http://127.0.0.1:8091@evil.example/qr"],
)
async def test_only_the_very_address_of_the_base_url_may_be_led_to(picture: str) -> None:
    service = a_service(MIDTRANS_BASE_URL="http://127.0.0.1:8091")

    assert problem_of(await redirect_to(service, picture)) == (409, "illegal-transition")


@pytest.mark.parametrize("status", [s for s in Status if s is not Status.PENDING])
async def test_there_is_no_qr_unless_the_payment_is_pending(service: Service, status: Status) -> None:
    await service.given(status=status, charge_answer=json.dumps(recorded.qris_charge()))

    answer = await service.get(QR)

    assert problem_of(answer) == (409, "illegal-transition")
    assert str(status) in answer.json()["detail"]


async def test_a_pending_payment_may_have_no_qr(service: Service) -> None:
    await service.given()

    assert problem_of(await service.get(QR)) == (409, "illegal-transition")


async def test_a_text_too_long_for_a_qr_is_no_fault_of_ours(service: Service) -> None:
    body = recorded.qris_charge(qr_string="x" * 5000)
    await service.given(charge_answer=json.dumps(body | {"actions": []}))

    assert problem_of(await service.get(QR)) == (409, "illegal-transition")
