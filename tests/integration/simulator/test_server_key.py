import httpx
import pytest

from support.simulator_desk import SERVER_KEY, Desk, a_charge

CALLS = [
    ("POST", "/v2/charge"),
    ("GET", "/v2/o-1/status"),
    ("POST", "/v2/o-1/cancel"),
    ("POST", "/v2/o-1/expire"),
]


@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize(
    "auth",
    [
        httpx.BasicAuth("SB-Mid-server-other", ""),
        httpx.BasicAuth(SERVER_KEY, "password"),
        httpx.BasicAuth("", SERVER_KEY),
        httpx.BasicAuth("", ""),
    ],
)
async def test_another_key_is_refused(desk: Desk, method: str, path: str, auth: httpx.BasicAuth) -> None:
    answer = await desk.client.request(method, path, json=a_charge(), auth=auth)

    assert answer.status_code == 401
    assert list(answer.json()) == ["status_code", "status_message", "id"]
    assert answer.json()["status_code"] == "401"
    assert desk.receiver.requests == []


async def test_no_key_is_refused(desk: Desk) -> None:
    desk.client.auth = httpx.Auth()

    answer = await desk.client.get("/v2/o-1/status")

    assert answer.status_code == 401


async def test_a_bearer_token_is_refused(desk: Desk) -> None:
    desk.client.auth = httpx.Auth()

    answer = await desk.client.get("/v2/o-1/status", headers={"Authorization": f"Bearer {SERVER_KEY}"})

    assert answer.status_code == 401
