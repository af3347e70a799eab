"""The notification over HTTP: every body has its answer, and what it leaves behind."""

import json
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
import pytest
from dependency_injector.providers import Object

from domain.ports.payments import Payments
from domain.status import Status
from entrypoints.http import webhook
from entrypoints.http.app import create_app
from support.builders import NOW
from support.service import WEBHOOK
from unit.entrypoints.harness import (
    Logs,
    Service,
    a_notification_body,
    a_service,
    away,
    problem_of,
)

PREVIOUS: Final = "SB-Mid-server-previous"
MALFORMED: Final = (400, "malformed-json")
INVALID: Final = (400, "invalid-body")
LARGEST: Final = 64 * 1024


@pytest.fixture
async def service() -> Service:
    """A service with one pending payment, order-1 of transaction t-1."""
    service = a_service()
    await service.given()
    return service


def is_ok(answer: httpx.Response) -> bool:
    return (answer.status_code, answer.json()) == (200, {"status": "ok"})


def body(**changes: Any) -> bytes:
    return json.dumps(a_notification_body(**changes)).encode()


async def test_a_settlement_is_applied_and_kept_as_processed(service: Service) -> None:
    answer = await service.notify()

    assert is_ok(answer)
    assert answer.headers["content-type"] == "application/json"
    assert service.stored().status is Status.SETTLEMENT
    (event,) = service.begin.notifications
    assert (event.is_verified, event.processed, event.error) == (True, True, None)


@pytest.mark.parametrize("status", ["expire", "cancel", "deny", "settlement"])
async def test_every_end_of_a_pending_payment_is_applied(service: Service, status: str) -> None:
    assert is_ok(await service.notify(transaction_status=status))
    assert service.stored().status == status


async def test_the_settlement_time_is_read_as_jakarta_s(service: Service) -> None:
    await service.notify(settlement_time="2026-02-06 10:00:40")

    assert service.stored().paid_at == NOW.replace(second=40)


async def test_the_event_is_kept_as_it_was_sent(service: Service) -> None:
    sent = b' {"extra" : [1.50, {"a":null}],' + body()[1:]

    await service.notify_raw(sent)

    (event,) = service.begin.notifications
    assert event.body == sent.decode()
    assert (event.order_id, event.transaction_id) == ("order-1", "t-1")
    assert event.transaction_status == "settlement"
    assert event.received_at == NOW


async def test_a_repeat_is_kept_and_changes_nothing(service: Service) -> None:
    await service.notify()
    settled = service.stored()

    assert is_ok(await service.notify())
    assert service.stored() == settled
    assert [event.processed for event in service.begin.notifications] == [True, True]


async def test_older_news_is_kept_and_changes_nothing(service: Service) -> None:
    await service.notify()
    settled = service.stored()

    assert is_ok(await service.notify(transaction_status="pending"))
    assert service.stored() == settled
    assert all(event.processed for event in service.begin.notifications)


async def test_identical_deliveries_beyond_100_are_counted_and_not_stored(
    service: Service,
) -> None:
    await service.notify()

    for _ in range(104):
        assert is_ok(await service.notify())

    assert len(service.begin.notifications) == 100
    assert sum(event.repeats for event in service.begin.notifications) == 5


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"status": Status.EXPIRE, "transaction_id": "t-1"}, {}),
        ({"status": Status.SETTLEMENT, "transaction_id": "t-1"}, {"transaction_status": "refund"}),
        ({"status": Status.SETTLEMENT, "transaction_id": "t-1"}, {"transaction_status": "cancel"}),
        ({"status": Status.PENDING, "transaction_id": "t-1"}, {"transaction_id": "t-2"}),
        ({"status": Status.CREATED}, {}),
        ({"status": Status.PENDING, "transaction_id": "t-1"}, {"key": PREVIOUS}),
    ],
)
async def test_a_doubtful_one_is_kept_unprocessed_and_moves_nothing(
    row: dict[str, Any], said: dict[str, Any]
) -> None:
    service = a_service(MIDTRANS_PREVIOUS_SERVER_KEY=PREVIOUS)
    await service.given(**row)
    before = service.stored()

    assert is_ok(await service.notify(**said))
    assert service.stored() == before
    (event,) = service.begin.notifications
    assert (event.is_verified, event.processed, event.error) == (True, False, None)


async def test_a_signed_text_with_a_second_reading_is_doubtful(service: Service) -> None:
    await service.given(order_id="x2001", gross_amount=500, transaction_id="t-2")
    await service.given(order_id="x", gross_amount=1_200_500, transaction_id="t-3")

    await service.notify(order_id="x2001", gross_amount="500.00", transaction_id="t-2")
    await service.notify(order_id="x", gross_amount="1200500.00", transaction_id="t-3")

    signatures = {event.signature_key for event in service.begin.notifications}
    assert len(signatures) == 1
    assert [event.processed for event in service.begin.notifications] == [False, False]
    assert service.stored("x2001").status is Status.PENDING
    assert service.stored("x").status is Status.PENDING


async def test_with_confirm_always_news_waits_for_midtrans_s_word() -> None:
    service = a_service(BAYAR_CONFIRM="always")
    await service.given()

    assert is_ok(await service.notify())
    assert service.stored().status is Status.PENDING
    assert [event.processed for event in service.begin.notifications] == [False]


@pytest.mark.parametrize(
    "said",
    [
        {"gross_amount": "10001.00"},
        {"gross_amount": "10000.50"},
        {"gross_amount": "10000,00"},
        {"gross_amount": " 10000.00"},
        {"gross_amount": "1e4"},
        {"currency": "USD"},
        {"status_code": "201"},
        {"status_code": "202"},
        {"status_code": "200 "},
        {"transaction_status": "pending", "status_code": "200"},
        {"transaction_status": "expire", "status_code": "200"},
        {"transaction_status": "capture", "status_code": "200"},
        {"transaction_status": "failure", "status_code": "202"},
        {"transaction_status": "created", "status_code": "201"},
        {"fraud_status": "challenge"},
        {"fraud_status": "deny"},
        {"fraud_status": ["accept"]},
    ],
)
async def test_a_contradiction_is_set_aside_and_the_payment_is_untouched(
    service: Service, said: dict[str, Any]
) -> None:
    before = service.stored()

    assert is_ok(await service.notify(**said))
    assert service.stored() == before
    (event,) = service.begin.notifications
    assert (event.is_verified, event.processed) == (True, False)
    assert event.error


async def test_an_unknown_order_is_kept_with_its_error(service: Service) -> None:
    assert is_ok(await service.notify(order_id="never-seen"))

    (event,) = service.begin.notifications
    assert (event.is_verified, event.processed) == (True, False)
    assert event.error == "there is no payment never-seen"


@pytest.mark.parametrize(
    "signature",
    ["x", "0" * 128, "é" * 128, a_notification_body("another key")["signature_key"],
     a_notification_body()["signature_key"].upper(), a_notification_body()["signature_key"][:-1],
     a_notification_body()["signature_key"] + "0", a_notification_body(PREVIOUS)["signature_key"]],
)  # fmt: skip
async def test_a_wrong_signature_is_refused_and_moves_nothing(service: Service, signature: str) -> None:
    answer = await service.notify(signature_key=signature)

    assert problem_of(answer) == (403, "invalid-signature")
    assert service.stored().status is Status.PENDING


async def test_of_a_forged_one_only_its_claims_are_kept(service: Service) -> None:
    await service.notify(signature_key="5" * 128, customer_details={"email": "siti@example.id"})

    (event,) = service.begin.notifications
    assert (event.is_verified, event.processed, event.forged) == (False, False, True)
    assert (event.order_id, event.transaction_status) == ("order-1", "settlement")
    assert (event.signature_key, event.transaction_id) == (None, None)
    assert "siti" not in event.body


@pytest.mark.parametrize("field", ["status_code", "gross_amount", "order_id"])
async def test_what_the_signature_covers_cannot_be_changed(service: Service, field: str) -> None:
    signed = a_notification_body(transaction_status="expire")
    change = {"status_code": "407", "gross_amount": "10000.0", "order_id": "order-2"}

    answer = await service.client.post(WEBHOOK, json=signed | {field: change[field]})

    assert problem_of(answer) == (403, "invalid-signature")


async def test_a_flood_of_forged_ones_is_refused_and_not_kept(service: Service) -> None:
    for _ in range(220):
        answer = await service.notify(signature_key="x")
        assert problem_of(answer) == (403, "invalid-signature")

    assert len(service.begin.notifications) == 200


@pytest.mark.parametrize("key", [None, "SB-Mid-server-test"])
async def test_no_answer_shows_a_signature(service: Service, key: str | None) -> None:
    answer = await service.notify(signature_key=None if key else "5" * 128)

    assert "5" * 20 not in answer.text
    assert a_notification_body()["signature_key"] not in answer.text


@pytest.mark.parametrize(
    "sent",
    [b"[]", b"[{}]", b'"text"', b"1", b"null", b"true", b"{}"],
)
async def test_what_is_no_object_or_empty_is_refused_and_not_kept(service: Service, sent: bytes) -> None:
    assert problem_of(await service.notify_raw(sent)) == INVALID
    assert service.begin.notifications == []


NEEDED: Final = {
    "order_id": 64,
    "status_code": 16,
    "gross_amount": 32,
    "signature_key": 255,
    "transaction_status": 32,
}


@pytest.mark.parametrize("field", NEEDED)
@pytest.mark.parametrize("value", [None, 1, 10000.0, True, "", [], ["200"], {"a": "b"}])
async def test_a_needed_field_that_is_no_text_is_refused_and_not_kept(
    service: Service, field: str, value: object
) -> None:
    answer = await service.notify(**{field: value})

    assert problem_of(answer) == INVALID
    assert field in answer.json()["detail"]
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert service.begin.notifications == []


async def test_every_bad_field_is_listed(service: Service) -> None:
    several = await service.notify(order_id=None, status_code=200, gross_amount="1" * 33)
    no_object = await service.notify_raw(b"[]")

    assert [(error["field"], error["pointer"]) for error in several.json()["errors"]] == [
        ("order_id", "#/order_id"),
        ("status_code", "#/status_code"),
        ("gross_amount", "#/gross_amount"),
    ]
    assert [error["pointer"] for error in no_object.json()["errors"]] == ["#"]


@pytest.mark.parametrize("field", NEEDED)
async def test_an_over_long_needed_field_is_refused_and_not_kept(service: Service, field: str) -> None:
    longest = await service.notify(**{field: "x" * NEEDED[field]})
    kept = len(service.begin.notifications)

    answer = await service.notify(**{field: "x" * (NEEDED[field] + 1)})

    assert longest.status_code in {200, 403}
    assert problem_of(answer) == INVALID
    assert len(service.begin.notifications) == kept


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b" ",
        b"{",
        body() + b"x",
        body() + body(),
        b"order_id=order-1&status_code=200",
        b"<xml/>",
        b"\xff\xfe\x00",
        b"\xef\xbb\xbf" + body(),
        body().decode().encode("utf-16"),
        body(extra="\u0000"),
        body(order_id="order-1\u0000"),
        body(transaction_id="\u0000"),
        body(extra={"deep": ["\u0000"]}),
        body(extra={"\u0000": 1}),
        body(extra="\ud800"),
        body(extra={"\udfff": 1}),
        body(extra=10**40),
        body()[:-1] + b', "extra": 1e300}',
        body()[:-1] + b', "extra": 1e131000}',
        body()[:-1] + b', "extra": 1e99999999999999999999}',
        body()[:-1] + b', "extra": -1e-99999999999999999999}',
        body()[:-1] + b', "extra": ' + b"[" * 32 + b"]" * 32 + b"}",
        b'{"a":' * 10_000,
        body()[:-1] + b', "extra": [' + b",".join([b"1e131000"] * 1_500) + b"]}",
    ],
)
async def test_what_is_not_fit_to_be_kept_is_refused(service: Service, sent: bytes) -> None:
    assert problem_of(await service.notify_raw(sent)) == MALFORMED
    assert service.begin.notifications == []
    assert service.stored().status is Status.PENDING


@pytest.mark.parametrize(
    "extra",
    [b"9" * 40, b"1e39", b"[" * 31 + b"]" * 31, b'"\\ud83d\\ude00"', b'"\\u0001"'],
)
async def test_what_is_just_fit_to_be_kept_is_taken(service: Service, extra: bytes) -> None:
    assert is_ok(await service.notify_raw(body()[:-1] + b', "extra": ' + extra + b"}"))
    assert service.stored().status is Status.SETTLEMENT


@pytest.mark.parametrize("length", [LARGEST + 1, 10_000_000])
async def test_a_body_over_64_kb_is_refused_and_not_kept(service: Service, length: int) -> None:
    answer = await service.notify_raw(body().ljust(length))

    assert problem_of(answer) == (413, "body-too-large")
    assert service.begin.notifications == []


async def test_a_body_of_64_kb_is_taken(service: Service) -> None:
    assert is_ok(await service.notify_raw(body().ljust(LARGEST)))


async def test_a_body_without_a_length_is_refused_past_64_kb(service: Service) -> None:
    async def endless() -> Any:
        for _ in range(600):
            yield b" " * 16_384

    answer = await service.client.post(WEBHOOK, content=endless())

    assert problem_of(answer) == (413, "body-too-large")


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
     "application/json; charset=latin-1", "nonsense", ""],
)  # fmt: skip
async def test_any_content_type_will_do(service: Service, content_type: str) -> None:
    assert is_ok(await service.notify_raw(body(), **{"Content-Type": content_type}))


async def test_no_content_type_will_do(service: Service) -> None:
    assert is_ok(await service.client.post(WEBHOOK, content=body()))


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer x"},
        {"Authorization": "Basic dXNlcjpwYXNz"},
        {"Cookie": "token=x"},
        {"Origin": "https://evil.example"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Idempotency-Key": "x" * 300},
        {"User-Agent": "Veritrans"},
    ],
)
async def test_neither_token_nor_cookie_nor_origin_counts(headers: dict[str, str]) -> None:
    service = a_service(AUTH_COOKIE="token")
    await service.given()

    assert is_ok(await service.notify_raw(body(), **headers))


@pytest.mark.parametrize(
    "said",
    [
        {"currency": None},
        {"fraud_status": None},
        {"fraud_status": "ACCEPT"},
        {"transaction_status": "SETTLEMENT"},
        {"transaction_status": "Settlement"},
        {"payment_type": "gopay"},
        {"payment_type": 7},
        {"settlement_time": "yesterday"},
        {"settlement_time": 20260206},
        {"settlement_time": None},
        {"settlement_time": ""},
        {"transaction_time": []},
        {"merchant_id": None},
        {"customer_details": {"email": None, "phone": [1, 2]}},
        {"gross_amount": "10000"},
        {"gross_amount": "10000.0"},
        {"new_field_of_2030": {"a": [1, 2.5, None, True]}},
        {"refunds": [{"refund_chargeback_id": 1, "refund_amount": "5000.00"}]},
    ],
)
async def test_odd_absent_and_new_fields_do_not_stand_in_the_way(
    service: Service, said: dict[str, Any]
) -> None:
    assert is_ok(await service.notify(**said))
    assert service.stored().status is Status.SETTLEMENT


@pytest.mark.parametrize("transaction_id", [7, "", [], {"a": 1}, True, "x" * 1000])
async def test_an_odd_transaction_id_is_another_than_the_payment_s(
    service: Service, transaction_id: object
) -> None:
    assert is_ok(await service.notify(transaction_id=transaction_id))
    assert service.stored().status is Status.PENDING
    (event,) = service.begin.notifications
    assert (event.processed, event.error) == (False, None)
    assert len(event.transaction_id or "") <= 64


async def test_without_a_transaction_id_it_is_the_payment_s_own(service: Service) -> None:
    await service.notify(transaction_id=None)

    assert service.stored().status is Status.SETTLEMENT
    assert service.stored().transaction_id == "t-1"


async def test_of_a_name_given_twice_the_signature_covers_the_one_that_counts(
    service: Service,
) -> None:
    first = b'{"gross_amount": "1.00", "order_id": "order-9",'

    assert is_ok(await service.notify_raw(first + body()[1:]))
    assert service.stored().status is Status.SETTLEMENT


async def test_a_name_given_again_at_the_end_breaks_the_signature(service: Service) -> None:
    answer = await service.notify_raw(body()[:-1] + b', "gross_amount": "1.00"}')

    assert problem_of(answer) == (403, "invalid-signature")


async def test_with_the_database_away_it_is_to_be_sent_again(service: Service) -> None:
    away(service)

    answer = await service.notify()

    assert problem_of(answer) == (503, "database-unavailable")
    assert answer.headers["retry-after"] == "2"


async def test_a_forged_one_with_the_database_away_is_503_as_well(service: Service) -> None:
    away(service)

    assert problem_of(await service.notify(signature_key="x")) == (503, "database-unavailable")


async def test_a_lost_commit_is_to_be_sent_again_and_then_works(service: Service) -> None:
    service.begin.fail_next_commits = 1

    lost = await service.notify()
    again = await service.notify()

    assert problem_of(lost) == (503, "database-unavailable")
    assert is_ok(again)
    assert service.stored().status is Status.SETTLEMENT
    assert len(service.begin.notifications) == 1


def breaking(service: Service, *, also_the_inbox: bool) -> None:
    """From now on a change of a payment meets a fault of our own, and so may the inbox."""

    @asynccontextmanager
    async def begin() -> Any:
        async with service.begin() as work:
            broken = _BrokenWork(work, also_the_inbox=also_the_inbox)
            yield broken

    service.container.providers["notified_begin"].override(Object(begin))
    service.container.reset_singletons()


class _BrokenWork:
    def __init__(self, work: Any, *, also_the_inbox: bool) -> None:
        self._work, self._also_the_inbox = work, also_the_inbox

    @property
    def payments(self) -> Payments:
        raise RuntimeError("a fault of our own, with an inner secret")

    @property
    def notifications(self) -> Any:
        if self._also_the_inbox:
            raise RuntimeError("a fault of our own, with an inner secret")
        return self._work.notifications


async def test_an_unexpected_fault_while_applying_keeps_it_for_the_worker(
    service: Service, logs: Logs
) -> None:
    breaking(service, also_the_inbox=False)

    assert is_ok(await service.notify())
    (event,) = service.begin.notifications
    assert (event.is_verified, event.processed, event.error) == (True, False, None)
    assert [line["order_id"] for line in logs.of("webhook.failed")] == ["order-1"]


async def test_when_it_cannot_even_be_kept_it_is_to_be_sent_again(service: Service, logs: Logs) -> None:
    breaking(service, also_the_inbox=True)

    answer = await service.notify()

    assert problem_of(answer) == (503, "database-unavailable")
    assert answer.headers["retry-after"] == "2"
    assert "inner secret" not in answer.text
    assert len(logs.of("webhook.not_stored")) == 1


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
async def test_only_post_is_taken(service: Service, method: str) -> None:
    answer = await service.client.request(method, WEBHOOK, content=body())

    assert problem_of(answer) == (405, "method-not-allowed")


@pytest.mark.parametrize(
    "sent",
    [body(), body(signature_key="x"), body(order_id=None), b"x", b"x" * 70_000],
)
async def test_it_is_never_a_redirect(service: Service, sent: bytes) -> None:
    for path in (WEBHOOK, f"{WEBHOOK}/"):
        answer = await service.client.post(path, content=sent)

        assert not answer.is_redirect
        assert answer.status_code != 500


async def test_a_sender_that_leaves_in_the_middle_is_no_fault_of_ours(service: Service, logs: Logs) -> None:
    came = iter([{"type": "http.request", "body": b'{"', "more_body": True}, {"type": "http.disconnect"}])
    answered: list[Any] = []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": "/api/payments/webhook",
        "raw_path": b"/api/payments/webhook",
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "headers": [(b"content-length", b"100")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }

    async def receive() -> Any:
        return next(came)

    async def send(message: Any) -> None:
        answered.append(message)

    await create_app(service.container)(scope, receive, send)  # type: ignore[arg-type] # a hand-made scope

    assert answered[0]["status"] == 408
    assert logs.of("request.failed") == []


async def test_a_fault_of_our_own_while_reading_is_to_be_sent_again_and_told(
    service: Service, logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(webhook, "read_delivery", broken)

    answer = await service.notify()

    assert problem_of(answer) == (503, "database-unavailable")
    assert answer.headers["retry-after"]
    assert "a fault of ours" in logs.of("webhook.not_stored")[0]["exception"]
    assert "a fault of ours" not in answer.text
