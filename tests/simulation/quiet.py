"""Lives make no log lines, no warnings, and little for the garbage collector to look for."""

import gc
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from entrypoints import worker


class _Silence:
    def __getattr__(self, level: str) -> Callable[..., None]:
        return lambda *_, **__: None


@contextmanager
def in_quiet() -> Iterator[None]:
    """For as long as lives are lived; what they find is told by their outcome."""
    log, thresholds = worker._log, gc.get_threshold()
    worker._log = _Silence()  # type: ignore[misc]
    gc.set_threshold(100_000, 50, 50)
    gc.freeze()  # what is there before the lives is not looked through after them
    try:
        with warnings.catch_warnings():
            # What a killed process had not begun yet is never awaited.
            warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
            yield
            gc.collect()
    finally:
        worker._log = log  # type: ignore[misc]
        gc.unfreeze()
        gc.set_threshold(*thresholds)
