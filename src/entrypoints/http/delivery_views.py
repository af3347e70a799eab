"""How deliveries go over the wire."""

from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta, Struct

from domain.ports.deliveries import DeliveryState, EventDelivery
from entrypoints.http.described import described as _is

STATES: Final = {
    DeliveryState.WAITING: "It is to be sent, or sent again.",
    DeliveryState.DELIVERED: "The endpoint answered with a success.",
    DeliveryState.FAILED: "It was tried for a day and is not sent any more, unless it is asked for.",
}
_ID: Final = "5b1f0c3e-7a52-5d0e-9a34-0d8f8f6c2b11"
_ENDPOINT: Final = "0190f1de-0000-7000-8000-000000000001"


class DeliveryView(Struct, frozen=True, kw_only=True):
    """One event on its way to one endpoint, and how the last try went."""

    event_id: Annotated[str, _is("The event's id, sent as ``webhook-id`` with every try.", _ID)]
    endpoint_id: Annotated[str, _is("The endpoint's id, as ``bayar endpoints list`` shows it.", _ENDPOINT)]
    type: Annotated[str, _is("What the event tells.", "payment.settlement")]
    state: Annotated[DeliveryState, _is("Where it stands.", "delivered")]
    attempts: Annotated[int, _is("How often it was sent.", 1)]
    last_status: Annotated[
        int | None, _is("The HTTP status of the last answer; null if there was none.", 200)
    ]
    last_error: Annotated[str | None, _is("Why the last try got no answer; null if it did.", None)]
    created_at: Annotated[datetime, Meta(tz=True), _is("When the payment changed.", "2026-02-06T03:01:00Z")]
    last_attempted_at: (
        Annotated[datetime, Meta(tz=True), _is("When it was sent last; null before.", "2026-02-06T03:01:00Z")]
        | None
    )
    due_at: Annotated[datetime, Meta(tz=True), _is("When it is sent next; null when it is not.", None)] | None
    delivered_at: (
        Annotated[
            datetime,
            Meta(tz=True),
            _is("When the endpoint took it; null until then.", "2026-02-06T03:01:00Z"),
        ]
        | None
    )
    gave_up_at: (
        Annotated[datetime, Meta(tz=True), _is("When it was given up; null if it was not.", None)] | None
    )


class DeliveryList(Struct, frozen=True, kw_only=True):
    """The deliveries of one payment's events."""

    items: Annotated[list[DeliveryView], _is("The deliveries, the newest event's first.")]
    next_cursor: Annotated[None, _is("Always null: there is one page.", None)]


def delivery_view(delivery: EventDelivery) -> DeliveryView:
    return DeliveryView(
        event_id=str(delivery.event_id),
        endpoint_id=str(delivery.endpoint_id),
        type=delivery.type,
        state=delivery.state,
        attempts=delivery.attempts,
        last_status=delivery.last_status,
        last_error=delivery.last_error,
        created_at=delivery.created_at,
        last_attempted_at=delivery.last_attempted_at,
        due_at=delivery.due_at,
        delivered_at=delivery.delivered_at,
        gave_up_at=delivery.gave_up_at,
    )


def delivery_list(deliveries: list[EventDelivery]) -> DeliveryList:
    return DeliveryList(items=[delivery_view(delivery) for delivery in deliveries], next_cursor=None)
