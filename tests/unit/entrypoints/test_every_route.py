"""Who gets in and who does not, on every route of the OpenAPI document: a new one cannot be forgotten."""

import asyncio
from typing import Any, Final

import httpx
import jwt
import pytest

from entrypoints.http.app import create_litestar
from support.merchant import happens, listens, paid, pending
from support.service import TOKEN_SECRET, a_token, bearer
from unit.entrypoints.harness import OTHER_USER, Service, a_service, problem_of

THEIRS: Final = "their-order"
NOBODYS: Final = "no-bodys-id"
SCOPES: Final = "payments:refund payments:create payments:read payments payments:* any * PAYMENTS:ANY"
CHECKOUT: Final = "kQ3mJ9sVq0Xb7TzR2pLw8nYd5cHf1aGe"


def routes() -> dict[str, dict[str, Any]]:
    """The document's operations by method and path."""
    document = create_litestar(a_service().container).openapi_schema.to_schema()
    return {
        f"{method.upper()} {path}": operation
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }


ROUTES: Final = routes()
OF_ONE_PAYMENT: Final = [route for route in ROUTES if "{order_id}" in route]
# Whatever else is there needs a bearer token.
PUBLIC: Final = {
    "POST /api/payments/webhook",
    "GET /checkout/{token}",
    "GET /health/live",
    "GET /health/ready",
    "GET /metrics",
}
PROTECTED: Final = sorted(ROUTES.keys() - PUBLIC)


def test_what_is_public_is_a_short_list() -> None:
    assert ROUTES.keys() >= PUBLIC
    assert len(OF_ONE_PAYMENT) >= 9
    assert all("bearer" in str(ROUTES[route]["security"]) for route in PROTECTED)


@pytest.fixture(params=["pending", "paid"])
async def service(request: pytest.FixtureRequest) -> Service:
    return await with_their_payment(is_paid=request.param == "paid")


async def with_their_payment(*, is_paid: bool = False) -> Service:
    """A service with a payment of user 1, one of user 2, and an endpoint that is told of them."""
    service = a_service()
    await listens(service.begin)
    await pending(service.begin, THEIRS, checkout_token=CHECKOUT)
    await pending(service.begin, "mine", user_id=OTHER_USER, checkout_token=CHECKOUT[::-1])
    if is_paid:
        await happens(service.begin, paid(THEIRS), order_id=THEIRS)
    return service


async def called(
    service: Service, route: str, order_id: str, headers: dict[str, str], query: str = ""
) -> httpx.Response:
    """A call of a route with all that it could need, but for what ``headers`` lack."""
    method, path = route.split(" ")
    known = {"{order_id}": order_id, "{event_id}": await event_of(service)}
    for name, value in known.items():
        path = path.replace(name, value)
    assert "{" not in path, "a new kind of parameter needs a value here"
    key = {"Idempotency-Key": "one"}
    body = {"json": {}} if "requestBody" in ROUTES[route] else {}
    async with asyncio.timeout(5):  # a stream that opened would not end
        return await service.client.request(method, path + query, headers=key | headers, **body)


async def event_of(service: Service) -> str:
    """What the endpoint was told of their payment, or any other id."""
    told = (await service.get(f"/api/payments/{THEIRS}/deliveries")).json()["items"]
    return str(told[0]["event_id"]) if told else "5b1f0c3e-7a52-5d0e-9a34-0d8f8f6c2b11"


def nothing_happened(service: Service, before: list[Any]) -> bool:
    """Neither here nor at Midtrans, which was not even asked."""
    asked = service.gateway.charges + service.gateway.asked
    return service.begin.recorded == before and asked == []


@pytest.mark.parametrize("route", OF_ONE_PAYMENT)
async def test_another_user_s_payment_is_answered_exactly_like_none(service: Service, route: str) -> None:
    before = list(service.begin.recorded)
    stranger = bearer(OTHER_USER, scope=SCOPES)

    theirs = await called(service, route, THEIRS, stranger)
    absent = await called(service, route, NOBODYS, stranger)

    assert problem_of(theirs) == (404, "payment-not-found")
    assert theirs.text.replace(THEIRS, NOBODYS) == absent.text
    assert seen(theirs) == seen(absent)
    assert nothing_happened(service, before)


def seen(answer: httpx.Response) -> dict[str, str]:
    """The headers but for those that differ from call to call, or with the length of the id."""
    return {
        name: text for name, text in answer.headers.items() if name not in {"x-request-id", "content-length"}
    }


@pytest.mark.parametrize("route", OF_ONE_PAYMENT)
async def test_another_way_of_writing_it_opens_nothing_either(route: str) -> None:
    service = await with_their_payment()
    before = list(service.begin.recorded)

    for written in ("%74heir-order", "their%2Dorder", "their-order/", "./their-order", "mine/../their-order"):
        answer = await called(service, route, written, bearer(OTHER_USER, scope=SCOPES))

        assert problem_of(answer)[0] in {404, 405}
    assert nothing_happened(service, before)


def strangers() -> dict[str, dict[str, str]]:
    """Everything that is no token of a user's."""
    expired = a_token(exp=1)
    another_s = jwt.encode({"sub": "1", "exp": 2**33}, TOKEN_SECRET[::-1], algorithm="HS256")
    unsigned = jwt.encode({"sub": "1", "exp": 2**33}, None, algorithm="none")
    return {
        "nobody": {},
        "expired": {"Authorization": f"Bearer {expired}"},
        "another secret's": {"Authorization": f"Bearer {another_s}"},
        "unsigned": {"Authorization": f"Bearer {unsigned}"},
        "a checkout token": {"Authorization": f"Bearer {CHECKOUT}"},
        "a checkout token in a cookie": {"Cookie": f"token={CHECKOUT}"},
        "a cookie that no setting names": {"Cookie": f"token={a_token()}"},
        "basic": {"Authorization": "Basic dXNlcjpwYXNz"},
    }


@pytest.mark.parametrize("route", PROTECTED)
async def test_without_a_good_token_nobody_gets_in(route: str) -> None:
    service = await with_their_payment()
    before = list(service.begin.recorded)

    for who, stranger in strangers().items():
        answer = await called(service, route, THEIRS, stranger)

        assert problem_of(answer) == (401, "unauthenticated"), who
    assert nothing_happened(service, before)


@pytest.mark.parametrize("route", OF_ONE_PAYMENT)
async def test_another_payment_s_checkout_token_and_a_guess_open_nothing(route: str) -> None:
    service = await with_their_payment()
    before = list(service.begin.recorded)

    for token in (CHECKOUT[::-1], "0" * 32, CHECKOUT[:-1], CHECKOUT.swapcase(), f"{CHECKOUT}%00"):
        answer = await called(service, route, THEIRS, {}, f"?token={token}")

        assert problem_of(answer) == (401, "unauthenticated")
    assert nothing_happened(service, before)


@pytest.mark.parametrize("route", OF_ONE_PAYMENT)
async def test_a_payment_s_own_checkout_token_opens_only_what_the_document_says(route: str) -> None:
    service = await with_their_payment(is_paid=True)  # whose stream ends
    before = list(service.begin.recorded)

    answer = await called(service, route, THEIRS, {}, f"?token={CHECKOUT}")

    is_opened = {"checkoutToken": []} in ROUTES[route]["security"]
    assert (answer.status_code != 401) == is_opened
    assert not is_opened or route.startswith("GET ")
    assert nothing_happened(service, before)
