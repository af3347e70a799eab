"""The real service as processes of its own, and what they cost."""

import os
import re
import secrets
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from socket import create_server
from tempfile import TemporaryFile
from typing import Final

from fill import SERVER_KEY

HOST: Final = "127.0.0.1"
BAYAR: Final = Path(sys.executable).with_name("bayar")
_TICK: Final = os.sysconf("SC_CLK_TCK")
_START_SECONDS: Final = 60
_PSS: Final = re.compile(r"^Pss:\s+(\d+)", re.MULTILINE)


def free_port() -> int:
    with create_server((HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True, kw_only=True)
class Shop:
    """How the service is set up: what every command of it needs in its environment."""

    database_url: str
    gateway_url: str
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.defpath,
            "DATABASE_URL": self.database_url,
            "MIDTRANS_SERVER_KEY": SERVER_KEY,
            "MIDTRANS_BASE_URL": self.gateway_url,
            "AUTH_JWT_SECRET": self.secret,
            "BAYAR_CREATE_RATE": "100000000",
            "BAYAR_ASK_RATE": "10000",
            "LOG_FORMAT": "json",
            **self.more,
        }

    def bayar(self, *arguments: str) -> str:
        """What a command prints; ends the program when it fails."""
        done = subprocess.run(  # noqa: S603 - our own program
            [BAYAR, *arguments], env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(f"bayar {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def token(self) -> str:
        return self.bayar("token", "--user", "1", "--ttl", "12h").strip()


@dataclass(frozen=True, kw_only=True)
class Running:
    """A service that answers on this port."""

    port: int
    pid: int


@contextmanager
def serving(shop: Shop, *, workers: int = 1, background: bool = False, port: int = 0) -> Iterator[Running]:
    port = port or free_port()
    options = ["--port", str(port), "--workers", str(workers), *([] if background else ["--no-worker"])]
    with (
        TemporaryFile() as log,
        subprocess.Popen(  # noqa: S603 - our own program
            [BAYAR, "serve", *options], env=shop.environment, stdout=log, stderr=log
        ) as process,
    ):
        try:
            _await(process, port, log)
            yield Running(port=port, pid=process.pid)
        finally:
            process.terminate()


def _await(process: "subprocess.Popen[bytes]", port: int, log: object) -> None:
    until = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{port}/health/ready", timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    log.seek(0)  # type: ignore[attr-defined]
    sys.exit(f"bayar serve did not start:\n{log.read().decode()[-3000:]}")  # type: ignore[attr-defined]


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    found, todo = [], [pid]
    while todo:
        one = todo.pop()
        try:
            children = [
                int(child)
                for thread in Path(f"/proc/{one}/task").iterdir()
                for child in (thread / "children").read_text().split()
            ]
        except OSError:
            continue
        found.append(one)
        todo += children
    return found


def processor_seconds(pid: int) -> float:
    """What a process, its descendants, and those that have ended and were waited for, have computed."""
    total = 0.0
    for one in family(pid):
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(map(int, fields[11:15])) / _TICK
    return total


def megabytes(pid: int) -> float:
    """Memory of a process and its descendants; what several share counts once."""
    total = 0
    for one in family(pid):
        try:
            found = _PSS.search(Path(f"/proc/{one}/smaps_rollup").read_text())
        except OSError:
            continue
        total += int(found[1]) if found else 0
    return total / 1000
