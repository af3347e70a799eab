import asyncio
from datetime import timedelta

import pytest

from support.simulator_desk import REFUND_CONFIRMATION, Desk, everything_due

ID = "00000000-0000-4000-8000-000000000001"


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("/v2/o-1/refund", "Success, refund request is approved"),
        (f"/v2/{ID}/refund", "Success, refund request is approved"),
        ("/v2/o-1/refund/online/direct", "Success, refund request is approved by the bank"),
    ],
)
async def test_a_whole_refund_is_answered_key_by_key(desk: Desk, address: str, message: str) -> None:
    await desk.charge()
    await desk.clock.advance(timedelta(seconds=40))
    await desk.post("/wallet/o-1/pay")

    answer = await desk.post(address, json={"refund_key": "k-1", "reason": "broken"})

    assert answer.status_code == 200
    body = answer.json()
    expected = {
        "status_code": "200",
        "status_message": message,
        "transaction_id": ID,
        "order_id": "o-1",
        "gross_amount": "10000.00",
        "currency": "IDR",
        "payment_type": "gopay",
        "transaction_time": "2024-06-22 10:00:00",
        "settlement_time": "2024-06-22 10:00:40",
        "transaction_status": "refund",
        "refund_chargeback_id": 1,
        "refund_chargeback_uuid": body["refund_chargeback_uuid"],
        "refund_amount": "10000.00",
        "refund_key": "k-1",
    }
    assert list(body.items()) == list(expected.items())


async def test_refunds_add_up_in_the_status_and_stand_alone_in_answers(desk: Desk) -> None:
    await desk.paid()

    first = await desk.refund(refund_key="k-1", amount=3_000, reason="late")
    second = await desk.refund(refund_key="k-2", amount=2_000)

    assert [first["refund_amount"], second["refund_amount"]] == ["3000.00", "2000.00"]
    status = await desk.status("o-1")
    assert status["transaction_status"] == "partial_refund"
    assert status["status_code"] == "200"
    assert status["refund_amount"] == "5000.00"
    assert "refund_key" not in status
    assert status["refunds"] == [
        {
            "refund_chargeback_id": 1,
            "refund_chargeback_uuid": first["refund_chargeback_uuid"],
            "refund_amount": "3000.00",
            "created_at": "2024-06-22 10:00:00",
            "reason": "late",
            "refund_key": "k-1",
        },
        {
            "refund_chargeback_id": 2,
            "refund_chargeback_uuid": second["refund_chargeback_uuid"],
            "refund_amount": "2000.00",
            "created_at": "2024-06-22 10:00:00",
            "refund_key": "k-2",
        },
    ]


async def test_the_last_part_makes_it_a_whole_refund(desk: Desk) -> None:
    await desk.paid()
    await desk.refund(refund_key="k-1", amount=3_000)

    rest = await desk.refund(refund_key="k-2")

    assert rest["refund_amount"] == "7000.00"
    assert rest["transaction_status"] == "refund"


async def test_every_refund_is_told_twice(desk: Desk) -> None:
    await desk.paid()
    await desk.refund(refund_key="k-1", amount=3_000)
    await desk.clock.advance(timedelta(minutes=1))
    await desk.refund(refund_key="k-2", amount=2_000)
    await desk.clock.advance(REFUND_CONFIRMATION - timedelta(minutes=1))
    await desk.clock.advance(timedelta(minutes=1))

    told = [
        (
            body["refund_key"],
            body["refund_amount"],
            [bool(r.get("bank_confirmed_at")) for r in body["refunds"]],
        )
        for body in desk.receiver.bodies[2:]
    ]
    assert told == [
        ("k-1", "3000.00", [False]),
        ("k-2", "5000.00", [False, False]),
        ("k-1", "5000.00", [True, False]),
        ("k-2", "5000.00", [True, True]),
    ]
    last = desk.receiver.bodies[-1]
    assert last["transaction_status"] == "partial_refund"
    assert last["status_code"] == "200"
    assert last["refunds"][0]["bank_confirmed_at"] == "2024-06-22 11:00:00"
    assert last["refunds"][0]["refund_method"] == "online"


async def test_a_second_refund_under_a_key_is_refused(desk: Desk) -> None:
    await desk.paid()
    await desk.refund(refund_key="k-1", amount=3_000)

    again = await desk.refund(refund_key="k-1", amount=3_000)
    await desk.refund(refund_key="k-2")
    after_all = await desk.refund(refund_key="k-2")

    assert (again["status_code"], again["status_message"]) == ("406", "Duplicate refund ID")
    assert after_all["status_code"] == "406"
    assert (await desk.status("o-1"))["refund_amount"] == "10000.00"


async def test_without_a_key_each_refund_gets_its_own(desk: Desk) -> None:
    await desk.paid()

    first, second = await desk.refund(amount=1), await desk.refund(amount=1)

    assert first["refund_key"] != second["refund_key"]


@pytest.mark.parametrize("amount", [10_001, 0, -1])
async def test_an_amount_that_cannot_be_refunded_is_414(desk: Desk, amount: int) -> None:
    await desk.paid()

    answer = await desk.post("/v2/o-1/refund", json={"refund_key": "k", "amount": amount})

    assert answer.status_code == 200
    assert answer.json()["status_code"] == "414"
    assert answer.json()["status_message"] == "Refund request is rejected due to invalid amount"
    assert (await desk.status("o-1"))["transaction_status"] == "settlement"


async def test_more_than_is_left_cannot_be_refunded(desk: Desk) -> None:
    await desk.paid()
    await desk.refund(refund_key="k-1", amount=6_000)

    assert (await desk.refund(refund_key="k-2", amount=6_000))["status_code"] == "414"


@pytest.mark.parametrize("end", [None, "/v2/o-1/cancel", "/v2/o-1/expire", "/v2/o-1/refund"])
async def test_only_what_is_paid_and_not_refunded_can_be_refunded(desk: Desk, end: str | None) -> None:
    if end == "/v2/o-1/refund":
        await desk.paid()
    else:
        await desk.charge()
    if end:
        await desk.post(end)
    notified = len(desk.receiver.requests)

    answer = await desk.refund(refund_key="new")

    assert answer["status_code"] == "412"
    assert answer["status_message"] == "Merchant cannot modify the status of the transaction"
    assert len(desk.receiver.requests) == notified


async def test_what_does_not_exist_cannot_be_refunded(desk: Desk) -> None:
    assert (await desk.refund("nobody"))["status_code"] == "404"


@pytest.mark.parametrize(
    ("wish", "complaint"),
    [
        ({"refund_key": "a b"}, "refund_key contains characters that are not allowed"),
        ({"refund_key": ""}, "refund_key contains characters that are not allowed"),
        ({"refund_key": 1}, "refund_key is not a string"),
        ({"amount": "100"}, "amount is not a number"),
        ({"reason": "r" * 256}, "reason is too long"),
    ],
)
async def test_a_refund_that_is_not_understood_is_refused(
    desk: Desk, wish: dict[str, object], complaint: str
) -> None:
    await desk.paid()

    answer = await desk.post("/v2/o-1/refund", json=wish)

    assert answer.status_code == 400
    assert answer.json()["validation_messages"] == [complaint]


async def test_a_refund_of_bad_syntax_is_refused_and_an_empty_one_is_whole(desk: Desk) -> None:
    await desk.paid()

    assert (await desk.post("/v2/o-1/refund", content=b"{")).status_code == 413
    assert (await desk.post("/v2/o-1/refund")).json()["refund_amount"] == "10000.00"


@pytest.mark.parametrize(
    ("qris", "days"), [({"acquirer": "gopay"}, 45), ({"acquirer": "airpay shopee"}, 365)]
)
async def test_after_its_window_nothing_is_refunded(desk: Desk, qris: dict[str, str], days: int) -> None:
    await desk.paid(payment_type="qris", qris=qris)
    await desk.clock.advance(timedelta(days=days, seconds=1))

    assert (await desk.refund(refund_key="k"))["status_code"] == "412"


async def test_shopeepay_makes_no_partial_refunds(desk: Desk) -> None:
    await desk.paid(payment_type="qris", qris={"acquirer": "airpay shopee"})

    assert (await desk.refund(refund_key="k", amount=1))["status_code"] == "414"
    assert (await desk.refund(refund_key="k"))["status_code"] == "200"


async def test_two_whole_refunds_at_once_are_one(desk: Desk) -> None:
    await desk.paid()

    answers = await asyncio.gather(desk.refund(refund_key="k-1"), desk.refund(refund_key="k-2"))
    await everything_due()

    assert sorted(answer["status_code"] for answer in answers) == ["200", "412"]


async def test_a_repeat_with_an_idempotency_key_gets_the_first_answer(desk: Desk) -> None:
    await desk.paid()
    headers = {"Idempotency-Key": "r-1"}

    first = await desk.post("/v2/o-1/refund", json={"refund_key": "k"}, headers=headers)
    second = await desk.post("/v2/o-1/refund", json={"refund_key": "k"}, headers=headers)

    assert second.json()["status_code"] == "200"
    assert second.content == first.content


async def test_what_a_wallet_of_another_house_paid_is_refunded_for_seven_days(desk: Desk) -> None:
    await desk.charge(payment_type="qris")
    await desk.post("/wallet/o-1/pay", json={"by": "qr", "issuer": "dana"})
    await desk.clock.advance(timedelta(days=7))
    in_time = await desk.refund(refund_key="k-1", amount=1)

    await desk.clock.advance(timedelta(seconds=1))
    late = await desk.refund(refund_key="k-2", amount=1)

    assert [in_time["status_code"], late["status_code"]] == ["200", "412"]
