import asyncio
import hashlib
from datetime import timedelta
from typing import Any

import httpx
import pytest

from support.simulator_desk import SERVER_KEY, Desk, a_charge, everything_due

ID = "00000000-0000-4000-8000-000000000001"
PROMISED = {"Idempotency-Key": "k-1"}


async def charges(desk: Desk, order_id: str = "o-1") -> int:
    body: dict[str, Any] = (await desk.client.get(f"/simulator/orders/{order_id}")).json()
    count: int = body["charges"]
    return count


async def test_an_answer_lost_leaves_a_charge_behind_and_its_key_gives_it_back(desk: Desk) -> None:
    await desk.trigger("answer-lost")

    with pytest.raises(httpx.RemoteProtocolError):
        await desk.charge(headers=PROMISED)

    assert await charges(desk) == 1
    again = await desk.charge(headers=PROMISED)
    assert again.json()["transaction_id"] == (await desk.status("o-1"))["transaction_id"]
    assert await charges(desk) == 1


async def test_a_closed_connection_leaves_nothing_behind(desk: Desk) -> None:
    await desk.trigger("connection-closed")

    with pytest.raises(httpx.RemoteProtocolError):
        await desk.charge()

    assert await charges(desk) == 0
    assert desk.receiver.requests == []


async def test_a_slow_answer_is_given_after_the_work_is_done(desk: Desk) -> None:
    await desk.trigger("slow-answer", seconds=20)
    call = asyncio.create_task(desk.client.post("/v2/charge", json=a_charge()))
    await everything_due()

    assert await charges(desk) == 1
    await desk.clock.advance(timedelta(seconds=19))
    assert not call.done()
    await desk.clock.advance(timedelta(seconds=1))
    assert (await call).json()["status_code"] == "201"


@pytest.mark.parametrize(
    ("fault", "http_status", "taken"),
    [
        ("error-500", 500, 0),
        ("error-500-taken", 500, 1),
        ("bad-gateway", 502, 0),
        ("bad-gateway-taken", 502, 1),
        ("unavailable", 503, 0),
        ("rate-limited", 429, 0),
        ("unauthorized", 401, 0),
        ("framework-404", 404, 0),
        ("in-process", 202, 1),
    ],
)
async def test_trouble_is_answered_once_and_the_charge_taken_or_not(
    desk: Desk, fault: str, http_status: int, taken: int
) -> None:
    await desk.trigger(fault)

    troubled = await desk.charge(headers=PROMISED)

    assert troubled.status_code == http_status
    assert await charges(desk) == taken
    assert (await desk.charge(headers=PROMISED)).json()["status_code"] == "201"
    assert await charges(desk) == 1


async def test_trouble_has_the_shapes_that_merchants_have_seen(desk: Desk) -> None:
    for fault in ("error-500", "bad-gateway", "unavailable", "rate-limited", "unauthorized", "in-process"):
        await desk.trigger(fault)
    recovering, gateway, unavailable, limited, unauthorized, in_process = [
        await desk.charge() for _ in range(6)
    ]

    assert recovering.json()["status_code"] == "500"
    assert recovering.json()["id"]
    assert gateway.headers["content-type"] == "text/html"
    assert gateway.text.startswith("<html>")
    assert unavailable.json()["status_code"] == "503"
    assert limited.json() == {"message": "API rate limit exceeded"}
    assert unauthorized.json()["status_code"] == "401"
    assert "transaction_status" not in in_process.json()


@pytest.mark.parametrize("call", ["charge", "status", "cancel", "expire", "refund"])
async def test_a_fault_can_wait_for_one_kind_of_call(desk: Desk, call: str) -> None:
    await desk.trigger("error-500", on=call)

    answers = {
        "charge": await desk.charge(),
        "status": await desk.client.get("/v2/o-1/status"),
        "cancel": await desk.post("/v2/o-1/cancel"),
        "expire": await desk.post(f"/v2/{ID}/expire"),
        "refund": await desk.post("/v2/o-1/refund/online/direct"),
    }

    assert [name for name, answer in answers.items() if answer.status_code == 500] == [call]


async def test_a_fault_can_wait_for_one_order_whichever_id_a_call_uses(desk: Desk) -> None:
    await desk.charge("o-1")
    await desk.charge("o-2")
    await desk.trigger("error-500", order_id="o-1", on="status")

    other = await desk.client.get("/v2/o-2/status")
    struck = await desk.client.get(f"/v2/{ID}/status")

    assert (other.status_code, struck.status_code) == (200, 500)


async def test_a_fault_can_wait_for_one_transaction(desk: Desk) -> None:
    await desk.charge()
    await desk.trigger("error-500", transaction_id=ID)

    assert (await desk.client.get("/v2/o-1/status")).status_code == 500


async def test_a_charge_is_known_by_its_order_id(desk: Desk) -> None:
    await desk.trigger("error-500", order_id="o-2")

    assert (await desk.client.post("/v2/charge", content=b"[")).status_code == 413
    assert (await desk.charge("o-1")).status_code == 200
    assert (await desk.charge("o-2")).status_code == 500


@pytest.mark.parametrize("call", ["charge", "status"])
async def test_a_wrong_amount_is_signed_like_a_right_one(desk: Desk, call: str) -> None:
    await desk.trigger("wrong-amount", on=call)
    charge = (await desk.charge()).json()

    told = charge if call == "charge" else await desk.status("o-1")

    assert told["gross_amount"] == "10001.00"
    if call == "status":
        signed = hashlib.sha512(f"o-120110001.00{SERVER_KEY}".encode()).hexdigest()
        assert told["signature_key"] == signed
    assert (await desk.status("o-1"))["gross_amount"] == "10000.00"


async def test_an_answer_can_be_about_somebody_elses_order(desk: Desk) -> None:
    await desk.trigger("wrong-order-id")

    assert (await desk.charge()).json()["order_id"] == "somebody-elses-order"
    assert await charges(desk) == 1


async def test_optional_fields_can_be_missing(desk: Desk) -> None:
    await desk.charge(payment_type="qris")
    await desk.post("/wallet/o-1/pay")
    await desk.trigger("missing-fields")

    assert set(await desk.status("o-1")) == {
        "transaction_time",
        "gross_amount",
        "order_id",
        "payment_type",
        "signature_key",
        "status_code",
        "transaction_id",
        "transaction_status",
    }


async def test_unknown_fields_can_appear_and_metadata_stays_as_it_was(desk: Desk) -> None:
    body = (
        b'{"payment_type":"gopay","transaction_details":{"order_id":"o-1","gross_amount":1},'
        b'"metadata":{"huge":123456789012345678901234567890}}'
    )
    await desk.client.post("/v2/charge", content=body)
    await desk.trigger("unknown-fields")

    answer = await desk.client.get("/v2/o-1/status")

    assert "x_new_object" in answer.json()
    assert b'{"huge":123456789012345678901234567890}' in answer.content


async def test_a_status_can_be_shouted(desk: Desk) -> None:
    await desk.charge()
    await desk.trigger("uppercase-status")

    assert (await desk.status("o-1"))["transaction_status"] == "PENDING"


@pytest.mark.parametrize("fault", ["wrong-amount", "wrong-order-id", "missing-fields", "uppercase-status"])
async def test_a_refusal_has_nothing_to_garble(desk: Desk, fault: str) -> None:
    await desk.trigger(fault)

    assert (await desk.status("nobody"))["status_code"] == "404"


async def test_a_charge_can_be_denied(desk: Desk) -> None:
    await desk.trigger("denied")

    answer = await desk.charge()

    assert answer.status_code == 200
    body = answer.json()
    assert body["status_code"] == "202"
    assert body["status_message"] == "GoPay transaction is denied"
    assert (body["transaction_status"], body["fraud_status"]) == ("deny", "deny")
    assert "actions" not in body
    assert body["channel_response_code"]
    assert body["channel_response_message"]
    [told] = desk.receiver.bodies
    assert (told["transaction_status"], told["status_code"]) == ("deny", "202")
    assert told["channel_response_code"]
    assert (await desk.status("o-1"))["status_code"] == "202"
    assert (await desk.charge()).json()["status_code"] == "201"


async def test_a_channel_can_be_inactive(desk: Desk) -> None:
    await desk.trigger("channel-inactive")

    answer = await desk.charge()

    assert answer.status_code == 200
    assert list(answer.json()) == ["status_code", "status_message", "id"]
    assert answer.json()["status_code"] == "402"
    assert await charges(desk) == 0
    assert desk.receiver.requests == []


async def test_a_missing_page_is_told_as_the_framework_does(desk: Desk) -> None:
    await desk.charge()
    await desk.trigger("framework-404")

    answer = await desk.client.get("/v2/o-1/status")

    assert answer.status_code == 404
    assert answer.json() == {
        "timestamp": "2024-06-22T03:00:00.223+0000",
        "status": 404,
        "error": "Not Found",
        "message": "Not Found",
        "path": "/v2/o-1/status",
    }


@pytest.mark.parametrize("payment_type", ["gopay", "qris"])
async def test_the_second_qr_picture_can_be_missing(desk: Desk, payment_type: str) -> None:
    whole = (await desk.charge("o-0", payment_type=payment_type)).json()["actions"]
    await desk.trigger("qr-v2-missing")

    actions = (await desk.charge(payment_type=payment_type)).json()["actions"]

    names = [action["name"] for action in whole]
    assert names.count("generate-qr-code-v2") == 1
    assert [action["name"] for action in actions] == [n for n in names if n != "generate-qr-code-v2"]


async def test_the_expiry_time_can_be_spelt_as_in_one_sample(desk: Desk) -> None:
    await desk.trigger("expiry-misspelt")

    body = (await desk.charge(payment_type="qris")).json()

    assert body["expire_time"] == "2024-06-22 10:15:00"
    assert "expiry_time" not in body


async def test_a_taken_charge_can_be_answered_as_a_repeat(desk: Desk) -> None:
    await desk.trigger("duplicate-order-id")

    assert (await desk.charge()).json()["status_code"] == "406"
    assert (await desk.status("o-1"))["transaction_status"] == "pending"


async def test_an_existing_transaction_can_seem_not_to_exist(desk: Desk) -> None:
    await desk.charge()
    await desk.trigger("not-found")

    assert (await desk.status("o-1"))["status_code"] == "404"
    assert (await desk.status("o-1"))["status_code"] == "201"


async def test_a_refund_can_be_refused_and_repeated_for_seven_days(desk: Desk) -> None:
    await desk.paid()
    await desk.trigger("refund-refused")

    answer = await desk.post("/v2/o-1/refund", json={"refund_key": "k-1"})

    assert answer.status_code == 200
    body = answer.json()
    assert body["status_code"] == "202"
    assert body["status_message"] == "Refund denied by the bank"
    assert body["transaction_status"] == "settlement"
    assert body["refund_amount"] == "0.00"
    assert desk.receiver.statuses == ["pending", "settlement"]
    assert "refunds" not in await desk.status("o-1")

    await desk.clock.advance(timedelta(days=7))
    assert (await desk.refund(refund_key="k-1", amount=1))["status_code"] == "200"


async def test_after_seven_days_a_refused_refund_needs_a_new_key(desk: Desk) -> None:
    await desk.paid()
    await desk.trigger("refund-refused")
    await desk.refund(refund_key="k-1")
    await desk.clock.advance(timedelta(days=7, seconds=1))

    assert (await desk.refund(refund_key="k-1"))["status_code"] == "406"
    assert (await desk.refund(refund_key="k-2"))["status_code"] == "200"
