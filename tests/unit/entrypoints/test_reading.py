"""Reading payments: one, its status, a list; and what is nobody else's business."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from domain.errors import GatewayUnavailable
from domain.status import Status
from support import builders, recorded
from support.builders import NOW, USER_ID
from support.service import bearer
from unit.entrypoints.harness import OTHER_USER, Service, a_service, away, problem_of

LIST = "/api/payments"
ACTIONS = recorded.gopay_charge()["actions"]
READS = ["/api/payments/{}", "/api/payments/{}/status", "/api/payments/{}/qr.svg", "/api/payments/{}/events"]


async def test_a_stored_payment_is_answered_in_full(service: Service) -> None:
    await service.given(
        status=Status.PARTIAL_REFUND,
        transaction_id="t-1",
        late=True,
        refunded_amount=4_000,
        paid_at=NOW + timedelta(minutes=2, microseconds=5),
        updated_at=NOW + timedelta(minutes=3),
        metadata={"cart": "c-7"},
        charge_answer=json.dumps(recorded.gopay_charge()),
    )

    answer = await service.get("/api/payments/order-1")

    assert answer.status_code == 200
    assert answer.json() == {
        "order_id": "order-1",
        "status": "partial_refund",
        "late": True,
        "gross_amount": 10_000,
        "refunded_amount": 4_000,
        "currency": "IDR",
        "payment_type": "gopay",
        "transaction_id": "t-1",
        "actions": [
            {
                "name": "qr-code",
                "method": "GET",
                "url": f"{recorded.API}//v4/qris/gopay/A120260206100000ID/qr-code",
            },
            {
                "name": "deeplink-redirect",
                "method": "GET",
                "url": "gojek://gopay/merchanttransfer?tref=1&amount=10000&activity=GP:RR",
            },
        ],
        "qr_string": None,
        "checkout_url": None,
        "metadata": {"cart": "c-7"},
        "created_at": "2026-02-06T03:00:00Z",
        "updated_at": "2026-02-06T03:03:00Z",
        "expires_at": "2026-02-06T03:15:00Z",
        "paid_at": "2026-02-06T03:02:00.000005Z",
    }


@pytest.mark.parametrize("status", list(Status))
async def test_every_status_goes_by_its_own_word(service: Service, status: Status) -> None:
    await service.given(status=status)

    assert (await service.get("/api/payments/order-1")).json()["status"] == str(status)


async def test_the_stored_payment_is_read_without_asking_midtrans(service: Service) -> None:
    await service.given()

    await service.get("/api/payments/order-1")

    assert service.gateway.asked == []


@pytest.mark.parametrize(
    ("body", "names"),
    [
        (recorded.gopay_charge(), ["qr-code", "deeplink-redirect"]),
        (recorded.qris_charge(), ["qr-code"]),
        (recorded.gopay_charge(actions=ACTIONS[::-1]), ["qr-code", "deeplink-redirect"]),
        (recorded.gopay_charge(actions=ACTIONS[3:]), []),
        (recorded.gopay_charge(actions=[]), []),
        (recorded.gopay_charge(actions=None), []),
        (recorded.gopay_charge(actions=[{"name": "pay", "url": "https://x"}, {"name": 7}, "x"]), []),
    ],
)
async def test_only_what_a_client_may_use_is_offered(
    service: Service, body: dict[str, Any], names: list[str]
) -> None:
    await service.given(charge_answer=json.dumps(body))

    payment = (await service.get("/api/payments/order-1")).json()

    assert [action["name"] for action in payment["actions"]] == names


async def test_the_status_of_an_open_payment_is_midtrans_s(service: Service) -> None:
    await service.given()
    service.gateway.answers_status_of("t-1", builders.a_status_reply())

    payment = (await service.get("/api/payments/order-1/status")).json()

    assert (payment["status"], payment["refreshed"]) == ("settlement", True)
    assert service.stored().status is Status.SETTLEMENT


async def test_the_status_has_the_payment_s_fields_and_refreshed(service: Service) -> None:
    await service.given(status=Status.EXPIRE)

    stored = (await service.get("/api/payments/order-1")).json()

    assert (await service.get("/api/payments/order-1/status")).json() == stored | {"refreshed": True}


async def test_a_payment_without_a_transaction_is_asked_about_by_its_order_id(
    service: Service,
) -> None:
    await service.given(status=Status.CREATED)
    service.gateway.answers_status_of("order-1", builders.a_status_reply())

    payment = (await service.get("/api/payments/order-1/status")).json()

    assert (payment["status"], payment["transaction_id"]) == ("settlement", "t-1")


@pytest.mark.parametrize("status", [s for s in Status if not s.is_open])
async def test_midtrans_is_not_asked_about_a_payment_that_is_not_open(
    service: Service, status: Status
) -> None:
    await service.given(status=status)

    payment = (await service.get("/api/payments/order-1/status")).json()

    assert (payment["status"], payment["refreshed"]) == (str(status), True)
    assert service.gateway.asked == []


async def test_midtrans_is_asked_once_in_ten_seconds(service: Service) -> None:
    await service.given()
    service.gateway.answers_status_of("t-1", builders.a_status_reply(transaction_status="pending"))

    for seconds in (0, 9, 1):
        service.clock.advance(seconds)
        payment = (await service.get("/api/payments/order-1/status")).json()
        assert (payment["status"], payment["refreshed"]) == ("pending", True)

    assert service.gateway.asked == ["t-1", "t-1"]


async def test_with_midtrans_away_the_stored_status_is_told_as_not_refreshed(
    service: Service,
) -> None:
    await service.given()
    service.gateway.answers_status_of("t-1", GatewayUnavailable("ConnectError"))

    answer = await service.get("/api/payments/order-1/status")

    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["refreshed"]) == ("pending", False)


@pytest.mark.parametrize("path", READS)
async def test_another_user_s_payment_is_answered_exactly_like_none(service: Service, path: str) -> None:
    await service.given(order_id="foreign-order", user_id=OTHER_USER)

    foreign = await service.get(path.format("foreign-order"))
    absent = await service.get(path.format("missing-order"))

    assert problem_of(foreign) == (404, "payment-not-found")
    assert foreign.status_code == absent.status_code
    assert foreign.text.replace("foreign-order", "missing-order") == absent.text
    same = dict(foreign.headers) | {"x-request-id": absent.headers["x-request-id"]}
    assert same == dict(absent.headers)
    assert service.gateway.asked == []


@pytest.mark.parametrize("path", READS[:2])
async def test_a_token_for_any_payment_reads_every_user_s(service: Service, path: str) -> None:
    await service.given(order_id="foreign-order", user_id=OTHER_USER, status=Status.EXPIRE)

    answer = await service.get(path.format("foreign-order"), scope="a payments:any b")

    assert answer.json()["order_id"] == "foreign-order"


@pytest.mark.parametrize("scope", ["payments", "payments:anything", "payments:refund", "PAYMENTS:ANY"])
async def test_another_scope_reads_nobody_else_s(service: Service, scope: str) -> None:
    await service.given(order_id="foreign-order", user_id=OTHER_USER)

    answer = await service.get("/api/payments/foreign-order", scope=scope)

    assert problem_of(answer) == (404, "payment-not-found")


@pytest.mark.parametrize("path", [LIST, *(path.format("order-1") for path in READS)])
async def test_a_stranger_is_told_so(service: Service, path: str) -> None:
    assert problem_of(await service.get(path, user=99)) == (403, "unknown-user")


@pytest.mark.parametrize("path", [path.format("order-1") for path in READS])
async def test_a_stranger_finds_nothing_where_users_are_added_by_themselves(path: str) -> None:
    service = a_service(BAYAR_AUTO_CREATE_USERS="true")

    assert problem_of(await service.get(path, user=99)) == (404, "payment-not-found")


async def test_a_stranger_has_an_empty_list_where_users_are_added_by_themselves() -> None:
    service = a_service(BAYAR_AUTO_CREATE_USERS="true")

    assert (await service.get(LIST, user=99)).json() == {"items": [], "next_cursor": None}


@pytest.mark.parametrize("path", [LIST, *(path.format("order-1") for path in READS)])
async def test_reading_needs_a_token(service: Service, path: str) -> None:
    assert problem_of(await service.client.get(path)) == (401, "unauthenticated")


@pytest.mark.parametrize("path", [LIST, *(path.format("order-1") for path in READS)])
async def test_with_the_database_away_reading_is_503(service: Service, path: str) -> None:
    away(service)

    answer = await service.get(path)

    assert problem_of(answer) == (503, "database-unavailable")
    assert answer.headers["retry-after"] == "2"


@pytest.mark.parametrize(
    "order_id", ["a b", "é", "a'b", 'a"b', "..", "%", "a\u0000b", "\ud7ff", "a" * 2000, "-1; DROP TABLE"]
)
@pytest.mark.parametrize("path", READS)
async def test_an_id_that_no_payment_can_have_is_not_found(
    service: Service, path: str, order_id: str
) -> None:
    answer = await service.get(path.format(quote(order_id, safe="").replace(".", "%2E")))

    assert problem_of(answer) == (404, "payment-not-found")


async def test_the_list_holds_the_caller_s_own_payments_newest_first(service: Service) -> None:
    for number in (2, 1, 3):
        await service.given(order_id=f"mine-{number}", created_at=NOW + timedelta(minutes=number))
    await service.given(order_id="theirs", user_id=OTHER_USER)

    answer = await service.get(LIST, scope="payments:any")

    assert [payment["order_id"] for payment in answer.json()["items"]] == ["mine-3", "mine-2", "mine-1"]
    assert answer.json()["next_cursor"] is None


async def test_an_entry_of_the_list_is_the_payment_as_it_is_read_alone(service: Service) -> None:
    await service.given(charge_answer=json.dumps(recorded.gopay_charge()))

    (entry,) = (await service.get(LIST)).json()["items"]

    assert entry == (await service.get("/api/payments/order-1")).json()


async def test_the_cursor_leads_through_the_whole_list_once(service: Service) -> None:
    # Two of them at the very same instant.
    for number in range(7):
        created_at = NOW + timedelta(minutes=number // 2)
        await service.given(order_id=f"mine-{number}", created_at=created_at)
    seen, cursor, pages = [], "", 0

    while cursor is not None:
        page = (await service.get(f"{LIST}?limit=3&cursor={cursor}")).json()
        seen += [payment["order_id"] for payment in page["items"]]
        cursor, pages = page["next_cursor"], pages + 1

    whole = (await service.get(LIST)).json()["items"]
    assert seen == [payment["order_id"] for payment in whole]
    assert (len(seen), pages) == (7, 3)


async def test_a_page_that_is_just_full_is_the_last(service: Service) -> None:
    for number in range(2):
        await service.given(order_id=f"mine-{number}")

    page = (await service.get(f"{LIST}?limit=2")).json()

    assert (len(page["items"]), page["next_cursor"]) == (2, None)


async def test_a_new_payment_does_not_shift_the_next_page(service: Service) -> None:
    for number in range(3):
        await service.given(order_id=f"mine-{number}", created_at=NOW + timedelta(minutes=number))
    first = (await service.get(f"{LIST}?limit=2")).json()
    await service.given(order_id="mine-new", created_at=NOW + timedelta(hours=1))

    second = (await service.get(f"{LIST}?limit=2&cursor={first['next_cursor']}")).json()

    assert [payment["order_id"] for payment in second["items"]] == ["mine-0"]


async def test_the_list_may_be_of_one_status(service: Service) -> None:
    await service.given(order_id="open")
    await service.given(order_id="over", status=Status.EXPIRE)

    answer = await service.get(f"{LIST}?status=expire")

    assert [payment["order_id"] for payment in answer.json()["items"]] == ["over"]


async def test_a_page_has_20_payments_unless_told_otherwise(service: Service) -> None:
    for number in range(21):
        await service.given(order_id=f"mine-{number}")

    assert len((await service.get(LIST)).json()["items"]) == 20
    assert len((await service.get(f"{LIST}?limit=100")).json()["items"]) == 21


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("limit=many", "limit"),
        ("limit=1.5", "limit"),
        ("status=paid", "status"),
        ("status=SETTLEMENT", "status"),
        ("cursor=x", "cursor"),
        ("cursor=1-2", "cursor"),
        ("cursor=999999999999999999-00000000000000000000000000000000", "cursor"),
        ("cursor=-1-00000000000000000000000000000000", "cursor"),
        ("cursor=1-0000000000000000000000000000000g", "cursor"),
        ("cursor=%D9%A1-00000000000000000000000000000000", "cursor"),
        ("cursor=%00", "cursor"),
    ],
)
async def test_a_bad_parameter_is_named(service: Service, query: str, field: str) -> None:
    answer = await service.get(f"{LIST}?{query}")

    assert problem_of(answer) == (400, "invalid-body")
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_every_bad_parameter_is_named_at_once(service: Service) -> None:
    answer = await service.get(f"{LIST}?limit=0&status=paid&cursor=x")

    assert {error["field"] for error in answer.json()["errors"]} >= {"limit", "status"}


async def test_a_cursor_of_another_user_opens_nothing_of_theirs(service: Service) -> None:
    for number in range(3):
        await service.given(order_id=f"theirs-{number}", user_id=OTHER_USER)
    theirs = await service.client.get(f"{LIST}?limit=1", headers=bearer(user=OTHER_USER))

    answer = await service.get(f"{LIST}?cursor={theirs.json()['next_cursor']}", user=USER_ID)

    assert answer.json() == {"items": [], "next_cursor": None}
