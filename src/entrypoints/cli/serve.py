import fcntl
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Final

import rich_click as click

from entrypoints.listening import check_port

_FOLDER: Final = "bayar-metrics-"
_YOUNG_SECONDS: Final = 60


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes.")
@click.option("--no-worker", is_flag=True, help="Leave the background work to `bayar worker`.")
def serve(host: str, port: int, workers: int, no_worker: bool) -> None:  # noqa: FBT001 - a flag
    """Serve the API, and do the background work unless told not to.

    SIGTERM and Ctrl-C drain it: requests in flight are answered.

    Example: bayar serve --host 0.0.0.0 --port 8080 --workers 2
    """
    with _shared_metrics() if workers > 1 else nullcontext():
        # Only now, and whatever imports it too: the metrics library decides at its import whether
        # processes share their numbers.
        from entrypoints.cli.session import service_settings  # noqa: PLC0415

        settings = service_settings()
        check_port(host, port)
        from entrypoints import server  # noqa: PLC0415

        task = partial(
            server.serve, settings, host=host, port=port, with_worker=not no_worker, several=workers > 1
        )
        if workers == 1:
            task()
            return
        from prometheus_client import multiprocess  # noqa: PLC0415

        from entrypoints.supervisor import supervise  # noqa: PLC0415

        healthy = supervise(task, workers=workers, on_death=multiprocess.mark_process_dead)
    sys.exit(0 if healthy else 1)


@contextmanager
def _shared_metrics() -> Iterator[None]:
    """A place where the processes keep their numbers, for each of them to add up."""
    _sweep()
    with tempfile.TemporaryDirectory(prefix=_FOLDER, ignore_cleanup_errors=True) as folder:
        lock = _locked(Path(folder))
        try:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
            yield
        finally:
            os.close(lock)


def _sweep() -> None:
    """Remove what killed services left: folders whose lock nobody holds, not even a process that drains."""
    for left in Path(tempfile.gettempdir()).glob(f"{_FOLDER}*"):
        with suppress(OSError):
            found = left.lstat()
            # A young one may be waiting for its lock.
            if found.st_uid == os.geteuid() and found.st_mtime < time.time() - _YOUNG_SECONDS:
                lock = _locked(left)
                try:
                    shutil.rmtree(left)
                finally:
                    os.close(lock)


def _locked(folder: Path) -> int:
    """A lock that is held as long as this process or one forked from it lives; OSError if others hold it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
