"""The endpoint of the settings, the chore that tells, and what is told of it beside the work."""

import asyncio
from typing import Any

import pytest
from prometheus_client.registry import REGISTRY

from domain.delivery import Answer, Answered, Unreached
from domain.endpoint import OF_SETTINGS, Disabled, Endpoint
from entrypoints.endpoints import keep_endpoint_of_settings, watch_deliveries
from entrypoints.worker import chores, work
from support.merchant import OTHER_SECRET, SECRET, is_paid, listens
from support.service import eventually
from unit.entrypoints.harness import Logs, Service, a_service

TOLD: dict[str, str | None] = {
    "BAYAR_MERCHANT_URL": "https://shop.example/hook?token=hunter2",
    "BAYAR_MERCHANT_SECRET": SECRET,
}


async def keep(service: Service, *, drops: bool = True) -> None:
    async with asyncio.timeout(5):
        await keep_endpoint_of_settings(service.container, asyncio.Event(), drops=drops)


async def endpoints(service: Service) -> list[Endpoint]:
    async with service.begin() as opened:
        return await opened.endpoints.page()


def over(first: Service, **settings: str | None) -> Service:
    """Another process over the same database, with other settings."""
    service = a_service(**settings)
    service.container.providers["begin"].override(first.container.begin)
    return service


def counted(outcome: str) -> float:
    return REGISTRY.get_sample_value("bayar_merchant_deliveries_total", {"outcome": outcome}) or 0.0


async def test_the_endpoint_of_the_settings_is_there_once_a_process_has_started(logs: Logs) -> None:
    service = a_service(**TOLD, BAYAR_MERCHANT_ALLOW_PRIVATE="true")

    await keep(service)

    (endpoint,) = await endpoints(service)
    assert (endpoint.id, endpoint.url) == (OF_SETTINGS, TOLD["BAYAR_MERCHANT_URL"])
    assert (endpoint.secret, endpoint.allow_private) == (SECRET, True)
    (line,) = logs.of("merchant.endpoint_kept")
    assert line["host"] == "shop.example"
    assert "hunter2" not in logs.text
    assert SECRET not in logs.text


async def test_without_settings_there_is_none(logs: Logs) -> None:
    service = a_service()

    await keep(service)

    assert await endpoints(service) == []
    assert logs.lines == []


async def test_another_secret_is_a_rotation() -> None:
    service = a_service(**TOLD)
    await keep(service)
    other = over(service, **TOLD | {"BAYAR_MERCHANT_SECRET": OTHER_SECRET})

    await keep(other)

    (endpoint,) = await endpoints(service)
    assert (endpoint.secret, endpoint.previous_secret) == (OTHER_SECRET, SECRET)


async def test_whoever_serves_without_settings_disables_it_and_says_so(logs: Logs) -> None:
    service = a_service(**TOLD)
    await keep(service)

    await keep(over(service))

    (endpoint,) = await endpoints(service)
    assert endpoint.disabled is Disabled.SETTINGS
    (line,) = logs.of("merchant.endpoint_disabled")
    assert (line["level"], line["why"]) == ("warning", "the settings name it no longer")


async def test_a_worker_that_was_not_told_of_it_leaves_it_alone() -> None:
    service = a_service(**TOLD)
    await keep(service)

    await keep(over(service), drops=False)

    (endpoint,) = await endpoints(service)
    assert endpoint.disabled is None


async def test_one_that_is_disabled_for_another_reason_is_told_of_at_the_start(logs: Logs) -> None:
    service = a_service(**TOLD)
    await keep(service)
    async with service.begin() as opened:
        await opened.endpoints.disable(OF_SETTINGS, Disabled.GONE)

    await keep(service)

    (line,) = logs.of("merchant.endpoint_disabled")
    assert line["why"] == "it answered 410 Gone"


async def test_with_the_database_away_it_is_kept_as_soon_as_that_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service = a_service(**TOLD)
    service.begin.is_away = True

    async def pause(_stop: asyncio.Event, _seconds: float) -> None:
        service.begin.is_away = False

    monkeypatch.setattr("entrypoints.endpoints.pause", pause)
    await keep(service)

    assert len(await endpoints(service)) == 1


async def test_a_process_that_stops_does_not_wait_for_the_database() -> None:
    service = a_service(**TOLD)
    service.begin.is_away = True
    stop = asyncio.Event()

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(keep_endpoint_of_settings(service.container, stop, drops=True))
        await asyncio.sleep(0)
        stop.set()

    service.begin.is_away = False
    assert await endpoints(service) == []


async def test_the_age_of_the_oldest_event_is_measured(service: Service) -> None:
    await listens(service.begin)
    await is_paid(service.begin)
    service.clock.advance(90)
    stop = asyncio.Event()

    async def is_measured() -> bool:
        return REGISTRY.get_sample_value("bayar_merchant_oldest_undelivered_seconds") == 90

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(watch_deliveries(service.container, stop))
        await eventually(is_measured, every=0)
        stop.set()


async def test_measuring_outlives_a_database_that_is_away(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, paused = asyncio.Event(), 0
    service.begin.is_away = True

    async def pause(_stop: asyncio.Event, _seconds: float) -> None:
        nonlocal paused
        paused += 1
        if paused == 2:
            stop.set()

    monkeypatch.setattr("entrypoints.endpoints.pause", pause)
    async with asyncio.timeout(5):
        await watch_deliveries(service.container, stop)

    assert paused == 2


async def test_the_work_tells_the_shop(service: Service) -> None:
    await listens(service.begin)
    await is_paid(service.begin)
    stop = asyncio.Event()

    async def is_told() -> bool:
        return len(service.merchant.got) == 1

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(work(service.container, stop))
        await eventually(is_told, every=0)
        stop.set()


async def test_the_shop_is_told_soon_enough(service: Service) -> None:
    every = {chore.name: chore.every for chore in chores(service.container)}

    assert every["deliver events"] <= 0.5


async def test_what_is_under_way_is_waited_for_when_the_work_ends(service: Service) -> None:
    await listens(service.begin)
    await is_paid(service.begin)
    service.merchant.held = asyncio.Event()
    stop = asyncio.Event()

    async def is_under_way() -> bool:
        return len(service.merchant.got) == 1

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        working = group.create_task(work(service.container, stop))
        await eventually(is_under_way, every=0)
        stop.set()
        await asyncio.sleep(0.01)
        assert not working.done()
        service.merchant.held.set()

    async with service.begin() as opened:
        (delivery,) = await opened.deliveries.page(failed=False, limit=10)
    assert delivery.state == "delivered"


async def test_a_fault_with_one_at_the_end_is_told_and_the_others_are_waited_for(
    service: Service, logs: Logs
) -> None:
    await listens(service.begin)
    await is_paid(service.begin, "order-1", "order-2")
    service.merchant.held = asyncio.Event()
    stop = asyncio.Event()

    def answer(message: Any) -> Answer:
        if "order-1" in message.body:
            raise RuntimeError("a fault")
        return Answered(status=200)

    service.merchant.answers = answer

    async def is_under_way() -> bool:
        return len(service.merchant.got) == 2

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(work(service.container, stop))
        await eventually(is_under_way, every=0)
        stop.set()
        service.merchant.held.set()

    (line,) = logs.of("worker.failed")
    assert line["chore"] == "deliver events"
    assert len(logs.of("merchant.told")) == 1


OUTCOMES: list[tuple[Answer, str, str, dict[str, Any]]] = [
    (Answered(status=204), "delivered", "merchant.told", {"status": 204, "level": "info"}),
    (Answered(status=500), "refused", "merchant.not_told", {"status": 500, "level": "warning"}),
    (Answered(status=410), "gone", "merchant.not_told", {"status": 410, "level": "warning"}),
    (Unreached(reason="no answer within 15 s"), "unreached", "merchant.not_told",
     {"reason": "no answer within 15 s", "level": "warning"}),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "outcome", "event", "told"), OUTCOMES)
async def test_every_try_is_a_log_line_and_a_count(
    service: Service, logs: Logs, answer: Answer, outcome: str, event: str, told: dict[str, Any]
) -> None:
    await listens(service.begin, url="https://shop.example/secret-path?token=hunter2")
    await is_paid(service.begin)
    service.merchant.answers = lambda _message: answer
    before = counted(outcome)

    deliver = service.container.deliver_events()
    await deliver(at_once=10)
    await deliver.finish()

    (line,) = logs.of(event)
    assert counted(outcome) == before + 1
    assert {name: line[name] for name in told} == told
    assert (line["outcome"], line["attempt"], line["host"]) == (outcome, 1, "shop.example")
    assert line["type"] == "payment.settlement"
    assert {"event_id", "payment_id", "endpoint", "seconds"} <= line.keys()
    assert "hunter2" not in logs.text
    assert "secret-path" not in logs.text
    assert SECRET not in logs.text


async def test_what_is_given_up_is_told_loudly_and_counted(service: Service, logs: Logs) -> None:
    await listens(service.begin)
    await is_paid(service.begin, "order-1", "order-2")
    service.merchant.answers = lambda _message: Unreached(reason="no answer within 15 s")
    deliver = service.container.deliver_events()
    before = counted("gave up")

    for _ in range(60):
        await deliver(at_once=10)
        await deliver.finish()
        service.clock.advance(1801)

    lines = logs.of("merchant.gave_up")
    assert sum(line["events"] for line in lines) == counted("gave up") - before == 2
    assert {line["level"] for line in lines} == {"error"}


async def test_a_try_that_was_overtaken_is_counted_as_such(service: Service) -> None:
    await listens(service.begin)
    await is_paid(service.begin)
    deliver = service.container.deliver_events()

    def answer(_message: Any) -> Answer:
        service.clock.advance(31)
        return Answered(status=200)

    async def is_taken_again() -> bool:
        async with service.begin() as opened:
            return len(await opened.deliveries.take(limit=1)) == 1

    before = counted("overtaken")
    service.merchant.held = asyncio.Event()
    await deliver(at_once=10)
    await eventually(lambda: _got(service), every=0)
    service.clock.advance(31)
    assert await is_taken_again()
    service.merchant.held.set()
    await deliver.finish()

    assert counted("overtaken") == before + 1


async def _got(service: Service) -> bool:
    return len(service.merchant.got) == 1
