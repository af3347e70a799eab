"""Debian's PgBouncer before a database, pooling transactions."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, quote, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

_SYSTEM_PATH: Final = f"{os.defpath}:/usr/sbin:/sbin"
_SETTINGS: Final = """
[databases]
* = {server}

[pgbouncer]
unix_socket_dir = {sockets}
unix_socket_mode = 0777
listen_addr =
listen_port = 6432
auth_type = any
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 500
"""


def pgbouncer() -> str | None:
    """The program; nobody needs it to work on something else."""
    return shutil.which("pgbouncer", path=_SYSTEM_PATH)


@contextmanager
def pooled(database_url: str, *, size: int) -> Iterator[str]:
    """The DATABASE_URL of the same database through a PgBouncer with so many connections to it."""
    program = pgbouncer()
    assert program is not None
    parts = urlsplit(database_url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    host = query.get("host") or parts.hostname or ""
    port = query.get("port") or str(parts.port or 5432)
    user, database = unquote(parts.username or ""), unquote(parts.path.removeprefix("/"))
    password = f" password={unquote(parts.password)}" if parts.password else ""
    with TemporaryDirectory(prefix="bayar-pool-", dir="/tmp") as made:  # a socket's path has to be short
        home = Path(made)
        settings = home / "pgbouncer.ini"
        server = f"host={host} port={port} user={user}{password}"
        settings.write_text(_SETTINGS.format(server=server, sockets=home, size=size))
        account: list[str] = []
        if os.geteuid() == 0:  # it does not run as root, and whoever keeps the socket lets in nobody else
            owner = Path(host).stat().st_uid if host.startswith("/") else pwd.getpwnam("nobody").pw_uid
            account = ["-u", pwd.getpwuid(owner or pwd.getpwnam("nobody").pw_uid).pw_name]
            os.chown(home, owner, -1)
            os.chown(settings, owner, -1)
        with (home / "log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - Debian's own program
                [program, *account, str(settings)], stdout=log, stderr=log
            )
        try:
            yield f"postgresql://{quote(user)}@/{quote(database)}?host={home}&port=6432&statement_cache_size=0"
        finally:
            process.terminate()
            process.wait()
