"""The program tells a shop's backend: real processes, real sockets, and a process that is killed."""

import asyncio
import json
import signal
from typing import Any, Final

import httpx
import pytest

from support.database import connected
from support.merchant import OTHER_SECRET, SECRET
from support.receiver import Got, Receiver, Reply, receiving
from support.service import CREATE, HOST, Serving, bearer, eventually, free_port, ran, serving, started

ALLOWED: Final = {"BAYAR_MERCHANT_ALLOW_PRIVATE": "true"}


def told(receiver: Receiver, **changes: str) -> dict[str, str]:
    """The settings that name the receiver."""
    return {"BAYAR_MERCHANT_URL": receiver.url, "BAYAR_MERCHANT_SECRET": SECRET} | ALLOWED | changes


async def created(url: str) -> dict[str, Any]:
    async with httpx.AsyncClient(base_url=url, headers=bearer(), trust_env=False, timeout=30) as http:
        answer = await http.post(CREATE)
    assert answer.status_code == 201, answer.text
    payment: dict[str, Any] = answer.json()
    return payment


async def pay(simulator: Serving, payment: dict[str, Any]) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(f"{simulator.url}/wallet/{payment['transaction_id']}/pay")
    assert answer.status_code == 200


async def gets(receiver: Receiver, *types: str) -> None:
    """Wait until exactly these events have come."""

    async def have_come() -> bool:
        return receiver.types == list(types)

    await eventually(have_come, within=20)


async def deliveries(env: dict[str, str]) -> list[Any]:
    """The deliveries as stored, oldest first; much sooner than the command lists them."""
    async with connected(env["DATABASE_URL"]) as connection:
        return await connection.fetch("SELECT * FROM merchant_deliveries ORDER BY queued_at, seq")


async def are_delivered(env: dict[str, str], number: int) -> None:
    """Wait until the answers to so many are stored, and nothing else is to be told."""

    async def look() -> bool:
        return [one["delivered_at"] is not None for one in await deliveries(env)] == [True] * number

    await eventually(look, within=20)


async def endpoint_is(env: dict[str, str], *, disabled: str | None) -> None:
    async def look() -> bool:
        async with connected(env["DATABASE_URL"]) as connection:
            (row,) = await connection.fetch("SELECT disabled_because FROM merchant_endpoints")
        return bool(row["disabled_because"] == disabled)

    await eventually(look, within=20)


@pytest.fixture
def notified(env: dict[str, str]) -> tuple[dict[str, str], int]:
    """Settings of a service that the simulator notifies, and its port."""
    port = free_port()
    return env | {"BAYAR_PUBLIC_URL": f"http://{HOST}:{port}"}, port


async def test_the_shop_is_told_of_each_change_in_order_and_signed(
    notified: tuple[dict[str, str], int], simulator: Serving
) -> None:
    env, port = notified
    async with receiving() as receiver, serving(env=env | told(receiver), port=port) as service:
        payment = await created(service.url)
        await gets(receiver, "payment.pending")
        await pay(simulator, payment)
        await gets(receiver, "payment.pending", "payment.settlement")
        await are_delivered(env, 2)
        async with httpx.AsyncClient(trust_env=False) as http:
            listed = await http.get(
                f"{service.url}/api/payments/{payment['order_id']}/deliveries", headers=bearer()
            )
            metrics = (await http.get(f"{service.url}/metrics")).text
        said = service.program.said

    pending, settlement = (got.verified() for got in receiver.got)
    assert pending["data"]["order_id"] == settlement["data"]["order_id"] == payment["order_id"]
    assert (pending["data"]["status"], settlement["data"]["status"]) == ("pending", "settlement")
    assert settlement["data"]["paid_at"] is not None
    assert [one["event_id"] for one in listed.json()["items"]] == [got.id for got in receiver.got[::-1]]
    assert 'bayar_merchant_deliveries_total{outcome="delivered"} 2.0' in metrics
    assert "bayar_merchant_oldest_undelivered_seconds" in metrics
    lines = [json.loads(line) for line in said.splitlines()]
    assert [line["event"] for line in lines].count("merchant.told") == 2
    assert SECRET not in said
    assert SECRET.removeprefix("whsec_") not in said


async def test_several_processes_tell_each_change_once_and_in_order(
    notified: tuple[dict[str, str], int], simulator: Serving
) -> None:
    env, port = notified
    async with (
        receiving() as receiver,
        serving("--workers", "2", env=env | told(receiver), port=port) as service,
        started("worker", env=env | told(receiver)),
    ):
        payments = [await created(service.url) for _ in range(5)]
        for payment in payments:
            await pay(simulator, payment)

        async def have_come() -> bool:
            return len(receiver.got) == 10

        await eventually(have_come, within=20)
        await are_delivered(env, 10)

    for payment in payments:
        of_payment = [got.said for got in receiver.got if got.said["data"]["order_id"] == payment["order_id"]]
        assert [said["type"] for said in of_payment] == ["payment.pending", "payment.settlement"]
    assert len({got.id for got in receiver.got}) == 10


async def test_what_a_killed_process_was_sending_is_sent_again_by_another(env: dict[str, str]) -> None:
    async with receiving() as receiver:
        receiver.held = asyncio.Event()
        async with serving(env=env | told(receiver)) as service:
            await created(service.url)
            await gets(receiver, "payment.pending")
            service.program.signal(signal.SIGKILL)
            await service.program.ended()
        receiver.held.set()
        receiver.held = None
        async with connected(env["DATABASE_URL"]) as connection:
            # As if the thirty seconds of the dead process were over.
            await connection.execute("UPDATE merchant_deliveries SET leased_until = now()")

        async with started("worker", env=env):
            await gets(receiver, "payment.pending", "payment.pending")
            await are_delivered(env, 1)

    first, again = receiver.got
    assert (first.id, first.body) == (again.id, again.body)
    assert again.verified() == first.verified()


async def test_an_endpoint_that_was_down_gets_everything_once_it_is_back(
    notified: tuple[dict[str, str], int], simulator: Serving
) -> None:
    env, port = notified
    receiver = Receiver()
    receiver.port = free_port()
    async with serving(env=env | told(receiver), port=port) as service:
        payment = await created(service.url)
        await pay(simulator, payment)

        async def was_tried() -> bool:
            found = await deliveries(env)
            return [one["last_error"] for one in found] == ["no connection: Connection refused", None]

        await eventually(was_tried, within=20)
        async with receiving(receiver, port=receiver.port):
            await gets(receiver, "payment.pending", "payment.settlement")


async def test_a_private_address_is_not_told_unless_that_is_allowed(env: dict[str, str]) -> None:
    async with receiving() as receiver:
        async with serving(env=env | told(receiver, BAYAR_MERCHANT_ALLOW_PRIVATE="false")) as service:
            await created(service.url)

            async def was_refused() -> Any:
                (one,) = await deliveries(env)
                return one["last_error"]

            assert "private" in await eventually(was_refused, within=20)
        assert receiver.connections == 0

        async with serving(env=env | told(receiver)):
            await gets(receiver, "payment.pending")


async def test_an_endpoint_comes_and_goes_with_the_settings(env: dict[str, str]) -> None:
    async with receiving() as receiver:
        async with serving(env=env | told(receiver)) as service:
            await created(service.url)
            await gets(receiver, "payment.pending")
        async with serving(env=env) as service:
            await endpoint_is(env, disabled="the settings name it no longer")
            await created(service.url)
        async with serving(env=env | told(receiver, BAYAR_MERCHANT_SECRET=OTHER_SECRET)) as service:
            await endpoint_is(env, disabled=None)
            await created(service.url)
            await gets(receiver, "payment.pending", "payment.pending")

    first, second = receiver.got
    assert first.verified(SECRET)
    assert second.verified(SECRET) == second.verified(OTHER_SECRET)


async def test_endpoints_are_added_by_the_command_line_and_events_resent(env: dict[str, str]) -> None:
    def answer(got: Got) -> Reply:
        return Reply(status=200 if len(receiver.got) > 1 else 400, body=got.id.encode())

    async with receiving() as receiver:
        receiver.reply = answer
        added = await ran("endpoints", "add", receiver.url, "--allow-private", "--json", env=env)
        async with serving(env=env) as service:
            await created(service.url)
            await gets(receiver, "payment.pending")

            async def was_refused() -> Any:
                (one,) = (await ran("deliveries", "list", "--json", env=env)).json
                return one if one["last_status"] == 400 else None

            one = await eventually(was_refused, within=30)
            resent = await ran("deliveries", "resend", one["event_id"], env=env)
            await gets(receiver, "payment.pending", "payment.pending")
            await are_delivered(env, 1)

    assert resent.out == "1 event is to be sent again.\n"
    assert {got.id for got in receiver.got} == {one["event_id"]}
    assert all(got.verified(added.json["secret"]) for got in receiver.got)


async def test_sigterm_waits_for_what_is_being_told(env: dict[str, str]) -> None:
    async with receiving() as receiver:
        receiver.held = asyncio.Event()
        async with serving(env=env | told(receiver)) as service:
            await created(service.url)
            await gets(receiver, "payment.pending")
            service.program.signal(signal.SIGTERM)
            receiver.held.set()
            ended = await service.program.ended(within=20)

    assert ended.status == 0
    (delivery,) = await deliveries(env)
    assert (delivery["delivered_at"] is not None, delivery["attempts"]) == (True, 1)
