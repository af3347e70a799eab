"""The HTTP application over a container."""

from collections.abc import Callable
from typing import Any, Final

from litestar import Litestar
from litestar.config.cors import CORSConfig
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Tag
from litestar.types import ASGIApp

from entrypoints.container import Container
from entrypoints.http import deliveries, health, payments, refunds, streams
from entrypoints.http.address import Address
from entrypoints.http.docs import DocsPage
from entrypoints.http.envelope import Envelope
from entrypoints.http.injected import resolve_in_turn
from entrypoints.http.openapi import VERSION, components
from entrypoints.http.pages.checkout import checkout_routes
from entrypoints.http.problems import answer
from entrypoints.http.qr import QrCode
from entrypoints.http.security import Authenticator
from entrypoints.http.viewing import Viewing
from entrypoints.http.webhook import Webhook, documented
from entrypoints.settings import Settings
from entrypoints.telemetry.metrics import POOL, Exposition

_EXPOSED: Final = ["X-Request-Id", "Retry-After", "Idempotent-Replayed"]


def create_app(container: Container, *, several_processes: bool = False) -> ASGIApp:
    """The whole service as one ASGI application over an open container."""
    receiving = Webhook(clock=container.clock, receive_notification=container.receive_notification)
    return Envelope(create_litestar(container, several_processes=several_processes), webhook=receiving)


def create_litestar(container: Container, *, several_processes: bool = False) -> Litestar:
    """The routes, without the envelope that every request goes through."""
    settings: Settings = container.settings()
    auth = Authenticator.of(settings)
    address = Address(public_url=settings.public_url)
    provided: dict[str, Callable[[], Any]] = {
        "settings": container.settings,
        "clock": container.clock,
        "health": container.health,
        "create_payment": container.create_payment,
        "get_payment": container.get_payment,
        "refresh_payment": container.refresh_payment,
        "list_payments": container.list_payments,
        "read_timeline": container.read_timeline,
        "cancel_payment": container.cancel_payment,
        "refund_payment": container.refund_payment,
        "list_refunds": container.list_refunds,
        "list_deliveries": container.list_deliveries,
        "resend_event": container.resend_event,
        "follow_payment": container.follow_payment,
        "watcher": container.watcher,
        "auth": _once(auth),
        "viewing": lambda: Viewing(
            auth=auth, get_payment=container.get_payment(), open_checkout=container.open_checkout()
        ),
        "address": _once(address),
        "qr_code": _once(QrCode(gateway_url=settings.midtrans_url)),
        "exposition": _once(
            Exposition(several_processes=several_processes, sample=lambda: _sample_pool(container))
        ),
    }
    app = Litestar(
        route_handlers=[
            payments.payment_routes(),
            streams.stream_routes(),
            checkout_routes(),
            documented,
            refunds.refund_routes(),
            deliveries.delivery_routes(),
            health.live,
            health.ready,
            health.metrics,
        ],
        dependencies={name: _provide(provider) for name, provider in provided.items()},
        exception_handlers={HTTPException: answer, Exception: answer},
        # For the handlers of exceptions, which get no dependencies.
        state=State({"address": address}),
        cors_config=_cors(settings),
        openapi_config=OpenAPIConfig(
            title="Bayar",
            version=VERSION,
            use_handler_docstrings=True,
            description="GoPay and QRIS payments through Midtrans.",
            path="/docs",
            render_plugins=[DocsPage()],
            components=components(),
            tags=[Tag(name="payments"), Tag(name="checkout"), Tag(name="midtrans"), Tag(name="operations")],
        ),
        logging_config=None,
        # Said here, or Litestar would look for them in the environment.
        debug=False,
        pdb_on_exception=False,
        # The bodies are read, and bounded, by entrypoints.http.untrusted.
        request_max_body_size=None,
    )
    resolve_in_turn(app)
    return app


def _provide(provider: Callable[[], Any]) -> Provide:
    def resolve() -> Any:
        return provider()

    return Provide(resolve, sync_to_thread=False)


def _once(value: Any) -> Callable[[], Any]:
    return lambda: value


def _cors(settings: Settings) -> CORSConfig | None:
    if not settings.cors_origins:
        return None
    return CORSConfig(
        allow_origins=list(settings.cors_origins),
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID", "X-Request-Id"],
        expose_headers=_EXPOSED,
        allow_credentials=False,
    )


def _sample_pool(container: Container) -> None:
    pools = (container.pool(), container.background_pool())
    idle = sum(pool.get_idle_size() for pool in pools)
    POOL.labels("idle").set(idle)
    POOL.labels("in use").set(sum(pool.get_size() for pool in pools) - idle)
