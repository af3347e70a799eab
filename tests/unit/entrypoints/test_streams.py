"""A payment as server-sent events: what is told, to whom, and when it ends."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client.registry import REGISTRY

from domain import history
from domain.history import Source
from domain.status import Status
from entrypoints.http import streams
from support import builders, recorded
from support.builders import NOW
from support.service import bearer, eventually
from unit.entrypoints.following import following
from unit.entrypoints.harness import Logs, Service, a_service, away, problem_of

STREAM = "/api/payments/order-1/stream"
TOKEN = "t" * 32


async def look(service: Service) -> None:
    """The watcher's next look at the database, now."""
    await service.container.watcher().look()


async def becomes(service: Service, status: Status, **changes: Any) -> None:
    """The payment changes, with a log row, as all changes do."""
    payment = service.stored()
    after = replace(payment, status=status, **changes)
    after, entries = history.recorded(payment, after, status, Source.STATUS_REPLY, {}, at=NOW)
    async with service.begin() as work:
        await work.payments.lock(payment.order_id)
        await work.payments.save(after, entries)


def open_streams() -> float:
    return REGISTRY.get_sample_value("bayar_open_streams") or 0.0


async def test_the_payment_as_it_is_now_is_told_at_once(service: Service) -> None:
    await service.given(charge_answer=json.dumps(recorded.qris_charge()), metadata={"text": "two\nlines\r\n"})

    async with following(service, STREAM, headers=bearer()) as viewer:
        await viewer.has_seen(1)

    stored = await service.get("/api/payments/order-1")
    assert viewer.status == 200
    assert viewer.events == [("1", stored.json())]


async def test_it_is_a_stream_that_nobody_on_the_way_keeps(service: Service) -> None:
    await service.given()

    async with following(service, STREAM, headers=bearer()) as viewer:
        pass

    assert viewer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert viewer.headers["cache-control"] == "no-store"
    assert viewer.headers["x-accel-buffering"] == "no"
    assert viewer.headers["referrer-policy"] == "no-referrer"
    assert "content-length" not in viewer.headers


async def test_it_says_after_which_time_to_come_back_and_not_to_all_the_same(service: Service) -> None:
    said = set()
    for number in range(3):
        await service.given(order_id=f"order-{number}")
        async with following(service, f"/api/payments/order-{number}/stream", headers=bearer()) as viewer:
            said.add(viewer.text.split("\n")[0])

    milliseconds = {int(line.removeprefix("retry: ")) for line in said}
    assert all(2000 <= value < 4000 for value in milliseconds)
    assert len(milliseconds) == 3


async def test_each_change_is_told_and_the_end_is_the_last(service: Service) -> None:
    await service.given(status=Status.CREATED)

    async with following(service, STREAM, headers=bearer()) as viewer:
        await viewer.has_seen(1)
        await becomes(service, Status.PENDING)
        await look(service)
        assert await viewer.has_seen(2) == ["created", "pending"]
        assert not viewer.has_ended
        await becomes(service, Status.SETTLEMENT)
        await look(service)
        assert await viewer.has_seen(3) == ["created", "pending", "settlement"]
        await eventually(lambda: is_over(viewer), every=0.001)

    assert [number for number, _ in viewer.events] == ["1", "2", "3"]
    assert open_streams() == 0


async def is_over(viewer: Any) -> bool:
    return bool(viewer.has_ended)


async def test_a_look_that_finds_nothing_new_tells_nothing(service: Service) -> None:
    await service.given()

    async with following(service, STREAM, headers=bearer()) as viewer:
        for _ in range(3):
            await look(service)

    assert len(viewer.events) == 1


@pytest.mark.parametrize("status", [status for status in Status if not status.is_open])
async def test_of_a_payment_that_is_over_the_end_is_told_and_nothing_more(
    service: Service, status: Status
) -> None:
    await service.given(status=status)

    answer = await service.get(STREAM)

    assert answer.status_code == 200
    assert answer.text.count("data: ") == 1
    assert f'"status":"{status}"' in answer.text


@pytest.mark.parametrize("seen", ["1", "2", "9"])
async def test_whoever_has_seen_the_end_is_told_not_to_come_back(service: Service, seen: str) -> None:
    await service.given(status=Status.EXPIRE)

    answer = await service.client.get(STREAM, headers=bearer() | {"Last-Event-ID": seen})

    assert (answer.status_code, answer.content) == (204, b"")


async def test_whoever_missed_the_end_is_told_it(service: Service) -> None:
    await service.given()
    await becomes(service, Status.SETTLEMENT)

    missed = await service.client.get(STREAM, headers=bearer() | {"Last-Event-ID": "1"})
    seen = await service.client.get(STREAM, headers=bearer() | {"Last-Event-ID": "2"})

    assert (missed.status_code, seen.status_code) == (200, 204)
    assert "id: 2\n" in missed.text
    assert '"status":"settlement"' in missed.text


async def test_what_becomes_of_the_money_after_the_end_starts_no_stream_again(service: Service) -> None:
    await service.given()
    await becomes(service, Status.SETTLEMENT)
    await becomes(service, Status.REFUND)

    answer = await service.client.get(STREAM, headers=bearer() | {"Last-Event-ID": "2"})

    assert answer.status_code == 204


async def test_a_broken_stream_goes_on_without_telling_twice(service: Service) -> None:
    await service.given()

    async with following(service, STREAM, headers=bearer() | {"Last-Event-ID": "1"}) as viewer:
        await look(service)
        assert viewer.events == []
        await becomes(service, Status.SETTLEMENT)
        await look(service)
        assert await viewer.has_seen(1) == ["settlement"]


async def test_a_change_while_the_stream_was_broken_is_told_at_once(service: Service) -> None:
    await service.given(status=Status.CREATED)
    await becomes(service, Status.PENDING)

    async with following(service, STREAM, headers=bearer() | {"Last-Event-ID": "1"}) as viewer:
        assert await viewer.has_seen(1) == ["pending"]


@pytest.mark.parametrize("told", ["", "x", "-1", "1.0", "0x1", "\u0661", "9" * 400, "7", "1, 1"])
async def test_an_id_that_was_never_told_is_like_none(service: Service, told: str) -> None:
    await service.given()
    headers = bearer() | {"Last-Event-ID": told.encode().decode("latin-1")}

    async with following(service, STREAM, headers=headers) as viewer:
        assert await viewer.has_seen(1) == ["pending"]


async def test_a_comment_comes_while_nothing_changes(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert streams._SECONDS_BETWEEN_COMMENTS == 15
    monkeypatch.setattr(streams, "_SECONDS_BETWEEN_COMMENTS", 0.001)
    await service.given()

    async with following(service, STREAM, headers=bearer()) as viewer:

        async def are_there() -> bool:
            return viewer.comments >= 3

        await eventually(are_there, every=0.001)

    assert len(viewer.events) == 1


async def test_a_stream_ends_after_an_hour_for_its_viewer_to_prove_itself_anew(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "_SECONDS_BETWEEN_COMMENTS", 0.001)
    await service.given()

    async with following(service, STREAM, headers=bearer()) as viewer:
        service.clock.advance(3599)
        await asyncio.sleep(0)
        assert not viewer.has_ended
        service.clock.advance(2)
        await eventually(lambda: is_over(viewer), every=0.001)


async def test_whoever_leaves_leaves_nothing_behind(service: Service) -> None:
    await service.given()
    watcher = service.container.watcher()

    async with following(service, STREAM, headers=bearer()):
        assert (watcher._number, len(watcher._watches), open_streams()) == (1, 1, 1)

    assert (watcher._number, dict(watcher._watches), watcher._seen, open_streams()) == (0, {}, {}, 0)


async def test_a_process_that_ends_lets_its_viewers_go(service: Service) -> None:
    await service.given()

    async with following(service, STREAM, headers=bearer()) as viewer:
        await viewer.has_seen(1)
        service.container.watcher().close()
        await eventually(lambda: is_over(viewer), every=0.001)
    late = await service.get(STREAM)

    assert len(viewer.events) == 1
    assert late.text.count("data: ") == 1


async def test_one_viewer_too_many_is_told_to_wait_and_finds_room_later() -> None:
    service = a_service(BAYAR_MAX_STREAMS="2")
    await service.given()

    async with (
        following(service, STREAM, headers=bearer()),
        following(service, STREAM, headers=bearer()),
    ):
        refused = await service.get(STREAM)
    await becomes(service, Status.SETTLEMENT)

    assert problem_of(refused) == (503, "too-many-streams")
    assert refused.headers["retry-after"] == "5"
    assert (await service.get(STREAM)).status_code == 200


async def test_the_database_may_be_away_when_somebody_comes(service: Service) -> None:
    away(service)

    assert problem_of(await service.get(STREAM)) == (503, "database-unavailable")


async def test_many_viewers_of_many_payments_are_one_question(service: Service) -> None:
    for number in range(1, 4):
        await service.given(order_id=f"order-{number}")
    changes = service.container.changes()

    async with (
        following(service, STREAM, headers=bearer()) as one,
        following(service, STREAM, headers=bearer()) as other,
        following(service, "/api/payments/order-2/stream", headers=bearer()) as third,
    ):
        before = changes.questions
        await becomes(service, Status.EXPIRE)
        await look(service)
        assert await one.has_seen(2) == await other.has_seen(2) == ["pending", "expire"]
        assert len(third.events) == 1
        assert changes.questions == before + 1


async def test_a_stream_s_line_says_when_it_ended_and_its_metric_how_soon_it_began(
    service: Service, logs: Logs
) -> None:
    await service.given()
    labels = {"method": "GET", "route": "/api/payments/{order_id}/stream", "status": "200"}
    before = REGISTRY.get_sample_value("bayar_http_request_seconds_sum", labels) or 0.0

    async with following(service, STREAM, headers=bearer()):
        await asyncio.sleep(0.05)

    (line,) = logs.of("request.finished")
    assert line["milliseconds"] >= 50
    after = REGISTRY.get_sample_value("bayar_http_request_seconds_sum", labels)
    assert after is not None
    assert after - before < 0.05


async def test_a_checkout_token_opens_its_own_payment_s_stream(service: Service) -> None:
    await service.given(checkout_token=TOKEN)

    async with following(service, f"{STREAM}?token={TOKEN}") as viewer:
        assert await viewer.has_seen(1) == ["pending"]

    assert viewer.events[0][1]["checkout_url"] == f"https://pay.example/checkout/{TOKEN}"


async def test_a_token_that_has_died_meanwhile_does_not_resume(service: Service) -> None:
    await builders.given(service.begin, checkout_token=TOKEN, status=Status.PENDING)
    service.clock.advance((timedelta(hours=24, minutes=15)).total_seconds())

    answer = await service.client.get(f"{STREAM}?token={TOKEN}", headers={"Last-Event-ID": "1"})

    assert problem_of(answer) == (401, "unauthenticated")


async def test_a_page_of_an_allowed_origin_may_follow_and_no_other() -> None:
    service = a_service(CORS_ALLOWED_ORIGINS="https://shop.example")
    await service.given(checkout_token=TOKEN)
    allowed = []

    for origin in ("https://shop.example", "https://evil.example"):
        async with following(service, f"{STREAM}?token={TOKEN}", headers={"Origin": origin}) as viewer:
            allowed.append(viewer.headers.get("access-control-allow-origin"))
            assert "access-control-allow-credentials" not in viewer.headers

    assert allowed == ["https://shop.example", None]
