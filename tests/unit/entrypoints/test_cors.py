"""Which pages of other origins may call: of the API those that the settings name, of the webhook none."""

from collections.abc import Iterable
from typing import Final

import httpx
import pytest

from support.service import CREATE, WEBHOOK, bearer
from unit.entrypoints.harness import Service, a_service

SHOP: Final = "https://shop.example"


def cors_headers(answer: httpx.Response) -> Iterable[str]:
    return [name for name in answer.headers if name.startswith("access-control-")]


def preflight(method: str = "POST", origin: str = SHOP) -> dict[str, str]:
    return {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type",
    }


@pytest.fixture
def service() -> Service:
    return a_service(CORS_ALLOWED_ORIGINS=f"{SHOP},https://other.example")


@pytest.mark.parametrize("origin", [SHOP, "https://other.example"])
@pytest.mark.parametrize(
    ("path", "status"),
    [("/api/payments", 200), ("/api/payments/missing", 404), ("/nowhere", 404)],
)
async def test_an_allowed_origin_may_read_every_answer_of_the_api(
    service: Service, origin: str, path: str, status: int
) -> None:
    answer = await service.client.get(path, headers=bearer() | {"Origin": origin})

    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == origin
    assert "origin" in answer.headers["vary"].lower()


async def test_an_allowed_origin_may_read_a_refusal_too(service: Service) -> None:
    answer = await service.client.get("/api/payments", headers={"Origin": SHOP})

    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == SHOP


async def test_a_stream_of_another_origin_may_go_on_where_it_was_cut_off(service: Service) -> None:
    asked = preflight("GET") | {"Access-Control-Request-Headers": "authorization,last-event-id"}

    answer = await service.client.options("/api/payments/order-1/stream", headers=asked)

    assert answer.status_code == 204
    assert "last-event-id" in answer.headers["access-control-allow-headers"].lower()


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_allowed_origin_may_ask_beforehand(service: Service, method: str) -> None:
    answer = await service.client.options(CREATE, headers=preflight(method))

    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == SHOP
    assert method in answer.headers["access-control-allow-methods"]
    allowed = answer.headers["access-control-allow-headers"].lower()
    assert {"authorization", "content-type", "idempotency-key"} <= set(allowed.split(", "))


async def test_the_headers_that_a_page_needs_are_readable(service: Service) -> None:
    answer = await service.client.get("/api/payments", headers=bearer() | {"Origin": SHOP})

    exposed = answer.headers["access-control-expose-headers"].lower().split(", ")
    assert {"x-request-id", "retry-after"} <= set(exposed)


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "http://shop.example", f"{SHOP}.evil.example", f"{SHOP}:8443",
     "https://sub.shop.example", "null", "", f"{SHOP},https://evil.example"],
)  # fmt: skip
async def test_another_origin_may_read_nothing(service: Service, origin: str) -> None:
    answer = await service.client.get("/api/payments", headers=bearer() | {"Origin": origin})
    asked = await service.client.options(CREATE, headers=preflight(origin=origin))

    assert "access-control-allow-origin" not in answer.headers
    assert "access-control-allow-origin" not in asked.headers


@pytest.mark.parametrize("origins", [SHOP, "*"])
async def test_credentials_are_never_allowed(origins: str) -> None:
    service = a_service(CORS_ALLOWED_ORIGINS=origins, AUTH_COOKIE="token")

    answers = [
        await service.client.get("/api/payments", headers=bearer() | {"Origin": SHOP}),
        await service.client.options(CREATE, headers=preflight()),
    ]

    assert all("access-control-allow-origin" in answer.headers for answer in answers)
    assert not any("access-control-allow-credentials" in answer.headers for answer in answers)


async def test_without_allowed_origins_there_is_no_such_header(service: Service) -> None:
    service = a_service()

    for answer in (
        await service.client.get("/api/payments", headers=bearer() | {"Origin": SHOP}),
        await service.client.options(CREATE, headers=preflight()),
    ):
        assert cors_headers(answer) == []


@pytest.mark.parametrize("origins", [SHOP, "*", None])
@pytest.mark.parametrize("origin", [SHOP, "https://evil.example", "null"])
@pytest.mark.parametrize(
    "path", [WEBHOOK, f"{WEBHOOK}/", "//api/payments//webhook", "/api/payments/%77ebhook"]
)
async def test_the_webhook_has_no_such_header_whoever_asks(
    origins: str | None, origin: str, path: str
) -> None:
    service = a_service(CORS_ALLOWED_ORIGINS=origins)
    address = f"https://pay.example{path}"

    posted = await service.client.post(address, json={}, headers={"Origin": origin})
    gotten = await service.client.get(address, headers={"Origin": origin})
    asked = await service.client.options(address, headers=preflight(origin=origin))

    assert (posted.status_code, gotten.status_code, asked.status_code) == (400, 405, 204)
    assert [cors_headers(answer) for answer in (posted, gotten, asked)] == [[], [], []]


async def test_a_settled_notification_has_no_such_header_either(service: Service) -> None:
    await service.given()
    service.client.headers["Origin"] = SHOP

    answer = await service.notify()

    assert answer.status_code == 200
    assert cors_headers(answer) == []
