"""What surrounds every request: its id, its line in the log, and what never gets into the log."""

import json

import pytest
from dependency_injector.providers import Object

from domain.evidence import ChargeRefused
from domain.ports.gateway import Unanswered
from support import builders, recorded
from support.builders import NOW
from support.service import CREATE, TOKEN_SECRET, a_token, bearer
from unit.entrypoints.harness import (
    JSON,
    BrokenReader,
    Logs,
    Service,
    a_notification_body,
    a_service,
    away,
)


@pytest.mark.parametrize("request_id", ["a", "A-z_0.9", "0f3c" * 16, "7b2e4a10-9f0c-4a52-8d1e-000000000000"])
async def test_a_request_id_is_taken_over_and_given_back(
    service: Service, logs: Logs, request_id: str
) -> None:
    answer = await service.client.get("/api/payments", headers={"X-Request-Id": request_id})

    assert answer.headers["x-request-id"] == request_id
    assert [line["request_id"] for line in logs.of("request.finished")] == [request_id]


@pytest.mark.parametrize(
    "request_id",
    [
        b"",
        b"a" * 65,
        b"a b",
        b"a\nlevel=error",
        b"a\r\nSet-Cookie: a=b",
        b'a","level":"critical',
        b"{{7*7}}",
        b"<script>",
        b"../../etc/passwd",
        b"a\x1b[31m",
        "é".encode(),
        b"a\x00",
        b"%0a",
    ],
)
async def test_another_request_id_is_replaced(service: Service, logs: Logs, request_id: bytes) -> None:
    answer = await service.client.get("/api/payments", headers=[(b"X-Request-Id", request_id)])

    made = answer.headers["x-request-id"]
    assert len(made) == 16
    assert set(made) <= set("0123456789abcdef")
    assert [line["request_id"] for line in logs.of("request.finished")] == [made]


async def test_every_request_without_an_id_gets_one_of_its_own(service: Service) -> None:
    ids = {(await service.client.get("/nowhere")).headers["x-request-id"] for _ in range(50)}

    assert len(ids) == 50


async def test_an_answer_has_one_request_id(service: Service) -> None:
    headers = [(b"X-Request-Id", b"one"), (b"X-Request-Id", b"two")]

    answer = await service.client.get("/nowhere", headers=headers)

    assert answer.headers.get_list("x-request-id") == ["one"]


@pytest.mark.parametrize("path", ["/api/payments", "/api/payments/order-1", "/api/payments/missing"])
async def test_no_answer_of_the_api_is_kept_by_a_cache(service: Service, path: str) -> None:
    await service.given()

    answer = await service.client.get(path, headers=bearer())

    assert answer.headers.get_list("cache-control") == ["no-store"]


@pytest.mark.parametrize(
    ("method", "path", "status", "route"),
    [
        ("GET", "/api/payments", 200, "/api/payments"),
        ("GET", "/api/payments/order-1", 200, "/api/payments/{order_id}"),
        ("GET", "/api/payments/order-1/qr.svg", 409, "/api/payments/{order_id}/qr.svg"),
        ("GET", "/api/payments/missing/status", 404, "/api/payments/{order_id}/status"),
        ("POST", CREATE, 201, CREATE),
        ("GET", "/nowhere/at/all", 404, "unmatched"),
        ("POST", "/api/payments/webhook", 400, "/api/payments/webhook"),
    ],
)
async def test_a_request_is_one_line_with_its_route_and_never_its_address(
    service: Service, logs: Logs, method: str, path: str, status: int, route: str
) -> None:
    await service.given(transaction_id="t-9")
    service.charges_are_taken()

    await service.client.request(method, path, headers=bearer())

    (line,) = logs.of("request.finished")
    assert (line["method"], line["status"], line["route"]) == (method, status, route)
    assert line["level"] == "info"
    assert line["milliseconds"] >= 0
    assert "order-1" not in json.dumps(line)


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics"])
async def test_what_machines_ask_all_day_is_told_at_the_finest_level_only(
    service: Service, logs: Logs, path: str
) -> None:
    await service.client.get(path)

    assert [line["level"] for line in logs.of("request.finished")] == ["debug"]


async def test_a_payment_s_change_is_one_line_with_its_request(service: Service, logs: Logs) -> None:
    service.charges_are_taken()

    answer = await service.create({"order_id": "order-1"})

    changes = logs.of("payment.changed")
    assert [(line["what"], line["status"], line["source"]) for line in changes] == [
        ("created", "created", "shop"),
        ("pending", "pending", "charge"),
    ]
    assert {line["request_id"] for line in changes} == {answer.headers["x-request-id"]}
    assert {line["payment_id"] for line in changes} == {str(service.stored().id)}


async def test_a_notification_is_told_with_what_became_of_it(service: Service, logs: Logs) -> None:
    await service.given()

    await service.notify()
    await service.notify(order_id="never-seen")

    told = [(line["order_id"], line["outcome"], line["level"]) for line in logs.of("webhook.received")]
    assert told == [("order-1", "applied", "info"), ("never-seen", "unknown order", "warning")]


async def test_a_repeat_is_no_change(service: Service, logs: Logs) -> None:
    await service.given()

    for _ in range(3):
        await service.notify()

    assert [line["what"] for line in logs.of("payment.changed")].count("settlement") == 1


async def test_with_the_database_away_there_is_no_traceback(service: Service, logs: Logs) -> None:
    away(service)

    await service.get("/api/payments/order-1")
    await service.notify()

    assert "exception" not in logs.text


async def test_the_id_of_one_request_does_not_stick_to_the_next_line(service: Service, logs: Logs) -> None:
    await service.client.get("/nowhere", headers={"X-Request-Id": "first"})
    await service.client.get("/nowhere")

    assert [line["request_id"] == "first" for line in logs.of("request.finished")] == [True, False]


async def everything_at_once(service: Service) -> list[str]:
    """Calls of every kind, good and bad; gives all that was secret or private in them."""
    token, expired = a_token(), a_token(exp=1)
    cookie = a_token(scope="in-the-cookie")
    good, bad = a_notification_body(), a_notification_body("another key")
    service.gateway.answers_charges_with(
        builders.a_charge_answer(answer=json.dumps(recorded.qris_charge())),
        ChargeRefused(code="402", message="Payment channel is not activated.", received_at=NOW),
        *[Unanswered(reason="no answer in time")] * 8,
    )
    client = service.client
    client.cookies.set("token", cookie)
    secret_order = {
        "order_id": "order-1",
        "callback_url": "https://shop.example/private-way-back",
        "customer": {"first_name": "Siti-private", "email": "siti@private.example", "phone": "0812-private"},
        "items": [{"name": "private-item", "price": 10_000, "quantity": 1}],
        "metadata": {"note": "private-note"},
    }
    for headers in (bearer(), {"Authorization": f"Bearer {expired}"}, {"Authorization": "Basic private"}, {}):
        await client.post(CREATE, json=secret_order, headers=headers)
        await client.get("/api/payments/order-1?token=private-query", headers=headers)
        await client.get("/private-path", headers=headers)
    await client.post(CREATE, json={"order_id": "o-2"}, headers={"Authorization": f"Bearer {token}"})
    await client.post(CREATE, content=b'{"private-body', headers=bearer() | JSON)
    await client.post(CREATE, json={"private-field": 1}, headers=bearer())
    for said in (good, good, bad, good | {"order_id": None}, good | {"private-extra": "private-value"}):
        await client.post("/api/payments/webhook", json=said)
    await client.post("/api/payments/webhook", content=b'{"private-body')
    await client.get("/metrics", headers={"Authorization": "Bearer private-guess"})
    service.container.providers["reader"].override(Object(BrokenReader()))
    service.container.reset_singletons()
    await client.get("/api/payments/order-9", headers={"Authorization": f"Bearer {token}"})
    return [
        *token.split("."),
        *expired.split(".")[1:],
        *cookie.split(".")[1:],
        TOKEN_SECRET,
        builders.SERVER_KEY,
        "SB-Mid-server-previous",
        "scrape-me",
        good["signature_key"],
        bad["signature_key"],
        good["signature_key"][:16],
        recorded.QR_STRING,
        "private",
        "Authorization",
        "Cookie",
    ]


async def test_no_key_token_cookie_body_or_signature_is_ever_logged(logs: Logs) -> None:
    service = a_service(
        AUTH_COOKIE="token",
        BAYAR_METRICS_TOKEN="scrape-me",
        MIDTRANS_PREVIOUS_SERVER_KEY="SB-Mid-server-previous",
    )

    secrets = await everything_at_once(service)

    assert len(logs.of("request.finished")) >= 20
    assert len(logs.of("request.failed")) == 1
    assert [secret for secret in secrets if secret in logs.text] == []


async def test_every_line_is_json_with_a_time_a_level_and_an_event(logs: Logs) -> None:
    await everything_at_once(a_service(AUTH_COOKIE="token"))

    assert all({"timestamp", "level", "event"} <= line.keys() for line in logs.lines)
    assert all(line["timestamp"].endswith("Z") for line in logs.lines)


async def test_an_order_id_cannot_forge_a_line(service: Service, logs: Logs) -> None:
    await service.notify(order_id='x"}\n{"event": "payment.changed"}')

    assert logs.of("payment.changed") == []
    assert len(logs.of("webhook.received")) == 1
