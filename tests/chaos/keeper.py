"""A process that keeps Postgres running, and is killed with it: ``python -m chaos.keeper HOME``."""

import signal
import sys
from pathlib import Path

from entrypoints.embedded_postgres import embedded_postgres

if __name__ == "__main__":
    with embedded_postgres(Path(sys.argv[1]), database="bayar") as url:
        print(url, flush=True)  # noqa: T201 - this is how the parent hears of it
        signal.sigwait({signal.SIGTERM, signal.SIGINT})
