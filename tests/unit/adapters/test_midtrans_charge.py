"""What each of Midtrans's answers to a charge means: taken, refused, not taken, or unknown."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from adapters.midtrans.client import MidtransClient
from adapters.midtrans.gateway import MidtransGateway
from domain.evidence import ChargeAnswer, ChargeRefused
from domain.ports.gateway import AlreadyThere, ChargeOutcome, NotTaken, Unanswered
from domain.rupiah import PaymentType
from domain.status import Status
from support.builders import NOW, SERVER_KEY, a_charge
from support.fakes import ManualClock
from support.recorded import (
    BAD_GATEWAY,
    BAD_PATH,
    BROKEN,
    TOO_MANY,
    TRANSACTION_ID,
    UNAUTHORIZED,
    denied_charge,
    error_body,
    gopay_charge,
    qris_charge,
    response,
)
from support.situations import RecordedMidtrans


async def outcome_of(answer: httpx.Response | Exception, **order: Any) -> ChargeOutcome:
    midtrans = RecordedMidtrans()
    midtrans.answers(answer)
    return await midtrans.gateway.charge(a_charge(**order), within=10)


async def test_a_taken_gopay_charge() -> None:
    outcome = await outcome_of(response(gopay_charge()))

    assert isinstance(outcome, ChargeAnswer)
    assert (outcome.status, outcome.transaction_id) == (Status.PENDING, TRANSACTION_ID)
    assert outcome.message == "GoPay transaction is created"
    assert json.loads(outcome.answer) == gopay_charge()
    assert outcome.received_at == NOW


async def test_a_taken_qris_charge() -> None:
    outcome = await outcome_of(response(qris_charge()), payment_type=PaymentType.QRIS)

    assert isinstance(outcome, ChargeAnswer)
    assert json.loads(outcome.answer) == qris_charge()


@pytest.mark.parametrize(
    "changes",
    [
        {"status_message": "GO-PAY billing created"},
        {"fraud_status": None},
        {"currency": None},
        {"merchant_id": None},
        {"expiry_time": None},
        {"actions": []},
        {"payment_type": "qris"},
        {"transaction_status": "PENDING"},
        {"gross_amount": "10000"},
        {"gross_amount": 10_000},
        {"gross_amount": 10_000.0},
        {"status_code": 201},
        {"a_new_field": {"deep": [1, 2.5, None, True]}},
    ],
)
async def test_old_new_and_odd_shapes_of_a_taken_charge_are_taken(changes: dict[str, Any]) -> None:
    body = {name: value for name, value in gopay_charge(**changes).items() if value is not None}

    outcome = await outcome_of(response(body))

    assert isinstance(outcome, ChargeAnswer)
    assert outcome.status is Status.PENDING


@pytest.mark.parametrize("changes", [{}, {"fraud_status": "deny", "status_message": "rejected by FDS"}])
async def test_a_denied_charge_comes_under_http_200(changes: dict[str, str]) -> None:
    outcome = await outcome_of(response(denied_charge(**changes)))

    assert isinstance(outcome, ChargeAnswer)
    assert (outcome.status, outcome.transaction_id) == (Status.DENY, TRANSACTION_ID)


@pytest.mark.parametrize(
    ("http", "code", "message"),
    [
        (400, 400, "One or more parameters in the payload is invalid."),
        (401, 401, "Unknown Merchant server_key/id"),
        (200, 402, "Payment channel is not activated."),
        (402, 402, "Merchant doesn't have access for this payment type"),
        (403, 403, "Access denied"),
        (200, 410, "Merchant account is deactivated"),
        (200, 412, "Merchant cannot modify the status of the transaction"),
        (413, 413, "malformed"),
        (200, 404, "Transaction doesn't exist."),
    ],
)
async def test_a_refused_charge_tells_midtranss_code_whatever_http_says(
    http: int, code: int, message: str
) -> None:
    outcome = await outcome_of(response(error_body(code, message), http))

    assert outcome == ChargeRefused(code=str(code), message=message, received_at=NOW)


async def test_a_refusal_tells_what_the_validation_found() -> None:
    body = error_body(
        400,
        "One or more parameters in the payload is invalid.",
        validation_messages=[
            "custom_expiry is below minimum threshold",
            "transaction_details.gross_amount is not equal to the sum of item_details",
        ],
    )

    outcome = await outcome_of(response(body, 400))

    assert isinstance(outcome, ChargeRefused)
    assert outcome.message == (
        "One or more parameters in the payload is invalid.; "
        "custom_expiry is below minimum threshold; "
        "transaction_details.gross_amount is not equal to the sum of item_details"
    )


@pytest.mark.parametrize("found", ["a text", {"a": "b"}, [1, None, {}], None])
async def test_a_validation_of_another_shape_is_left_out(found: Any) -> None:
    outcome = await outcome_of(response(error_body(400, "No.", validation_messages=found), 400))

    assert isinstance(outcome, ChargeRefused)
    assert outcome.message == "No."


async def test_a_refusal_without_words_and_without_json_is_still_a_refusal() -> None:
    outcome = await outcome_of(response("<html>Forbidden</html>", 403))

    assert outcome == ChargeRefused(code="403", message="HTTP 403 without a message", received_at=NOW)


async def test_a_redirect_is_a_wrong_address_and_nothing_was_charged() -> None:
    outcome = await outcome_of(httpx.Response(302, headers={"Location": "https://elsewhere.example"}))

    assert isinstance(outcome, ChargeRefused)
    assert outcome.code == "302"


@pytest.mark.parametrize("found", ["A" * 10_000, "x" * 256])
async def test_endless_words_are_cut(found: str) -> None:
    body = error_body(400, "No.", validation_messages=[found] * 100)

    outcome = await outcome_of(response(body, 400))

    assert isinstance(outcome, ChargeRefused)
    assert len(outcome.message) <= 500


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, 5),
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "0"}, 1),
        ({"Retry-After": "86400"}, 60),
        ({"Retry-After": "Fri, 06 Feb 2026 03:00:10 GMT"}, 5),
        ({"Retry-After": "-1"}, 5),
        ({"Retry-After": "9" * 5_000}, 60),
    ],
)
async def test_the_rate_limit_was_met_before_the_charge_was_taken(headers: dict[str, str], wait: int) -> None:
    outcome = await outcome_of(response(TOO_MANY, 429, **headers))

    assert isinstance(outcome, NotTaken)
    assert outcome.retry_after == wait


@pytest.mark.parametrize(
    "answer",
    [
        response(BROKEN, 500),
        response(BROKEN, 200),
        response(BAD_GATEWAY, 502),
        response("", 503),
        response("", 504),
        response(error_body(503, "Bank/partner is experiencing connection issue."), 200),
        response(error_body(505, "VA number unavailable"), 200),
    ],
    ids=["500", "500 under 200", "HTML 502", "empty 503", "empty 504", "body 503", "body 505"],
)
async def test_trouble_on_midtranss_side_leaves_the_outcome_unknown(answer: httpx.Response) -> None:
    assert isinstance(await outcome_of(answer), Unanswered)


@pytest.mark.parametrize(
    ("http", "body"),
    [
        (202, gopay_charge()),
        (202, denied_charge()),
        (202, {}),
        (202, error_body(400, "No.")),
    ],
)
async def test_http_202_means_still_in_process_and_is_no_deny(http: int, body: dict[str, Any]) -> None:
    assert isinstance(await outcome_of(response(body, http)), Unanswered)


@pytest.mark.parametrize("http", [200, 406])
async def test_a_duplicate_order_id_says_that_midtrans_has_a_transaction(http: int) -> None:
    body = error_body(406, "order_id has been paid and utilized, please use another order ID")

    assert await outcome_of(response(body, http)) == AlreadyThere()


@pytest.mark.parametrize("http", [200, 406])
@pytest.mark.parametrize("code", [407, 408, 409])
async def test_codes_that_leave_open_what_became_of_the_charge_are_no_refusals(http: int, code: int) -> None:
    body = error_body(code, "Success, transaction is found")

    assert isinstance(await outcome_of(response(body, http)), Unanswered)


@pytest.mark.parametrize("http", [408, 409])
async def test_the_same_codes_without_a_body_are_no_refusals_either(http: int) -> None:
    assert isinstance(await outcome_of(response("", http)), Unanswered)


@pytest.mark.parametrize(
    "changes",
    [
        {"order_id": "order-2"},
        {"order_id": None},
        {"order_id": ["order-1"]},
        {"gross_amount": "9999.00"},
        {"gross_amount": "10000.50"},
        {"gross_amount": None},
        {"gross_amount": True},
        {"currency": "USD"},
        {"transaction_id": None},
        {"transaction_id": ""},
        {"transaction_id": "t" * 65},
        {"transaction_id": {"id": "t-1"}},
        {"transaction_status": None},
        {"transaction_status": "settlement"},
        {"transaction_status": "deny"},
        {"transaction_status": "capture"},
        {"status_code": "200"},
        {"status_code": "202"},
        {"status_code": None},
        {"status_code": ""},
        {"status_code": "abc"},
        {"status_code": "\uff12\uff10\uff11"},
        {"status_code": True},
        {"status_code": "9" * 5_000},
        {"status_code": "-201"},
    ],
    ids=lambda changes: str(changes)[:40],
)
async def test_an_answer_that_does_not_fit_the_charge_proves_nothing(changes: dict[str, Any]) -> None:
    outcome = await outcome_of(response(gopay_charge(**changes)))

    assert isinstance(outcome, Unanswered)


@pytest.mark.parametrize(
    "changes",
    [
        {"order_id": "order-2"},
        {"gross_amount": "1.00"},
        {"transaction_status": None},
        {"transaction_status": "pending"},
        {"transaction_id": None},
        {"status_code": "201"},
    ],
    ids=str,
)
async def test_a_deny_that_does_not_fit_the_charge_proves_nothing(changes: dict[str, Any]) -> None:
    assert isinstance(await outcome_of(response(denied_charge(**changes))), Unanswered)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"pending"',
        b"201",
        b"{",
        b"\xff\xfe",
        b'{"status_code": "201"',
        b"<html>ok</html>",
        b"\x1f\x8b\x08\x00",
        b'{"a":' * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a": 1e999999}',
        b'{"status_code": ' + b"2" * 10_000 + b"}",
        json.dumps(gopay_charge(status_message="\x00")).encode(),
        json.dumps(gopay_charge(note="\ud800")).encode(),
    ],
    ids=[
        "empty",
        "null",
        "array",
        "text",
        "number",
        "open",
        "not utf-8",
        "cut off",
        "html",
        "gzip",
        "deep objects",
        "deep arrays",
        "huge float",
        "huge integer",
        "NUL",
        "lone surrogate",
    ],
)
async def test_a_body_that_is_not_midtranss_json_leaves_the_outcome_unknown(body: bytes) -> None:
    assert isinstance(await outcome_of(response(body)), Unanswered)


async def test_a_body_of_snaps_shape_is_judged_by_http() -> None:
    outcome = await outcome_of(response({"error_messages": ["no"]}, 401))

    assert isinstance(outcome, ChargeRefused)
    assert outcome.code == "401"


async def test_a_body_of_another_servers_shape_is_judged_by_http() -> None:
    outcome = await outcome_of(response(BAD_PATH, 404))

    assert isinstance(outcome, ChargeRefused)
    assert outcome.code == "404"


@pytest.mark.parametrize("trouble", [httpx.ConnectError("refused"), httpx.ConnectError("name not known")])
async def test_a_charge_without_a_connection_was_not_taken(trouble: Exception) -> None:
    outcome = await outcome_of(trouble)

    assert outcome == NotTaken(reason="ConnectError", retry_after=None)


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ReadError("reset"),
        httpx.ReadTimeout("slow"),
        httpx.WriteError("reset"),
        httpx.WriteTimeout("slow"),
        httpx.RemoteProtocolError("closed"),
        httpx.CloseError("closed"),
        httpx.ConnectTimeout("by the transport's map, also after the request was sent"),
        httpx.DecodingError("gzip"),
        TimeoutError(),
    ],
    ids=lambda trouble: type(trouble).__name__,
)
async def test_a_charge_lost_after_the_connection_may_exist(trouble: Exception) -> None:
    assert isinstance(await outcome_of(trouble), Unanswered)


async def test_a_wrong_key_is_told_as_midtrans_tells_it() -> None:
    outcome = await outcome_of(response(UNAUTHORIZED, 401))

    assert isinstance(outcome, ChargeRefused)
    assert (outcome.code, outcome.message) == ("401", "Unknown Merchant server_key/id")


async def test_an_attempt_is_given_up_when_its_time_is_over() -> None:
    async def hang(_request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    client = MidtransClient(
        transport=httpx.MockTransport(hang), base_url="https://midtrans.example", server_key=SERVER_KEY
    )
    gateway = MidtransGateway(client=client, clock=ManualClock(), notify_url=None)

    async with asyncio.timeout(5):
        outcome = await gateway.charge(a_charge(), within=0.01)

    assert isinstance(outcome, Unanswered)
