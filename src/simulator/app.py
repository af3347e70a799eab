"""The simulator as one ASGI application."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import Final

import httpx
from httpx_aiohttp import AiohttpTransport
from litestar import Litestar

from simulator.adjustable_clock import AdjustableClock
from simulator.core.fault_plan import FaultPlan
from simulator.core.idempotency import IdempotencyKeys
from simulator.core.merchant import Merchant
from simulator.core.midtrans import Midtrans
from simulator.core.signature import signature_key
from simulator.core.transactions import Transactions
from simulator.core.wire_log import WireLog
from simulator.http.control import Controls, control_routes
from simulator.http.core_api import core_api
from simulator.http.desk_page import desk_page
from simulator.http.errors import error_handlers
from simulator.http.faulty import FaultyWire
from simulator.http.page import style
from simulator.http.qr_pictures import qr_pictures
from simulator.http.replies import Replies
from simulator.http.respond import Respond
from simulator.http.tap import ListeningTransport, WireTap
from simulator.http.wallet import Wallet, wallet_routes
from simulator.http.wire_pages import Wire, wire_pages
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
    most_exchanges: int = 1_000,
    refund_confirmation: timedelta = timedelta(seconds=30),
    clock: Clock | None = None,
    ids: Identifiers | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> Litestar:
    """Make a Midtrans look-alike for one merchant.

    `public_url` is where it is reached; links in answers start with it. `notify_url` is the
    dashboard's notification address. `time_scale` makes notifications repeat that many times
    faster and touches no other time: 60 turns minutes into seconds. Notifications go through
    `transport`. A refund is confirmed `refund_confirmation` after it was accepted; Midtrans
    takes about a day. At most `most_transactions` transactions, remembered Idempotency-Keys and
    waiting notifications are kept, each, and the wire log keeps the latest `most_exchanges`.
    """
    clock = AdjustableClock(clock or SystemClock())
    ids = ids or RandomIdentifiers()
    merchant = merchant or Merchant(id="G000000001", name="Simulated Shop", city="JAKARTA")
    basic = b64encode(f"{server_key}:".encode()).decode()
    log = WireLog(most_exchanges, secrets=(server_key, basic))
    client = notification_client(ListeningTransport(transport or _pooled_transport(), log, clock))
    faults = FaultPlan()
    courier = Courier(
        send=HttpSender(client),
        write=partial(notification_body, merchant=merchant, server_key=server_key),
        faults=faults,
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
        refund_confirmation=refund_confirmation,
        faults=faults,
    )
    replies = Replies(merchant=merchant, server_key=server_key, public_url=public_url.rstrip("/"))
    respond = Respond(replies, ids)
    controls = Controls(midtrans=midtrans, courier=courier, faults=faults, clock=clock)
    app = Litestar(
        [
            core_api(
                server_key=server_key,
                midtrans=midtrans,
                keys=IdempotencyKeys(clock, most_transactions),
                respond=respond,
            ),
            qr_pictures(midtrans=midtrans, merchant=merchant),
            wallet_routes(Wallet(midtrans=midtrans, merchant=merchant, clock=clock)),
            style,
            control_routes(controls),
            desk_page(controls),
            wire_pages(Wire(log=log, courier=courier)),
        ],
        exception_handlers=error_handlers(respond, clock),
        lifespan=[_background(client, midtrans, courier)],
        request_max_body_size=_LARGEST_REQUEST,
        openapi_config=None,
        logging_config=None,
        debug=False,
        pdb_on_exception=False,
    )
    # Outside of Litestar's own layers, which would answer where a fault demands silence.
    faulty_wire = FaultyWire(
        app.asgi_handler,
        plan=faults,
        clock=clock,
        find=midtrans.find,
        write=lambda answer: replies.write(answer, request_id=ids.uuid()),
        sign=lambda order_id, status_code, gross_amount: signature_key(
            order_id=order_id, status_code=status_code, gross_amount=gross_amount, server_key=server_key
        ),
        told=courier.told,
    )
    app.asgi_handler = WireTap(faulty_wire, log, clock)
    return app


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
                asyncio.create_task(midtrans.confirm_refunds()),
                asyncio.create_task(midtrans.settle_late()),
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
