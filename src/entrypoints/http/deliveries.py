"""What a shop's endpoints were told of its payments, and telling them again."""

from typing import Annotated, Final
from uuid import UUID

from litestar import Router, get, post
from litestar.openapi.spec import Example
from litestar.params import PathParameter

from domain.errors import EventNotFound
from domain.usecases.list_deliveries import ListDeliveries
from domain.usecases.resend_event import ResendEvent
from entrypoints.http.delivery_views import DeliveryList, delivery_list
from entrypoints.http.injected import Injected
from entrypoints.http.openapi import BEARER, Documented, problems
from entrypoints.http.payments import Call, OrderId
from entrypoints.http.schemas import Ok
from entrypoints.http.security import Authenticator

EventId = Annotated[
    str,
    PathParameter(
        description="The event's id, as its deliveries have it.",
        examples=[Example(value="5b1f0c3e-7a52-5d0e-9a34-0d8f8f6c2b11")],
    ),
]
_READ: Final = ("unauthenticated", "unknown-user", "payment-not-found", "database-unavailable")


@get(
    "/{order_id:str}/deliveries",
    operation_id="listDeliveries",
    operation_class=Documented,
    summary="What your endpoints were told of a payment",
    response_description="The deliveries.",
    responses=problems(*_READ),
)
async def list_all(
    request: Call,
    order_id: OrderId,
    auth: Injected[Authenticator],
    list_deliveries: Injected[ListDeliveries],
) -> DeliveryList:
    """Each event of the payment on its way to each endpoint, with what the last try came to."""
    return delivery_list(await list_deliveries(order_id, auth.caller(request)))


@post(
    "/{order_id:str}/deliveries/{event_id:str}/resend",
    operation_id="resendEvent",
    operation_class=Documented,
    summary="Have an event sent again",
    response_description="It is to be sent again.",
    status_code=202,
    responses=problems(*_READ, "cross-site", "event-not-found"),
)
async def resend(
    request: Call,
    order_id: OrderId,
    event_id: EventId,
    auth: Injected[Authenticator],
    resend_event: Injected[ResendEvent],
) -> Ok:
    """To all its endpoints, whether they had it or not, and under the same ``webhook-id``.

    Send no body. An endpoint that fails or asked for time is still waited for.
    """
    caller = auth.caller(request)
    try:
        wanted = UUID(event_id)
    except ValueError:
        raise EventNotFound(event_id) from None
    await resend_event(order_id, wanted, caller)
    return Ok(status="ok")


def delivery_routes() -> Router:
    return Router(
        path="/api/payments",
        route_handlers=[list_all, resend],
        tags=["payments"],
        security=BEARER,
    )
