"""Notifications over HTTP into the real database: once, many times, at once, and what must not get in."""

import asyncio
import json
from collections import Counter
from typing import Any, Final

import httpx
import pytest

from domain.payment import Payment
from integration.http.harness import JSON, Shop, a_notification, a_shop
from support import builders
from support.builders import NOW, given
from support.database import connected
from support.log import is_intact
from support.service import WEBHOOK, eventually

PREVIOUS: Final = "SB-Mid-server-previous"


async def pending(shop: Shop, **changes: Any) -> Payment:
    """A stored pending payment, order-1 of transaction t-1 unless told otherwise."""
    charged = {"status": builders.Status.PENDING, "transaction_id": "t-1"}
    return await given(shop.container.begin(), **charged | changes)


def is_ok(answer: httpx.Response) -> bool:
    return (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def waiting_for_locks(shop: Shop, number: int) -> None:
    """Wait until so many connections stand before a lock that somebody else holds."""
    async with connected(shop.database_url) as connection:

        async def are_waiting() -> bool:
            found = await connection.fetchval(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            return bool(found == number)

        await eventually(are_waiting, every=0.005)


async def test_the_same_notification_twice_at_the_same_instant_is_applied_once(
    quiet_shop: Shop,
) -> None:
    await pending(quiet_shop)
    async with connected(quiet_shop.database_url) as other:
        lock = other.transaction()
        await lock.start()
        await other.execute("SELECT FROM payment_transactions WHERE order_id = 'order-1' FOR UPDATE")
        deliveries = [asyncio.create_task(quiet_shop.notify()) for _ in range(2)]
        await waiting_for_locks(quiet_shop, 2)
        await lock.rollback()

        answers = await asyncio.gather(*deliveries)

    assert all(map(is_ok, answers))
    log = await quiet_shop.log("order-1")
    assert [entry.what for entry in log].count("settlement") == 1
    assert is_intact(log, await quiet_shop.stored("order-1"))
    assert [event["processed"] for event in await quiet_shop.events()] == [True, True]


async def test_many_notifications_of_many_payments_at_once_are_all_applied(
    quiet_shop: Shop,
) -> None:
    for number in range(10):
        await pending(quiet_shop, order_id=f"o-{number}", transaction_id=f"t-{number}")

    answers = await asyncio.gather(
        *(
            quiet_shop.notify(order_id=f"o-{n % 10}", transaction_id=f"t-{n % 10}", transaction_status=status)
            for n in range(30)
            for status in ("settlement", "pending")
        )
    )

    assert all(map(is_ok, answers))
    for number in range(10):
        assert await quiet_shop.status_of(f"o-{number}") == "settlement"
        assert is_intact(await quiet_shop.log(f"o-{number}"), await quiet_shop.stored(f"o-{number}"))


async def test_a_notification_and_a_status_question_at_once_agree(quiet_shop: Shop) -> None:
    payment = await quiet_shop.created(order_id="order-1001")
    await quiet_shop.pay(payment)

    notified, asked = await asyncio.gather(
        quiet_shop.notify(order_id="order-1001", transaction_id=payment["transaction_id"]),
        quiet_shop.get("/api/payments/order-1001/status"),
    )

    assert is_ok(notified)
    assert asked.json()["status"] == "settlement"
    log = await quiet_shop.log("order-1001")
    assert [entry.what for entry in log].count("settlement") == 1
    assert is_intact(log, await quiet_shop.stored("order-1001"))


async def test_identical_deliveries_beyond_100_are_counted_and_not_stored(quiet_shop: Shop) -> None:
    await pending(quiet_shop)

    for _ in range(7):
        answers = await asyncio.gather(*(quiet_shop.notify() for _ in range(15)))
        assert all(map(is_ok, answers))

    events = await quiet_shop.events()
    assert len(events) == 100
    assert sum(event["repeats"] for event in events) == 5


async def test_a_lock_that_is_not_had_in_two_seconds_is_503_and_the_next_try_works(
    quiet_shop: Shop,
) -> None:
    await pending(quiet_shop)
    async with connected(quiet_shop.database_url) as other, other.transaction():
        await other.execute("SELECT FROM payment_transactions WHERE order_id = 'order-1' FOR UPDATE")
        async with asyncio.timeout(10):
            late = await quiet_shop.notify()
        held = await quiet_shop.events()

    assert (late.status_code, late.json()["code"]) == (503, "database-unavailable")
    assert int(late.headers["retry-after"]) >= 1
    assert held == []
    assert is_ok(await quiet_shop.notify())
    assert await quiet_shop.status_of("order-1") == "settlement"


async def test_a_transaction_that_another_payment_has_is_never_an_error(quiet_shop: Shop) -> None:
    await pending(quiet_shop)
    await pending(quiet_shop, order_id="order-2", transaction_id="t-2")

    answer = await quiet_shop.notify(order_id="order-2", transaction_id="t-1")

    assert is_ok(answer)
    assert await quiet_shop.status_of("order-2") == "pending"
    assert (await quiet_shop.stored("order-2")).transaction_id == "t-2"


@pytest.mark.parametrize("extra", [b'"\\u0000"', b'{"\\u0000":1}', b'"\\ud800"', b"1e131000", b"9" * 41])
async def test_what_the_database_could_not_keep_is_refused(quiet_shop: Shop, extra: bytes) -> None:
    await pending(quiet_shop)
    body = json.dumps(a_notification()).encode()[:-1] + b', "extra": ' + extra + b"}"

    answer = await quiet_shop.http.post(WEBHOOK, content=body, headers=JSON)

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed-json")
    assert await quiet_shop.events() == []
    assert await quiet_shop.status_of("order-1") == "pending"


async def test_a_storage_bomb_does_not_get_in(quiet_shop: Shop) -> None:
    """15 KB of such numbers would be 200 MB when jsonb is read back."""
    await pending(quiet_shop)
    numbers = b",".join([b"1e131000"] * 1_600)
    body = json.dumps(a_notification()).encode()[:-1] + b', "bomb": [' + numbers + b"]}"
    assert len(body) < 16_000

    answer = await quiet_shop.http.post(WEBHOOK, content=body, headers=JSON)

    assert answer.status_code == 400
    assert await quiet_shop.events() == []


async def test_the_largest_body_that_gets_in_stays_about_its_size(quiet_shop: Shop) -> None:
    await pending(quiet_shop)
    body = json.dumps(a_notification()).encode()[:-1] + b', "numbers": ['
    while len(body) < 65_000:
        body += b"1e39,"
    body += b"1]}"

    answer = await quiet_shop.http.post(WEBHOOK, content=body, headers=JSON)

    assert is_ok(answer)
    async with connected(quiet_shop.database_url) as connection:
        size = await connection.fetchval("SELECT octet_length(raw_body::text) FROM payment_webhook_events")
    assert size < 10 * len(body)


@pytest.mark.parametrize("extra", [b"9" * 40, b"1e-39", b'"\\u0001\\ud83d\\ude00"', b"[" * 31 + b"]" * 31])
async def test_what_is_just_allowed_can_be_kept(quiet_shop: Shop, extra: bytes) -> None:
    await pending(quiet_shop)
    body = json.dumps(a_notification()).encode()[:-1] + b', "extra": ' + extra + b"}"

    assert is_ok(await quiet_shop.http.post(WEBHOOK, content=body, headers=JSON))
    assert await quiet_shop.status_of("order-1") == "settlement"


async def test_a_signed_text_with_a_second_reading_pays_only_what_was_paid(
    quiet_shop: Shop,
) -> None:
    small = await quiet_shop.created(order_id="x2001", gross_amount=500)
    large = await quiet_shop.created(order_id="x", gross_amount=1_200_500)
    await quiet_shop.pay(small)
    signed = a_notification(order_id="x2001", gross_amount="500.00", transaction_id=small["transaction_id"])
    read_anew = signed | {
        "order_id": "x",
        "gross_amount": "1200500.00",
        "transaction_id": large["transaction_id"],
    }

    for said in (signed, read_anew):
        assert is_ok(await quiet_shop.http.post(WEBHOOK, json=said))
    before = await quiet_shop.status_of("x2001"), await quiet_shop.status_of("x")
    await quiet_shop.confirm()

    assert before == ("pending", "pending")
    assert await quiet_shop.status_of("x2001") == "settlement"
    assert await quiet_shop.status_of("x") == "pending"
    events = await quiet_shop.events()
    assert {event["signature_key"] for event in events} == {signed["signature_key"]}
    assert {event["order_id"]: event["processed"] for event in events} == {"x2001": True, "x": False}


async def test_a_key_that_was_rotated_out_is_believed_after_asking(database_url: str) -> None:
    async with a_shop(database_url, notified=False, MIDTRANS_PREVIOUS_SERVER_KEY=PREVIOUS) as shop:
        payment = await shop.created(order_id="order-1001")
        await shop.pay(payment)
        said = {"order_id": "order-1001", "transaction_id": payment["transaction_id"]}

        assert is_ok(await shop.http.post(WEBHOOK, json=a_notification(PREVIOUS, **said)))
        assert await shop.status_of("order-1001") == "pending"
        await shop.confirm()

        assert await shop.status_of("order-1001") == "settlement"


async def test_with_confirm_always_midtrans_has_the_last_word(database_url: str) -> None:
    async with a_shop(database_url, notified=False, BAYAR_CONFIRM="always") as shop:
        honest = await shop.created(order_id="honest")
        forged = await shop.created(order_id="forged")
        await shop.pay(honest)

        for payment in (honest, forged):
            await shop.notify(order_id=payment["order_id"], transaction_id=payment["transaction_id"])
        assert await shop.status_of("honest") == "pending"
        await shop.confirm()

        assert await shop.status_of("honest") == "settlement"
        assert await shop.status_of("forged") == "pending"


async def test_a_settlement_under_the_code_of_a_pending_one_moves_nothing(quiet_shop: Shop) -> None:
    payment = await quiet_shop.created(order_id="order-1001")

    answer = await quiet_shop.notify(
        order_id="order-1001", transaction_id=payment["transaction_id"], status_code="201"
    )

    assert is_ok(answer)
    assert await quiet_shop.status_of("order-1001") == "pending"
    (event,) = await quiet_shop.events()
    assert (event["is_verified"], event["processed"]) == (True, False)
    assert event["processing_error"]


async def test_an_unknown_order_is_kept_with_its_error(quiet_shop: Shop) -> None:
    assert is_ok(await quiet_shop.notify(order_id="never-seen"))

    (event,) = await quiet_shop.events()
    assert event["processing_error"] == "there is no payment never-seen"


async def test_a_flood_of_forged_ones_does_not_fill_the_disk(quiet_shop: Shop) -> None:
    statuses: Counter[int] = Counter()
    for _ in range(12):
        answers = await asyncio.gather(
            *(quiet_shop.notify(signature_key="x", transaction_id="y" * 60) for _ in range(20))
        )
        statuses.update(answer.status_code for answer in answers)

    events = await quiet_shop.events()
    assert statuses == {403: 240}
    # Those that are under way together do not see one another.
    assert 200 <= len(events) <= 220
    assert {event["is_verified"] for event in events} == {False}
    assert {event["signature_key"] for event in events} == {None}
    assert {frozenset(json.loads(event["raw_body"])) for event in events} == {
        frozenset({"order_id", "status_code", "gross_amount", "transaction_status"})
    }


async def test_what_is_received_is_kept_in_utc(quiet_shop: Shop) -> None:
    await pending(quiet_shop)
    await quiet_shop.notify()

    async with connected(quiet_shop.database_url) as connection:
        seconds = await connection.fetchval(
            "SELECT extract(epoch FROM (now() AT TIME ZONE 'utc') - received_at)::int"
            " FROM payment_webhook_events"
        )

    assert abs(seconds) < 60


async def test_a_payment_that_was_created_in_the_past_keeps_its_times(quiet_shop: Shop) -> None:
    await pending(quiet_shop)

    await quiet_shop.notify(settlement_time="2026-02-06 10:00:40")

    payment = (await quiet_shop.get("/api/payments/order-1")).json()
    assert payment["created_at"] == "2026-02-06T03:00:00Z"
    assert payment["paid_at"] == "2026-02-06T03:00:40Z"
    assert (await quiet_shop.stored("order-1")).created_at == NOW
