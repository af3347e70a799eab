"""What a shop does with its payments."""

from typing import Annotated, Any, Final

from litestar import Request, Response, Router, get, post
from litestar.datastructures import CacheControlHeader
from litestar.openapi.spec import Example
from litestar.params import PathParameter, QueryParameter

from domain.errors import IllegalTransition
from domain.status import Status
from domain.usecases.cancel_payment import CancelPayment
from domain.usecases.create_payment import CreatePayment
from domain.usecases.get_payment import GetPayment
from domain.usecases.list_payments import ListPayments
from domain.usecases.read_timeline import ReadTimeline
from domain.usecases.refresh_payment import RefreshPayment
from entrypoints.http.address import Address
from entrypoints.http.bodies import read_json
from entrypoints.http.idempotency import REPLAYED, idempotent_call
from entrypoints.http.injected import Injected
from entrypoints.http.openapi import (
    BEARER,
    CHECKOUT_TOKEN,
    CreateOperation,
    Documented,
    answer,
    problems,
)
from entrypoints.http.qr import QrCode
from entrypoints.http.schemas import (
    CREATE_RULES,
    CreateBody,
    EventList,
    PaymentList,
    PaymentView,
    event_list,
    payment_list,
    payment_view,
    place_of,
)
from entrypoints.http.security import Authenticator
from entrypoints.http.viewing import Viewing
from entrypoints.settings import Settings

Call = Request[Any, Any, Any]
OrderId = Annotated[
    str,
    PathParameter(description="The payment's order id.", examples=[Example(value="INV-2026-0042")]),
]
READ: Final = ("unauthenticated", "unknown-user", "payment-not-found", "database-unavailable")


@post(
    "/gopayqris/create",
    operation_id="createPayment",
    operation_class=CreateOperation,
    summary="Create a payment and charge it",
    response_description="The payment, waiting for the customer.",
    responses=problems(
        "malformed-json",
        "invalid-body",
        "unauthenticated",
        "forbidden",
        "unknown-user",
        "cross-site",
        "request-timeout",
        "order-id-taken",
        "in-progress",
        "body-too-large",
        "unsupported-media-type",
        "amount-out-of-bounds",
        "idempotency-key-reused",
        "too-many-requests",
        "gateway-refused",
        "charge-lost",
        "gateway-unavailable",
        "database-unavailable",
        "outcome-unknown",
    ),
)
async def create(
    request: Call,
    auth: Injected[Authenticator],
    settings: Injected[Settings],
    create_payment: Injected[CreatePayment],
    address: Injected[Address],
) -> Response[PaymentView]:
    """Show the customer the ``qr-code`` of its ``actions``, or on a phone follow the ``deeplink-redirect``.

    Send an ``Idempotency-Key``: repeating the call with the same key and values gives the first
    outcome again, or goes on where a lost call stopped, and never makes a second charge.

    502: Midtrans refused, nothing will be paid. 503: nothing was charged, try again. 504: the charge may
    exist; repeat the call with the same ``Idempotency-Key``, or ask for the status of ``order_id``.

    Whoever may create may name any amount: before you deliver, compare ``gross_amount`` with your own order.
    """
    caller = auth.caller(request, scope=settings.create_scope)
    body = await read_json(request, CreateBody, rules=CREATE_RULES)
    call = idempotent_call(request, caller, body)
    created = await create_payment(body.wanted(caller.user_id), call)
    view = payment_view(created.payment, address=address.of(request))
    return Response(view, headers=dict(REPLAYED) if created.replayed else None)


@get(
    "/",
    operation_id="listPayments",
    operation_class=Documented,
    summary="Your payments, newest first",
    response_description="One page of payments.",
    responses=problems(
        "invalid-body",
        "unauthenticated",
        "unknown-user",
        "database-unavailable",
    ),
)
async def list_all(
    request: Call,
    auth: Injected[Authenticator],
    list_payments: Injected[ListPayments],
    address: Injected[Address],
    status: Annotated[Status | None, QueryParameter(description="Only payments with this status.")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=100, description="How many at most.")] = 20,
    cursor: Annotated[str | None, QueryParameter(description="The `next_cursor` of the page before.")] = None,
) -> PaymentList:
    """One page of the caller's own payments."""
    caller = auth.caller(request)
    after = place_of(cursor) if cursor else None
    page = await list_payments(caller, status=status, after=after, limit=limit)
    return payment_list(page, address=address.of(request))


@get(
    "/{order_id:str}",
    operation_id="getPayment",
    operation_class=Documented,
    summary="The stored payment",
    response_description="The payment.",
    responses=problems(*READ),
)
async def get_one(
    request: Call,
    order_id: OrderId,
    auth: Injected[Authenticator],
    get_payment: Injected[GetPayment],
    address: Injected[Address],
) -> PaymentView:
    """The payment as it is known here; Midtrans is not asked."""
    payment = await get_payment(order_id, auth.caller(request))
    return payment_view(payment, address=address.of(request))


@get(
    "/{order_id:str}/status",
    operation_id="getPaymentStatus",
    operation_class=Documented,
    summary="The payment, after asking Midtrans",
    response_description="The payment with `refreshed`.",
    responses=problems(*READ),
)
async def get_status(
    request: Call,
    order_id: OrderId,
    auth: Injected[Authenticator],
    refresh_payment: Injected[RefreshPayment],
    address: Injected[Address],
) -> PaymentView:
    """Midtrans is asked while the payment is ``created`` or ``pending``, at most once per 10 seconds.

    ``refreshed`` is false only when Midtrans should have been asked and could not be.
    """
    found = await refresh_payment(order_id, auth.caller(request))
    return payment_view(found.payment, address=address.of(request), refreshed=found.refreshed)


@get(
    "/{order_id:str}/events",
    operation_id="listPaymentEvents",
    operation_class=Documented,
    summary="How the payment came to be what it is",
    response_description="Its whole timeline, oldest first.",
    responses=problems(*READ),
)
async def get_events(
    request: Call,
    order_id: OrderId,
    auth: Injected[Authenticator],
    read_timeline: Injected[ReadTimeline],
) -> EventList:
    """Every change of the payment: when, what, and from which evidence.

    Empty for a payment of an earlier service that has not changed since.
    """
    return event_list(await read_timeline(order_id, auth.caller(request)))


@get(
    "/{order_id:str}/qr.svg",
    operation_id="getPaymentQr",
    operation_class=Documented,
    summary="The QR to scan",
    response_description="The QR, as a picture that scales.",
    media_type="image/svg+xml",
    cache_control=CacheControlHeader(no_store=True),
    security=CHECKOUT_TOKEN,
    responses={
        302: answer(None, "The way to Midtrans's own picture of the QR, where no text to draw it was given."),
        **problems(*READ, "illegal-transition"),
    },
)
async def get_qr(
    request: Call,
    order_id: OrderId,
    viewing: Injected[Viewing],
    qr_code: Injected[QrCode],
) -> Response[bytes]:
    """Drawn from ``qr_string``, else a redirect to Midtrans's picture; only while the payment is pending."""
    payment = await viewing.by_owner_or_token(request, order_id)
    if payment.status is not Status.PENDING:
        raise IllegalTransition(order_id, payment.status, "be scanned")
    return qr_code.answer(payment)


@post(
    "/{order_id:str}/cancel",
    operation_id="cancelPayment",
    operation_class=Documented,
    summary="Cancel a pending payment",
    status_code=200,
    response_description="The payment, cancelled.",
    responses={
        200: answer(PaymentView, "The payment, cancelled."),
        **problems(*READ, "cross-site", "illegal-transition", "gateway-refused", "outcome-unknown"),
    },
)
async def cancel(
    request: Call,
    order_id: OrderId,
    auth: Injected[Authenticator],
    cancel_payment: Injected[CancelPayment],
    address: Injected[Address],
) -> Response[PaymentView]:
    """From then on nobody can pay it. One that is not pending, or not any more, is 409 with the payment.

    502: Midtrans refused, and it can still be paid. 504: Midtrans did not say; ask for the status.
    """
    payment = await cancel_payment(order_id, auth.caller(request))
    return Response(payment_view(payment, address=address.of(request)))


def payment_routes() -> Router:
    return Router(
        path="/api/payments",
        route_handlers=[create, list_all, get_one, get_status, get_events, get_qr, cancel],
        tags=["payments"],
        security=BEARER,
    )
