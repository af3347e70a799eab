"""A payment from the shop's call to the customer's money, through the real database and simulator."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from domain.status import Status
from integration.http.harness import Fault, Held, Shop, a_shop
from support.database import connected
from support.log import is_intact
from support.service import bearer


async def test_a_payment_is_created_paid_notified_and_read_as_settled(shop: Shop) -> None:
    payment = await shop.created(gross_amount=25_000, order_id="order-1001")
    assert (payment["status"], payment["gross_amount"]) == ("pending", 25_000)

    await shop.pay(payment)
    await shop.reaches("order-1001", "settlement")

    answer = await shop.get("/api/payments/order-1001/status")
    assert (answer.status_code, answer.json()["status"]) == (200, "settlement")
    assert answer.json()["refreshed"] is True
    assert answer.json()["late"] is False
    paid_at = datetime.fromisoformat(answer.json()["paid_at"])
    assert abs(paid_at - datetime.now(UTC)) < timedelta(minutes=1)  # noqa: TID251


async def test_the_timeline_names_every_change_and_where_it_came_from(shop: Shop) -> None:
    payment = await shop.created(order_id="order-1001")
    await shop.pay(payment)
    await shop.reaches("order-1001", "settlement")

    log = await shop.log("order-1001")

    assert [(entry.what, entry.source, entry.status) for entry in log] == [
        ("created", "shop", "created"),
        ("pending", "charge", "pending"),
        ("settlement", "notification", "settlement"),
    ]
    assert is_intact(log, await shop.stored("order-1001"))


async def test_a_stored_payment_reads_the_same_as_it_was_answered(shop: Shop) -> None:
    created = await shop.created(
        order_id="order-1001", metadata={"cart": 'ü"\n'}, callback_url="https://shop.example/back"
    )

    assert (await shop.get("/api/payments/order-1001")).json() == created
    assert (await shop.get("/api/payments")).json() == {"items": [created], "next_cursor": None}


async def test_without_a_notification_the_status_is_asked_for(quiet_shop: Shop) -> None:
    payment = await quiet_shop.created(order_id="order-1001")
    await quiet_shop.pay(payment)

    answer = await quiet_shop.get("/api/payments/order-1001/status")

    assert answer.json()["status"] == "settlement"
    assert [entry.source for entry in await quiet_shop.log("order-1001")] == [
        "shop", "charge", "status reply",
    ]  # fmt: skip


async def test_midtrans_is_asked_once_in_ten_seconds_over_all_callers(quiet_shop: Shop) -> None:
    await quiet_shop.created(order_id="order-1001")
    quiet_shop.line.calls.clear()

    answers = await asyncio.gather(*(quiet_shop.get("/api/payments/order-1001/status") for _ in range(8)))

    assert {answer.status_code for answer in answers} == {200}
    assert len(quiet_shop.line.calls) == 1


async def test_a_qris_payment_has_its_qr_drawn(shop: Shop) -> None:
    payment = await shop.created(order_id="order-1001", payment_type="qris")
    assert payment["qr_string"].startswith("000201")
    assert [action["name"] for action in payment["actions"]] == ["qr-code"]

    answer = await shop.get("/api/payments/order-1001/qr.svg")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.text.startswith(("<?xml", "<svg"))


async def test_a_gopay_payment_s_qr_is_midtrans_s_picture(shop: Shop) -> None:
    payment = await shop.created(order_id="order-1001")
    (action,) = [action for action in payment["actions"] if action["name"] == "qr-code"]

    answer = await shop.get("/api/payments/order-1001/qr.svg")

    assert (answer.status_code, answer.headers["location"]) == (302, action["url"])
    picture = await shop.midtrans.get(answer.headers["location"], auth=None)
    assert picture.headers["content-type"] == "image/png"


async def test_a_paid_payment_has_no_qr_any_more(shop: Shop) -> None:
    payment = await shop.created(order_id="order-1001", payment_type="qris")
    await shop.pay(payment)
    await shop.reaches("order-1001", "settlement")

    assert (await shop.get("/api/payments/order-1001/qr.svg")).status_code == 409


async def test_money_that_comes_before_the_charge_is_answered_waits_for_midtrans_s_word(
    shop: Shop,
) -> None:
    held = Held()
    shop.line.faults.append(held)
    creating = asyncio.create_task(shop.create(order_id="order-1001"))
    async with asyncio.timeout(10):
        await held.taken.wait()
    transaction = shop.line.answers[-1]

    await shop.pay(transaction)
    await shop.has_events(1)
    assert await shop.status_of("order-1001") == "created"
    held.released.set()
    created = await creating

    assert (created.status_code, created.json()["status"]) == (201, "pending")
    assert [event["processed"] for event in await shop.events()] == [False]
    await shop.confirm()
    assert await shop.status_of("order-1001") == "settlement"
    assert [event["processed"] for event in await shop.events()] == [True]
    assert is_intact(await shop.log("order-1001"), await shop.stored("order-1001"))


async def test_a_lost_answer_is_fetched_again_and_is_one_charge(shop: Shop) -> None:
    shop.line.faults += [Fault.LOST_ANSWER, Fault.LOST_ANSWER]

    payment = await shop.created(order_id="order-1001")

    assert shop.line.charges == 3
    assert {answer["transaction_id"] for answer in shop.line.answers} == {payment["transaction_id"]}
    assert [entry.what for entry in await shop.log("order-1001")] == ["created", "pending"]


async def test_answers_that_stay_lost_leave_the_outcome_unknown_and_the_truth_to_be_asked(
    quiet_shop: Shop,
) -> None:
    quiet_shop.line.always = Fault.LOST_ANSWER

    answer = await quiet_shop.create(order_id="order-1001")

    assert (answer.status_code, answer.json()["code"]) == (504, "outcome-unknown")
    assert answer.json()["order_id"] == "order-1001"
    assert await quiet_shop.status_of("order-1001") == "created"
    quiet_shop.line.always = None
    asked = await quiet_shop.get("/api/payments/order-1001/status")
    assert (asked.json()["status"], asked.json()["refreshed"]) == ("pending", True)
    assert asked.json()["transaction_id"] == quiet_shop.line.answers[-1]["transaction_id"]


async def test_midtrans_out_of_reach_charges_nothing_and_the_payment_stays_created(
    shop: Shop,
) -> None:
    shop.line.always = Fault.NO_CONNECTION

    answer = await shop.create(order_id="order-1001")

    assert (answer.status_code, answer.json()["code"]) == (503, "gateway-unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    assert await shop.status_of("order-1001") == "created"
    assert shop.line.charges == 0


async def test_an_answer_that_is_not_midtrans_s_leaves_the_outcome_unknown(shop: Shop) -> None:
    shop.line.always = Fault.NOT_MIDTRANS

    answer = await shop.create(order_id="order-1001")

    assert (answer.status_code, answer.json()["code"]) == (504, "outcome-unknown")
    assert await shop.status_of("order-1001") == "created"


async def test_with_midtrans_away_a_status_is_the_stored_one(shop: Shop) -> None:
    await shop.created(order_id="order-1001")
    shop.line.always = Fault.NO_CONNECTION

    answer = await shop.get("/api/payments/order-1001/status")

    assert (answer.json()["status"], answer.json()["refreshed"]) == ("pending", False)


async def test_a_charge_that_midtrans_refuses_is_a_failure(shop: Shop) -> None:
    shop.line.server_key = "another key"

    answer = await shop.create(order_id="order-1001")

    assert (answer.status_code, answer.json()["code"]) == (502, "gateway-refused")
    assert answer.json()["gateway_code"] == "401"
    assert "another key" not in answer.text
    assert await shop.status_of("order-1001") == "failure"


async def test_an_order_too_large_for_midtrans_is_a_failure(shop: Shop) -> None:
    items = [{"name": "x" * 50, "price": 1, "quantity": 1}] * 250

    answer = await shop.create(order_id="order-1001", items=items)

    assert (answer.status_code, answer.json()["gateway_code"]) == (502, "413")
    assert shop.line.charges == 0
    assert await shop.status_of("order-1001") == "failure"


async def test_an_unpaid_charge_of_the_same_order_that_is_there_already_is_cancelled_and_lost(
    quiet_shop: Shop,
) -> None:
    taken = {"transaction_details": {"order_id": "order-1001", "gross_amount": 10_000}}
    await quiet_shop.midtrans.post("/v2/charge", json={"payment_type": "gopay"} | taken)

    answer = await quiet_shop.create(order_id="order-1001")

    assert (answer.status_code, answer.json()["code"]) == (502, "charge-lost")
    there = (await quiet_shop.midtrans.get("/v2/order-1001/status")).json()
    assert there["transaction_status"] == "cancel"
    assert await quiet_shop.status_of("order-1001") == "cancel"


async def test_a_charge_of_another_amount_under_the_same_order_id_is_left_alone(quiet_shop: Shop) -> None:
    taken = {"transaction_details": {"order_id": "order-1001", "gross_amount": 99}}
    await quiet_shop.midtrans.post("/v2/charge", json={"payment_type": "gopay"} | taken)

    answer = await quiet_shop.create(order_id="order-1001")

    assert (answer.status_code, answer.json()["code"]) == (504, "outcome-unknown")
    there = (await quiet_shop.midtrans.get("/v2/order-1001/status")).json()
    assert there["transaction_status"] == "pending"


async def test_the_same_order_id_at_the_same_instant_is_charged_once(shop: Shop) -> None:
    answers = await asyncio.gather(*(shop.create(order_id="order-1001") for _ in range(6)))

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]
    assert shop.line.charges == 1


async def test_no_connection_is_held_while_midtrans_is_asked(database_url: str) -> None:
    async with a_shop(database_url, notified=False, pool_size=1) as shop:
        held = Held()
        shop.line.faults.append(held)
        creating = asyncio.create_task(shop.create(order_id="order-1001"))
        async with asyncio.timeout(10):
            await held.taken.wait()

            meanwhile = await shop.get("/api/payments/order-1001")

        held.released.set()
        assert meanwhile.json()["status"] == "created"
        assert (await creating).status_code == 201


async def test_too_many_creates_in_a_minute_are_refused_over_the_database(
    database_url: str,
) -> None:
    async with a_shop(database_url, BAYAR_CREATE_RATE="2") as shop:
        answers = [await shop.create() for _ in range(3)]
        other = await shop.create(user=2)

    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert 1 <= int(answers[2].headers["retry-after"]) <= 60
    assert other.status_code == 201


async def test_a_stranger_creates_nothing(shop: Shop) -> None:
    answer = await shop.create(user=99, order_id="order-1001")

    assert (answer.status_code, answer.json()["code"]) == (403, "unknown-user")
    assert await shop.container.reader().find("order-1001") is None


async def test_a_stranger_is_added_where_the_settings_say_so(database_url: str) -> None:
    async with a_shop(database_url, BAYAR_AUTO_CREATE_USERS="true") as shop:
        assert (await shop.create(user=99)).status_code == 201


@pytest.mark.parametrize("tail", ["", "/status", "/qr.svg"])
async def test_another_user_s_payment_is_answered_exactly_like_none(shop: Shop, tail: str) -> None:
    await shop.created(order_id="foreign-order")

    foreign = await shop.get(f"/api/payments/foreign-order{tail}", user=2)
    absent = await shop.get(f"/api/payments/missing-order{tail}", user=2)

    assert (foreign.status_code, foreign.json()["code"]) == (404, "payment-not-found")
    assert foreign.text.replace("foreign-order", "missing-order") == absent.text
    same = dict(foreign.headers) | {"x-request-id": absent.headers["x-request-id"]}
    assert same == dict(absent.headers)


@pytest.mark.parametrize(
    "order_id", ["%00", "a%00b", "%ED%A0%80", "%F0%9F%92%B8", "%FF", "a" * 5000, "%27%3B--"]
)
@pytest.mark.parametrize("tail", ["", "/status", "/qr.svg"])
async def test_an_id_that_no_payment_can_have_is_not_found(shop: Shop, order_id: str, tail: str) -> None:
    answer = await shop.get(f"/api/payments/{order_id}{tail}")

    assert (answer.status_code, answer.json()["code"]) == (404, "payment-not-found")


@pytest.mark.parametrize("cursor", [f"{10**17 - 1}-{'f' * 32}", f"0-{'0' * 32}"])
async def test_a_cursor_from_the_ends_of_time_is_no_trouble(shop: Shop, cursor: str) -> None:
    answer = await shop.get(f"/api/payments?cursor={cursor}")

    assert answer.status_code == 200


async def test_the_cursor_leads_through_the_whole_list_once(shop: Shop) -> None:
    for number in range(5):
        await shop.created(order_id=f"mine-{number}")
    await shop.create(user=2, order_id="theirs")
    seen: list[str] = []
    cursor = ""

    while cursor is not None:
        page = (await shop.get(f"/api/payments?limit=2&cursor={cursor}")).json()
        seen += [payment["order_id"] for payment in page["items"]]
        cursor = page["next_cursor"]

    assert sorted(seen) == [f"mine-{number}" for number in range(5)]


async def test_the_list_may_be_of_one_status(shop: Shop) -> None:
    paid = await shop.created(order_id="paid")
    await shop.created(order_id="open")
    await shop.pay(paid)
    await shop.reaches("paid", "settlement")

    page = (await shop.get("/api/payments?status=settlement")).json()

    assert [payment["order_id"] for payment in page["items"]] == ["paid"]


async def test_the_odd_characters_of_metadata_come_back_from_the_database(shop: Shop) -> None:
    metadata = {"\x01\x7f": '\\"\u2028\U0001f600', "": "", "__proto__": "x"}

    await shop.created(order_id="order-1001", metadata=metadata)

    assert (await shop.get("/api/payments/order-1001")).json()["metadata"] == metadata


async def test_the_service_is_ready_on_a_migrated_database(shop: Shop) -> None:
    ready = await shop.http.get("/health/ready")

    assert ready.json() == {"status": "ok", "background_work": "ok", "behind_seconds": 0}


async def test_the_service_is_not_ready_on_a_database_without_migrations(
    empty_database_url: str,
) -> None:
    async with a_shop(empty_database_url, users=()) as shop:
        ready = await shop.http.get("/health/ready")
        live = await shop.http.get("/health/live")

    assert (ready.status_code, ready.json()["code"]) == (503, "database-unavailable")
    assert int(ready.headers["retry-after"]) >= 1
    assert live.status_code == 200


async def test_the_pool_s_use_is_among_the_metrics(shop: Shop) -> None:
    await shop.get("/api/payments")

    text = (await shop.http.get("/metrics")).text

    assert 'bayar_database_connections{state="in use"} 0.0' in text


async def test_an_overdue_payment_is_expired_on_midtrans_s_word(quiet_shop: Shop) -> None:
    payment = await quiet_shop.created(order_id="order-1001")
    await quiet_shop.midtrans.post(f"/v2/{payment['transaction_id']}/expire")

    answer = await quiet_shop.get("/api/payments/order-1001/status")

    assert answer.json()["status"] == Status.EXPIRE


async def test_money_after_the_end_is_believed_once_midtrans_confirms_it_and_is_late(
    shop: Shop,
) -> None:
    payment = await shop.created(order_id="order-1001")
    async with connected(shop.database_url) as connection:
        await connection.execute("UPDATE payment_transactions SET status = 'expire'")

    await shop.pay(payment)
    await shop.has_events(1)
    assert await shop.status_of("order-1001") == "expire"
    await shop.confirm()

    settled = (await shop.get("/api/payments/order-1001")).json()
    assert (settled["status"], settled["late"]) == ("settlement", True)


async def test_money_that_midtrans_does_not_confirm_is_not_believed(shop: Shop) -> None:
    payment = await shop.created(order_id="order-1001")
    await shop.midtrans.post(f"/v2/{payment['transaction_id']}/cancel")
    await shop.reaches("order-1001", "cancel")

    answer = await shop.notify(order_id="order-1001", transaction_id=payment["transaction_id"])
    await shop.confirm()

    assert answer.status_code == 200
    assert await shop.status_of("order-1001") == "cancel"
    assert [event["processed"] for event in await shop.events()] == [False]


async def test_a_payment_is_answered_while_many_others_are(shop: Shop) -> None:
    payments = await asyncio.gather(*(shop.created() for _ in range(25)))
    await asyncio.gather(*(shop.pay(payment) for payment in payments))
    await asyncio.gather(*(shop.reaches(payment["order_id"], "settlement") for payment in payments))

    page = await shop.http.get("/api/payments?limit=100", headers=bearer())

    assert [payment["status"] for payment in page.json()["items"]] == ["settlement"] * 25
    assert json.dumps(page.json()).count("paid_at") == 25
