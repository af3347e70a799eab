"""Every error is a problem (RFC 9457): the table of the contract, and what the framework itself refuses."""

from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
import pytest
from dependency_injector.providers import Object
from litestar.exceptions import HTTPException

from domain.errors import TransactionTaken, UserNotAdded
from domain.evidence import ChargeRefused
from domain.ports.gateway import AlreadyThere, Charge, ChargeOutcome, NotTaken, Unanswered
from entrypoints.http.problems import PROBLEMS
from support import builders
from support.builders import NOW
from support.service import CREATE, a_token, bearer
from unit.entrypoints.following import following
from unit.entrypoints.harness import (
    BrokenReader,
    Logs,
    Service,
    a_service,
    away,
    keyed,
    problem_of,
)

Situation = Callable[[], Awaitable[httpx.Response]]
SITUATIONS: Final[dict[str, tuple[int, Situation]]] = {}


def leads_to(status: int, code: str) -> Callable[[Situation], Situation]:
    def keep(situation: Situation) -> Situation:
        SITUATIONS[code] = status, situation
        return situation

    return keep


@leads_to(400, "malformed-json")
async def _a_body_that_is_no_json() -> httpx.Response:
    return await a_service().create_raw(b"{")


@leads_to(400, "invalid-body")
async def _an_unknown_field() -> httpx.Response:
    return await a_service().create({"colour": "red"})


@leads_to(400, "idempotency-key-missing")
async def _a_refund_without_a_key() -> httpx.Response:
    service = a_service()
    await service.given(status=builders.Status.SETTLEMENT)
    return await service.refund(key=None)


@leads_to(401, "unauthenticated")
async def _no_token() -> httpx.Response:
    return await a_service().client.post(CREATE)


@leads_to(403, "forbidden")
async def _a_missing_scope() -> httpx.Response:
    return await a_service(AUTH_CREATE_SCOPE="payments:create").create()


@leads_to(403, "unknown-user")
async def _a_stranger() -> httpx.Response:
    return await a_service().create(headers=bearer(user=99))


@leads_to(403, "cross-site")
async def _a_cookie_from_elsewhere() -> httpx.Response:
    service = a_service(AUTH_COOKIE="token")
    service.client.cookies.set("token", a_token())
    return await service.client.post(CREATE, headers={"Origin": "https://evil.example"})


@leads_to(403, "invalid-signature")
async def _a_forged_notification() -> httpx.Response:
    return await a_service().notify(signature_key="x")


@leads_to(404, "not-found")
async def _no_such_route() -> httpx.Response:
    return await a_service().get("/api/refunds")


@leads_to(404, "payment-not-found")
async def _no_such_payment() -> httpx.Response:
    return await a_service().get("/api/payments/missing")


@leads_to(404, "event-not-found")
async def _no_such_event() -> httpx.Response:
    service = a_service()
    await service.given()
    path = "/api/payments/order-1/deliveries/5b1f0c3e-7a52-5d0e-9a34-0d8f8f6c2b11/resend"
    return await service.client.post(path, headers=bearer())


@leads_to(405, "method-not-allowed")
async def _another_method() -> httpx.Response:
    return await a_service().client.delete("/api/payments/order-1", headers=bearer())


@leads_to(409, "order-id-taken")
async def _a_taken_order_id() -> httpx.Response:
    service = a_service()
    await service.given()
    return await service.create({"order_id": "order-1"})


@leads_to(409, "in-progress")
async def _a_repeat_before_the_first_is_answered() -> httpx.Response:
    service = a_service()
    repeats = []

    async def repeat(_charge: Charge, _within: float) -> ChargeOutcome:
        repeats.append(await service.create(headers=keyed("one")))
        return builders.a_charge_answer()

    service.gateway.answers_charges_with(repeat)
    await service.create(headers=keyed("one"))
    return repeats[0]


@leads_to(409, "illegal-transition")
async def _a_qr_of_a_paid_payment() -> httpx.Response:
    service = a_service()
    await service.given(status=builders.Status.SETTLEMENT)
    return await service.get("/api/payments/order-1/qr.svg")


@leads_to(413, "body-too-large")
async def _a_large_body() -> httpx.Response:
    return await a_service().create_raw(b"{}".ljust(70_000))


@leads_to(415, "unsupported-media-type")
async def _a_form() -> httpx.Response:
    return await a_service().client.post(CREATE, data={"a": "b"}, headers=bearer())


@leads_to(422, "amount-out-of-bounds")
async def _no_money() -> httpx.Response:
    return await a_service().create({"gross_amount": 0})


@leads_to(422, "idempotency-key-reused")
async def _a_key_with_other_values() -> httpx.Response:
    service = a_service()
    service.charges_are_taken()
    await service.create({"gross_amount": 1}, headers=keyed("one"))
    return await service.create({"gross_amount": 2}, headers=keyed("one"))


@leads_to(422, "refund-exceeds-payment")
async def _more_than_was_paid() -> httpx.Response:
    service = a_service()
    await service.given(status=builders.Status.SETTLEMENT)
    return await service.refund(fields={"amount": 10_001})


@leads_to(429, "too-many-requests")
async def _one_create_too_many() -> httpx.Response:
    service = a_service(BAYAR_CREATE_RATE="1")
    service.charges_are_taken()
    await service.create()
    return await service.create()


@leads_to(500, "internal-error")
async def _a_fault_of_our_own() -> httpx.Response:
    service = a_service()
    service.container.providers["reader"].override(Object(BrokenReader()))
    service.container.reset_singletons()
    return await service.get("/api/payments/order-1")


@leads_to(502, "gateway-refused")
async def _a_refused_charge() -> httpx.Response:
    service = a_service()
    refused = ChargeRefused(code="402", message="Payment channel is not activated.", received_at=NOW)
    service.gateway.answers_charges_with(refused)
    return await service.create()


@leads_to(502, "charge-lost")
async def _a_charge_whose_qr_nobody_has() -> httpx.Response:
    service = a_service()
    service.gateway.answers_charges_with(AlreadyThere())
    service.gateway.answers_status_of("order-1", builders.a_status_reply(transaction_status="pending"))
    service.gateway.answers_cancel_of("t-1", builders.a_status_reply(transaction_status="cancel"))
    return await service.create({"order_id": "order-1"})


@leads_to(503, "gateway-unavailable")
async def _midtrans_out_of_reach() -> httpx.Response:
    service = a_service()
    service.gateway.answers_charges_with(*[NotTaken(reason="ConnectError")] * 2)
    return await service.create()


@leads_to(503, "database-unavailable")
async def _no_database() -> httpx.Response:
    service = a_service()
    away(service)
    return await service.create()


@leads_to(503, "too-many-streams")
async def _one_viewer_more_than_there_is_room_for() -> httpx.Response:
    service = a_service(BAYAR_MAX_STREAMS="1")
    await service.given()
    async with following(service, "/api/payments/order-1/stream", headers=bearer()):
        return await service.get("/api/payments/order-1/stream")


@leads_to(504, "outcome-unknown")
async def _no_answer_to_a_charge() -> httpx.Response:
    service = a_service()
    service.gateway.answers_charges_with(*[Unanswered(reason="no answer in time")] * 10)
    return await service.create()


@pytest.mark.parametrize("code", SITUATIONS)
async def test_a_problem_has_its_status_and_code(code: str) -> None:
    status, situation = SITUATIONS[code]

    answer = await situation()

    assert problem_of(answer) == (status, code)


@pytest.mark.parametrize("code", SITUATIONS)
async def test_a_problem_has_the_members_of_rfc_9457(code: str) -> None:
    problem = (await SITUATIONS[code][1]()).json()

    assert problem["type"] == f"urn:bayar:problem:{code}"
    assert problem["title"] == PROBLEMS[code][1]
    assert problem["detail"]
    more = set(problem) - {"type", "title", "status", "detail", "code"}
    assert more <= {"errors", "order_id", "gateway_code", "gateway_message"}


@pytest.mark.parametrize("code", SITUATIONS)
async def test_a_time_to_wait_is_told_where_waiting_helps(code: str) -> None:
    answer = await SITUATIONS[code][1]()

    waits = {
        "in-progress",
        "too-many-requests",
        "too-many-streams",
        "gateway-unavailable",
        "database-unavailable",
    }
    assert ("retry-after" in answer.headers) is (code in waits)
    assert int(answer.headers.get("retry-after", "1")) >= 1


@pytest.mark.parametrize("code", SITUATIONS)
async def test_every_problem_carries_the_headers_of_every_answer(code: str) -> None:
    answer = await SITUATIONS[code][1]()

    assert answer.headers["x-request-id"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_every_problem_of_the_table_has_its_situation_here() -> None:
    # A body that never arrives would take ten seconds.
    assert set(SITUATIONS) == set(PROBLEMS) - {"request-timeout"}


async def test_a_user_that_cannot_be_added_is_an_unknown_one() -> None:
    service = a_service(BAYAR_AUTO_CREATE_USERS="true")

    @asynccontextmanager
    async def begin() -> Any:
        async with service.begin() as work:
            work.users = NoNewUsers()
            yield work

    service.container.providers["create_begin"].override(Object(begin))

    answer = await service.create(headers=bearer(user=99))

    assert problem_of(answer) == (403, "unknown-user")
    assert "full_name" in answer.json()["detail"]


class NoNewUsers:
    """A users table that demands more than an id."""

    async def add(self, _user_id: int) -> int:
        raise UserNotAdded("full_name must not be null")


async def test_trouble_without_a_status_of_its_own_is_a_fault_of_our_own(logs: Logs) -> None:
    class Unforeseen:
        async def find_all(self, _order_ids: object) -> Any:
            raise TransactionTaken("t-1")

    service = a_service()
    service.container.providers["reader"].override(Object(Unforeseen()))

    answer = await service.get("/api/payments/order-1")

    assert problem_of(answer) == (500, "internal-error")
    assert len(logs.of("request.failed")) == 1


async def test_a_fault_of_our_own_tells_nothing_of_itself(logs: Logs) -> None:
    answer = await _a_fault_of_our_own()

    assert "secret" not in answer.text
    assert "RuntimeError" not in answer.text
    assert "Traceback" not in answer.text
    (line,) = logs.of("request.failed")
    assert "RuntimeError" in line["exception"]
    assert line["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/api"),
        ("GET", "/api/payments/order-1/refunds/one"),
        ("GET", "/checkout"),
        ("GET", "/favicon.ico"),
        ("GET", "/api/payments/a/b/c"),
        ("GET", "/../etc/passwd"),
        ("BREW", "/nowhere"),
    ],
)
async def test_an_address_that_does_not_exist_is_a_problem(service: Service, method: str, path: str) -> None:
    answer = await service.client.request(method, path, headers=bearer())

    assert problem_of(answer) == (404, "not-found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", CREATE, "POST"),
        ("GET", CREATE, "POST"),
        ("POST", "/api/payments", "GET"),
        ("POST", "/api/payments/order-1", "GET"),
        ("PATCH", "/api/payments/order-1/status", "GET"),
        ("GET", "/api/payments/order-1/cancel", "POST"),
        ("PUT", "/api/payments/order-1/refunds", "POST"),
        ("GET", "/api/payments/webhook", "POST"),
        ("POST", "/api/payments/order-1/stream", "GET"),
        ("POST", "/checkout/x", "GET"),
        ("POST", "/health/live", "GET"),
        ("BREW", "/metrics", "GET"),
    ],
)
async def test_a_method_that_an_address_does_not_take_is_a_problem(
    service: Service, method: str, path: str, allowed: str
) -> None:
    answer = await service.client.request(method, path, headers=bearer())

    assert problem_of(answer) == (405, "method-not-allowed")
    assert allowed in answer.headers["allow"].split(", ")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 408, 413, 415, 429])
async def test_an_error_of_the_framework_s_own_is_a_problem(service: Service, status: int) -> None:
    class Refusing:
        async def find_all(self, _order_ids: object) -> Any:
            raise HTTPException(status_code=status)

    service.container.providers["reader"].override(Object(Refusing()))

    answer = await service.get("/api/payments/order-1")

    assert problem_of(answer)[0] == status
