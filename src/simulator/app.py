"""The simulator as one ASGI application."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial
from typing import Final

import httpx
from httpx_aiohttp import AiohttpTransport
from litestar import Litestar

from simulator.core.idempotency import IdempotencyKeys
from simulator.core.merchant import Merchant
from simulator.core.midtrans import Midtrans
from simulator.core.transactions import Transactions
from simulator.http.core_api import core_api
from simulator.http.errors import error_handlers
from simulator.http.qr_pictures import qr_pictures
from simulator.http.replies import Replies
from simulator.http.respond import Respond
from simulator.http.wallet import wallet_routes
from simulator.notifications.body import notification_body
from simulator.notifications.courier import CONNECTIONS, Courier
from simulator.notifications.sender import HttpSender, notification_client
from simulator.ports import Clock, Identifiers
from simulator.system import RandomIdentifiers, SystemClock

# "Maximum request size 16 KB": docs.midtrans.com, advanced features of the Core API.
_LARGEST_REQUEST: Final = 16 * 1024


def create_app(
    *,
    server_key: str,
    public_url: str,
    notify_url: str | None = None,
    time_scale: float = 1.0,
    merchant: Merchant | None = None,
    most_transactions: int = 100_000,
    clock: Clock | None = None,
    ids: Identifiers | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> Litestar:
    """Make a Midtrans look-alike for one merchant.

    `public_url` is where it is reached; links in answers start with it. `notify_url` is the
    dashboard's notification address. `time_scale` makes notifications repeat that many times
    faster and touches no other time: 60 turns minutes into seconds. Notifications go through
    `transport`. At most `most_transactions` transactions, remembered Idempotency-Keys and
    waiting notifications are kept, each.
    """
    clock = clock or SystemClock()
    ids = ids or RandomIdentifiers()
    merchant = merchant or Merchant(id="G000000001", name="Simulated Shop", city="JAKARTA")
    client = notification_client(transport or _pooled_transport())
    courier = Courier(
        send=HttpSender(client),
        write=partial(notification_body, merchant=merchant, server_key=server_key),
        clock=clock,
        time_scale=time_scale,
        limit=most_transactions,
    )
    midtrans = Midtrans(
        transactions=Transactions(most_transactions),
        clock=clock,
        ids=ids,
        dashboard_url=notify_url,
        notify=courier.notify,
    )
    replies = Replies(merchant=merchant, server_key=server_key, public_url=public_url.rstrip("/"))
    respond = Respond(replies, ids)
    return Litestar(
        [
            core_api(
                server_key=server_key,
                midtrans=midtrans,
                keys=IdempotencyKeys(clock, most_transactions),
                respond=respond,
            ),
            qr_pictures(midtrans=midtrans, merchant=merchant),
            wallet_routes(midtrans=midtrans, merchant=merchant),
        ],
        exception_handlers=error_handlers(respond, clock),
        lifespan=[_background(client, midtrans, courier)],
        request_max_body_size=_LARGEST_REQUEST,
        openapi_config=None,
        logging_config=None,
        debug=False,
        pdb_on_exception=False,
    )


def _pooled_transport() -> httpx.AsyncBaseTransport:
    # Plain httpx slows down with each request in flight; aiohttp's engine does not. Idle
    # connections are dropped before common servers drop them: one that closes just as it is
    # used again costs an attempt.
    limits = httpx.Limits(max_connections=CONNECTIONS, keepalive_expiry=2)
    return AiohttpTransport(limits=limits, trust_env=False)


def _background(
    client: httpx.AsyncClient, midtrans: Midtrans, courier: Courier
) -> Callable[[Litestar], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def run(_: Litestar) -> AsyncIterator[None]:
        async with client:
            tasks = [
                asyncio.create_task(midtrans.expire_overdue()),
                asyncio.create_task(courier.deliver()),
            ]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                for task in tasks:
                    with suppress(asyncio.CancelledError):
                        await task

    return run
