"""A payment as server-sent events: what it is now, and each time it changes."""

import asyncio
from typing import Any, Final

import msgspec
from litestar import Response, Router, get
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

from domain.payment import Payment
from domain.ports.clock import Clock
from domain.usecases.follow_payment import FollowPayment
from entrypoints.http.address import Address
from entrypoints.http.injected import Injected
from entrypoints.http.openapi import BEARER, CHECKOUT_TOKEN, StreamOperation, answer, problems
from entrypoints.http.payments import Call, OrderId
from entrypoints.http.schemas import payment_view
from entrypoints.http.viewing import Viewing
from entrypoints.telemetry.metrics import STREAMS
from entrypoints.watcher import Watch, Watcher

_MEDIA_TYPE: Final = "text/event-stream"
_HEADERS: Final = {
    "Cache-Control": "no-store",
    # What is collected on the way arrives too late.
    "X-Accel-Buffering": "no",
}
_SECONDS_BETWEEN_COMMENTS: Final = 15.0
# Whoever is still there then comes back by itself, and proves anew that it may look.
_LONGEST_SECONDS: Final = 3600.0
_LONGEST_ID: Final = 9


@get(
    "/{order_id:str}/stream",
    operation_id="streamPayment",
    operation_class=StreamOperation,
    summary="The payment now, and at each change",
    response_description="Server-sent events, each with the payment as its data.",
    media_type=_MEDIA_TYPE,
    security=CHECKOUT_TOKEN,
    responses={
        204: answer(None, "It is over, and its end was told before: do not come back."),
        **problems(
            "unauthenticated",
            "unknown-user",
            "payment-not-found",
            "too-many-streams",
            "database-unavailable",
        ),
    },
)
async def stream(
    request: Call,
    order_id: OrderId,
    viewing: Injected[Viewing],
    follow_payment: Injected[FollowPayment],
    watcher: Injected[Watcher],
    address: Injected[Address],
    clock: Injected[Clock],
) -> Response[bytes]:
    """Each event's data is the payment as getPayment answers it, and its ``id`` goes on with every change.

    The stream ends after any status but ``created`` and ``pending``. One that broke is resumed by sending the
    last ``id`` as ``Last-Event-ID``, which browsers do by themselves. A comment comes every 15 seconds.
    Two changes at the same instant may be told as one.
    """
    payment = await viewing.by_owner_or_token(request, order_id)
    seen = _last_event_id(request)
    if not await follow_payment(payment, seen=seen):
        return Response(b"", status_code=204)
    return EventStream(
        PaymentEvents(
            payment,
            is_new=seen != payment.log_length,
            address=address.of(request),
            watcher=watcher,
            clock=clock,
        )
    )


def stream_routes() -> Router:
    return Router(path="/api/payments", route_handlers=[stream], tags=["payments"], security=BEARER)


def _last_event_id(request: Call) -> int | None:
    """How much a viewer has seen; None for one that comes for the first time, or says what we never said."""
    told = request.headers.get("last-event-id", "")
    return int(told) if told.isascii() and told.isdigit() and len(told) <= _LONGEST_ID else None


class PaymentEvents(ASGIResponse):
    """The events for one viewer, until the payment is over, the viewer leaves, or the process ends."""

    _should_set_content_length = False

    def __init__(
        self, payment: Payment, *, is_new: bool, address: str, watcher: Watcher, clock: Clock
    ) -> None:
        super().__init__(headers=_HEADERS, media_type=_MEDIA_TYPE)
        self._payment, self._is_new, self._address = payment, is_new, address
        self._watcher, self._clock = watcher, clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises TooManyStreams before anything is sent."""
        del scope
        with self._watcher.watch(self._payment) as watch, STREAMS.track_inprogress():
            await self.start_response(send)
            leaving = asyncio.create_task(_until_gone(receive, watch))
            try:
                await self._tell(watch, send)
                if not leaving.done():
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
            finally:
                leaving.cancel()

    async def _tell(self, watch: Watch, send: Send) -> None:
        until = self._clock.monotonic() + _LONGEST_SECONDS
        # Not all at the same instant, when all have lost their connections at one.
        await _send(send, b"retry: %d\n\n" % (2000 + self._payment.id.int % 2000))
        payment = self._payment if self._is_new else None
        while True:
            if payment is not None:
                await _send(send, _event(payment, self._address))
                if not payment.status.is_open:
                    return
            payment = await watch.change(within=_SECONDS_BETWEEN_COMMENTS)
            if payment is None:
                if watch.is_over or self._clock.monotonic() > until:
                    return
                await _send(send, b":\n\n")


class EventStream(Response[bytes]):
    """What a handler returns for its viewer."""

    def __init__(self, events: PaymentEvents) -> None:
        super().__init__(b"", media_type=_MEDIA_TYPE)
        self._events = events

    def to_asgi_response(self, *_: Any, **__: Any) -> ASGIResponse:
        return self._events


async def _until_gone(receive: Receive, watch: Watch) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    watch.end()


async def _send(send: Send, part: bytes) -> None:
    await send({"type": "http.response.body", "body": part, "more_body": True})


def _event(payment: Payment, address: str) -> bytes:
    said = msgspec.json.encode(payment_view(payment, address=address))
    return b"id: %d\ndata: %s\n\n" % (payment.log_length, said)
