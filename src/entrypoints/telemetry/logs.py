"""Structured logs: one line per request and per change of a payment, and never a secret in them."""

import logging
from typing import Any, Final, TextIO

import structlog

_NAMES: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING}


def configure_logs(*, log_format: str | None, level: str, stream: TextIO) -> None:
    """Log lines of JSON, or colours on a terminal. Libraries speak up from WARNING on."""
    console = log_format == "console" or (log_format is None and stream.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # Frames of a traceback, never the values of their variables: those may be keys or tokens.
    renderer: Any = (
        structlog.dev.ConsoleRenderer(
            colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
        if console
        else structlog.processors.JSONRenderer()
    )
    told = structlog.dev.set_exc_info if console else structlog.processors.format_exc_info
    structlog.configure(
        processors=[*shared, told, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(_NAMES.get(level, logging.ERROR)),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
