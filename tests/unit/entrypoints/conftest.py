import logging
from collections.abc import Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import structlog

from entrypoints.cli import session
from entrypoints.container import Container
from entrypoints.telemetry.logs import configure_logs
from support.service import environment
from unit.entrypoints.harness import Logs, Service, a_service


@pytest.fixture(autouse=True)
def logs() -> Iterator[Logs]:
    """Everything that is logged during the test, in the format of production and at the finest level."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers = []
    captured = Logs()
    configure_logs(log_format="json", level="debug", stream=captured.stream)
    # A logger that keeps what it was first used with would write to this test's stream for ever.
    structlog.configure(cache_logger_on_first_use=False)
    yield captured
    structlog.reset_defaults()
    root.handlers, root.level = handlers, level


@pytest.fixture
def service() -> Service:
    return a_service()


@pytest.fixture
def commands(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands find the test's own container, and a whole environment."""

    @asynccontextmanager
    async def running(container: Container, *, midtrans: bool = True) -> Any:  # noqa: ARG001 - as the real one
        yield container

    monkeypatch.setattr(session, "Container", lambda **_: service.container)
    monkeypatch.setattr(session, "running", running)
    monkeypatch.setattr(session, "configure_logs", lambda **_: None)
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
