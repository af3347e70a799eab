"""What the shop sees of what it was told, over HTTP."""

from uuid import UUID

import httpx
import pytest

from domain.delivery import Answered, Unreached
from support.builders import an_id
from support.merchant import happens, is_paid, listens, refunded, settle, take
from support.service import a_token, bearer
from unit.entrypoints.harness import OTHER_USER, Service, a_service, problem_of

DELIVERIES = "/api/payments/order-1/deliveries"


async def resend(
    service: Service, event_id: object, *, user: int = 1, scope: str | None = None
) -> httpx.Response:
    path = f"{DELIVERIES}/{event_id}/resend"
    return await service.client.post(path, headers=bearer(user, scope=scope))


@pytest.fixture
async def event_id(service: Service) -> UUID:
    """The event of a payment that its endpoint has got."""
    await listens(service.begin, url="https://shop.example/?token=hunter2")
    await is_paid(service.begin)
    (due,) = await take(service.begin)
    await settle(service.begin, due, Answered(status=200))
    return due.event_id


async def test_what_an_endpoint_has_got_is_listed(service: Service, event_id: UUID) -> None:
    answer = await service.get(DELIVERIES)

    assert answer.status_code == 200
    assert answer.json() == {
        "items": [
            {
                "event_id": str(event_id),
                "endpoint_id": str(an_id("endpoint")),
                "type": "payment.settlement",
                "state": "delivered",
                "attempts": 1,
                "last_status": 200,
                "last_error": None,
                "created_at": "2026-02-06T03:00:00Z",
                "last_attempted_at": "2026-02-06T03:00:00Z",
                "due_at": None,
                "delivered_at": "2026-02-06T03:00:00Z",
                "gave_up_at": None,
            }
        ],
        "next_cursor": None,
    }
    assert "hunter2" not in answer.text


async def test_the_newest_comes_first_and_says_what_it_waits_for(service: Service, event_id: UUID) -> None:
    await happens(service.begin, refunded(10_000))
    (due,) = await take(service.begin)
    await settle(service.begin, due, Unreached(reason="no answer within 15 s"))

    newest, oldest = (await service.get(DELIVERIES)).json()["items"]

    assert oldest["event_id"] == str(event_id)
    assert (newest["type"], newest["state"]) == ("payment.refund", "waiting")
    assert (newest["last_status"], newest["last_error"]) == (None, "no answer within 15 s")
    assert newest["due_at"] == "2026-02-06T03:00:01Z"


async def test_a_payment_of_which_nobody_is_told_has_no_deliveries(service: Service) -> None:
    await service.given()

    assert (await service.get(DELIVERIES)).json() == {"items": [], "next_cursor": None}


async def test_a_resent_event_is_sent_again_under_its_id(service: Service, event_id: UUID) -> None:
    answer = await resend(service, event_id)

    assert (answer.status_code, answer.json()) == (202, {"status": "ok"})
    (due,) = await take(service.begin)
    assert due.event_id == event_id


async def test_another_s_payment_and_one_that_is_not_there_look_alike(
    service: Service, event_id: UUID
) -> None:
    theirs = [
        await service.get(DELIVERIES, user=OTHER_USER),
        await resend(service, event_id, user=OTHER_USER),
    ]
    absent = [
        await service.get(DELIVERIES.replace("order-1", "absent"), user=OTHER_USER),
        await service.client.post(
            f"/api/payments/absent/deliveries/{event_id}/resend", headers=bearer(OTHER_USER)
        ),
    ]

    assert [problem_of(answer) for answer in theirs + absent] == [(404, "payment-not-found")] * 4
    assert [answer.text.replace("order-1", "absent") for answer in theirs] == [
        answer.text for answer in absent
    ]
    assert await take(service.begin) == []


async def test_who_may_see_any_payment_may_see_and_resend(service: Service, event_id: UUID) -> None:
    seen = await service.get(DELIVERIES, user=OTHER_USER, scope="payments:any")
    resent = await resend(service, event_id, user=OTHER_USER, scope="payments:any")

    assert (seen.status_code, resent.status_code) == (200, 202)


@pytest.mark.parametrize("name", ["5b1f0c3e-7a52-5d0e-9a34-0d8f8f6c2b11", "x", "%00", "{}"])
async def test_an_event_that_is_not_there_is_not_found(service: Service, event_id: UUID, name: str) -> None:
    del event_id

    assert problem_of(await resend(service, name)) == (404, "event-not-found")


async def test_an_event_of_another_payment_is_not_found(service: Service, event_id: UUID) -> None:
    await is_paid(service.begin, "order-2")

    answer = await service.client.post(
        f"/api/payments/order-2/deliveries/{event_id}/resend", headers=bearer()
    )

    assert problem_of(answer) == (404, "event-not-found")


async def test_neither_answers_without_a_token(service: Service, event_id: UUID) -> None:
    reading = await service.client.get(DELIVERIES)
    resending = await service.client.post(f"{DELIVERIES}/{event_id}/resend")

    assert problem_of(reading) == problem_of(resending) == (401, "unauthenticated")


async def test_another_site_cannot_have_an_event_resent_with_the_cookie() -> None:
    service = a_service(AUTH_COOKIE="token")
    await listens(service.begin)
    await is_paid(service.begin)
    (due,) = await take(service.begin)
    service.client.cookies.set("token", a_token())
    path = f"{DELIVERIES}/{due.event_id}/resend"

    theirs = await service.client.post(path, headers={"Origin": "https://evil.example"})
    ours = await service.client.post(path, headers={"Sec-Fetch-Site": "same-origin"})

    assert problem_of(theirs) == (403, "cross-site")
    assert ours.status_code == 202
