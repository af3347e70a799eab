"""The Core API's routes."""

from typing import Any

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath

from simulator.core.answers import Answer
from simulator.core.idempotency import IdempotencyKeys
from simulator.core.midtrans import Midtrans
from simulator.http.respond import Respond
from simulator.http.server_key import require_server_key


@post("/charge")
async def charge(
    request: Request[Any, Any, Any],
    midtrans: NamedDependency[Midtrans],
    keys: NamedDependency[IdempotencyKeys],
    respond: NamedDependency[Respond],
) -> Response[bytes]:
    async def work() -> Answer:
        return midtrans.charge(
            await request.body(),
            override_url=request.headers.get("x-override-notification"),
            append_url=request.headers.get("x-append-notification"),
        )

    return respond(await keys.once(_idempotency_key(request), work))


@get("/{any_id:str}/status")
async def status(
    any_id: FromPath[str],
    midtrans: NamedDependency[Midtrans],
    respond: NamedDependency[Respond],
) -> Response[bytes]:
    return respond(midtrans.status(any_id))


@post("/{any_id:str}/cancel")
async def cancel(
    any_id: FromPath[str],
    request: Request[Any, Any, Any],
    midtrans: NamedDependency[Midtrans],
    keys: NamedDependency[IdempotencyKeys],
    respond: NamedDependency[Respond],
) -> Response[bytes]:
    async def work() -> Answer:
        return midtrans.cancel(any_id)

    return respond(await keys.once(_idempotency_key(request), work))


@post("/{any_id:str}/expire")
async def expire(
    any_id: FromPath[str],
    request: Request[Any, Any, Any],
    midtrans: NamedDependency[Midtrans],
    keys: NamedDependency[IdempotencyKeys],
    respond: NamedDependency[Respond],
) -> Response[bytes]:
    async def work() -> Answer:
        return midtrans.expire(any_id)

    return respond(await keys.once(_idempotency_key(request), work))


@post("/{any_id:str}/refund")
async def refund(
    any_id: FromPath[str],
    request: Request[Any, Any, Any],
    midtrans: NamedDependency[Midtrans],
    keys: NamedDependency[IdempotencyKeys],
    respond: NamedDependency[Respond],
) -> Response[bytes]:
    async def work() -> Answer:
        return midtrans.refund(any_id, await request.body(), directly=False)

    return respond(await keys.once(_idempotency_key(request), work))


@post("/{any_id:str}/refund/online/direct")
async def direct_refund(
    any_id: FromPath[str],
    request: Request[Any, Any, Any],
    midtrans: NamedDependency[Midtrans],
    keys: NamedDependency[IdempotencyKeys],
    respond: NamedDependency[Respond],
) -> Response[bytes]:
    async def work() -> Answer:
        return midtrans.refund(any_id, await request.body(), directly=True)

    return respond(await keys.once(_idempotency_key(request), work))


def core_api(*, server_key: str, midtrans: Midtrans, keys: IdempotencyKeys, respond: Respond) -> Router:
    """Gather the routes that need the server key."""
    return Router(
        "/v2",
        route_handlers=[charge, status, cancel, expire, refund, direct_refund],
        guards=[require_server_key(server_key)],
        dependencies={
            "midtrans": Provide(lambda: midtrans, sync_to_thread=False),
            "keys": Provide(lambda: keys, sync_to_thread=False),
            "respond": Provide(lambda: respond, sync_to_thread=False),
        },
    )


def _idempotency_key(request: Request[Any, Any, Any]) -> str | None:
    return request.headers.get("idempotency-key")
