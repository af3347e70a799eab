"""Midtrans's own Python SDK, unmodified but for the address that it calls."""

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Any

import midtransclient
import pytest
import requests
from midtransclient.error_midtrans import JSONDecodeError, MidtransAPIError

from support.simulator import SERVER_KEY, Simulator

_numbers = count(1)

Call = Callable[..., dict[str, Any]]


@pytest.fixture
def order_id() -> str:
    return f"sdk-{next(_numbers)}"


@pytest.fixture
def core(simulator: Simulator) -> Any:
    return a_client(simulator)


def a_client(simulator: Simulator, server_key: str = SERVER_KEY) -> Any:
    core = midtransclient.CoreApi(is_production=False, server_key=server_key)
    core.api_config.CORE_SANDBOX_BASE_URL = simulator.url
    return core


def a_charge(order_id: str, payment_type: str = "gopay") -> dict[str, Any]:
    details = {"order_id": order_id, "gross_amount": 10_000}
    return {"payment_type": payment_type, "transaction_details": details}


async def call(function: Call, *args: Any) -> dict[str, Any]:
    """Call the SDK, which blocks, beside the loop that the simulator runs in."""
    return await asyncio.to_thread(function, *args)


async def pay(simulator: Simulator, order_id: str) -> None:
    answer = await simulator.control.post(f"/simulator/transactions/{order_id}/pay")
    assert answer.status_code == 200


async def test_gopay_is_charged_and_found(core: Any, order_id: str) -> None:
    charged = await call(core.charge, a_charge(order_id))
    found = await call(core.transactions.status, order_id)

    assert charged["status_code"] == "201"
    assert charged["transaction_status"] == found["transaction_status"] == "pending"
    assert charged["transaction_id"] == found["transaction_id"]
    assert "deeplink-redirect" in {action["name"] for action in charged["actions"]}


async def test_qris_is_charged_with_its_qr_string(core: Any, order_id: str) -> None:
    charged = await call(core.charge, a_charge(order_id, "qris"))

    assert charged["qr_string"].startswith("000201")
    picture = next(action for action in charged["actions"] if action["name"] == "generate-qr-code")
    answer = await asyncio.to_thread(requests.get, picture["url"], timeout=10)
    assert answer.content.startswith(b"\x89PNG")


async def test_an_order_is_charged_once(core: Any, order_id: str) -> None:
    await call(core.charge, a_charge(order_id))

    with pytest.raises(MidtransAPIError) as refused:
        await call(core.charge, a_charge(order_id))

    assert refused.value.api_response_dict["status_code"] == "406"


async def test_an_invalid_charge_lists_what_is_wrong(core: Any, order_id: str) -> None:
    charge = a_charge(order_id)
    charge["transaction_details"]["gross_amount"] = 0

    with pytest.raises(MidtransAPIError) as refused:
        await call(core.charge, charge)

    assert refused.value.http_status_code == 400
    assert refused.value.api_response_dict["validation_messages"]


async def test_a_wrong_key_is_refused(simulator: Simulator, order_id: str) -> None:
    with pytest.raises(MidtransAPIError) as refused:
        await call(a_client(simulator, "wrong").charge, a_charge(order_id))

    assert refused.value.http_status_code == 401


async def test_what_does_not_exist_is_404(core: Any) -> None:
    with pytest.raises(MidtransAPIError) as refused:
        await call(core.transactions.status, "nobody")

    assert refused.value.http_status_code == 200
    assert refused.value.api_response_dict["status_code"] == "404"


@pytest.mark.parametrize(
    ("act", "code", "status"), [("cancel", "200", "cancel"), ("expire", "407", "expire")]
)
async def test_a_pending_charge_is_ended(core: Any, order_id: str, act: str, code: str, status: str) -> None:
    await call(core.charge, a_charge(order_id))

    ended = await call(getattr(core.transactions, act), order_id)

    assert ended["status_code"] == code
    assert (await call(core.transactions.status, order_id))["transaction_status"] == status
    with pytest.raises(MidtransAPIError) as refused:
        await call(getattr(core.transactions, act), order_id)
    assert refused.value.api_response_dict["status_code"] == "412"


@pytest.mark.parametrize("address", ["refund", "refundDirect"])
async def test_a_paid_charge_is_refunded_in_parts(
    core: Any, simulator: Simulator, order_id: str, address: str
) -> None:
    await call(core.charge, a_charge(order_id))
    await pay(simulator, order_id)
    refund = getattr(core.transactions, address)

    part = await call(refund, order_id, {"refund_key": "k-1", "amount": 4_000, "reason": "one is broken"})
    rest = await call(refund, order_id, {"refund_key": "k-2", "amount": 6_000, "reason": "all are"})

    assert (part["transaction_status"], part["refund_amount"]) == ("partial_refund", "4000.00")
    assert (rest["transaction_status"], rest["refund_amount"]) == ("refund", "6000.00")
    found = await call(core.transactions.status, order_id)
    assert found["refund_amount"] == "10000.00"
    assert [one["refund_key"] for one in found["refunds"]] == ["k-1", "k-2"]


async def test_a_refused_refund_returns_like_a_taken_one(
    core: Any, simulator: Simulator, order_id: str
) -> None:
    await call(core.charge, a_charge(order_id))
    await pay(simulator, order_id)
    trigger = {"fault": "refund-refused", "order_id": order_id}
    await simulator.control.post("/simulator/faults", json=trigger)

    refused = await call(core.transactions.refund, order_id, {"refund_key": "k-1"})

    assert (refused["status_code"], refused["transaction_status"]) == ("202", "settlement")


async def test_the_notification_helper_finds_the_truth(
    core: Any, simulator: Simulator, order_id: str
) -> None:
    await call(core.charge, a_charge(order_id))
    await pay(simulator, order_id)

    told = await simulator.shop.told(order_id, "settlement")
    found = await call(core.transactions.notification, told)

    assert found["order_id"] == order_id
    assert found["transaction_status"] == "settlement"
    assert found["signature_key"] == told["signature_key"]


async def test_an_idempotency_key_brings_a_lost_answer_back(simulator: Simulator, order_id: str) -> None:
    core = a_client(simulator)
    core.api_config.custom_headers = {"Idempotency-Key": f"{order_id}-charge"}
    trigger = {"fault": "answer-lost", "order_id": order_id}
    await simulator.control.post("/simulator/faults", json=trigger)

    with pytest.raises(requests.exceptions.RequestException):
        await call(core.charge, a_charge(order_id))
    charged = await call(core.charge, a_charge(order_id))

    assert charged["status_code"] == "201"
    counted = (await simulator.control.get(f"/simulator/orders/{order_id}")).json()
    assert counted["charges"] == 1


async def test_a_bad_gateway_is_not_json(core: Any, simulator: Simulator, order_id: str) -> None:
    trigger = {"fault": "bad-gateway", "order_id": order_id}
    await simulator.control.post("/simulator/faults", json=trigger)

    with pytest.raises(JSONDecodeError):
        await call(core.charge, a_charge(order_id))
