"""An HTTP server on a port that nobody else has."""

import resource
import socket
from contextlib import suppress
from typing import Any, Final

from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

from entrypoints.trouble import Trouble

# Calls that are answered at once, and connections that wait for the next one.
_CALLS_AT_ONCE: Final = 1024


class PortTaken(Trouble):
    """Nobody can listen there; the text says why."""


def check_port(host: str, port: int) -> None:
    """Raises PortTaken. Granian shares ports, so it would not notice another server by itself."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        with socket.socket(found[0][0], socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(found[0][4])
    except OSError as taken:
        why = taken.strerror or str(taken)
        raise PortTaken(f"Cannot listen on {host}:{port} ({why}); choose another --port.") from taken


def streams_allowed(wanted: int) -> int:
    """How many streams this process may hold open: half of its file descriptors stay for everything else.

    The limit of the descriptors is raised as far as the system lets us.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return wanted if limit == resource.RLIM_INFINITY else min(wanted, limit // 2)


def listener(app: Any, *, host: str, port: int, streams: int = 0) -> Server:
    """An HTTP server for an ASGI application, to be awaited with ``serve()`` and ended with ``stop()``.

    It holds so many ``streams`` open beside the calls that it answers.
    """
    return Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        backlog=1024,
        backpressure=_CALLS_AT_ONCE + streams,
        log_enabled=False,
    )
