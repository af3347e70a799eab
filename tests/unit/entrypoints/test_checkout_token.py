"""A checkout token: what it opens, and everything that it does not."""

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from domain.status import Status
from support import recorded
from support.builders import a_status_reply
from support.service import CREATE, a_token, bearer
from unit.entrypoints.following import following
from unit.entrypoints.harness import OTHER_USER, Logs, Service, a_service, away, problem_of

TOKEN = "t" * 32
OTHER = "u" * 32
AFTER = timedelta(hours=24, minutes=15).total_seconds()
# What a stranger may put in a token's place.
NO_TOKENS = [
    "",
    "x",
    "t" * 31,
    "t" * 33,
    "T" * 32,
    "' OR '1'='1",
    "%",
    "%00",
    "t" * 31 + "%00",
    "..%2f..%2fetc%2fpasswd",
    "%ed%a0%80",
    "%E2%80%AE" + "t" * 29,
    "\u202e" + "t" * 31,
    "t" * 32 + "%0d%0aSet-Cookie:%20a=b",
    "t" * 5000,
    "null",
    "*",
]


@pytest.fixture
async def service(service: Service) -> Service:
    """Two payments with a token each, of two users."""
    charged: dict[str, Any] = {"payment_type": "qris", "charge_answer": json.dumps(recorded.qris_charge())}
    await service.given(checkout_token=TOKEN, **charged)
    await service.given(order_id="order-2", user_id=OTHER_USER, checkout_token=OTHER, **charged)
    return service


async def open_stream(service: Service, address: str) -> int | None:
    async with following(service, address) as viewer:
        return viewer.status


@pytest.mark.parametrize("path", ["/checkout/{}", "/api/payments/order-1/qr.svg?token={}"])
async def test_it_opens_its_payment(service: Service, path: str) -> None:
    assert (await service.client.get(path.format(TOKEN))).status_code == 200


async def test_it_opens_its_payment_s_stream(service: Service) -> None:
    assert await open_stream(service, f"/api/payments/order-1/stream?token={TOKEN}") == 200


@pytest.mark.parametrize("what", ["stream", "qr.svg"])
@pytest.mark.parametrize("token", NO_TOKENS)
async def test_what_is_no_token_is_like_no_token(service: Service, what: str, token: str) -> None:
    answer = await service.client.get(f"/api/payments/order-1/{what}?token={token}")

    assert problem_of(answer) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("what", ["stream", "qr.svg"])
@pytest.mark.parametrize("order_id", ["order-2", "nobody-s", "Order-1", "order-1%20"])
async def test_it_opens_no_other_payment_and_does_not_tell_whether_there_is_one(
    service: Service, what: str, order_id: str
) -> None:
    answer = await service.client.get(f"/api/payments/{order_id}/{what}?token={TOKEN}")

    assert problem_of(answer) == (401, "unauthenticated")
    assert answer.json()["detail"] == "The token does not open this payment, or not any more."


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/payments/order-1"),
        ("GET", "/api/payments/order-1/status"),
        ("GET", "/api/payments"),
        ("POST", CREATE),
    ],
)
@pytest.mark.parametrize("as_header", [False, True])
async def test_it_opens_nothing_else(service: Service, method: str, path: str, as_header: bool) -> None:  # noqa: FBT001
    headers = {"Authorization": f"Bearer {TOKEN}"} if as_header else {}
    address = path if as_header else f"{path}?token={TOKEN}"

    answer = await service.client.request(method, address, headers=headers)

    assert problem_of(answer) == (401, "unauthenticated")
    assert service.gateway.charges == service.gateway.asked == service.gateway.cancelled == []


@pytest.mark.parametrize("suffix", ["cancel", "refunds", "events", "anything"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
async def test_it_changes_nothing_whatever_is_asked(service: Service, method: str, suffix: str) -> None:
    before = service.stored()

    for path in (f"/api/payments/order-1/{suffix}?token={TOKEN}", f"/checkout/{TOKEN}/{suffix}"):
        answer = await service.client.request(method, path)
        assert answer.status_code in {401, 403, 404, 405}

    assert service.stored() == before


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_the_page_is_read_only(service: Service, method: str) -> None:
    assert (await service.client.request(method, f"/checkout/{TOKEN}")).status_code == 405


@pytest.mark.parametrize("what", ["stream", "qr.svg"])
async def test_a_bearer_token_is_no_checkout_token(service: Service, what: str) -> None:
    answer = await service.client.get(f"/api/payments/order-1/{what}?token={a_token()}")

    assert problem_of(answer) == (401, "unauthenticated")


async def test_the_owner_s_header_counts_whatever_the_address_says(service: Service) -> None:
    answer = await service.client.get(f"/api/payments/order-1/qr.svg?token={OTHER}", headers=bearer())

    assert answer.status_code == 200


async def test_a_checkout_token_counts_whoever_else_calls(service: Service) -> None:
    stranger = bearer(user=OTHER_USER)

    with_token = await service.client.get(f"/api/payments/order-1/qr.svg?token={TOKEN}", headers=stranger)
    without = await service.client.get("/api/payments/order-1/qr.svg", headers=stranger)

    assert with_token.status_code == 200
    assert problem_of(without) == (404, "payment-not-found")


async def test_of_two_tokens_neither_opens_more_than_its_own(service: Service) -> None:
    address = f"/api/payments/order-2/qr.svg?token={TOKEN}&token={TOKEN}"

    assert problem_of(await service.client.get(address)) == (401, "unauthenticated")


async def test_a_payment_without_a_token_is_opened_by_none(service: Service) -> None:
    await service.given(order_id="earlier", log_length=0)

    for token in ("", "None", "null"):
        answer = await service.client.get(f"/api/payments/earlier/qr.svg?token={token}")
        assert problem_of(answer) == (401, "unauthenticated")
    assert (await service.get("/api/payments/earlier")).json()["checkout_url"] is None


async def all_of(service: Service) -> list[httpx.Response]:
    return [
        await service.client.get(f"/checkout/{TOKEN}"),
        await service.client.get(f"/api/payments/order-1/stream?token={TOKEN}"),
        await service.client.get(f"/api/payments/order-1/qr.svg?token={TOKEN}"),
    ]


async def test_it_dies_a_day_after_the_end(service: Service) -> None:
    await service.notify()
    service.clock.advance(timedelta(hours=24).total_seconds() - 1)
    assert [answer.status_code for answer in await all_of(service)] == [200, 200, 409]

    service.clock.advance(1)

    assert [answer.status_code for answer in await all_of(service)] == [404, 401, 401]


async def test_what_happens_after_the_end_gives_it_no_longer_life(service: Service) -> None:
    await service.notify(transaction_status="expire")
    service.clock.advance(timedelta(hours=23).total_seconds())
    await service.notify(transaction_status="settlement")
    await service.container.confirm_notifications()(limit=10)

    service.clock.advance(timedelta(hours=1).total_seconds())

    assert [answer.status_code for answer in await all_of(service)] == [404, 401, 401]


async def test_of_a_payment_that_never_ends_it_dies_a_day_after_the_last_time_to_pay(
    service: Service,
) -> None:
    service.clock.advance(AFTER - 1)
    assert (await service.client.get(f"/checkout/{TOKEN}")).status_code == 200

    service.clock.advance(1)

    assert [answer.status_code for answer in await all_of(service)] == [404, 401, 401]


async def test_an_unknown_one_and_a_dead_one_are_answered_alike(service: Service) -> None:
    await service.notify()
    service.clock.advance(AFTER)

    dead = await service.client.get(f"/checkout/{TOKEN}")
    unknown = await service.client.get(f"/checkout/{'z' * 32}")

    assert (dead.status_code, dead.text) == (unknown.status_code, unknown.text)


async def test_the_database_may_be_away(service: Service) -> None:
    away(service)

    page, stream, picture = await all_of(service)

    assert (page.status_code, page.headers["retry-after"]) == (503, "2")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert problem_of(stream) == problem_of(picture) == (503, "database-unavailable")


async def test_it_is_in_every_answer_of_its_owner_and_in_no_line_of_the_log(logs: Logs) -> None:
    service = a_service(BAYAR_PUBLIC_URL="https://pay.shop.example/bayar")
    service.charges_are_taken()
    created = (await service.create({"order_id": "order-1"})).json()
    prefix, _, token = created["checkout_url"].rpartition("/")
    answers = [
        created,
        (await service.get("/api/payments/order-1")).json(),
        (await service.get("/api/payments/order-1/status")).json(),
        (await service.get("/api/payments")).json()["items"][0],
    ]
    for path in (f"/checkout/{token}", f"/checkout/{token}/x", f"/api/payments/order-1/qr.svg?token={token}"):
        await service.client.get(path)
    async with following(service, f"/api/payments/order-1/stream?token={token}") as viewer:
        answers.append(viewer.events[0][1])
    away(service)
    await service.client.get(f"/checkout/{token}")

    assert prefix == "https://pay.shop.example/bayar/checkout"
    assert {answer["checkout_url"] for answer in answers} == {created["checkout_url"]}
    assert logs.of("request.finished")
    assert token not in logs.text


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("pay.example", "https://pay.example"),
        ("pay.example:8443", "https://pay.example:8443"),
        ("[::1]:8080", "https://[::1]:8080"),
        ("user@evil.example", "https://pay.example"),
        ("[", "https://pay.example"),
        ("", "https://pay.example"),
    ],
)
async def test_without_a_public_url_the_link_starts_with_the_request_s_own_address(
    service: Service, host: str, address: str
) -> None:
    answer = await service.client.get("/api/payments/order-1", headers=bearer() | {"Host": host})

    assert answer.json()["checkout_url"] == f"{address}/checkout/{TOKEN}"


@pytest.mark.parametrize("host", ['evil"><script>', "evil.example/path?"])
async def test_an_address_that_is_none_is_refused(service: Service, host: str) -> None:
    answer = await service.client.get("/api/payments/order-1", headers=bearer() | {"Host": host})

    assert problem_of(answer) == (400, "invalid-body")


async def test_it_is_part_of_no_text_that_a_payment_is_printed_as(service: Service) -> None:
    assert TOKEN not in repr(service.stored())


@pytest.mark.parametrize("status", [s for s in Status if not s.is_open])
async def test_it_shows_no_qr_once_the_payment_is_over(status: Status) -> None:
    service = a_service()
    await service.given(checkout_token=TOKEN, status=status, charge_answer=json.dumps(recorded.qris_charge()))

    answer = await service.client.get(f"/api/payments/order-1/qr.svg?token={TOKEN}")

    assert problem_of(answer) == (409, "illegal-transition")


async def test_it_is_in_the_payment_that_a_problem_or_a_cancel_tells(service: Service) -> None:
    url = f"https://pay.example/checkout/{TOKEN}"
    service.gateway.answers_cancel_of("t-1", a_status_reply(transaction_status="cancel"))

    cancelled = await service.client.post("/api/payments/order-1/cancel", headers=bearer())
    too_late = await service.client.post("/api/payments/order-1/cancel", headers=bearer())

    assert (cancelled.status_code, cancelled.json()["checkout_url"]) == (200, url)
    assert problem_of(too_late) == (409, "illegal-transition")
    assert too_late.json()["payment"]["checkout_url"] == url
