"""What a machine that runs the service asks it: whether it lives, whether it can work, and its numbers."""

import re

import httpx
import pytest
from prometheus_client.registry import REGISTRY

from domain.status import Status
from support import builders
from support.service import bearer
from unit.entrypoints.harness import Service, a_service, away, problem_of


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_the_process_lives_whatever_the_database_does(service: Service) -> None:
    away(service)

    answer = await service.client.get("/health/live")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_with_a_migrated_database_the_service_is_ready(service: Service) -> None:
    answer = await service.client.get("/health/ready")

    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "background_work": "ok", "behind_seconds": 0}


@pytest.mark.parametrize(("seconds", "state"), [(119.0, "ok"), (121.0, "behind")])
async def test_background_work_that_is_stuck_is_told_and_does_not_take_the_api_out(
    service: Service, seconds: float, state: str
) -> None:
    service.health.behind_seconds = seconds

    answer = await service.client.get("/health/ready")

    assert (answer.status_code, answer.json()["background_work"]) == (200, state)
    assert f"bayar_background_behind_seconds {seconds}" in (await service.client.get("/metrics")).text


async def test_with_the_database_away_the_service_is_not_ready(service: Service) -> None:
    away(service)

    answer = await service.client.get("/health/ready")

    assert problem_of(answer) == (503, "database-unavailable")
    assert answer.headers["retry-after"] == "2"


async def test_with_a_missing_migration_the_service_is_not_ready(service: Service) -> None:
    service.health.missing_migrations = ("20261123000003",)

    answer = await service.client.get("/health/ready")

    assert problem_of(answer) == (503, "database-unavailable")
    assert "bayar migrate" in answer.json()["detail"]
    assert answer.headers["retry-after"] == "2"


async def test_a_database_that_comes_back_makes_the_service_ready_again(service: Service) -> None:
    away(service)
    await service.client.get("/health/ready")
    service.begin.is_away = False

    assert (await service.client.get("/health/ready")).status_code == 200


async def test_metrics_are_open_without_a_token_in_the_settings(service: Service) -> None:
    answer = await service.client.get("/metrics")

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "# TYPE bayar_http_request_seconds histogram" in answer.text


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "scrape-me",
        "Bearer other",
        "Bearer scrape-me2",
        "Basic scrape-me",
        "Bearer scrape-m\u00e9",
    ],
)
async def test_metrics_need_their_own_token_where_one_is_set(header: str | None) -> None:
    service = a_service(BAYAR_METRICS_TOKEN="scrape-me")
    headers = [] if header is None else [(b"Authorization", header.encode())]

    answer = await service.client.get("/metrics", headers=headers)

    assert problem_of(answer) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "bayar_http" not in answer.text


async def test_a_user_s_token_does_not_open_the_metrics() -> None:
    service = a_service(BAYAR_METRICS_TOKEN="scrape-me")

    answer = await service.client.get("/metrics", headers=bearer(scope="payments:any"))

    assert problem_of(answer) == (401, "unauthenticated")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
async def test_their_own_token_opens_the_metrics(scheme: str) -> None:
    service = a_service(BAYAR_METRICS_TOKEN="scrape-me")

    answer = await service.client.get("/metrics", headers={"Authorization": f"{scheme} scrape-me"})

    assert answer.status_code == 200


async def test_requests_are_counted_by_route_template_and_never_by_address(
    service: Service,
) -> None:
    await service.given(order_id="an-order-of-mine")
    labels = {"method": "GET", "route": "/api/payments/{order_id}", "status": "200"}
    before = sample("bayar_http_request_seconds_count", **labels)

    await service.get("/api/payments/an-order-of-mine")

    assert sample("bayar_http_request_seconds_count", **labels) == before + 1
    assert "an-order-of-mine" not in (await service.client.get("/metrics")).text


async def test_addresses_that_do_not_exist_share_one_count(service: Service) -> None:
    labels = {"method": "GET", "route": "unmatched", "status": "404"}
    before = sample("bayar_http_request_seconds_count", **labels)

    for number in range(5):
        await service.client.get(f"/guess-{number}")

    assert sample("bayar_http_request_seconds_count", **labels) == before + 5


async def test_methods_that_nobody_made_share_one_count(service: Service) -> None:
    for number in range(5):
        await service.client.request(f"BREW{number}", "/metrics")

    assert "BREW" not in (await service.client.get("/metrics")).text


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ({}, "applied"),
        ({"transaction_status": "pending"}, "known"),
        ({"transaction_id": "t-2"}, "doubtful"),
        ({"gross_amount": "1.00"}, "set aside"),
        ({"order_id": "never-seen"}, "unknown order"),
        ({"signature_key": "x"}, "forged"),
        ({"order_id": None}, "malformed"),
    ],
)
async def test_webhooks_are_counted_by_outcome(service: Service, said: dict[str, str], outcome: str) -> None:
    await service.given()
    before = sample("bayar_webhooks_total", outcome=outcome)

    await service.notify(**({"order_id": "x"} | said if outcome == "malformed" else said))

    assert sample("bayar_webhooks_total", outcome=outcome) == before + 1


async def test_a_notification_that_could_not_be_stored_is_counted(service: Service) -> None:
    away(service)
    before = sample("bayar_webhooks_total", outcome="not stored")

    await service.notify()

    assert sample("bayar_webhooks_total", outcome="not stored") == before + 1


async def test_payments_are_counted_by_the_status_that_they_reach(service: Service) -> None:
    service.gateway.answers_charges_with(builders.a_charge_answer())
    labels = {"status": "pending", "what": "pending", "source": "charge"}
    before = sample("bayar_payment_changes_total", **labels)

    await service.create()

    assert sample("bayar_payment_changes_total", **labels) == before + 1


async def test_the_use_of_both_pools_is_among_the_metrics(service: Service) -> None:
    text = (await service.client.get("/metrics")).text

    assert 'bayar_database_connections{state="idle"} 4.0' in text
    assert 'bayar_database_connections{state="in use"} 2.0' in text


async def test_the_metrics_name_no_payment_user_or_key(service: Service) -> None:
    await service.given(status=Status.PENDING, transaction_id="t-secret-1")
    await service.get("/api/payments/order-1")
    await service.notify(transaction_id="t-secret-1")

    text = (await service.client.get("/metrics")).text

    assert "order-1" not in text
    assert "t-secret-1" not in text
    assert "SB-Mid-server" not in text


async def test_every_metric_of_ours_is_documented(service: Service) -> None:
    answer: httpx.Response = await service.client.get("/metrics")

    names = re.findall(r"^# HELP (bayar_\w+) \w+", answer.text, re.MULTILINE)
    assert {name for name in names if not name.endswith("_created")} == {
        "bayar_http_request_seconds",
        "bayar_payment_changes_total",
        "bayar_payment_breaks_total",
        "bayar_background_behind_seconds",
        "bayar_refunds_total",
        "bayar_webhooks_total",
        "bayar_gateway_call_seconds",
        "bayar_merchant_deliveries_total",
        "bayar_merchant_oldest_undelivered_seconds",
        "bayar_database_connections",
        "bayar_open_streams",
    }
