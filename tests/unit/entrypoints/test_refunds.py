"""Refunding over HTTP: the answers, the key, the body, and who may."""

from typing import Any, Final
from uuid import UUID

import httpx
import pytest

from domain.ports.gateway import Declined, NotTaken, RefundOrder, RefundOutcome, RefundTaken, Unanswered
from domain.status import Status
from support.builders import NOW, SERVER_KEY
from support.service import a_token, bearer
from unit.entrypoints.harness import OTHER_USER, Logs, Service, a_service, problem_of, wrong_fields

PATH: Final = "/api/payments/order-1/refunds"
TAKEN: Final = RefundTaken(transaction_id="t-1")
REPLAYED: Final = "idempotent-replayed"


@pytest.fixture
async def paid(service: Service) -> Service:
    """With a paid payment, ``order-1`` of 10,000 rupiah."""
    await service.given(status=Status.SETTLEMENT, transaction_id="t-1", paid_at=NOW)
    return service


async def listed(service: Service) -> list[dict[str, Any]]:
    answer = await service.get(PATH)
    assert answer.status_code == 200
    items: list[dict[str, Any]] = answer.json()["items"]
    assert answer.json() == {"items": items, "next_cursor": None}
    return items


async def test_an_accepted_refund_is_201_with_the_refund(paid: Service) -> None:
    paid.gateway.answers_refunds_with(TAKEN)

    answer = await paid.refund(fields={"amount": 4_000, "reason": "out of stock"})

    assert answer.status_code == 201
    assert REPLAYED not in answer.headers
    key = answer.json()["refund_key"]
    assert answer.json() == {
        "refund_key": str(UUID(key)),
        "order_id": "order-1",
        "transaction_id": "t-1",
        "amount": 4_000,
        "currency": "IDR",
        "reason": "out of stock",
        "status": "accepted",
        "gateway_code": None,
        "gateway_message": None,
        "created_at": "2026-02-06T03:00:00Z",
        "accepted_at": "2026-02-06T03:00:00Z",
        "confirmed_at": None,
    }
    assert paid.gateway.refunds[0].key == key
    payment = (await paid.get("/api/payments/order-1")).json()
    assert (payment["status"], payment["refunded_amount"]) == ("partial_refund", 4_000)


async def test_a_payment_s_refunds_are_listed_whatever_became_of_them(paid: Service) -> None:
    paid.gateway.answers_refunds_with(
        TAKEN,
        Declined(code="412", message="No."),
        NotTaken(reason="ConnectError"),
        Unanswered(reason="no answer in time"),
    )
    before = await listed(paid)
    for number in range(1, 5):
        await paid.refund(fields={"amount": number}, key=f"key-{number}")

    refunds = await listed(paid)

    assert before == []
    assert [(refund["amount"], refund["status"]) for refund in refunds] == [
        (1, "accepted"),
        (2, "refused"),
        (3, "not_sent"),
        (4, "requested"),
    ]
    assert (refunds[1]["gateway_code"], refunds[1]["gateway_message"]) == ("412", "No.")


@pytest.mark.parametrize("body", [b"", b"{}"])
async def test_without_an_amount_all_of_it_goes_back(paid: Service, body: bytes) -> None:
    paid.gateway.answers_refunds_with(TAKEN)
    headers = bearer(scope="payments:refund") | {"Idempotency-Key": "one"}
    headers |= {"Content-Type": "application/json"} if body else {}

    answer = await paid.client.post(PATH, content=body, headers=headers)

    assert (answer.status_code, answer.json()["amount"]) == (201, 10_000)
    assert (await paid.get("/api/payments/order-1")).json()["status"] == "refund"


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"amount": "1000"}, "amount"),
        ({"amount": 1.0}, "amount"),
        ({"amount": True}, "amount"),
        ({"amount": 0}, "amount"),
        ({"amount": -1}, "amount"),
        ({"amount": [1]}, "amount"),
        ({"reason": 1}, "reason"),
        ({"reason": "x" * 256}, "reason"),
        ({"transaction": "t-2"}, "transaction"),
        ({"transaction_id": "t-2"}, "transaction_id"),
        ({"refund_key": "mine"}, "refund_key"),
        ([], ""),
    ],
    ids=str,
)
async def test_a_body_is_strict(paid: Service, fields: Any, wrong: str) -> None:
    assert wrong_fields(await paid.refund(fields=fields)) == {wrong}
    assert paid.gateway.refunds == []


async def test_null_is_as_if_it_were_not_there(paid: Service) -> None:
    paid.gateway.answers_refunds_with(TAKEN)

    answer = await paid.refund(fields={"amount": None, "reason": None})

    assert (answer.status_code, answer.json()["amount"]) == (201, 10_000)


async def test_without_a_key_nothing_is_refunded(paid: Service) -> None:
    assert problem_of(await paid.refund(key=None)) == (400, "idempotency-key-missing")
    assert await listed(paid) == []


@pytest.mark.parametrize("key", ["", '""', "x" * 256])
async def test_a_key_that_is_none_is_refused(paid: Service, key: str) -> None:
    assert wrong_fields(await paid.refund(key=key)) == {"Idempotency-Key"}


async def test_the_same_call_again_is_answered_as_the_first(paid: Service) -> None:
    paid.gateway.answers_refunds_with(TAKEN)
    first = await paid.refund(fields={"amount": 4_000, "reason": "x"})

    again = await paid.refund(fields={"reason": "x", "amount": 4_000}, key='"one"')

    assert (again.status_code, again.headers[REPLAYED]) == (201, "true")
    assert again.json() == first.json()
    assert len(paid.gateway.refunds) == 1


async def test_a_refusal_is_502_with_midtranss_words_and_again_the_same(paid: Service) -> None:
    paid.gateway.answers_refunds_with(Declined(code="412", message="Merchant cannot modify the status"))

    first = await paid.refund()
    again = await paid.refund()

    assert problem_of(first) == (502, "gateway-refused")
    told = first.json()
    assert (told["gateway_code"], told["gateway_message"]) == ("412", "Merchant cannot modify the status")
    assert "45 days" in told["detail"]
    assert (REPLAYED in first.headers, again.headers[REPLAYED]) == (False, "true")
    assert again.json() == told


async def test_other_values_under_the_key_are_422(paid: Service) -> None:
    paid.gateway.answers_refunds_with(TAKEN)
    await paid.refund(fields={"amount": 4_000})

    answers = [await paid.refund(fields=fields) for fields in ({"amount": 4_001}, {}, {"reason": "x"})]

    assert [problem_of(answer) for answer in answers] == [(422, "idempotency-key-reused")] * 3


async def test_a_key_names_one_refund_over_all_payments(paid: Service) -> None:
    await paid.given(order_id="order-2", status=Status.SETTLEMENT)
    paid.gateway.answers_refunds_with(TAKEN)
    await paid.refund()

    assert problem_of(await paid.refund("order-2")) == (422, "idempotency-key-reused")


async def test_the_keys_of_payments_and_refunds_are_apart(paid: Service) -> None:
    paid.charges_are_taken()
    await paid.create(headers=bearer() | {"Idempotency-Key": "one"})
    paid.gateway.answers_refunds_with(TAKEN)

    assert (await paid.refund()).status_code == 201


async def test_a_repeat_before_the_first_is_answered_is_409(paid: Service) -> None:
    repeats: list[httpx.Response] = []

    async def repeat(_refund: RefundOrder, _within: float) -> RefundOutcome:
        repeats.append(await paid.refund())
        return TAKEN

    paid.gateway.answers_refunds_with(repeat)
    await paid.refund()

    assert problem_of(repeats[0]) == (409, "in-progress")
    assert 1 <= int(repeats[0].headers["retry-after"]) <= 30


async def test_what_was_not_sent_is_503_and_sent_by_the_next_call(paid: Service) -> None:
    paid.gateway.answers_refunds_with(NotTaken(reason="ConnectError"), TAKEN)

    first = await paid.refund()
    again = await paid.refund()

    assert problem_of(first) == (503, "gateway-unavailable")
    assert int(first.headers["retry-after"]) >= 1
    assert "nothing was refunded" in first.json()["detail"]
    assert (again.status_code, REPLAYED in again.headers) == (201, False)


async def test_no_answer_is_504_with_the_order_id(paid: Service) -> None:
    paid.gateway.answers_refunds_with(Unanswered(reason="no answer in time"))

    answer = await paid.refund()

    assert problem_of(answer) == (504, "outcome-unknown")
    assert answer.json()["order_id"] == "order-1"
    assert "do not refund anew" in answer.json()["detail"]


@pytest.mark.parametrize("amount", [10_001, 2**31, 2**63, 10**39])
async def test_more_than_is_left_is_422(paid: Service, amount: int) -> None:
    answer = await paid.refund(fields={"amount": amount})

    assert problem_of(answer) == (422, "refund-exceeds-payment")
    assert "at most 10000 of payment" in answer.json()["detail"]


async def test_a_refunded_payment_has_nothing_left(paid: Service) -> None:
    paid.gateway.answers_refunds_with(TAKEN)
    await paid.refund()

    assert problem_of(await paid.refund(key="two")) == (422, "refund-exceeds-payment")


@pytest.mark.parametrize("status", [Status.PENDING, Status.CREATED, Status.EXPIRE])
async def test_what_is_not_paid_is_409_with_the_payment(service: Service, status: Status) -> None:
    await service.given(status=status)

    answer = await service.refund()

    assert problem_of(answer) == (409, "illegal-transition")
    assert answer.json()["payment"]["status"] == status


@pytest.mark.parametrize("scope", [None, "payments:any", "payments:refunds", "PAYMENTS:REFUND"])
async def test_refunding_needs_its_scope(paid: Service, scope: str | None) -> None:
    answer = await paid.refund(scope=scope)

    assert problem_of(answer) == (403, "forbidden")
    assert "payments:refund" in answer.json()["detail"]


async def test_the_scope_alone_reaches_nobody_else_s_payment(paid: Service) -> None:
    foreign = await paid.refund(user=OTHER_USER)
    absent = await paid.refund("order-2", user=OTHER_USER)

    assert problem_of(foreign) == (404, "payment-not-found")
    assert foreign.text.replace("order-1", "order-2") == absent.text


async def test_with_both_scopes_any_payment_is_refunded(paid: Service) -> None:
    paid.gateway.answers_refunds_with(TAKEN)

    answer = await paid.refund(user=OTHER_USER, scope="payments:any payments:refund")

    assert answer.status_code == 201


async def test_the_owner_reads_refunds_without_a_scope_and_others_do_not(paid: Service) -> None:
    assert (await paid.get(PATH)).status_code == 200
    assert problem_of(await paid.get(PATH, user=OTHER_USER)) == (404, "payment-not-found")
    assert (await paid.get(PATH, user=OTHER_USER, scope="payments:any")).status_code == 200
    assert problem_of(await paid.client.get(PATH)) == (401, "unauthenticated")


async def test_a_cookie_from_elsewhere_refunds_nothing() -> None:
    service = a_service(AUTH_COOKIE="token")
    await service.given(status=Status.SETTLEMENT)
    service.client.cookies.set("token", a_token(scope="payments:refund"))

    answer = await service.client.post(
        PATH, json={}, headers={"Origin": "https://evil.example", "Idempotency-Key": "one"}
    )

    assert problem_of(answer) == (403, "cross-site")
    assert service.gateway.refunds == []


async def test_a_refund_s_changes_are_log_lines_without_its_reason_or_key(paid: Service, logs: Logs) -> None:
    paid.gateway.answers_refunds_with(TAKEN)
    await paid.refund(fields={"amount": 4_000, "reason": "the customer's own words"}, key="a-secret-key")

    lines = logs.of("payment.changed")[1:]

    assert [line["what"] for line in lines] == ["refund requested", "refund accepted", "partial_refund"]
    assert (lines[0]["detail_amount"], lines[0]["detail_by"]) == (4_000, "user 1")
    for hidden in ("own words", "a-secret-key", SERVER_KEY):
        assert hidden not in logs.text


async def test_refunds_are_counted_by_what_became_of_them(paid: Service) -> None:
    paid.gateway.answers_refunds_with(TAKEN, Declined(code="412", message="No."))

    async def counted(outcome: str) -> float:
        text = (await paid.client.get("/metrics")).text
        lines = [line for line in text.splitlines() if f'bayar_refunds_total{{outcome="{outcome}"}}' in line]
        return float(lines[0].rpartition(" ")[2]) if lines else 0.0

    outcomes = ("requested", "accepted", "refused")
    before = [await counted(outcome) for outcome in outcomes]
    await paid.refund(fields={"amount": 1})
    await paid.refund(fields={"amount": 1}, key="two")
    after = [await counted(outcome) for outcome in outcomes]

    assert [now - then for then, now in zip(before, after, strict=True)] == [2, 1, 1]
