import asyncio
from datetime import timedelta
from os import urandom

import httpx
import pytest
from msgspec.structs import replace

from simulator.core.fault_plan import FaultPlan
from simulator.notifications.courier import Courier
from support.simulator_desk import Desk, ManualClock, a_desk, a_transaction, everything_due

MINUTE = timedelta(minutes=1)
LADDER = [2, 10, 30, 90, 210]


async def intervals_after(desk: Desk, answer: int | Exception) -> list[int]:
    """Answer a notification always the same; tell the minutes before each repeat."""
    failure = answer if isinstance(answer, Exception) else httpx.Response(answer)
    desk.receiver.script = [failure] * 10
    # A long life, lest the expire notification comes between.
    await desk.charge(custom_expiry={"expiry_duration": 7, "unit": "day"})
    intervals: list[int] = []
    for minutes in [*LADDER, 1_000]:
        seen = len(desk.receiver.requests)
        await desk.clock.advance((minutes - 1) * MINUTE)
        assert len(desk.receiver.requests) == seen
        await desk.clock.advance(MINUTE)
        intervals += [minutes] * (len(desk.receiver.requests) - seen)
    return intervals


@pytest.mark.parametrize(
    ("answer", "retries"),
    [
        (200, 0),
        (202, 0),
        (204, 0),
        (301, 0),
        (302, 0),
        (303, 0),
        (300, 0),
        (304, 0),
        (500, 1),
        (400, 2),
        (404, 2),
        (503, 4),
        (401, 5),
        (429, 5),
        (502, 5),
        (307, 5),
        (308, 5),
        (httpx.ReadTimeout("slow"), 5),
        (httpx.ConnectError("nobody there"), 5),
        (TimeoutError(), 5),
        (OSError("no route"), 5),
    ],
)
async def test_the_answer_decides_how_often_a_notification_comes_again(
    desk: Desk, answer: int | Exception, retries: int
) -> None:
    assert await intervals_after(desk, answer) == LADDER[:retries]


async def test_every_repeat_is_the_same_notification(desk: Desk) -> None:
    desk.receiver.script = [httpx.Response(503)]
    await desk.charge()
    await desk.clock.advance(2 * MINUTE)

    first, second = desk.receiver.requests
    assert first.content == second.content


async def test_a_repeat_that_is_received_is_the_last(desk: Desk) -> None:
    desk.receiver.script = [httpx.Response(503), httpx.Response(200)]
    await desk.charge()
    await desk.clock.advance(2 * MINUTE)
    await desk.clock.advance(10 * MINUTE)

    assert len(desk.receiver.requests) == 2


async def test_the_latest_answer_counts(desk: Desk) -> None:
    desk.receiver.script = [httpx.Response(503), httpx.Response(500)]
    await desk.charge()
    await desk.clock.advance(2 * MINUTE)
    await desk.clock.advance(10 * MINUTE)

    assert len(desk.receiver.requests) == 2


async def test_a_repeat_tells_what_was_true_then(desk: Desk) -> None:
    desk.receiver.script = [httpx.Response(503)]
    await desk.charge()
    await desk.post("/wallet/o-1/pay")
    await desk.clock.advance(2 * MINUTE)

    assert desk.receiver.statuses == ["pending", "settlement", "pending"]


async def test_each_address_has_its_own_repeats(desk: Desk) -> None:
    desk.receiver.script = [httpx.Response(503), httpx.Response(200)]
    headers = {"X-Override-Notification": "https://a.example,https://b.example"}
    await desk.charge(headers=headers)
    await desk.clock.advance(2 * MINUTE)

    assert desk.receiver.urls == ["https://a.example", "https://b.example", "https://a.example"]


async def test_an_address_that_is_none_is_tried_and_harms_nobody(desk: Desk) -> None:
    headers = {"X-Override-Notification": "nonsense,https://[::bad,https://b.example"}

    answer = await desk.charge(headers=headers)

    assert answer.json()["status_code"] == "201"
    assert "https://b.example" in desk.receiver.urls


async def test_time_scale_shortens_the_intervals_between_repeats() -> None:
    async with a_desk(time_scale=60) as desk:
        desk.receiver.script = [httpx.Response(503)]
        await desk.charge()

        await desk.clock.advance(timedelta(seconds=1))
        assert len(desk.receiver.requests) == 1
        await desk.clock.advance(timedelta(seconds=1))
        assert len(desk.receiver.requests) == 2


async def test_time_scale_leaves_the_expiry_alone() -> None:
    async with a_desk(time_scale=60) as desk:
        charge = await desk.charge()

        await desk.clock.advance(timedelta(minutes=15, seconds=-1))

        assert charge.json()["expiry_time"] == "2024-06-22 10:15:00"
        assert (await desk.status("o-1"))["transaction_status"] == "pending"


@pytest.mark.parametrize("time_scale", [0, -1, 1e-12, float("nan"), float("inf")])
async def test_time_neither_stands_still_nor_runs_back(time_scale: float) -> None:
    with pytest.raises(ValueError, match="time_scale"):
        async with a_desk(time_scale=time_scale):
            pass


@pytest.mark.parametrize("status", [307, 308])
async def test_a_lasting_redirect_is_followed_as_a_post(desk: Desk, status: int) -> None:
    desk.receiver.script = [httpx.Response(status, headers={"Location": "/elsewhere"})]
    await desk.charge()

    first, second = desk.receiver.requests
    assert str(second.url) == "https://shop.example/elsewhere"
    assert second.method == "POST"
    assert second.content == first.content
    assert second.headers["user-agent"] == "Veritrans"


async def test_five_redirects_are_followed_and_then_it_is_tried_again_later(desk: Desk) -> None:
    desk.receiver.script = [httpx.Response(307, headers={"Location": "/round"})] * 6
    await desk.charge()
    assert len(desk.receiver.requests) == 6

    await desk.clock.advance(2 * MINUTE)
    assert len(desk.receiver.requests) == 7


async def test_too_many_waiting_notifications_are_given_up() -> None:
    async with a_desk(most_transactions=2) as desk:
        desk.receiver.script = [httpx.Response(503)] * 3
        for order_id in ("o-1", "o-2", "o-3"):
            await desk.charge(order_id)
        await desk.clock.advance(2 * MINUTE)

        told = [body["order_id"] for body in desk.receiver.bodies]

    assert told == ["o-1", "o-2", "o-3", "o-1", "o-2"]


async def test_repeats_take_only_so_much_memory() -> None:
    told: list[str] = []
    clock = ManualClock()

    async def refuse(_: str, body: bytes) -> int:
        told.append(body.decode())
        return 503

    courier = Courier(
        send=refuse,
        write=lambda transaction, _: transaction.order_id.encode(),
        faults=FaultPlan(),
        clock=clock,
        time_scale=1,
        limit=100,
        most_bytes=3_000,
    )
    delivering = asyncio.create_task(courier.deliver())
    for number in range(5):
        courier.notify(replace(a_transaction(number), notification_urls=("u",), metadata=urandom(1_000)))
        await everything_due()
    await clock.advance(2 * MINUTE)
    delivering.cancel()

    assert told == ["o-0", "o-1", "o-2", "o-3", "o-4", "o-0", "o-1", "o-2"]
