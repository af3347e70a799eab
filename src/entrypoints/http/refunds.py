"""Money that goes back: a payment's refunds."""

from litestar import Response, Router, get, post

from domain.access import REFUND
from domain.usecases.list_refunds import ListRefunds
from domain.usecases.refund_payment import RefundPayment
from entrypoints.http.bodies import read_json
from entrypoints.http.idempotency import REPLAYED, required_call
from entrypoints.http.injected import Injected
from entrypoints.http.openapi import BEARER, Documented, RefundOperation, problems
from entrypoints.http.payments import READ, Call, OrderId
from entrypoints.http.schemas import RefundBody, RefundList, RefundView, refund_view
from entrypoints.http.security import Authenticator


@post(
    "/{order_id:str}/refunds",
    operation_id="refundPayment",
    operation_class=RefundOperation,
    summary="Give money back",
    response_description="The refund, accepted by Midtrans.",
    responses=problems(
        *READ,
        "malformed-json",
        "invalid-body",
        "idempotency-key-missing",
        "forbidden",
        "cross-site",
        "request-timeout",
        "in-progress",
        "illegal-transition",
        "body-too-large",
        "unsupported-media-type",
        "idempotency-key-reused",
        "refund-exceeds-payment",
        "gateway-refused",
        "gateway-unavailable",
        "outcome-unknown",
    ),
)
async def refund(
    request: Call,
    order_id: OrderId,
    auth: Injected[Authenticator],
    refund_payment: Injected[RefundPayment],
) -> Response[RefundView]:
    """Needs the scope ``payments:refund``, and an ``Idempotency-Key``: one key is one refund.

    Repeating the call with the same key and values gives the first outcome again, or goes on where a lost
    call stopped, and never gives money back twice. The key is kept as long as the refund.

    502: Midtrans refused; this refund is over, and another try needs a new key. 503: nothing was sent; repeat
    the call with the same key. 504: Midtrans did not say; the refund keeps its amount and is repeated in the
    background until Midtrans does.
    """
    caller = auth.caller(request, scope=REFUND)
    body = await read_json(request, RefundBody, rules={})
    call = required_call(request, caller, body)
    refunded = await refund_payment(order_id, caller, body.wish(), call)
    headers = dict(REPLAYED) if refunded.replayed else None
    return Response(refund_view(refunded.refund, order_id), headers=headers)


@get(
    "/{order_id:str}/refunds",
    operation_id="listRefunds",
    operation_class=Documented,
    summary="A payment's refunds",
    response_description="Every refund that was asked for through this service.",
    responses=problems(*READ),
)
async def list_all(
    request: Call,
    order_id: OrderId,
    auth: Injected[Authenticator],
    list_refunds: Injected[ListRefunds],
) -> RefundList:
    """Oldest first, whatever became of them; those made in Midtrans's dashboard are not among them."""
    found = await list_refunds(order_id, auth.caller(request))
    return RefundList(items=[refund_view(one, order_id) for one in found], next_cursor=None)


def refund_routes() -> Router:
    return Router(path="/api/payments", route_handlers=[refund, list_all], tags=["payments"], security=BEARER)
