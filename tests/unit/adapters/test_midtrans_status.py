"""What each of Midtrans's answers to GET status means, and what means nothing."""

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from domain.errors import GatewayUnavailable
from domain.evidence import NoTransaction, StatusReply
from domain.order_id import may_exist
from domain.ports.gateway import KeyCheck
from support.builders import NOW
from support.recorded import (
    BAD_GATEWAY,
    BAD_PATH,
    BROKEN,
    NOT_FOUND,
    REPLIED_CODES,
    TOO_MANY,
    TRANSACTION_ID,
    UNAUTHORIZED,
    error_body,
    refunded_body,
    response,
    status_body,
)
from support.situations import RecordedMidtrans


async def reply_to(answer: httpx.Response | Exception) -> StatusReply | NoTransaction:
    midtrans = RecordedMidtrans()
    midtrans.answers(answer)
    return await midtrans.gateway.status("t-1")


@pytest.mark.parametrize("status", sorted(REPLIED_CODES))
async def test_a_known_transaction_is_told_as_midtrans_tells_it(status: str) -> None:
    reply = await reply_to(response(status_body(status)))

    assert isinstance(reply, StatusReply)
    assert (reply.transaction_status, reply.status_code) == (status, REPLIED_CODES[status])
    assert (reply.order_id, reply.transaction_id) == ("order-1", TRANSACTION_ID)
    assert (reply.gross_amount, reply.currency, reply.fraud_status) == ("10000.00", "IDR", "accept")
    assert reply.received_at == NOW


async def test_a_settlement_time_is_read_in_jakarta() -> None:
    reply = await reply_to(response(status_body()))

    assert isinstance(reply, StatusReply)
    assert reply.settled_at == datetime(2026, 2, 6, 3, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize("told", [None, "soon", 17, ""])
async def test_a_settlement_without_a_readable_time_is_still_one(told: Any) -> None:
    reply = await reply_to(response(status_body(settlement_time=told)))

    assert isinstance(reply, StatusReply)
    assert (reply.transaction_status, reply.settled_at) == ("settlement", None)


@pytest.mark.parametrize("name", ["expiry_time", "expire_time"])
async def test_the_end_of_a_pending_one_is_read_in_jakarta_however_it_is_spelt(name: str) -> None:
    body = status_body("pending")
    body[name] = body.pop("expiry_time")

    reply = await reply_to(response(body))

    assert isinstance(reply, StatusReply)
    assert reply.expires_at == datetime(2026, 2, 6, 3, 15, tzinfo=UTC)


@pytest.mark.parametrize("told", [None, "soon", 17, "", ["2026-02-06 10:15:00"], "2026-02-30 10:15:00"])
async def test_an_end_that_is_no_time_is_not_known(told: Any) -> None:
    reply = await reply_to(response(status_body("pending", expiry_time=told)))

    assert isinstance(reply, StatusReply)
    assert (reply.transaction_status, reply.expires_at) == ("pending", None)


@pytest.mark.parametrize(
    ("told", "amount"),
    [("4000.00", 4_000), (4_000, 4_000), ("0.00", 0), (None, None), ("many", None), ("-1.00", None)],
)
async def test_the_sum_of_refunds_is_read_where_there_is_one(told: Any, amount: int | None) -> None:
    body = refunded_body("partial_refund", "4000.00") | {"refund_amount": told}

    reply = await reply_to(response(body))

    assert isinstance(reply, StatusReply)
    assert reply.refund_amount == amount


async def test_the_sum_is_the_one_on_top_and_not_a_single_refunds() -> None:
    body = refunded_body("partial_refund", "7000.00")
    body["refunds"][0]["refund_amount"] = "3000.00"

    reply = await reply_to(response(body))

    assert isinstance(reply, StatusReply)
    assert reply.refund_amount == 7_000


async def test_fields_that_midtrans_may_leave_out_are_unknown() -> None:
    body = status_body("pending")
    for name in ("currency", "fraud_status", "merchant_id", "expiry_time", "status_message"):
        del body[name]

    reply = await reply_to(response(body))

    assert isinstance(reply, StatusReply)
    assert (reply.currency, reply.fraud_status) == (None, None)


async def test_new_fields_and_a_numeric_code_are_no_trouble() -> None:
    reply = await reply_to(response(status_body(status_code=200, brand_new=[{"a": 1}])))

    assert isinstance(reply, StatusReply)
    assert reply.status_code == "200"


@pytest.mark.parametrize("http", [200, 404])
async def test_an_unknown_transaction_is_known_by_the_bodys_code(http: int) -> None:
    assert await reply_to(response(NOT_FOUND, http)) == NoTransaction(received_at=NOW)


@pytest.mark.parametrize(
    "answer",
    [
        response(UNAUTHORIZED, 401),
        response(UNAUTHORIZED, 200),
        response(BROKEN, 500),
        response(BAD_GATEWAY, 502),
        response(TOO_MANY, 429),
        response(BAD_PATH, 404),
        response("", 404),
        response("Not Found", 404),
        response("", 200),
        response("null", 200),
        response("[]", 200),
        response("{}", 200),
        response(error_body(412, "Merchant cannot modify the status of the transaction")),
        httpx.Response(302, headers={"Location": "https://elsewhere.example"}),
    ],
    ids=[
        "401",
        "401 under 200",
        "500",
        "HTML 502",
        "429",
        "bad path",
        "empty 404",
        "text 404",
        "empty",
        "null",
        "array",
        "object",
        "412",
        "redirect",
    ],
)
async def test_what_does_not_tell_a_status_is_unavailable_and_never_no_transaction(
    answer: httpx.Response,
) -> None:
    with pytest.raises(GatewayUnavailable):
        await reply_to(answer)


@pytest.mark.parametrize(
    "missing", ["order_id", "gross_amount", "transaction_id", "transaction_status", "status_code"]
)
@pytest.mark.parametrize("value", [None, "", [], {}, True])
async def test_a_reply_without_a_needed_field_tells_nothing(missing: str, value: Any) -> None:
    with pytest.raises(GatewayUnavailable):
        await reply_to(response(status_body(**{missing: value})))


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(status_body(issuer="\x00")),
        json.dumps(status_body(issuer="\ud800")),
        json.dumps(status_body(status_code="9" * 5_000)),
        json.dumps(status_body(order_id="x" * 65)),
        json.dumps(status_body(transaction_id="x" * 65)),
        '{"a":' * 50_000,
    ],
    ids=["NUL", "lone surrogate", "endless code", "long order", "long transaction", "deep"],
)
async def test_what_could_not_be_kept_tells_nothing(body: str) -> None:
    with pytest.raises(GatewayUnavailable):
        await reply_to(response(body))


@pytest.mark.parametrize(
    "trouble",
    [httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("closed")],
    ids=lambda trouble: type(trouble).__name__,
)
async def test_a_lost_exchange_is_unavailable(trouble: Exception) -> None:
    with pytest.raises(GatewayUnavailable, match=type(trouble).__name__):
        await reply_to(trouble)


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (response(NOT_FOUND), KeyCheck.ACCEPTED),
        (response(NOT_FOUND, 404), KeyCheck.ACCEPTED),
        (response(UNAUTHORIZED, 401), KeyCheck.REFUSED),
        (response(UNAUTHORIZED, 200), KeyCheck.REFUSED),
        (response("", 401), KeyCheck.REFUSED),
        (response(BAD_GATEWAY, 502), KeyCheck.UNREACHABLE),
        (response("Not Found", 404), KeyCheck.UNREACHABLE),
        (response(BROKEN, 500), KeyCheck.UNREACHABLE),
        (response(TOO_MANY, 429), KeyCheck.UNREACHABLE),
        (httpx.ConnectError("refused"), KeyCheck.UNREACHABLE),
    ],
    ids=[
        "unknown order",
        "unknown order under 404",
        "401",
        "401 under 200",
        "empty 401",
        "HTML 502",
        "404 of another server",
        "500",
        "429",
        "no connection",
    ],
)
async def test_the_server_key_is_checked_by_asking_about_an_unknown_order(
    answer: httpx.Response | Exception, verdict: KeyCheck
) -> None:
    midtrans = RecordedMidtrans()
    midtrans.answers(answer)

    assert await midtrans.gateway.check_key() is verdict


async def test_the_order_that_is_asked_about_can_be_nobodys() -> None:
    midtrans = RecordedMidtrans()
    midtrans.answers(response(NOT_FOUND))

    await midtrans.gateway.check_key()

    asked = midtrans.requests[0].url.path.removeprefix("/v2/").removesuffix("/status")
    assert not may_exist(asked)
