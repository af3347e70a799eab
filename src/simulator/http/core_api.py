"""The Core API's routes."""

from typing import Any

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath

from simulator.core.idempotency import IdempotencyKeys
from simulator.core.midtrans import Midtrans
from simulator.http.once import Once
from simulator.http.respond import Respond
from simulator.http.server_key import require_server_key


@post("/charge")
async def charge(
    request: Request[Any, Any, Any], midtrans: NamedDependency[Midtrans], once: NamedDependency[Once]
) -> Response[bytes]:
    override_url = request.headers.get("x-override-notification")
    append_url = request.headers.get("x-append-notification")
    return await once(lambda body: midtrans.charge(body, override_url=override_url, append_url=append_url))


@get("/{any_id:str}/status")
async def status(
    any_id: FromPath[str], midtrans: NamedDependency[Midtrans], respond: NamedDependency[Respond]
) -> Response[bytes]:
    return respond(midtrans.status(any_id))


@post("/{any_id:str}/cancel")
async def cancel(
    any_id: FromPath[str], midtrans: NamedDependency[Midtrans], once: NamedDependency[Once]
) -> Response[bytes]:
    return await once(lambda _: midtrans.cancel(any_id))


@post("/{any_id:str}/expire")
async def expire(
    any_id: FromPath[str], midtrans: NamedDependency[Midtrans], once: NamedDependency[Once]
) -> Response[bytes]:
    return await once(lambda _: midtrans.expire(any_id))


@post(["/{any_id:str}/approve", "/{any_id:str}/deny"])
async def review(
    any_id: FromPath[str], midtrans: NamedDependency[Midtrans], once: NamedDependency[Once]
) -> Response[bytes]:
    return await once(lambda _: midtrans.review(any_id))


@post("/{any_id:str}/refund")
async def refund(
    any_id: FromPath[str], midtrans: NamedDependency[Midtrans], once: NamedDependency[Once]
) -> Response[bytes]:
    return await once(lambda body: midtrans.refund(any_id, body, directly=False))


@post("/{any_id:str}/refund/online/direct")
async def direct_refund(
    any_id: FromPath[str], midtrans: NamedDependency[Midtrans], once: NamedDependency[Once]
) -> Response[bytes]:
    return await once(lambda body: midtrans.refund(any_id, body, directly=True))


def core_api(*, server_key: str, midtrans: Midtrans, keys: IdempotencyKeys, respond: Respond) -> Router:
    """Gather the routes that need the server key."""
    return Router(
        "/v2",
        route_handlers=[charge, status, cancel, expire, review, refund, direct_refund],
        guards=[require_server_key(server_key)],
        dependencies={
            "midtrans": Provide(lambda: midtrans, sync_to_thread=False),
            "keys": Provide(lambda: keys, sync_to_thread=False),
            "respond": Provide(lambda: respond, sync_to_thread=False),
            "once": Provide(Once, sync_to_thread=False),
        },
    )
