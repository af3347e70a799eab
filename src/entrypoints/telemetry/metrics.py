"""Prometheus metrics of one process; ``serve`` with several workers adds them up."""

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import REGISTRY

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25)

REQUESTS: Final = Histogram(
    "bayar_http_request_seconds",
    "How long requests took, by route template.",
    ("method", "route", "status"),
    buckets=_SECONDS,
)
CHANGES: Final = Counter(
    "bayar_payment_changes_total",
    "Committed changes of payments, by the status after the change and by what changed.",
    ("status", "what", "source"),
)
BREAKS: Final = Counter(
    "bayar_payment_breaks_total", "Disagreements that a person has to look at, by reason.", ("reason",)
)
BEHIND: Final = Gauge(
    "bayar_background_behind_seconds",
    "How long what has waited longest for the background work is due.",
    multiprocess_mode="livemax",
)
REFUNDS: Final = Counter("bayar_refunds_total", "Refunds, by what became of them.", ("outcome",))
WEBHOOKS: Final = Counter(
    "bayar_webhooks_total", "Notifications received, by what became of them.", ("outcome",)
)
GATEWAY: Final = Histogram(
    "bayar_gateway_call_seconds",
    "Calls of Midtrans, by what came back.",
    ("call", "outcome"),
    buckets=_SECONDS,
)
DELIVERIES: Final = Counter(
    "bayar_merchant_deliveries_total",
    "Tries to tell the shop's endpoints of changes, by what came of them, and events given up.",
    ("outcome",),
)
OLDEST_DELIVERY: Final = Gauge(
    "bayar_merchant_oldest_undelivered_seconds",
    "How long the oldest event has waited that an enabled endpoint is still to be told.",
    multiprocess_mode="livemostrecent",
)
POOL: Final = Gauge(
    "bayar_database_connections",
    "Pooled database connections, by state.",
    ("state",),
    multiprocess_mode="livesum",
)

STREAMS: Final = Gauge(
    "bayar_open_streams", "Viewers that follow a payment just now.", multiprocess_mode="livesum"
)


class Exposition:
    """All metrics in Prometheus's text format, of every process where there are several."""

    def __init__(self, *, several_processes: bool, sample: Callable[[], None]) -> None:
        self._several_processes, self._sample = several_processes, sample

    def __call__(self) -> bytes:
        self._sample()
        if not self._several_processes:
            return generate_latest(REGISTRY)
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
