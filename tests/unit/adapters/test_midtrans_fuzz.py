"""Whatever Midtrans, or somebody in its place, answers: only the named outcomes, and never an exception."""

import json
from typing import Any

import httpx
from hypothesis import example, given
from hypothesis import strategies as st

from domain.errors import GatewayUnavailable
from domain.evidence import ChargeAnswer, ChargeRefused, NoTransaction, StatusReply
from domain.ports.gateway import AlreadyThere, Declined, KeyCheck, NotTaken, RefundTaken, Unanswered
from domain.status import Status
from support.builders import a_charge, a_refund_order
from support.recorded import denied_refund, gopay_charge, refund_answer, refunded_body, status_body
from support.situations import RecordedMidtrans

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
CODES = st.sampled_from(["200", "201", "202", "404", "406", "407", "429", "500", 201, "0", "", "1" * 99])
HTTP = st.sampled_from([200, 201, 202, 204, 302, 400, 401, 404, 406, 429, 500, 502, 599])

BOMBS = st.sampled_from(
    [
        b"[" * 100_000,
        b'{"status_code":' * 5_000,
        b'{"status_code":' + b"1" * 9_000 + b"}",
        b'{"status_code":"200","gross_amount":1e' + b"9" * 400 + b"}",
        b'{"status_code":"404","x":"\\ud800"}',
        b'{"status_code":"404","x":"\\u0000"}',
    ]
)


def bodies(body: dict[str, Any]) -> st.SearchStrategy[bytes]:
    """One of Midtrans's bodies with some fields replaced, or no JSON object at all."""
    changes = st.dictionaries(st.sampled_from(sorted(body)), VALUES, max_size=3)
    coded = st.tuples(changes, st.none() | CODES).map(
        lambda drawn: body | drawn[0] | ({"status_code": drawn[1]} if drawn[1] is not None else {})
    )
    return coded.map(lambda drawn: json.dumps(drawn).encode()) | st.binary(max_size=40) | BOMBS


@given(bodies(gopay_charge()), HTTP, st.text("0123456789 abc:,", max_size=9))
async def test_a_charge_has_one_of_the_five_outcomes_whatever_is_answered(
    body: bytes, http: int, retry_after: str
) -> None:
    midtrans = RecordedMidtrans()
    midtrans.answers(httpx.Response(http, content=body, headers={"Retry-After": retry_after}))

    outcome = await midtrans.gateway.charge(a_charge(), within=10)

    assert isinstance(outcome, ChargeAnswer | ChargeRefused | NotTaken | Unanswered | AlreadyThere)
    if isinstance(outcome, ChargeAnswer):
        answer = json.loads(outcome.answer)
        assert (answer["order_id"], float(answer["gross_amount"])) == ("order-1", 10_000)
        assert outcome.status in {Status.PENDING, Status.DENY}
        assert 1 <= len(outcome.transaction_id) <= 64
    if isinstance(outcome, ChargeRefused):
        assert 300 <= int(outcome.code) < 500
        assert len(outcome.message) <= 500
    if isinstance(outcome, NotTaken):
        assert outcome.retry_after is not None
        assert 1 <= outcome.retry_after <= 60


@given(bodies(refund_answer()) | bodies(denied_refund()), HTTP)
async def test_a_refund_has_one_of_the_five_outcomes_whatever_is_answered(body: bytes, http: int) -> None:
    midtrans = RecordedMidtrans()
    midtrans.answers(httpx.Response(http, content=body))

    outcome = await midtrans.gateway.refund(a_refund_order(), within=10)

    assert isinstance(outcome, RefundTaken | Declined | NotTaken | Unanswered | AlreadyThere)
    if isinstance(outcome, RefundTaken):
        told = json.loads(body)
        assert (int(told["status_code"]), outcome.transaction_id) == (200, "t-1")
        assert (told["order_id"], float(told["gross_amount"])) == ("order-1", 10_000)
    if isinstance(outcome, Declined):
        assert outcome.by_bank == (outcome.code == "202")
        assert len(outcome.message) <= 500


@given(bodies(status_body()) | bodies(refunded_body("refund", "10000.00")), HTTP)
async def test_a_status_is_told_unknown_or_unavailable_whatever_is_answered(body: bytes, http: int) -> None:
    midtrans = RecordedMidtrans()
    midtrans.answers(httpx.Response(http, content=body))

    try:
        reply = await midtrans.gateway.status("t-1")
    except GatewayUnavailable:
        return

    assert isinstance(reply, StatusReply | NoTransaction)
    if isinstance(reply, NoTransaction):
        assert str(json.loads(body)["status_code"]) == "404"


@given(bodies(status_body()), HTTP)
async def test_an_end_is_told_refused_unknown_or_unavailable_whatever_is_answered(
    body: bytes, http: int
) -> None:
    midtrans = RecordedMidtrans()
    midtrans.answers(httpx.Response(http, content=body))
    for end in (midtrans.gateway.cancel, midtrans.gateway.expire):
        try:
            reply = await end("t-1")
        except GatewayUnavailable:
            continue

        assert isinstance(reply, StatusReply | NoTransaction | Declined)


@given(bodies(status_body()), HTTP)
async def test_the_key_is_accepted_refused_or_not_known_whatever_is_answered(body: bytes, http: int) -> None:
    midtrans = RecordedMidtrans()
    midtrans.answers(httpx.Response(http, content=body))

    assert isinstance(await midtrans.gateway.check_key(), KeyCheck)


@given(st.text("0123456789:-+, GMTMonJ", max_size=40))
@example("Mon, 01 Jan 99999999999999999999 00:00:00 GMT")
@example("Mon, 01 Jan 2026 99999999999999999999:00:00 GMT")
@example("Mon, 01 Jan 0001 00:00:00 +2359")
@example("Fri, 31 Dec 9999 23:59:59 -2359")
async def test_the_clocks_are_apart_by_some_seconds_or_nothing_is_known_whatever_the_date(date: str) -> None:
    midtrans = RecordedMidtrans()
    midtrans.answers(httpx.Response(200, headers={"Date": date}))

    apart = await midtrans.gateway.seconds_apart()

    assert apart is None or apart >= 0
