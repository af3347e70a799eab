import asyncio
from datetime import timedelta

import pytest

from simulator.adjustable_clock import AdjustableClock
from simulator.core.faults import FAULTS
from support.simulator_desk import REFUND_CONFIRMATION, START, Desk, ManualClock, everything_due

ID = "00000000-0000-4000-8000-000000000001"


async def test_faults_are_listed_with_those_that_wait(desk: Desk) -> None:
    await desk.trigger("slow-answer", times=3, order_id="o-1", on="charge")

    body = (await desk.client.get("/simulator/faults", auth=("", ""))).json()

    assert {fault["name"]: fault["description"] for fault in body["faults"]} == {
        fault.value: kind.description for fault, kind in FAULTS.items()
    }
    assert body["armed"] == [
        {
            "fault": "slow-answer",
            "times": 3,
            "order_id": "o-1",
            "transaction_id": None,
            "on": "charge",
            "seconds": 30.0,
        }
    ]


async def test_reset_disarms_everything(desk: Desk) -> None:
    await desk.trigger("error-500")

    assert (await desk.client.delete("/simulator/faults")).json() == {"armed": []}
    assert (await desk.charge()).status_code == 200


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ({"fault": "bad-mood"}, "bad-mood"),
        ({}, "fault"),
        ({"fault": "error-500", "times": 0}, "times"),
        ({"fault": "error-500", "tims": 2}, "tims"),
        ({"fault": "error-500", "on": "notification"}, "strikes on charge, cancel, expire, refund, status"),
        ({"fault": "error-500", "seconds": 2}, "takes no seconds"),
        ({"fault": "slow-answer", "seconds": -1}, "seconds"),
    ],
)
async def test_a_command_that_makes_no_sense_is_refused_and_says_why(
    desk: Desk, command: dict[str, object], why: str
) -> None:
    answer = await desk.client.post("/simulator/faults", json=command)

    assert answer.status_code == 400
    assert why in answer.json()["error"]
    assert (await desk.client.get("/simulator/faults")).json()["armed"] == []


async def test_a_command_that_is_no_json_is_refused(desk: Desk) -> None:
    assert (await desk.client.post("/simulator/faults", content=b"{")).status_code == 400


async def test_transactions_are_listed_newest_first(desk: Desk) -> None:
    await desk.charge("o-1")
    await desk.paid("o-2", payment_type="qris")

    listed = (await desk.client.get("/simulator/transactions")).json()["transactions"]
    of_one = (await desk.client.get("/simulator/transactions?order_id=o-1")).json()["transactions"]
    shown = (await desk.client.get("/simulator/transactions/o-1")).json()

    assert [(t["order_id"], t["transaction_status"]) for t in listed] == [
        ("o-2", "settlement"),
        ("o-1", "pending"),
    ]
    assert of_one == [shown]
    assert shown == {
        "transaction_id": ID,
        "order_id": "o-1",
        "transaction_status": "pending",
        "payment_type": "gopay",
        "gross_amount": 10_000,
        "refunded_amount": 0,
        "transaction_time": "2024-06-22T03:00:00Z",
        "expiry_time": "2024-06-22T03:15:00Z",
        "settlement_time": None,
        "wallet": f"/wallet/{ID}",
    }


async def test_an_overdue_transaction_is_listed_as_expired(desk: Desk) -> None:
    await desk.charge()
    desk.clock._now += timedelta(minutes=15)

    [listed] = (await desk.client.get("/simulator/transactions")).json()["transactions"]

    assert listed["transaction_status"] == "expire"


async def test_the_charges_of_an_order_are_counted(desk: Desk) -> None:
    await desk.charge()
    await desk.post("/v2/o-1/cancel")
    await desk.charge()
    await desk.charge()

    counted = (await desk.client.get("/simulator/orders/o-1")).json()
    none = (await desk.client.get("/simulator/orders/o-2")).json()

    assert counted["charges"] == 2
    assert [t["transaction_status"] for t in counted["transactions"]] == ["pending", "cancel"]
    assert none == {"order_id": "o-2", "charges": 0, "transactions": []}


@pytest.mark.parametrize(
    ("act", "told"),
    [("pay", ["settlement"]), ("deny", ["deny"]), ("expire", ["expire"]), ("decline", [])],
)
async def test_a_pending_transaction_can_be_moved(desk: Desk, act: str, told: list[str]) -> None:
    await desk.charge()

    answer = await desk.post(f"/simulator/transactions/o-1/{act}")

    assert answer.status_code == 200
    assert answer.json()["transaction_status"] == (told or ["pending"])[0]
    assert desk.receiver.statuses == ["pending", *told]


async def test_a_payment_can_be_made_by_qr(desk: Desk) -> None:
    await desk.charge()

    answer = await desk.post("/simulator/transactions/o-1/pay", json={"by": "qr"})

    assert answer.json()["payment_type"] == "qris"


@pytest.mark.parametrize(("whole", "status"), [(True, "chargeback"), (False, "partial_chargeback")])
async def test_a_paid_transaction_can_be_charged_back(desk: Desk, whole: bool, status: str) -> None:  # noqa: FBT001
    await desk.paid()

    await desk.post("/simulator/transactions/o-1/chargeback", json={"whole": whole})

    told = desk.receiver.bodies[-1]
    assert (told["transaction_status"], told["status_code"]) == (status, "200")
    assert (await desk.status("o-1"))["status_code"] == "200"
    assert (await desk.refund())["status_code"] == "412"


async def test_the_bank_can_be_made_to_confirm_at_once(desk: Desk) -> None:
    await desk.paid()
    await desk.refund(amount=1)
    await desk.refund(amount=2)
    await desk.post("/simulator/transactions/o-1/confirm-refunds")

    told = [[bool(r.get("bank_confirmed_at")) for r in body["refunds"]] for body in desk.receiver.bodies[2:]]
    assert told == [[False], [False, False], [True, False], [True, True]]
    await desk.clock.advance(REFUND_CONFIRMATION)
    assert len(desk.receiver.requests) == 6


@pytest.mark.parametrize("act", ["pay", "deny", "expire", "chargeback"])
async def test_a_move_that_is_not_open_is_refused(desk: Desk, act: str) -> None:
    await desk.charge()
    await desk.post("/v2/o-1/cancel")

    answer = await desk.post(f"/simulator/transactions/o-1/{act}")

    assert answer.status_code == 409
    assert answer.json()["error"]
    assert desk.receiver.statuses == ["pending", "cancel"]


@pytest.mark.parametrize("act", ["pay", "decline", "deny", "expire", "chargeback", "confirm-refunds"])
async def test_what_does_not_exist_cannot_be_moved(desk: Desk, act: str) -> None:
    answer = await desk.post(f"/simulator/transactions/nobody/{act}")

    assert answer.status_code == 404
    assert answer.json() == {"error": "There is no transaction nobody."}


async def test_a_form_is_led_back_to_its_page(desk: Desk) -> None:
    await desk.charge()

    answers = [
        await desk.post("/simulator/faults", data={"fault": "error-500", "times": "2", "order_id": ""}),
        await desk.post("/simulator/transactions/o-1/pay", data={"by": "qr"}),
        await desk.post("/simulator/transactions/o-1/pay", data={"by": "qr"}),
    ]

    refused = "/?refused=Settlement+does+not+become+settlement."
    assert [answer.status_code for answer in answers] == [303] * 3
    assert [answer.headers["location"] for answer in answers] == ["/", "/", refused]
    [armed] = (await desk.client.get("/simulator/faults")).json()["armed"]
    assert (armed["times"], armed["order_id"]) == (2, None)
    await desk.post("/simulator/faults/reset", data={"x": "y"})
    assert (await desk.client.get("/simulator/faults")).json()["armed"] == []


async def test_json_under_curls_content_type_is_json(desk: Desk) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    answer = await desk.post("/simulator/faults", content=b' {"fault": "error-500"}', headers=headers)

    assert answer.status_code == 201
    assert answer.json()["fault"] == "error-500"


async def test_nobody_can_do_what_has_no_name(desk: Desk) -> None:
    await desk.charge()

    answer = await desk.post("/simulator/transactions/o-1/juggle")

    assert answer.status_code == 404
    assert answer.json() == {"error": "Nobody can juggle a transaction."}


async def test_other_websites_cannot_give_commands(desk: Desk) -> None:
    cross = {"Sec-Fetch-Site": "cross-site"}

    answer = await desk.client.post("/simulator/faults", data={"fault": "error-500"}, headers=cross)

    assert answer.status_code == 403
    assert (await desk.client.get("/simulator/faults")).json()["armed"] == []


async def test_time_can_be_put_forward(desk: Desk) -> None:
    await desk.charge()

    answer = await desk.post("/simulator/clock", json={"seconds": 900})

    assert answer.json() == {"now": "2024-06-22T03:15:00.223000Z"}
    assert desk.receiver.statuses == ["pending", "expire"]


async def test_who_waits_for_a_time_that_is_put_behind_waits_no_longer() -> None:
    clock = AdjustableClock(ManualClock())
    soon, late = asyncio.Event(), asyncio.Event()
    waits = [
        asyncio.create_task(clock.wait(soon, timedelta(seconds=10))),
        asyncio.create_task(clock.wait(late, timedelta(seconds=11))),
    ]
    await everything_due()

    clock.put_forward(timedelta(seconds=10))
    await everything_due()

    assert clock.now() == START + timedelta(seconds=10)
    assert [wait.done() for wait in waits] == [True, False]
    late.set()
    await everything_due()
    assert clock._waits == {}
