import json
from typing import Any

import pytest

from support.simulator_desk import Desk, a_charge

ID = "00000000-0000-4000-8000-000000000001"


async def test_a_gopay_charge_answers_like_midtrans_key_by_key(desk: Desk) -> None:
    answer = await desk.charge()

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    api = "http://midtrans.test"
    expected = {
        "status_code": "201",
        "status_message": "GoPay transaction is created",
        "transaction_id": ID,
        "order_id": "o-1",
        "merchant_id": "G141532850",
        "gross_amount": "10000.00",
        "currency": "IDR",
        "payment_type": "gopay",
        "transaction_time": "2024-06-22 10:00:00",
        "transaction_status": "pending",
        "fraud_status": "accept",
        "actions": [
            {"name": "generate-qr-code", "method": "GET", "url": f"{api}/v2/gopay/{ID}/qr-code"},
            {
                "name": "generate-qr-code-v2",
                "method": "GET",
                "url": f"{api}/v4/qris/gopay/A120240622100000xxxxxxxxxxID/qr-code",
            },
            {"name": "deeplink-redirect", "method": "GET", "url": f"{api}/wallet/{ID}"},
            {"name": "get-status", "method": "GET", "url": f"{api}/v2/{ID}/status"},
            {"name": "cancel", "method": "POST", "url": f"{api}/v2/{ID}/cancel", "fields": []},
        ],
        "expiry_time": "2024-06-22 10:15:00",
    }
    assert list(answer.json().items()) == list(expected.items())


async def test_a_qris_charge_answers_like_midtrans_key_by_key(desk: Desk) -> None:
    answer = await desk.charge(payment_type="qris")

    body = answer.json()
    api = "http://midtrans.test"
    assert body.pop("qr_string").startswith("000201010212")
    expected = {
        "status_code": "201",
        "status_message": "QRIS transaction is created",
        "transaction_id": ID,
        "order_id": "o-1",
        "merchant_id": "G141532850",
        "gross_amount": "10000.00",
        "currency": "IDR",
        "payment_type": "qris",
        "transaction_time": "2024-06-22 10:00:00",
        "transaction_status": "pending",
        "fraud_status": "accept",
        "actions": [
            {"name": "generate-qr-code", "method": "GET", "url": f"{api}/v2/qris/{ID}/qr-code"},
            {
                "name": "generate-qr-code-v2",
                "method": "GET",
                "url": f"{api}/v4/qris/A120240622100000xxxxxxxxxxID/qr-code",
            },
        ],
        "acquirer": "gopay",
        "expiry_time": "2024-06-22 10:15:00",
    }
    assert list(body.items()) == list(expected.items())
    assert list(answer.json())[-3:] == ["qr_string", "acquirer", "expiry_time"]


async def test_the_other_acquirer_can_be_chosen(desk: Desk) -> None:
    answer = await desk.charge(payment_type="qris", qris={"acquirer": "airpay shopee"})

    assert answer.json()["acquirer"] == "airpay shopee"
    assert "ID.CO.SHOPEE.WWW" in answer.json()["qr_string"]


async def test_item_prices_may_be_discounts_as_long_as_the_sum_is_right(desk: Desk) -> None:
    items = [
        {"name": "Kopi", "price": 6_000, "quantity": 2},
        {"name": "Diskon", "price": -2_000, "quantity": 1},
    ]

    assert (await desk.charge(item_details=items)).json()["status_code"] == "201"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"payment_type": None}, "payment_type is required"),
        ({"payment_type": "credit_card"}, "payment_type is not supported"),
        ({"payment_type": 5}, "payment_type is not a string"),
        ({"transaction_details": []}, "transaction_details is not an object"),
        ({"transaction_details": {"gross_amount": 1}}, "transaction_details.order_id is required"),
        (
            {"transaction_details": {"order_id": "", "gross_amount": 1}},
            "transaction_details.order_id is required",
        ),
        (
            {"transaction_details": {"order_id": "a b", "gross_amount": 1}},
            "transaction_details.order_id contains characters that are not allowed",
        ),
        (
            {"transaction_details": {"order_id": "o\n", "gross_amount": 1}},
            "transaction_details.order_id contains characters that are not allowed",
        ),
        (
            {"transaction_details": {"order_id": "o" * 51, "gross_amount": 1}},
            "transaction_details.order_id is too long",
        ),
        (
            {"transaction_details": {"order_id": "o"}},
            "transaction_details.gross_amount is required",
        ),
        (
            {"transaction_details": {"order_id": "o", "gross_amount": "1"}},
            "transaction_details.gross_amount is not a number",
        ),
        (
            {"transaction_details": {"order_id": "o", "gross_amount": True}},
            "transaction_details.gross_amount is not a number",
        ),
        (
            {"transaction_details": {"order_id": "o", "gross_amount": 1.5}},
            "transaction_details.gross_amount is not a number",
        ),
        (
            {"transaction_details": {"order_id": "o", "gross_amount": 0}},
            "transaction_details.gross_amount must be greater than or equal to 1",
        ),
        (
            {"transaction_details": {"order_id": "o", "gross_amount": 20_000_001}},
            "transaction_details.gross_amount must be less than or equal to 20000000",
        ),
        (
            {
                "payment_type": "qris",
                "transaction_details": {"order_id": "o", "gross_amount": 10_000_001},
            },
            "transaction_details.gross_amount must be less than or equal to 10000000",
        ),
        (
            {"item_details": [{"name": "Kopi", "price": 9_999, "quantity": 1}]},
            "transaction_details.gross_amount is not equal to the sum of item_details",
        ),
        ({"item_details": {}}, "item_details is not an array"),
        ({"item_details": [1]}, "item_details[0] is not an object"),
        (
            {"item_details": [{"price": 10_000, "quantity": 1}]},
            "item_details[0].name is required",
        ),
        (
            {"item_details": [{"name": "Kopi", "price": "10000", "quantity": 1}]},
            "item_details[0].price is not a number",
        ),
        ({"payment_type": "qris", "qris": {"acquirer": "dana"}}, "qris.acquirer is not supported"),
        ({"gopay": {"enable_callback": "yes"}}, "gopay.enable_callback is not a boolean"),
        ({"customer_details": "Budi"}, "customer_details is not an object"),
        ({"customer_details": {"phone": 62}}, "customer_details.phone is not a string"),
        ({"custom_field1": "x" * 256}, "custom_field1 is too long"),
        ({"metadata": [1]}, "metadata is not an object"),
    ],
)
async def test_an_invalid_charge_is_refused_with_the_reason(
    desk: Desk, fields: dict[str, Any], message: str
) -> None:
    answer = await desk.charge(**fields)

    assert answer.status_code == 400
    body = answer.json()
    assert list(body) == ["status_code", "status_message", "id", "validation_messages"]
    assert body["status_code"] == "400"
    assert body["status_message"] == "One or more parameters in the payload is invalid."
    assert body["validation_messages"] == [message]
    assert desk.receiver.requests == []


async def test_everything_that_is_wrong_is_said_at_once(desk: Desk) -> None:
    answer = await desk.client.post("/v2/charge", json={})

    assert answer.json()["validation_messages"] == [
        "payment_type is required",
        "transaction_details.order_id is required",
        "transaction_details.gross_amount is required",
    ]


async def test_the_largest_amounts_are_taken(desk: Desk) -> None:
    gopay = {"order_id": "o-1", "gross_amount": 20_000_000}
    qris = {"order_id": "o-2", "gross_amount": 10_000_000}

    one = await desk.charge(transaction_details=gopay)
    other = await desk.charge(payment_type="qris", transaction_details=qris)

    assert one.json()["gross_amount"] == "20000000.00"
    assert other.json()["gross_amount"] == "10000000.00"


async def test_every_allowed_character_and_length_of_an_order_id_works(desk: Desk) -> None:
    order_id = "aZ09-_~." + "x" * 42

    assert (await desk.charge(order_id)).json()["order_id"] == order_id
    assert (await desk.status(order_id))["transaction_status"] == "pending"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"charge"',
        b'{"payment_type": "gopay",}',
        b'{"metadata": {"a": [}}',
        b"\xff",
        b'{"transaction_details": {"gross_amount": ' + b"9" * 9_000 + b"}}",
        json.dumps(a_charge(custom_field1="x" * 17_000)).encode(),
    ],
)
async def test_a_body_that_is_no_json_object_of_16_kb_is_a_syntax_error(desk: Desk, body: bytes) -> None:
    answer = await desk.client.post("/v2/charge", content=body)

    assert answer.status_code == 413
    assert answer.json()["status_code"] == "413"


async def test_a_null_body_upsets_the_server(desk: Desk) -> None:
    answer = await desk.client.post("/v2/charge", content=b"null")

    assert answer.status_code == 500
    assert answer.json()["status_code"] == "500"
    assert answer.json()["id"]


async def test_an_order_id_is_taken_while_its_transaction_is_pending(desk: Desk) -> None:
    await desk.charge()

    answer = await desk.charge()

    assert answer.status_code == 200
    assert answer.json()["status_code"] == "406"
    assert "conflict" in answer.json()["status_message"]
    assert len(desk.receiver.requests) == 1


async def test_an_order_id_is_taken_for_ever_once_it_is_paid(desk: Desk) -> None:
    await desk.charge()
    await desk.post(f"/wallet/{ID}/pay")

    assert (await desk.charge()).json()["status_code"] == "406"


@pytest.mark.parametrize("end", ["cancel", "expire"])
async def test_an_order_id_is_free_again_after(desk: Desk, end: str) -> None:
    first = (await desk.charge()).json()["transaction_id"]
    await desk.post(f"/v2/o-1/{end}")

    second = (await desk.charge(payment_type="qris")).json()

    assert second["status_code"] == "201"
    assert second["transaction_id"] != first
    assert (await desk.status("o-1"))["transaction_id"] == second["transaction_id"]
    assert (await desk.status(first))["transaction_status"] == end


@pytest.mark.parametrize("field", ["gopay", "metadata"])
async def test_a_body_nested_thousands_deep_is_refused_and_breaks_nothing(desk: Desk, field: str) -> None:
    body = f'{{"{field}": {"[" * 7_000}{"]" * 7_000}}}'.encode()

    answer = await desk.client.post("/v2/charge", content=body)

    # How deep is too deep for the syntax (413) is the interpreter's to say; else it lacks fields (400).
    assert answer.json()["status_code"] in {"400", "413"}
    assert (await desk.charge("o-after")).json()["status_code"] == "201"
