"""Structured logs: one line per request and per change of a payment, and never a secret in them."""

import asyncio
import io
import json
import logging
import re
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from traceback import format_exception
from typing import Any, Final, TextIO, cast

import msgspec
import structlog

from entrypoints.printable import printable, printable_json

_NAMES: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING}


def configure_logs(*, log_format: str | None, level: str, stream: TextIO) -> None:
    """Log lines of JSON, or colours on a terminal. Libraries speak up from WARNING on."""
    console = log_format == "console" or (log_format is None and stream.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if console:
        shared.append(_printable)
    # Frames of a traceback, never the values of their variables: those may be keys or tokens.
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=_write_traceback)
        if console
        else structlog.processors.JSONRenderer(serializer=_json)
    )
    told: list[Any] = (
        [structlog.dev.set_exc_info] if console else [structlog.processors.format_exc_info, _forget_rows]
    )
    structlog.configure(
        processors=[*shared, *told, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(_NAMES.get(level, logging.ERROR)),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", _Patient(stream))),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(_Patient(stream))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _forget_rows,
                *([_indent] if console else []),
                renderer,
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


# What Postgres says of a row that it refused is the row itself, up to whatever follows in a traceback.
# Exceptions that are told as a group stand behind bars.
_ROW: Final = re.compile(
    r"^(?P<bars>[ |]*)DETAIL:.*?"
    r"(?=^[ |]*(?:HINT:|Traceback|The above exception|During handling)|^[ |]*\+-|\Z)",
    re.MULTILINE | re.DOTALL,
)


def _forget_rows(_logger: object, _name: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Rows hold checkout tokens and signatures."""
    if isinstance(event.get("exception"), str):
        event["exception"] = _without_rows(event["exception"])
    return event


def _without_rows(traceback: str) -> str:
    return _ROW.sub(r"\g<bars>DETAIL: left out\n", traceback)


def traceback_of(fault: BaseException) -> str:
    """Its traceback for a terminal: no row in it, and nothing that the terminal would obey."""
    return _indented(_without_rows("".join(format_exception(fault))))


def _write_traceback(stream: TextIO, exc_info: Any) -> None:
    text = io.StringIO()
    structlog.dev.plain_traceback(text, exc_info)
    stream.write(_indented(_without_rows(text.getvalue())))


def _indent(_logger: object, _name: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(event.get("exception"), str):
        event["exception"] = _indented(event["exception"])
    return event


def _indented(traceback: str) -> str:
    """So that nothing in it looks like a line of the log."""
    return "".join(f"  {printable(line)}\n" for line in traceback.rstrip("\n").split("\n"))


class _Patient:
    """A stream that loses what cannot be written: a full disk under the log must not fail a payment.

    Inside a running loop, lines are flushed together at its next turn.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._flushes: asyncio.AbstractEventLoop | None = None

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            return self._stream.write(text)
        return 0

    def flush(self) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._flush()
            return
        if loop is not self._flushes:
            self._flushes = loop
            loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushes = None
        with suppress(OSError, ValueError):
            self._stream.flush()


def _json(event: object, **_: object) -> str:
    try:
        line = msgspec.json.encode(event, enc_hook=repr).decode()
    except UnicodeEncodeError:  # half a character, such as the name of a file may have
        line = json.dumps(event, default=repr)
    return printable_json(line)


def _printable(_logger: object, _name: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """What came from outside must not steer the terminal; in JSON it is escaped anyway."""
    for name, value in event.items():
        if isinstance(value, str) and name != "exception":
            event[name] = printable(value)
    return event
