import hashlib
from datetime import timedelta

import pytest

from support.simulator_desk import SERVER_KEY, Desk

ID = "00000000-0000-4000-8000-000000000001"


def signed(status_code: str) -> str:
    return hashlib.sha512(f"o-1{status_code}10000.00{SERVER_KEY}".encode()).hexdigest()


async def test_a_pending_transaction_is_found_by_either_id(desk: Desk) -> None:
    await desk.charge()

    by_order = await desk.client.get("/v2/o-1/status")
    by_transaction = await desk.client.get(f"/v2/{ID}/status")

    assert by_order.status_code == 200
    assert by_order.content == by_transaction.content
    expected = {
        "transaction_time": "2024-06-22 10:00:00",
        "gross_amount": "10000.00",
        "currency": "IDR",
        "order_id": "o-1",
        "payment_type": "gopay",
        "signature_key": signed("201"),
        "status_code": "201",
        "transaction_id": ID,
        "transaction_status": "pending",
        "fraud_status": "accept",
        "expiry_time": "2024-06-22 10:15:00",
        "status_message": "Success, transaction is found",
        "merchant_id": "G141532850",
    }
    assert list(by_order.json().items()) == list(expected.items())


async def test_a_settled_qris_transaction_tells_how_it_was_paid(desk: Desk) -> None:
    await desk.charge(payment_type="qris", custom_field1="kursi 7", metadata={"cart": [1, 2]})
    await desk.clock.advance(timedelta(seconds=90))
    await desk.post(f"/wallet/{ID}/pay")

    body = await desk.status("o-1")

    assert body.pop("merchant_cross_reference_id").startswith("00000000-")
    expected = {
        "transaction_time": "2024-06-22 10:00:00",
        "gross_amount": "10000.00",
        "currency": "IDR",
        "order_id": "o-1",
        "payment_type": "qris",
        "signature_key": signed("200"),
        "status_code": "200",
        "transaction_id": ID,
        "transaction_status": "settlement",
        "fraud_status": "accept",
        "settlement_time": "2024-06-22 10:01:30",
        "expiry_time": "2024-06-22 10:15:00",
        "status_message": "Success, transaction is found",
        "merchant_id": "G141532850",
        "transaction_type": "on-us",
        "issuer": "gopay",
        "acquirer": "gopay",
        "custom_field1": "kursi 7",
        "metadata": {"cart": [1, 2]},
    }
    assert list(body.items()) == list(expected.items())


@pytest.mark.parametrize(("end", "code"), [("cancel", "200"), ("expire", "407")])
async def test_an_ended_transaction_has_its_own_code_and_signature(desk: Desk, end: str, code: str) -> None:
    await desk.charge()
    await desk.post(f"/v2/o-1/{end}")

    answer = await desk.client.get("/v2/o-1/status")

    assert answer.status_code == 200
    body = answer.json()
    assert body["transaction_status"] == end
    assert body["status_code"] == code
    assert body["signature_key"] == signed(code)


async def test_an_unknown_transaction_is_404_under_http_200(desk: Desk) -> None:
    answer = await desk.client.get("/v2/nobody/status")

    assert answer.status_code == 200
    body = answer.json()
    assert list(body) == ["status_code", "status_message", "id"]
    assert body["status_code"] == "404"
    assert body["status_message"] == "Transaction doesn't exist."


async def test_metadata_comes_back_exactly_as_it_was_sent(desk: Desk) -> None:
    content = (
        b'{"payment_type":"gopay","transaction_details":{"order_id":"o-1","gross_amount":1},'
        b'"metadata" : {"huge":123456789012345678901234567890,"float":1.50} }'
    )
    await desk.client.post("/v2/charge", content=content)

    answer = await desk.client.get("/v2/o-1/status")

    assert b'{"huge":123456789012345678901234567890,"float":1.50}' in answer.content


@pytest.mark.parametrize("order_id", ["gopay", "qris", "charge", "status", "wallet"])
async def test_an_order_id_that_is_a_word_of_the_address_works(desk: Desk, order_id: str) -> None:
    await desk.charge(order_id)

    assert (await desk.status(order_id))["order_id"] == order_id
    assert (await desk.post(f"/v2/{order_id}/cancel")).json()["transaction_status"] == "cancel"


async def test_a_slash_in_an_order_id_meets_the_frameworks_own_404(desk: Desk) -> None:
    answer = await desk.client.get("/v2/a%2Fb/status")

    assert answer.status_code == 404
    assert answer.json() == {
        "timestamp": "2024-06-22T03:00:00.223+0000",
        "status": 404,
        "error": "Not Found",
        "message": "Not Found",
        "path": "/v2/a/b/status",
    }
