"""What is sent to refund, and what each answer means for the money."""

import base64
import json
from datetime import UTC, datetime
from typing import Any, Final

import httpx
import pytest

from domain.evidence import ReportedRefund, StatusReply
from domain.ports.gateway import AlreadyThere, Declined, NotTaken, RefundOutcome, RefundTaken, Unanswered
from support.builders import NOW, SERVER_KEY, a_refund_order, an_id
from support.recorded import (
    BAD_GATEWAY,
    BAD_PATH,
    BROKEN,
    TOO_MANY,
    UNAUTHORIZED,
    denied_refund,
    error_body,
    refund_answer,
    refunded_body,
    response,
)
from support.situations import RecordedMidtrans

ACCEPTED: Final = refund_answer({"refund_key": "refund-1", "amount": 4_000})


async def outcome_of(answer: httpx.Response | Exception, **order: Any) -> RefundOutcome:
    midtrans = RecordedMidtrans()
    midtrans.answers(answer)
    return await midtrans.gateway.refund(a_refund_order(**order), within=10)


async def request_of(**order: Any) -> httpx.Request:
    midtrans = RecordedMidtrans()
    midtrans.takes_refunds()
    await midtrans.gateway.refund(a_refund_order(**order), within=10)
    return midtrans.requests[-1]


async def test_a_refund_names_its_key_and_amount() -> None:
    key = str(an_id("refund"))

    request = await request_of(key=key)

    assert (request.method, request.url.path) == ("POST", "/v2/t-1/refund")
    assert json.loads(request.content) == {"refund_key": key, "amount": 4_000}
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Idempotency-Key"] == key
    assert request.headers["Authorization"] == "Basic " + base64.b64encode(f"{SERVER_KEY}:".encode()).decode()


async def test_a_reason_is_passed_on() -> None:
    assert json.loads((await request_of(reason="habis \u2615")).content)["reason"] == "habis \u2615"


async def test_an_odd_transaction_does_not_lead_elsewhere() -> None:
    assert (await request_of(transaction="a/../b?c")).url.raw_path == b"/v2/a%2F..%2Fb%3Fc/refund"


async def test_an_accepted_refund_is_taken() -> None:
    assert await outcome_of(response(ACCEPTED)) == RefundTaken(transaction_id="t-1")


@pytest.mark.parametrize(
    "changes",
    [
        {"transaction_status": "refund"},
        {"transaction_status": "PARTIAL_REFUND"},
        {"refund_amount": "9000.00"},  # the sum of all, as one page of the documentation has it
        {"refund_amount": None},
        {"refund_key": None},
        {"transaction_id": None},
        {"currency": None},
        {"settlement_time": None},
        {"x_new": [1, {"deep": None}]},
        {"status_message": "Success, refund request is approved by the bank"},
    ],
    ids=str,
)
async def test_an_acceptance_may_be_told_in_several_ways(changes: dict[str, Any]) -> None:
    assert await outcome_of(response(ACCEPTED | changes)) == RefundTaken(transaction_id="t-1")


@pytest.mark.parametrize(
    "changes",
    [
        {"refund_key": "another"},
        {"order_id": "another"},
        {"order_id": None},
        {"transaction_id": "t-2"},
        {"gross_amount": "10001.00"},
        {"gross_amount": None},
        {"currency": "USD"},
        {"refund_amount": "3999.00"},
        {"refund_amount": "0.00"},
        {"refund_amount": "soon"},
        {"transaction_status": "settlement"},
        {"transaction_status": "pending"},
        {"transaction_status": None},
        {"status_code": "201"},
    ],
    ids=str,
)
async def test_an_answer_that_does_not_fit_the_refund_proves_nothing(changes: dict[str, Any]) -> None:
    assert isinstance(await outcome_of(response(ACCEPTED | changes)), Unanswered)


async def test_a_refund_by_order_id_tells_the_transaction() -> None:
    told = response(ACCEPTED | {"transaction_id": "t-7"})

    assert await outcome_of(told, transaction="order-1") == RefundTaken(transaction_id="t-7")


async def test_a_refund_by_order_id_is_nobody_s_without_the_transaction() -> None:
    told = response(ACCEPTED | {"transaction_id": None})

    assert isinstance(await outcome_of(told, transaction="order-1"), Unanswered)


@pytest.mark.parametrize(
    "changes", [{}, {"transaction_status": "partial_refund"}, {"order_id": None}, {"refund_amount": None}]
)
async def test_the_bank_s_refusal_is_body_code_202_under_http_200(changes: dict[str, Any]) -> None:
    assert await outcome_of(response(denied_refund(**changes))) == Declined(
        code="202", message="Refund denied by the bank", by_bank=True
    )


@pytest.mark.parametrize(
    ("body", "http"),
    [
        (denied_refund(), 202),
        (error_body(202, "The request is still in process"), 202),
        (error_body(202, "The request is still in process"), 200),
        (denied_refund(transaction_status=None), 200),
        (denied_refund(order_id="another"), 200),
        (denied_refund(refund_key="another"), 200),
        (denied_refund(transaction_id="t-2"), 200),
    ],
)
async def test_http_202_or_another_refund_s_refusal_is_none(body: Any, http: int) -> None:
    assert isinstance(await outcome_of(response(body, http)), Unanswered)


@pytest.mark.parametrize("http", [200, 406])
async def test_a_known_key_says_so(http: int) -> None:
    assert await outcome_of(response(error_body(406, "Duplicate refund ID"), http)) == AlreadyThere()


@pytest.mark.parametrize(
    ("body", "http", "code"),
    [
        (error_body(412, "Merchant cannot modify the status of the transaction"), 200, "412"),
        (error_body(414, "Refund request is rejected due to invalid amount"), 200, "414"),
        (error_body(404, "Transaction doesn't exist."), 200, "404"),
        (error_body(400, "Wrong.", validation_messages=["amount"]), 400, "400"),
        (UNAUTHORIZED, 401, "401"),
    ],
)
async def test_a_refusal_has_midtranss_own_code(body: Any, http: int, code: str) -> None:
    outcome = await outcome_of(response(body, http))

    assert isinstance(outcome, Declined)
    assert (outcome.code, outcome.by_bank) == (code, False)
    assert outcome.message


@pytest.mark.parametrize(
    ("body", "http"),
    [
        (BAD_PATH, 404),
        (error_body(404, "Transaction doesn't exist.") | {"status_code": None}, 404),
        ("", 404),
        ("<html>", 403),
        ("", 400),
        ("", 302),
    ],
)
async def test_a_refusal_without_midtranss_own_code_is_somebody_else_s_word(body: Any, http: int) -> None:
    assert isinstance(await outcome_of(response(body, http)), Unanswered)


async def test_the_rate_limit_took_nothing() -> None:
    outcome = await outcome_of(response(TOO_MANY, 429, **{"Retry-After": "9"}))

    assert isinstance(outcome, NotTaken)
    assert outcome.retry_after == 9


@pytest.mark.parametrize(
    "answer",
    [
        response(BROKEN, 500),
        response(BROKEN),
        response(BAD_GATEWAY, 502),
        response(error_body(503, "Bank/partner is experiencing connection issue."), 503),
        response(error_body(408, "timeout"), 408),
        response(error_body(409, "conflict"), 409),
        response("", 200),
        response("[]", 200),
        response({}, 200),
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("nonsense"),
    ],
)
async def test_without_a_clear_answer_it_may_be_taken(answer: httpx.Response | Exception) -> None:
    assert isinstance(await outcome_of(answer), Unanswered)


async def test_without_a_connection_it_is_not_taken() -> None:
    assert await outcome_of(httpx.ConnectError("refused")) == NotTaken(reason="ConnectError")


async def reported(refunds: Any) -> tuple[ReportedRefund, ...]:
    midtrans = RecordedMidtrans()
    midtrans.answers(response(refunded_body("partial_refund", "4000.00") | {"refunds": refunds}))
    reply = await midtrans.gateway.status("t-1")
    assert isinstance(reply, StatusReply)
    return reply.refunds


async def test_the_bank_s_word_is_read_in_jakarta() -> None:
    told = {"refund_key": "one", "refund_amount": "4000.00", "bank_confirmed_at": "2026-02-07 10:00:00"}

    assert await reported([told]) == (
        ReportedRefund(key="one", amount=4_000, confirmed_at=datetime(2026, 2, 7, 3, 0, tzinfo=UTC)),
    )


async def test_a_word_whose_time_cannot_be_read_came_now() -> None:
    told = {"refund_key": "one", "refund_amount": "4000.00", "bank_confirmed_at": "today"}

    assert await reported([told]) == (ReportedRefund(key="one", amount=4_000, confirmed_at=NOW),)


@pytest.mark.parametrize("told", [None, "", 17, {}, [], ["x"], [None], [{}], [{"refund_key": "one"}]])
async def test_what_is_no_refund_is_left_out(told: Any) -> None:
    assert await reported(told) == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"refund_amount": "x"},
        {"refund_amount": None},
        {"refund_key": ""},
        {"refund_key": ["one"]},
        {"refund_key": "x" * 256},
    ],
)
async def test_an_odd_one_does_not_hide_the_others(changes: dict[str, Any]) -> None:
    good = {"refund_key": "one", "refund_amount": "4000.00"}

    assert await reported([good | changes, good]) == (ReportedRefund(key="one", amount=4_000),)
