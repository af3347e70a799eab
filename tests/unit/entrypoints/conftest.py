import logging
from collections.abc import Iterator

import pytest
import structlog

from entrypoints.telemetry.logs import configure_logs
from unit.entrypoints.commands import over
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
    over(service, monkeypatch)
