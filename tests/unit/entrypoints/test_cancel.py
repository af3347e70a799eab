"""Cancelling over HTTP: the answers, and who may."""

import httpx
import pytest

from domain.errors import GatewayUnavailable
from domain.evidence import NoTransaction
from domain.ports.gateway import Declined
from domain.status import Status
from support import builders
from support.builders import NOW
from support.service import a_token, bearer
from unit.entrypoints.harness import OTHER_USER, Service, a_service, problem_of

PATH = "/api/payments/order-1/cancel"


async def test_a_cancelled_payment_is_answered_as_it_is_now(service: Service) -> None:
    await service.given()
    service.gateway.answers_cancel_of("t-1", builders.a_status_reply(transaction_status="cancel"))

    answer = await service.cancel()

    assert answer.status_code == 200
    assert answer.json()["status"] == "cancel"
    assert answer.json() == (await service.get("/api/payments/order-1")).json()


@pytest.mark.parametrize("faster", ["settlement", "expire"])
async def test_what_was_faster_is_409_with_the_payment(service: Service, faster: str) -> None:
    await service.given()
    service.gateway.answers_cancel_of("t-1", builders.a_status_reply(transaction_status=faster))

    answer = await service.cancel()

    assert problem_of(answer) == (409, "illegal-transition")
    payment = answer.json()["payment"]
    assert payment["status"] == faster
    assert payment == (await service.get("/api/payments/order-1")).json()
    assert answer.json()["order_id"] == "order-1"


@pytest.mark.parametrize("status", [Status.CREATED, Status.CANCEL, Status.SETTLEMENT, Status.FAILURE])
async def test_what_is_not_pending_is_409_with_the_payment(service: Service, status: Status) -> None:
    await service.given(status=status)

    answer = await service.cancel()

    assert problem_of(answer) == (409, "illegal-transition")
    assert answer.json()["payment"]["status"] == status
    assert service.gateway.cancelled == []


async def test_a_second_cancel_is_409_with_the_payment(service: Service) -> None:
    await service.given()
    service.gateway.answers_cancel_of("t-1", builders.a_status_reply(transaction_status="cancel"))
    await service.cancel()

    answer = await service.cancel()

    assert problem_of(answer) == (409, "illegal-transition")
    assert answer.json()["payment"]["status"] == "cancel"


async def test_no_answer_is_504_with_the_order_id(service: Service) -> None:
    await service.given()
    service.gateway.answers_cancel_of("t-1", GatewayUnavailable("ReadError"))

    answer = await service.cancel()

    assert problem_of(answer) == (504, "outcome-unknown")
    assert answer.json()["order_id"] == "order-1"
    assert service.stored().status is Status.PENDING


async def test_a_refusal_is_502_with_midtranss_own_words(service: Service) -> None:
    await service.given()
    service.gateway.answers_cancel_of("t-1", Declined(code="402", message="GoPay merchant is not active."))

    answer = await service.cancel()

    assert problem_of(answer) == (502, "gateway-refused")
    told = answer.json()
    assert (told["order_id"], told["gateway_code"]) == ("order-1", "402")
    assert told["gateway_message"] == "GoPay merchant is not active."


async def test_a_transaction_that_midtrans_does_not_know_is_502(service: Service) -> None:
    await service.given()
    service.gateway.answers_cancel_of("t-1", NoTransaction(received_at=NOW))

    answer = await service.cancel()

    assert problem_of(answer) == (502, "gateway-refused")
    assert answer.json()["gateway_code"] == "404"


async def test_another_user_s_payment_is_answered_like_none(service: Service) -> None:
    await service.given(user_id=OTHER_USER)

    foreign = await service.cancel()
    absent = await service.cancel("order-2")

    assert problem_of(foreign) == (404, "payment-not-found")
    assert foreign.text.replace("order-1", "order-2") == absent.text
    assert service.gateway.cancelled == []


async def test_whoever_reaches_any_payment_may_cancel_it(service: Service) -> None:
    await service.given(user_id=OTHER_USER)
    service.gateway.answers_cancel_of("t-1", builders.a_status_reply(transaction_status="cancel"))

    answer = await service.cancel(scope="payments:any")

    assert answer.status_code == 200


async def test_a_cookie_from_elsewhere_cancels_nothing() -> None:
    service = a_service(AUTH_COOKIE="token")
    await service.given()
    service.client.cookies.set("token", a_token())

    answer = await service.client.post(PATH, headers={"Sec-Fetch-Site": "cross-site"})

    assert problem_of(answer) == (403, "cross-site")
    assert service.gateway.cancelled == []


@pytest.mark.parametrize("body", [b"", b"{}", b"nonsense"])
async def test_it_needs_no_body(service: Service, body: bytes) -> None:
    await service.given()
    service.gateway.answers_cancel_of("t-1", builders.a_status_reply(transaction_status="cancel"))

    answer: httpx.Response = await service.client.post(PATH, content=body, headers=bearer())

    assert answer.status_code == 200
