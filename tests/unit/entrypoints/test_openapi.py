"""The API document: it names every route, field, status and problem, and nothing that is not so."""

from collections.abc import Iterator
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

import httpx
import msgspec
import pytest

from domain.errors import GatewayUnavailable
from domain.evidence import ChargeRefused
from domain.history import Source
from domain.notification import NEEDED
from domain.ports.deliveries import DeliveryState
from domain.ports.gateway import Declined, NotTaken, RefundTaken, Unanswered
from domain.refund import RefundStatus
from domain.status import Status
from entrypoints.http import openapi, schemas
from entrypoints.http.app import create_litestar
from entrypoints.http.delivery_views import DeliveryList, DeliveryView
from entrypoints.http.problems import MEDIA_TYPE, PROBLEMS, Problem
from support import builders, merchant
from support.service import CREATE, bearer
from unit.entrypoints.harness import Service, a_service, away, problem_of

READ = {"unauthenticated", "unknown-user", "payment-not-found", "database-unavailable", "internal-error"}
BODY = {"malformed-json", "invalid-body", "request-timeout", "body-too-large"}
PROBLEMS_OF = {
    "createPayment": BODY
    | {
        "unauthenticated",
        "forbidden",
        "unknown-user",
        "cross-site",
        "order-id-taken",
        "in-progress",
        "idempotency-key-reused",
        "charge-lost",
        "unsupported-media-type",
        "amount-out-of-bounds",
        "too-many-requests",
        "gateway-refused",
        "gateway-unavailable",
        "database-unavailable",
        "outcome-unknown",
        "internal-error",
    },
    "listPayments": READ - {"payment-not-found"} | {"invalid-body"},
    "getPayment": READ,
    "getPaymentStatus": READ,
    "getPaymentQr": READ | {"illegal-transition"},
    "listPaymentEvents": READ,
    "cancelPayment": READ | {"cross-site", "illegal-transition", "gateway-refused", "outcome-unknown"},
    "refundPayment": READ
    | BODY
    | {
        "idempotency-key-missing",
        "forbidden",
        "cross-site",
        "in-progress",
        "illegal-transition",
        "unsupported-media-type",
        "idempotency-key-reused",
        "refund-exceeds-payment",
        "gateway-refused",
        "gateway-unavailable",
        "outcome-unknown",
    },
    "listRefunds": READ,
    "listDeliveries": READ,
    "resendEvent": READ | {"cross-site", "event-not-found"},
    "streamPayment": READ | {"too-many-streams"},
    "showCheckout": set(),
    "receiveNotification": BODY | {"invalid-signature", "database-unavailable"},
    "live": set(),
    "ready": {"database-unavailable", "internal-error"},
    "metrics": {"unauthenticated", "internal-error"},
}
# Headers that only some answers of that status carry.
SOMETIMES = {
    ("createPayment", 201): {"Idempotent-Replayed"},
    ("createPayment", 409): {"Retry-After"},
    ("createPayment", 502): {"Idempotent-Replayed"},
    ("refundPayment", 201): {"Idempotent-Replayed"},
    ("refundPayment", 409): {"Retry-After"},
    ("refundPayment", 502): {"Idempotent-Replayed"},
}
SUCCESSES = {
    "createPayment": {"201"},
    "refundPayment": {"201"},
    "getPaymentQr": {"200", "302"},
    "resendEvent": {"202"},
    "streamPayment": {"200", "204"},
}
KEYED = {"createPayment", "refundPayment"}
# Operations for people's eyes: their errors are pages too.
PAGES = {"showCheckout": {"404", "503"}}


@pytest.fixture
async def document(service: Service) -> Any:
    answer = await service.client.get("/docs/openapi.json")
    assert answer.status_code == 200
    return answer.json()


@pytest.fixture
def operations(document: Any) -> dict[str, Any]:
    return {call["operationId"]: call for calls in document["paths"].values() for call in calls.values()}


def codes_of(response: Any) -> list[str]:
    return list(response["content"].get(MEDIA_TYPE, {}).get("examples", ()))


def everything_in(node: Any) -> Iterator[Any]:
    """Every object of the document."""
    if isinstance(node, dict):
        yield node
    if isinstance(node, dict | list):
        for inner in node.values() if isinstance(node, dict) else node:
            yield from everything_in(inner)


async def a_told_event(service: Service) -> str:
    """An event of a payment of its own that an endpoint is to be told; its id."""
    await merchant.listens(service.begin)
    await merchant.is_paid(service.begin, "order-told")
    (due,) = await merchant.take(service.begin)
    return str(due.event_id)


def found(document: Any, ref: str) -> Any:
    node = document
    for name in ref.removeprefix("#/").split("/"):
        node = node[name]
    return node


def test_every_route_is_in_it_and_nothing_else(service: Service, document: Any) -> None:
    app = create_litestar(service.container)
    routes = {
        (route.path_format, method.lower())
        for route in app.routes
        for method in getattr(route, "methods", ())
        if not route.path.startswith(("/docs", "/checkout/assets")) and method != "OPTIONS"
    }

    assert {(path, method) for path, calls in document["paths"].items() for method in calls} == routes


def test_it_is_openapi_3_1_of_this_release(document: Any) -> None:
    assert document["openapi"].startswith("3.1.")
    assert document["info"]["title"] == "Bayar"
    assert document["info"]["version"] == version("bayar")


def test_every_reference_leads_somewhere(document: Any) -> None:
    references = {node["$ref"] for node in everything_in(document) if "$ref" in node}

    assert references
    assert all(found(document, reference) for reference in references)


@pytest.mark.parametrize("name", PROBLEMS_OF)
def test_every_operation_says_what_it_is(operations: Any, document: Any, name: str) -> None:
    operation = operations[name]

    assert operation["summary"]
    assert operation["description"]
    assert set(operation["tags"]) <= {tag["name"] for tag in document["tags"]}
    for parameter in operation.get("parameters", ()):
        assert parameter["description"], parameter
        assert {"type": "null"} not in parameter["schema"].get("oneOf", ()), parameter


@pytest.mark.parametrize("name", PROBLEMS_OF)
def test_every_operation_lists_its_answers(operations: Any, name: str) -> None:
    responses = operations[name]["responses"]
    problems = {status: codes_of(response) for status, response in responses.items() if status >= "400"}

    assert responses.keys() - problems.keys() == SUCCESSES.get(name, {"200"})
    assert {status for status, codes in problems.items() if not codes} == PAGES.get(name, set())
    assert {code for codes in problems.values() for code in codes} == PROBLEMS_OF[name]
    assert all(PROBLEMS[code][0] == int(status) for status, codes in problems.items() for code in codes)
    assert sum(len(codes) for codes in problems.values()) == len(PROBLEMS_OF[name])


def test_the_framework_s_own_words_are_nowhere(operations: Any) -> None:
    theirs = {status.description for status in HTTPStatus}

    for name, operation in operations.items():
        for status, response in operation["responses"].items():
            assert response["description"] not in theirs
            if status >= "400" and name not in PAGES:
                schema = response["content"][MEDIA_TYPE]["schema"]
                assert schema == {"$ref": "#/components/schemas/Problem"}
                assert len(response["content"]) == 1
            else:
                assert all(content["schema"] for content in response.get("content", {}).values())


def test_who_may_call_what(operations: Any, document: Any) -> None:
    bearer = {name for name, operation in operations.items() if operation.get("security") == [{"bearer": []}]}
    either = {
        name
        for name, operation in operations.items()
        if operation.get("security") == [{"bearer": []}, {"checkoutToken": []}]
    }

    public = {"receiveNotification", "live", "ready", "metrics", "showCheckout"}
    assert either == {"getPaymentQr", "streamPayment"}
    assert bearer == PROBLEMS_OF.keys() - public - either
    assert operations["metrics"]["security"] == [{}, {"metricsBearer": []}]
    assert not any(
        operations[name].get("security") for name in ("receiveNotification", "live", "ready", "showCheckout")
    )
    schemes = document["components"]["securitySchemes"]
    assert schemes.keys() == {"bearer", "checkoutToken", "metricsBearer"}
    assert (schemes["checkoutToken"]["in"], schemes["checkoutToken"]["name"]) == ("query", "token")


def test_headers_are_told_where_they_matter(operations: Any) -> None:
    for name, operation in operations.items():
        keyed = name in KEYED
        for status, response in operation["responses"].items():
            headers = response["headers"].keys()
            assert "X-Request-Id" in headers
            assert ("Retry-After" in headers) == (status in {"429", "503"} or (keyed and status == "409"))
            assert ("Idempotent-Replayed" in headers) == (keyed and status in {"201", "502"})
            assert ("WWW-Authenticate" in headers) == (status == "401")
            assert ("Location" in headers) == (status == "302")
    picture = operations["getPaymentQr"]["responses"]["200"]
    assert picture["content"].keys() == {"image/svg+xml"}
    assert "Cache-Control" in picture["headers"]


def test_the_idempotency_key_is_told_as_a_header_of_creating_and_refunding(operations: Any) -> None:
    told = {name: operation.get("parameters", []) for name, operation in operations.items()}

    headers = {name: [p["name"] for p in found if p["in"] == "header"] for name, found in told.items()}
    assert {name: found for name, found in headers.items() if found} == {
        **{name: ["Idempotency-Key"] for name in KEYED},
        "streamPayment": ["Last-Event-ID"],
    }
    for name in KEYED:
        (key,) = [p for p in told[name] if p["in"] == "header"]
        assert key["required"] == (name == "refundPayment")
        assert (key["schema"]["minLength"], key["schema"]["maxLength"]) == (1, 255)


def test_every_field_of_every_body_is_described(document: Any) -> None:
    for name, schema in document["components"]["schemas"].items():
        assert schema["description"], name
        assert "   " not in schema["description"], name
        for field, said in schema.get("properties", {}).items():
            assert said["description"], (name, field)
            assert "default" not in said, (name, field)


@pytest.mark.parametrize(
    "kind",
    [
        schemas.CreateBody,
        schemas.PaymentView,
        schemas.PaymentList,
        schemas.ActionView,
        schemas.EventList,
        schemas.EventView,
        schemas.RefundBody,
        schemas.RefundView,
        schemas.RefundList,
        DeliveryView,
        DeliveryList,
        Problem,
    ],
)
def test_bodies_have_the_fields_that_are_sent(document: Any, kind: type[msgspec.Struct]) -> None:
    schema = document["components"]["schemas"][kind.__name__]
    fields = msgspec.structs.fields(kind)

    assert schema["properties"].keys() == {field.encode_name for field in fields}
    assert set(schema.get("required", ())) == {field.encode_name for field in fields if field.required}


def test_creating_reads_a_strict_body_that_may_be_absent(operations: Any, document: Any) -> None:
    body = operations["createPayment"]["requestBody"]
    schema = found(document, body["content"]["application/json"]["schema"]["$ref"])

    assert body["required"] is False
    assert schema["additionalProperties"] is False
    amount, _ = schema["properties"]["gross_amount"]["anyOf"]
    assert (amount["minimum"], amount["maximum"]) == (1, 20_000_000)
    assert document["components"]["schemas"]["ItemBody"]["properties"]["quantity"]["minimum"] == 1
    assert document["components"]["schemas"]["CustomerBody"]["additionalProperties"] is False


def test_a_payment_says_when_a_field_is_null_or_absent(document: Any) -> None:
    payment = document["components"]["schemas"]["PaymentView"]
    nullable = {
        name for name, field in payment["properties"].items() if {"type": "null"} in field.get("anyOf", ())
    }

    assert nullable == {"transaction_id", "qr_string", "checkout_url", "paid_at"}
    assert all("null" in payment["properties"][name]["description"] for name in nullable)
    assert "refreshed" not in payment["required"]
    assert "getPaymentStatus" in payment["properties"]["refreshed"]["description"]
    assert payment["properties"]["created_at"]["format"] == "date-time"


def test_a_problem_leaves_out_what_it_does_not_have(document: Any) -> None:
    problem = document["components"]["schemas"]["Problem"]

    assert not [node for node in everything_in(problem) if node.get("type") == "null"]
    assert set(problem["properties"]) - set(problem["required"]) == {
        "errors",
        "order_id",
        "gateway_code",
        "gateway_message",
        "payment",
    }


def test_every_state_of_a_delivery_is_explained(document: Any) -> None:
    state = document["components"]["schemas"]["DeliveryState"]

    assert state["enum"] == list(DeliveryState)
    assert list(state["x-enumDescriptions"]) == list(DeliveryState)


@pytest.mark.parametrize("kind", [Status, RefundStatus])
def test_every_status_is_explained(document: Any, kind: type[Status | RefundStatus]) -> None:
    status = document["components"]["schemas"][kind.__name__]

    assert status["enum"] == list(kind)
    assert list(status["x-enumDescriptions"]) == list(kind)


def test_refunding_reads_a_strict_body_that_may_be_absent(operations: Any, document: Any) -> None:
    body = operations["refundPayment"]["requestBody"]
    schema = found(document, body["content"]["application/json"]["schema"]["$ref"])

    assert body["required"] is False
    assert schema["additionalProperties"] is False
    assert schema["properties"]["amount"]["anyOf"][0]["minimum"] == 1
    assert schema["properties"]["reason"]["anyOf"][0]["maxLength"] == 255


def test_a_refund_says_when_a_field_is_null(document: Any) -> None:
    fields = document["components"]["schemas"]["RefundView"]["properties"]
    nullable = {name for name, field in fields.items() if {"type": "null"} in field.get("anyOf", ())}

    assert nullable == {"reason", "gateway_code", "gateway_message", "accepted_at", "confirmed_at"}
    assert all("null" in fields[name]["description"] for name in nullable)


def test_every_source_of_evidence_is_explained(document: Any) -> None:
    source = document["components"]["schemas"]["Source"]

    assert source["enum"] == list(Source)
    assert list(source["x-enumDescriptions"]) == list(Source)


def test_every_problem_is_there_with_an_example_and_advice(document: Any) -> None:
    examples = document["components"]["examples"]

    assert list(examples) == list(PROBLEMS)
    assert document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"] == list(PROBLEMS)
    assert openapi._ADVICE.keys() == PROBLEMS.keys()
    for code, example in examples.items():
        problem = msgspec.convert(example["value"], Problem)
        assert (problem.status, problem.title, problem.code) == (*PROBLEMS[code], code)


def test_the_webhook_says_what_it_needs(operations: Any, document: Any) -> None:
    body = operations["receiveNotification"]["requestBody"]
    schema = found(document, body["content"]["*/*"]["schema"]["$ref"])
    needed = {name: schema["properties"][name] for name in schema["required"]}

    assert body["required"] is True
    assert {name: field["maxLength"] for name, field in needed.items()} == NEEDED
    assert all((field["type"], field["minLength"]) == ("string", 1) for field in needed.values())
    assert "additionalProperties" not in schema


async def refunds_of(service: Service) -> list[httpx.Response]:
    """Refunds that end in every way that does not take a second process."""
    await service.given(order_id="paid", status=Status.SETTLEMENT, transaction_id="t-paid")
    service.gateway.answers_refunds_with(
        RefundTaken(transaction_id="t-paid"),
        Declined(code="412", message="No."),
        NotTaken(reason="ConnectError"),
        Unanswered(reason="no answer in time"),
    )
    return [
        await service.refund("paid", {"amount": 1}, key="one"),
        await service.refund("paid", {"amount": 1}, key="one"),
        await service.refund("paid", {"amount": 2}, key="one"),
        await service.refund("paid", {"amount": 1}, key="two"),
        await service.refund("paid", {"amount": 1}, key="two"),
        await service.refund("paid", {"amount": 1}, key="three"),
        await service.refund("paid", {"amount": 1}, key="four"),
        await service.refund("paid", {"amount": 10_000}, key="five"),
        await service.refund("paid", {"amount": "1"}, key="six"),
        await service.refund("paid", key=None),
        await service.refund("paid", scope=None),
        await service.refund("order-1"),
        await service.refund("nothing"),
        await service.client.post("/api/payments/paid/refunds"),
    ]


async def cancels_of(service: Service) -> list[httpx.Response]:
    """Cancels that end in every way."""
    service.gateway.answers_cancel_of(
        "t-open",
        GatewayUnavailable("ReadError"),
        Declined(code="402", message="No."),
        builders.a_status_reply(order_id="open", transaction_id="t-open", transaction_status="cancel"),
    )
    await service.given(order_id="open", transaction_id="t-open")
    answers = [await service.cancel("open") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [504, 502, 200, 409]
    return [
        *answers,
        await service.cancel("nothing"),
        await service.cancel("open", user=9),
        await service.client.post("/api/payments/open/cancel"),
    ]


async def test_what_is_answered_is_what_is_documented(operations: Any) -> None:
    service = a_service()
    refused = ChargeRefused(code="402", message="No.", received_at=builders.NOW)
    service.gateway.answers_charges_with(
        builders.a_charge_answer(transaction_id="t-2"),
        refused,
        NotTaken(reason="API rate limit exceeded", retry_after=17),
        *[Unanswered(reason="no answer in time")] * 10,
    )
    await service.given()
    await service.given(order_id="order-3", status=Status.EXPIRE, checkout_token="t" * 32)
    seen = {"Last-Event-ID": "1"}
    event_id = await a_told_event(service)
    reading = {
        "getPayment": "/api/payments/{}",
        "getPaymentStatus": "/api/payments/{}/status",
        "getPaymentQr": "/api/payments/{}/qr.svg",
        "listPaymentEvents": "/api/payments/{}/events",
        "listDeliveries": "/api/payments/{}/deliveries",
        "streamPayment": "/api/payments/{}/stream",
    }
    resending = f"/api/payments/order-told/deliveries/{event_id}/resend"

    answers = [
        ("createPayment", await service.create({"order_id": "order-2"})),
        ("createPayment", await service.create({"order_id": "order-4"})),
        ("createPayment", await service.create({"order_id": "order-5"})),
        ("createPayment", await service.create({"order_id": "order-6"})),
        ("createPayment", await service.create({"order_id": "order-2"})),
        ("createPayment", await service.create({"gross_amount": 0})),
        ("createPayment", await service.create({"gross_amount": "1"})),
        ("createPayment", await service.create_raw(b"{")),
        ("createPayment", await service.create_raw(b" " * 70_000)),
        ("createPayment", await service.create_raw(b"{}", **{"Content-Type": "text/plain"})),
        ("createPayment", await service.create(headers=bearer(user=9))),
        ("createPayment", await service.client.post(CREATE)),
        ("listPayments", await service.get("/api/payments")),
        ("listPayments", await service.get("/api/payments?limit=0")),
        ("listPayments", await service.get("/api/payments?cursor=1")),
        ("listPayments", await service.get("/api/payments", user=9)),
        ("listPayments", await service.client.get("/api/payments")),
        *[
            (name, await service.get(path.format("order-1")))
            for name, path in reading.items()
            if name != "streamPayment"
        ],
        ("streamPayment", await service.client.get("/api/payments/order-3/stream", headers=bearer() | seen)),
        ("showCheckout", await service.client.get(f"/checkout/{'t' * 32}")),
        ("showCheckout", await service.client.get(f"/checkout/{'u' * 32}")),
        *[(name, await service.get(path.format("order-3"))) for name, path in reading.items()],
        *[(name, await service.get(path.format("nothing"))) for name, path in reading.items()],
        *[(name, await service.get(path.format("order-1"), user=9)) for name, path in reading.items()],
        *[(name, await service.client.get(path.format("order-1"))) for name, path in reading.items()],
        *[("refundPayment", answer) for answer in await refunds_of(service)],
        *[("cancelPayment", answer) for answer in await cancels_of(service)],
        ("listRefunds", await service.get("/api/payments/paid/refunds")),
        ("listRefunds", await service.get("/api/payments/nothing/refunds")),
        ("listRefunds", await service.client.get("/api/payments/paid/refunds")),
        ("resendEvent", await service.client.post(resending, headers=bearer())),
        ("resendEvent", await service.client.post(resending.replace(event_id, "x"), headers=bearer())),
        (
            "resendEvent",
            await service.client.post(resending.replace("order-told", "nothing"), headers=bearer()),
        ),
        ("resendEvent", await service.client.post(resending)),
        ("receiveNotification", await service.notify()),
        ("receiveNotification", await service.notify(signature_key="0" * 128)),
        ("receiveNotification", await service.notify_raw(b"{")),
        ("receiveNotification", await service.notify_raw(b"{}")),
        ("receiveNotification", await service.notify_raw(b" " * 70_000)),
        ("live", await service.client.get("/health/live")),
        ("ready", await service.client.get("/health/ready")),
        ("metrics", await service.client.get("/metrics")),
    ]
    away(service)
    answers += [
        ("createPayment", await service.create()),
        ("listPayments", await service.get("/api/payments")),
        ("refundPayment", await service.refund("paid", key="away")),
        ("cancelPayment", await service.cancel("paid")),
        *[(name, await service.get(path.format("order-1"))) for name, path in reading.items()],
        ("resendEvent", await service.client.post(resending, headers=bearer())),
        ("receiveNotification", await service.notify()),
        ("ready", await service.client.get("/health/ready")),
        ("showCheckout", await service.client.get(f"/checkout/{'t' * 32}")),
    ]

    for name, answer in answers:
        told = operations[name]["responses"].get(str(answer.status_code))
        assert told is not None, (name, answer.status_code)
        always = told["headers"].keys() - SOMETIMES.get((name, answer.status_code), set())
        assert all(header in answer.headers for header in always), (name, answer.headers)
        media = answer.headers.get("content-type", "").partition(";")[0]
        assert media in told.get("content", {media: None}), (name, media)
        assert media != MEDIA_TYPE or problem_of(answer)[1] in codes_of(told), (name, answer.text)


async def test_every_sent_field_of_a_payment_is_documented(service: Service, document: Any) -> None:
    await service.given()

    stored = (await service.get("/api/payments/order-1")).json()
    asked = (await service.get("/api/payments/order-1/status")).json()

    payment = document["components"]["schemas"]["PaymentView"]
    assert list(stored) == payment["required"]
    assert list(asked) == list(payment["properties"])
