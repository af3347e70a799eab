"""Ending processes as a full memory or a lost machine ends them. Only of those that a test started."""

import os
import signal
from pathlib import Path


def kill_postgres(home: Path) -> None:
    """Kill -9 of every process of the embedded server that keeps its data there, as when its machine dies."""
    postmaster = int((home / "pgdata" / "postmaster.pid").read_text().splitlines()[0])
    backends = children_of(postmaster)
    # The postmaster first: it would start others for them.
    for pid in (postmaster, *backends):
        kill_9(pid)


def kill_9(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def children_of(pid: int) -> list[int]:
    """The processes that this one started and that are still there; none if it is gone itself."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except FileNotFoundError:
        return []
    return [int(child) for child in children.split()]
