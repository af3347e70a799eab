"""What is sent to Midtrans."""

import base64
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from domain.evidence import ChargeRefused
from domain.order import Customer, Item
from domain.rupiah import PaymentType
from support.builders import SERVER_KEY, a_charge, an_id
from support.situations import RecordedMidtrans


@pytest.fixture
def midtrans() -> RecordedMidtrans:
    midtrans = RecordedMidtrans()
    midtrans.takes_charges(transaction_id="t-1")
    return midtrans


async def sent(midtrans: RecordedMidtrans, **order: Any) -> dict[str, Any]:
    await midtrans.gateway.charge(a_charge(**order), within=10)
    body = json.loads(midtrans.requests[-1].content)
    assert isinstance(body, dict)
    return body


async def test_the_smallest_gopay_charge(midtrans: RecordedMidtrans) -> None:
    body = await sent(midtrans)

    assert body == {
        "payment_type": "gopay",
        "transaction_details": {"order_id": "order-1", "gross_amount": 10_000},
        "custom_expiry": {
            "order_time": "2026-02-06 10:00:00 +0700",
            "expiry_duration": 15,
            "unit": "minute",
        },
    }


async def test_the_smallest_qris_charge_names_its_acquirer(midtrans: RecordedMidtrans) -> None:
    body = await sent(midtrans, payment_type=PaymentType.QRIS)

    assert (body["payment_type"], body["qris"]) == ("qris", {"acquirer": "gopay"})
    assert "gopay" not in body


async def test_the_amount_is_a_json_integer(midtrans: RecordedMidtrans) -> None:
    await sent(midtrans, gross_amount=20_000_000)

    assert b'"gross_amount":20000000}' in midtrans.requests[-1].content


async def test_midtrans_ends_the_charge_when_the_row_ends(midtrans: RecordedMidtrans) -> None:
    body = await sent(midtrans, life=timedelta(minutes=10_080))

    assert body["custom_expiry"]["expiry_duration"] == 10_080


async def test_a_callback_is_enabled_where_the_shop_gave_one(midtrans: RecordedMidtrans) -> None:
    body = await sent(midtrans, callback_url="myshop://paid?cart=17")

    assert body["gopay"] == {"enable_callback": True, "callback_url": "myshop://paid?cart=17"}


async def test_a_qris_charge_has_no_callback(midtrans: RecordedMidtrans) -> None:
    body = await sent(midtrans, payment_type=PaymentType.QRIS, callback_url="https://shop.example/back")

    assert "gopay" not in body
    assert "callback_url" not in body["qris"]


async def test_items_are_sent_with_their_texts_cut_to_midtranss_size(
    midtrans: RecordedMidtrans,
) -> None:
    items = (
        Item(id="i" * 60, name="n" * 60, price=6_000, quantity=2),
        Item(name="Diskon", price=-2_000, quantity=1),
    )

    body = await sent(midtrans, items=items)

    assert body["item_details"] == [
        {"id": "i" * 50, "name": "n" * 50, "price": 6_000, "quantity": 2},
        {"name": "Diskon", "price": -2_000, "quantity": 1},
    ]
    assert body["transaction_details"]["gross_amount"] == 10_000


async def test_of_a_customer_only_what_is_known_is_sent(midtrans: RecordedMidtrans) -> None:
    body = await sent(midtrans, customer=Customer(first_name="Siti", email="siti@shop.example"))

    assert body["customer_details"] == {"first_name": "Siti", "email": "siti@shop.example"}


async def test_the_shops_own_metadata_stays_here(midtrans: RecordedMidtrans) -> None:
    body = await sent(midtrans, metadata={"cart": "17"})

    assert "metadata" not in body


async def test_a_charge_is_posted_as_json_with_the_server_key(midtrans: RecordedMidtrans) -> None:
    await sent(midtrans)

    (request,) = midtrans.requests
    basic = base64.b64encode(f"{SERVER_KEY}:".encode()).decode()
    assert (request.method, str(request.url)) == (
        "POST",
        "https://api.sandbox.midtrans.com/v2/charge",
    )
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Authorization"] == f"Basic {basic}"


async def test_the_charges_key_is_midtranss_idempotency_key(midtrans: RecordedMidtrans) -> None:
    key = str(an_id("a payment"))

    await midtrans.gateway.charge(a_charge(key=key), within=10)

    assert midtrans.requests[0].headers["Idempotency-Key"] == key
    assert len(midtrans.requests[0].headers["Idempotency-Key"]) <= 36


async def test_no_notification_address_is_sent_unless_there_is_one(
    midtrans: RecordedMidtrans,
) -> None:
    await sent(midtrans)

    assert "X-Override-Notification" not in midtrans.requests[0].headers


async def test_the_notification_address_goes_with_each_charge() -> None:
    url = "https://pay.shop.example/api/payments/webhook"
    midtrans = RecordedMidtrans(notify_url=url)
    midtrans.takes_charges(transaction_id="t-1")

    await midtrans.gateway.charge(a_charge(), within=10)

    assert midtrans.requests[0].headers["X-Override-Notification"] == url


async def test_a_charge_over_midtranss_size_is_refused_and_never_sent(
    midtrans: RecordedMidtrans,
) -> None:
    items = tuple(Item(name="n" * 50, price=1, quantity=1) for _ in range(300))

    outcome = await midtrans.gateway.charge(a_charge(items=items), within=10)

    assert isinstance(outcome, ChargeRefused)
    assert outcome.code == "413"
    assert "fewer items" in outcome.message
    assert midtrans.requests == []


async def test_a_charge_of_just_midtranss_size_is_sent(midtrans: RecordedMidtrans) -> None:
    least = len(json.dumps(await sent(midtrans, customer=Customer(first_name="x")), separators=(",", ":")))
    fitting = Customer(first_name="x" * (16_000 - least + 1))

    body = await sent(midtrans, customer=fitting)

    assert len(midtrans.requests[-1].content) == 16_000
    assert body["customer_details"]["first_name"] == fitting.first_name


@pytest.mark.parametrize(
    ("transaction", "path"),
    [
        ("order-1", "/v2/order-1/status"),
        ("A~b_c.d-e", "/v2/A~b_c.d-e/status"),
        ("a/b", "/v2/a%2Fb/status"),
        ("a b#c?d=e&f", "/v2/a%20b%23c%3Fd%3De%26f/status"),
        ("a%2Fb", "/v2/a%252Fb/status"),
        ("café", "/v2/caf%C3%A9/status"),
        ("a\r\nX-Evil: 1", "/v2/a%0D%0AX-Evil%3A%201/status"),
    ],
)
async def test_ids_are_percent_encoded_into_one_path_segment(
    midtrans: RecordedMidtrans, transaction: str, path: str
) -> None:
    await midtrans.gateway.status(transaction)

    (request,) = midtrans.requests
    assert request.method == "GET"
    assert request.url.raw_path == path.encode()
    assert "X-Evil" not in request.headers


async def test_a_status_is_asked_with_the_server_key_and_without_an_idempotency_key(
    midtrans: RecordedMidtrans,
) -> None:
    await midtrans.gateway.status("t-1")

    (request,) = midtrans.requests
    assert request.headers["Authorization"].startswith("Basic ")
    assert "Idempotency-Key" not in request.headers
    assert request.content == b""


async def test_a_base_url_with_a_path_keeps_it() -> None:
    midtrans = RecordedMidtrans(base_url="http://127.0.0.1:8091/midtrans")
    midtrans.answers(httpx.Response(502))

    await midtrans.gateway.charge(a_charge(), within=10)

    assert str(midtrans.requests[0].url) == "http://127.0.0.1:8091/midtrans/v2/charge"
