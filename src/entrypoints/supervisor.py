"""Several processes of the API on one port."""

import ctypes
import gc
import os
import signal
import time
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import wait
from typing import Any, Final

import structlog

_PR_SET_PDEATHSIG: Final = 1
_YOUNG_SECONDS: Final = 2.0
_ENDING: Final = (signal.SIGTERM, signal.SIGINT)
_log: Final = structlog.get_logger()


def supervise(task: Callable[[], None], *, workers: int, on_death: Callable[[int], None]) -> bool:
    """Run ``task`` in so many processes until a signal, and replace one that dies.

    True when all ended as asked; false when one died right after its start, which a new one would do too.
    ``on_death`` hears the process id of each that is gone. What is imported before is shared by all.
    """
    gc.collect()
    gc.freeze()
    context = get_context("fork")
    stopping = False
    healthy = True
    running: list[tuple[Any, float]] = []

    def start() -> None:
        # A signal waits until the process is written down: else nobody would tell it.
        signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
        try:
            process = context.Process(target=_child, args=(task, os.getpid()))
            process.start()
            running.append((process, time.monotonic()))
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
        if stopping:  # told between the death of the one before and now
            process.terminate()

    for _ in range(workers):
        start()

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True
        for process, _started in running:
            if process.is_alive():
                os.kill(process.pid, signal.SIGTERM)

    for number in _ENDING:
        signal.signal(number, stop)
    while running:
        gone = wait([process.sentinel for process, _ in running])
        for process, started in [r for r in running if r[0].sentinel in gone]:
            running.remove((process, started))
            process.join()
            on_death(process.pid)
            if stopping:
                # By the signal itself ends one that was not serving yet.
                healthy = healthy and process.exitcode in {0, -signal.SIGTERM}
            elif time.monotonic() - started < _YOUNG_SECONDS:
                healthy = False
                stop()
            else:
                _log.error("server.worker_died", pid=process.pid, exit_status=process.exitcode)
                start()
    return healthy


def _child(task: Callable[[], None], parent: int) -> None:
    # Of the parent's, until the task sets its own.
    for number in _ENDING:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
    # A worker must not outlive the parent that would have told it to stop (Linux only).
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "prctl"):
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it was killed before that, and nobody would ever tell
            return
    task()
