import pytest

from support.simulator_desk import Desk

ID = "00000000-0000-4000-8000-000000000001"


@pytest.mark.parametrize(
    ("action", "code", "message"),
    [
        ("cancel", "200", "Success, transaction is canceled"),
        ("expire", "407", "Success, transaction has expired"),
    ],
)
@pytest.mark.parametrize("any_id", ["o-1", ID])
async def test_a_pending_transaction_is_ended_as_asked(
    desk: Desk, action: str, code: str, message: str, any_id: str
) -> None:
    await desk.charge()

    answer = await desk.post(f"/v2/{any_id}/{action}", json={})

    assert answer.status_code == 200
    assert list(answer.json().items()) == list(
        {
            "status_code": code,
            "status_message": message,
            "transaction_id": ID,
            "order_id": "o-1",
            "merchant_id": "G141532850",
            "gross_amount": "10000.00",
            "currency": "IDR",
            "payment_type": "gopay",
            "transaction_time": "2024-06-22 10:00:00",
            "transaction_status": action,
            "fraud_status": "accept",
        }.items()
    )
    assert desk.receiver.statuses == ["pending", action]


@pytest.mark.parametrize("action", ["cancel", "expire"])
@pytest.mark.parametrize("earlier", ["/v2/o-1/cancel", "/v2/o-1/expire", "/wallet/o-1/pay"])
async def test_a_finished_transaction_cannot_be_ended_again(desk: Desk, action: str, earlier: str) -> None:
    await desk.charge()
    await desk.post(earlier)
    notified = len(desk.receiver.requests)

    answer = await desk.post(f"/v2/o-1/{action}")

    assert answer.status_code == 200
    assert answer.json()["status_code"] == "412"
    assert answer.json()["status_message"] == "Merchant cannot modify the status of the transaction"
    assert len(desk.receiver.requests) == notified


@pytest.mark.parametrize("action", ["cancel", "expire"])
async def test_what_does_not_exist_cannot_be_ended(desk: Desk, action: str) -> None:
    answer = await desk.post(f"/v2/nobody/{action}")

    assert answer.status_code == 200
    assert answer.json()["status_code"] == "404"


@pytest.mark.parametrize("verdict", ["approve", "deny"])
@pytest.mark.parametrize("earlier", [None, "/v2/o-1/cancel", "/wallet/o-1/pay"])
async def test_there_is_nothing_to_approve_or_deny(desk: Desk, verdict: str, earlier: str | None) -> None:
    await desk.charge()
    if earlier:
        await desk.post(earlier)
    before, notified = await desk.status("o-1"), len(desk.receiver.requests)

    answer = await desk.post(f"/v2/o-1/{verdict}")
    unknown = await desk.post(f"/v2/nobody/{verdict}")

    assert (answer.status_code, answer.json()["status_code"]) == (200, "412")
    assert (unknown.status_code, unknown.json()["status_code"]) == (200, "404")
    assert await desk.status("o-1") == before
    assert len(desk.receiver.requests) == notified
