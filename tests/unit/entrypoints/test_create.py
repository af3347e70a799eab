"""Creating a payment over HTTP: what may be asked, what comes back, and what every trouble leaves behind."""

from datetime import timedelta
from typing import Any

import pytest

from domain.evidence import ChargeAnswer, ChargeRefused
from domain.order import Customer, Item
from domain.ports.gateway import Charge, ChargeOutcome, NotTaken, Unanswered
from domain.rupiah import PaymentType
from domain.status import Status
from support import builders, recorded
from support.builders import NOW
from support.service import bearer
from unit.entrypoints.harness import (
    OTHER_USER,
    Service,
    a_service,
    away,
    problem_of,
    wrong_fields,
)

OURS = "byr-00000000000000000000000001"


@pytest.fixture
def service() -> Service:
    """A service whose next charge is taken."""
    service = a_service()
    service.charges_are_taken()
    return service


async def test_a_created_payment_is_answered_in_full(service: Service) -> None:
    answer = await service.create({"order_id": "order-1", "metadata": {"cart": "c-7"}})

    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "order_id": "order-1",
        "status": "pending",
        "late": False,
        "gross_amount": 10_000,
        "refunded_amount": 0,
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
        "checkout_url": "https://pay.example/checkout/checkout-token-00000000000000001",
        "metadata": {"cart": "c-7"},
        "created_at": "2026-02-06T03:00:00Z",
        "updated_at": "2026-02-06T03:00:01Z",
        "expires_at": "2026-02-06T03:15:00Z",
        "paid_at": None,
    }


async def test_the_fields_come_in_the_documented_order(service: Service) -> None:
    answer = await service.create()

    assert list(answer.json()) == [
        "order_id", "status", "late", "gross_amount", "refunded_amount", "currency", "payment_type",
        "transaction_id", "actions", "qr_string", "checkout_url", "metadata", "created_at", "updated_at",
        "expires_at", "paid_at",
    ]  # fmt: skip


async def test_a_qris_payment_carries_the_text_of_its_qr() -> None:
    service = a_service()
    service.gateway.answers_charges_with(
        builders.a_charge_answer(answer=builders.json.dumps(recorded.qris_charge()))
    )

    payment = (await service.create({"payment_type": "qris"})).json()

    assert payment["payment_type"] == "qris"
    assert payment["qr_string"] == recorded.QR_STRING
    assert [action["name"] for action in payment["actions"]] == ["qr-code"]


async def test_no_body_at_all_takes_every_default(service: Service) -> None:
    answer = await service.client.post("/api/payments/gopayqris/create", headers=bearer())

    assert answer.status_code == 201
    assert answer.json()["order_id"] == OURS
    assert answer.json()["gross_amount"] == 10_000


async def test_a_field_of_null_is_like_one_that_is_left_out(service: Service) -> None:
    fields = ["gross_amount", "payment_type", "order_id", "callback_url", "expiry_minutes", "customer",
              "items", "metadata"]  # fmt: skip

    answer = await service.create(dict.fromkeys(fields))

    assert answer.status_code == 201
    assert answer.json()["order_id"] == OURS


async def test_the_settings_name_the_defaults() -> None:
    service = a_service(BAYAR_DEFAULT_AMOUNT="25000", BAYAR_PAYMENT_TYPE="qris", BAYAR_EXPIRY_MINUTES="60")
    service.charges_are_taken()

    payment = (await service.create()).json()

    assert (payment["gross_amount"], payment["payment_type"]) == (25_000, "qris")
    assert payment["expires_at"] == "2026-02-06T04:00:00Z"


async def test_everything_that_midtrans_is_to_know_reaches_the_charge(service: Service) -> None:
    await service.create(
        {
            "gross_amount": 9_000,
            "payment_type": "qris",
            "order_id": "order-1",
            "callback_url": "myapp://back",
            "expiry_minutes": 30,
            "customer": {"first_name": "Siti", "last_name": "A", "email": "s@example.id", "phone": "08"},
            "items": [
                {"id": "k", "name": "Kopi", "price": 5_000, "quantity": 2},
                {"name": "Discount", "price": -1_000, "quantity": 1},
            ],
        }
    )

    order = service.gateway.charges[0].order
    assert (order.order_id, order.gross_amount) == ("order-1", 9_000)
    assert (order.payment_type, order.callback_url) == (PaymentType.QRIS, "myapp://back")
    assert order.life == timedelta(minutes=30)
    assert order.customer == Customer(first_name="Siti", last_name="A", email="s@example.id", phone="08")
    assert order.items == (
        Item(id="k", name="Kopi", price=5_000, quantity=2),
        Item(name="Discount", price=-1_000, quantity=1),
    )


@pytest.mark.parametrize(
    "order_id",
    [
        "o",
        "0",
        "A-b_c~d.e",
        "o" * 50,
        "byr",
        "BYR-1",
        "Webhook",
        "order-webhook",
        "web-hook",
        "x..",
        "a" * 49 + ".",
    ],
)
async def test_an_order_id_of_the_shop_s_own_is_kept(service: Service, order_id: str) -> None:
    answer = await service.create({"order_id": order_id})

    assert answer.json()["order_id"] == order_id


@pytest.mark.parametrize(
    "order_id",
    [
        "", "o" * 51, "-o", "_o", ".o", "~o", "a b", "a/b", "a#b", "a%20b", "a\n", "é", "a\u0661", "a+b",
        "a:b", "byr-1", "byr-", "webhook", "webhook-1", "gopayqris", "gopayqris1",
    ],
)  # fmt: skip
async def test_another_order_id_is_refused(service: Service, order_id: str) -> None:
    answer = await service.create({"order_id": order_id})

    assert problem_of(answer) == (400, "invalid-body")
    assert wrong_fields(answer) == {"order_id"}
    assert service.gateway.charges == []


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example/back?order=1#top",
        "http://localhost:3000",
        "HTTPS://SHOP.EXAMPLE/",
        "myapp://back",
        "my-app+1.x:back",
        "https://" + "a" * 247,
    ],
)
async def test_a_callback_url_may_be_http_or_an_app_s(service: Service, url: str) -> None:
    answer = await service.create({"callback_url": url, "order_id": "order-1"})

    assert answer.status_code == 201
    assert service.stored().callback_url == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/back",
        "shop.example/back",
        "//shop.example/back",
        "https://",
        "https:///back",
        "https:shop.example",
        "http://[",
        "https://" + "a" * 248,
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "java\tscript:alert(1)",
        "\x01javascript:alert(1)",
        " javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://shop.example/1",
        "https://shop.example/ back",
        "https://shop.example/\r\nSet-Cookie: a=b",
        "https://shop.example\\@evil.example",
        "https://shop.example/\u202egnp",
        "1app://back",
        "my_app://back",
        "myapp:",
        "myapp://",
    ],
)
async def test_another_callback_url_is_refused(service: Service, url: str) -> None:
    answer = await service.create({"callback_url": url})

    assert wrong_fields(answer) == {"callback_url"}
    assert service.gateway.charges == []


@pytest.mark.parametrize("minutes", [1, 10_080])
async def test_a_payment_lives_as_long_as_asked(service: Service, minutes: int) -> None:
    await service.create({"expiry_minutes": minutes, "order_id": "order-1"})

    assert service.stored().expires_at == NOW + timedelta(minutes=minutes)


@pytest.mark.parametrize("minutes", [0, -1, 10_081, 2**70])
async def test_another_life_is_refused(service: Service, minutes: int) -> None:
    assert wrong_fields(await service.create({"expiry_minutes": minutes})) == {"expiry_minutes"}


async def test_a_deep_metadata_text_comes_back_as_given(service: Service) -> None:
    metadata = {f"key {number}": 'ü\n"\\ \U0001f600\x01' for number in range(20)}

    answer = await service.create({"metadata": metadata})

    assert answer.json()["metadata"] == metadata


async def test_metadata_of_just_4_kb_is_taken(service: Service) -> None:
    answer = await service.create({"metadata": {"k": "x" * (4096 - len('{"k":""}'))}})

    assert answer.status_code == 201


@pytest.mark.parametrize(
    "metadata",
    [
        {f"key {number}": "x" for number in range(21)},
        {"k": "x" * (4096 - len('{"k":""}') + 1)},
        {"k" * 5000: ""},
        {"k": "é" * 2100},
    ],
)
async def test_metadata_of_over_20_keys_or_4_kb_is_refused(
    service: Service, metadata: dict[str, str]
) -> None:
    assert wrong_fields(await service.create({"metadata": metadata})) == {"metadata"}


async def test_items_without_an_amount_make_it(service: Service) -> None:
    items = [
        {"name": "Kopi", "price": 15_000, "quantity": 2},
        {"name": "Discount", "price": -5_000, "quantity": 1},
    ]

    assert (await service.create({"items": items})).json()["gross_amount"] == 25_000


async def test_items_may_come_with_their_sum(service: Service) -> None:
    items = [{"name": "Kopi", "price": 15_000, "quantity": 2}]

    answer = await service.create({"items": items, "gross_amount": 30_000})

    assert answer.json()["gross_amount"] == 30_000


@pytest.mark.parametrize("amount", [29_999, 30_001, 0, -30_000])
async def test_a_wrong_sum_is_refused(service: Service, amount: int) -> None:
    items = [{"name": "Kopi", "price": 15_000, "quantity": 2}]

    answer = await service.create({"items": items, "gross_amount": amount})

    assert wrong_fields(answer) == {"gross_amount"}


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ({"name": "", "price": 1, "quantity": 1}, "items[0].name"),
        ({"name": "x" * 256, "price": 1, "quantity": 1}, "items[0].name"),
        ({"price": 1, "quantity": 1}, "items[0].name"),
        ({"name": "x", "quantity": 1}, "items[0].price"),
        ({"name": "x", "price": 1}, "items[0].quantity"),
        ({"name": "x", "price": 1, "quantity": 0}, "items[0].quantity"),
        ({"name": "x", "price": 1, "quantity": -1}, "items[0].quantity"),
        ({"name": "x", "price": None, "quantity": 1}, "items[0].price"),
        ({"name": "x", "price": 10**30, "quantity": 1}, "items[0].price"),
        ({"name": "x", "price": 1, "quantity": 1, "id": "x" * 256}, "items[0].id"),
        ({"name": "x", "price": 1, "quantity": 1, "sku": "x"}, "items[0].sku"),
        ("kopi", "items[0]"),
        (None, "items[0]"),
    ],
)
async def test_a_bad_item_is_named_with_its_place(service: Service, item: Any, field: str) -> None:
    answer = await service.create({"items": [item]})

    assert wrong_fields(answer) == {field}


@pytest.mark.parametrize("part", ["first_name", "last_name", "email", "phone"])
async def test_a_customer_s_text_has_255_characters_at_most(service: Service, part: str) -> None:
    assert wrong_fields(await service.create({"customer": {part: "x" * 256}})) == {f"customer.{part}"}
    assert (await service.create({"customer": {part: "x" * 255}})).status_code == 201


@pytest.mark.parametrize(
    ("payment_type", "amount"),
    [("gopay", 1), ("gopay", 20_000_000), ("qris", 1), ("qris", 10_000_000)],
)
async def test_an_amount_within_the_bounds_is_taken(service: Service, payment_type: str, amount: int) -> None:
    answer = await service.create({"payment_type": payment_type, "gross_amount": amount})

    assert answer.json()["gross_amount"] == amount


@pytest.mark.parametrize(
    ("payment_type", "amount"),
    [
        ("gopay", 0), ("gopay", -1), ("gopay", 20_000_001), ("gopay", 2**31), ("gopay", 10**39),
        ("gopay", -(10**39)), ("qris", 0), ("qris", 10_000_001),
    ],
)  # fmt: skip
async def test_an_amount_out_of_bounds_is_refused(service: Service, payment_type: str, amount: int) -> None:
    answer = await service.create({"payment_type": payment_type, "gross_amount": amount})

    assert problem_of(answer) == (422, "amount-out-of-bounds")
    assert service.begin.state.payments == {}


async def test_a_sum_out_of_bounds_is_refused(service: Service) -> None:
    items = [{"name": "Kopi", "price": 1_000_000_000, "quantity": 1_000_000}] * 100

    answer = await service.create({"items": items})

    assert problem_of(answer) == (422, "amount-out-of-bounds")


async def test_a_taken_order_id_is_told(service: Service) -> None:
    await service.given(order_id="order-1", user_id=OTHER_USER)

    answer = await service.create({"order_id": "order-1"})

    assert problem_of(answer) == (409, "order-id-taken")
    assert service.stored("order-1").user_id == OTHER_USER
    assert service.gateway.charges == []


async def test_a_stranger_may_not_create(service: Service) -> None:
    answer = await service.create(headers=bearer(user=99))

    assert problem_of(answer) == (403, "unknown-user")
    assert service.begin.state.payments == {}


async def test_a_stranger_is_added_where_the_settings_say_so() -> None:
    service = a_service(BAYAR_AUTO_CREATE_USERS="true")
    service.charges_are_taken()

    answer = await service.create(headers=bearer(user=99))

    assert answer.status_code == 201
    assert 99 in service.begin.state.users


async def test_too_many_creates_in_a_minute_are_refused_with_the_time_to_wait() -> None:
    service = a_service(BAYAR_CREATE_RATE="2")
    service.charges_are_taken(3)
    for _ in range(2):
        assert (await service.create()).status_code == 201
    service.clock.advance(20)

    answer = await service.create()

    assert problem_of(answer) == (429, "too-many-requests")
    assert answer.headers["retry-after"] == "40"
    assert len(service.begin.state.payments) == 2


async def test_another_user_s_creates_do_not_count() -> None:
    service = a_service(BAYAR_CREATE_RATE="1")
    service.charges_are_taken(2)
    await service.create()

    assert (await service.create(headers=bearer(user=OTHER_USER))).status_code == 201


async def test_a_refused_charge_is_told_with_midtrans_s_words_and_leaves_a_failure(
    service: Service,
) -> None:
    refused = ChargeRefused(code="402", message="Payment channel is not activated.", received_at=NOW)
    service = answering(refused)

    answer = await service.create({"order_id": "order-1"})

    assert problem_of(answer) == (502, "gateway-refused")
    assert answer.json()["gateway_code"] == "402"
    assert answer.json()["gateway_message"] == "Payment channel is not activated."
    assert answer.json()["order_id"] == "order-1"
    assert service.stored().status is Status.FAILURE


async def test_a_denied_charge_is_told_and_leaves_a_deny() -> None:
    service = answering(builders.a_charge_answer(status=Status.DENY))

    answer = await service.create({"order_id": "order-1"})

    assert problem_of(answer) == (502, "gateway-refused")
    assert answer.json()["order_id"] == "order-1"
    assert service.stored().status is Status.DENY


async def test_a_charge_that_was_not_taken_is_told_and_stays_created() -> None:
    service = answering(NotTaken(reason="API rate limit exceeded", retry_after=17))

    answer = await service.create({"order_id": "order-1"})

    assert problem_of(answer) == (503, "gateway-unavailable")
    assert answer.headers["retry-after"] == "17"
    assert service.stored().status is Status.CREATED


async def test_midtrans_out_of_reach_is_told_with_a_time_to_wait() -> None:
    service = answering(*[NotTaken(reason="ConnectError")] * 2)

    answer = await service.create({"order_id": "order-1"})

    assert problem_of(answer) == (503, "gateway-unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    assert service.stored().status is Status.CREATED


async def test_a_charge_without_an_answer_is_told_with_its_order_id_and_stays_created() -> None:
    service = answering(*[Unanswered(reason="no answer in time")] * 10)

    answer = await service.create()

    assert problem_of(answer) == (504, "outcome-unknown")
    assert answer.json()["order_id"] == OURS
    assert service.stored(OURS).status is Status.CREATED


async def test_every_attempt_of_a_charge_carries_the_row_s_own_id() -> None:
    service = answering(Unanswered(reason="lost"), builders.a_charge_answer())

    answer = await service.create({"order_id": "order-1"})

    assert answer.status_code == 201
    assert {charge.key for charge in service.gateway.charges} == {str(service.stored().id)}
    assert len(service.gateway.charges) == 2


async def test_a_transaction_of_another_payment_leaves_the_outcome_unknown() -> None:
    service = answering(builders.a_charge_answer(transaction_id="t-1"))
    await service.given(order_id="earlier", transaction_id="t-1", status=Status.PENDING)

    answer = await service.create({"order_id": "order-1"})

    assert problem_of(answer) == (504, "outcome-unknown")
    assert service.stored().transaction_id is None


async def test_the_row_is_committed_before_midtrans_is_asked() -> None:
    service = a_service()
    seen: list[Status] = []

    async def look(_charge: Charge, _within: float) -> ChargeOutcome:
        seen.append(service.stored().status)
        return builders.a_charge_answer()

    service.gateway.answers_charges_with(look)

    await service.create({"order_id": "order-1"})

    assert seen == [Status.CREATED]


async def test_with_the_database_away_nothing_is_charged(service: Service) -> None:
    away(service)

    answer = await service.create()

    assert problem_of(answer) == (503, "database-unavailable")
    assert answer.headers["retry-after"] == "2"
    assert service.gateway.charges == []


async def test_a_lost_commit_of_the_row_charges_nothing(service: Service) -> None:
    service.begin.fail_next_commits = 1

    answer = await service.create()

    assert problem_of(answer) == (503, "database-unavailable")
    assert service.gateway.charges == []


async def test_a_database_lost_after_the_charge_leaves_the_outcome_unknown() -> None:
    service = a_service()

    async def lose_the_database(_charge: Charge, _within: float) -> ChargeAnswer:
        away(service)
        return builders.a_charge_answer()

    service.gateway.answers_charges_with(lose_the_database)

    answer = await service.create({"order_id": "order-1"})

    assert problem_of(answer) == (504, "outcome-unknown")
    assert answer.json()["order_id"] == "order-1"


async def test_a_payment_that_was_paid_before_its_charge_was_answered_is_told_as_it_is() -> None:
    service = a_service()

    async def settle_first(_charge: Charge, _within: float) -> ChargeAnswer:
        async with service.begin() as work:
            payment = await work.payments.lock("order-1")
            assert payment is not None
            paid = builders.replace(payment, status=Status.SETTLEMENT, transaction_id="t-1", paid_at=NOW)
            await work.payments.save(paid, ())
        return builders.a_charge_answer()

    service.gateway.answers_charges_with(settle_first)

    answer = await service.create({"order_id": "order-1"})

    assert answer.status_code == 201
    assert answer.json()["status"] == "settlement"
    assert [action["name"] for action in answer.json()["actions"]] == ["qr-code", "deeplink-redirect"]


def answering(*outcomes: ChargeOutcome) -> Service:
    service = a_service()
    service.gateway.answers_charges_with(*outcomes)
    return service
