"""An HTTP server on a port that nobody else has."""

import socket
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

from entrypoints.trouble import Trouble


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


def listener(app: Any, *, host: str, port: int) -> Server:
    """An HTTP server for an ASGI application, to be awaited with ``serve()`` and ended with ``stop()``."""
    return Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        backlog=1024,
        log_enabled=False,
    )
