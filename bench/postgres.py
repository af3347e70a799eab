"""Postgres servers for measuring: quick while they are filled, as a server should be while they are measured."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import measured  # noqa: F401 - the import paths

from entrypoints.embedded_postgres import embedded_postgres

# Of a server with 16 GB, as Postgres's own manual says; all else as it comes, so every commit waits for the disk.
MEASURED: Final = {"shared_buffers": "4GB", "max_wal_size": "8GB", "max_connections": "100"}
# Nothing of it may be lost: what a crash would spoil is filled anew.
FILLED: Final = {
    **MEASURED,
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "max_wal_size": "16GB",
    "checkpoint_timeout": "1h",
    "maintenance_work_mem": "1GB",
    "max_parallel_maintenance_workers": "1",
}


@contextmanager
def a_server(home: Path, *, filling: bool = False) -> Iterator[str]:
    """The DATABASE_URL of its database ``bench``."""
    with embedded_postgres(home, database="bench", settings=FILLED if filling else MEASURED) as url:
        yield url
