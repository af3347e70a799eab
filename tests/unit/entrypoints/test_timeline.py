"""The timeline of a payment: every change, when, and from which evidence; nothing secret in it."""

import hashlib
import json

from domain.status import Status
from support import builders, recorded
from support.builders import SERVER_KEY
from unit.entrypoints.harness import OTHER_USER, Service, a_notification_body, a_service, problem_of

EVENTS = "/api/payments/order-1/events"


async def test_a_payment_s_changes_are_told_oldest_first_with_their_evidence(service: Service) -> None:
    service.gateway.answers_charges_with(builders.a_charge_answer())
    await service.create({"order_id": "order-1"})
    service.clock.advance(60)
    await service.notify()

    answer = await service.get(EVENTS)

    assert answer.status_code == 200
    told = answer.json()
    assert told["next_cursor"] is None
    assert [(e["seq"], e["what"], e["source"], e["status"]) for e in told["items"]] == [
        (1, "created", "shop", "created"),
        (2, "pending", "charge", "pending"),
        (3, "settlement", "notification", "settlement"),
    ]
    created, _, paid = told["items"]
    assert (created["at"], paid["at"]) == ("2026-02-06T03:00:00Z", "2026-02-06T03:01:00Z")
    assert created["detail"]["gross_amount"] == 10_000
    evidence = paid["detail"].pop("evidence")
    assert paid["detail"] == {"from": "pending", "paid_at": "2026-02-06T03:00:40+00:00"}
    assert evidence == hashlib.sha256(service.begin.notifications[0].body.encode()).hexdigest()


async def test_the_digests_are_those_of_the_log(service: Service) -> None:
    await service.given()

    (entry,) = (await service.get(EVENTS)).json()["items"]

    assert entry["digest"] == service.stored().log_head.hex()


async def test_a_payment_of_an_earlier_service_has_an_empty_timeline(service: Service) -> None:
    await service.given(log_length=0)

    assert (await service.get(EVENTS)).json() == {"items": [], "next_cursor": None}


async def test_its_first_change_here_shows_the_state_as_it_was_found(service: Service) -> None:
    await service.given(log_length=0)
    await service.notify()

    events = (await service.get(EVENTS)).json()["items"]

    assert [(e["what"], e["source"]) for e in events] == [
        ("adopted", "earlier service"),
        ("settlement", "notification"),
    ]
    assert events[0]["detail"]["paid_at"] is None


async def test_only_the_owner_and_who_may_see_any_payment_read_it(service: Service) -> None:
    await service.given()

    theirs = await service.get(EVENTS, user=OTHER_USER)
    anybody = await service.get(EVENTS, user=OTHER_USER, scope="payments:any")

    assert problem_of(theirs) == (404, "payment-not-found")
    assert [event["what"] for event in anybody.json()["items"]] == ["created"]


async def test_reading_it_asks_midtrans_nothing_and_changes_nothing(service: Service) -> None:
    await service.given()
    before = service.stored()

    await service.get(EVENTS)

    assert service.gateway.asked == []
    assert service.stored() == before


async def test_nothing_secret_is_in_it() -> None:
    service = a_service(MIDTRANS_PREVIOUS_SERVER_KEY="SB-Mid-server-before")
    answer = builders.a_charge_answer(answer=json.dumps(recorded.gopay_charge()))
    service.gateway.answers_charges_with(answer)
    await service.create({"order_id": "order-1"})
    await service.notify()

    text = (await service.get(EVENTS)).text

    assert service.stored().status is Status.SETTLEMENT
    for secret in (a_notification_body()["signature_key"], SERVER_KEY, "SB-Mid-server", "tref="):
        assert secret not in text
