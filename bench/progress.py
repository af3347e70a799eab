"""A bar on the terminal for each step; lines now and then where there is no terminal."""

import sys
import time
from types import TracebackType
from typing import Final, Self

_WIDTH: Final = 30
_EVERY_SECONDS: Final = 20.0


class Progress:
    """Writes to stderr, so that stdout holds nothing but figures."""

    def __init__(self) -> None:
        self._step = ""
        self._told_at = 0.0
        self._on_terminal = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._on_terminal and self._step:
            print(file=sys.stderr)

    def show(self, step: str, part: float) -> None:
        """So much of a step is done; a new step begins a new line."""
        now = time.monotonic()
        bar = f"{step:24} {'#' * round(part * _WIDTH):.<{_WIDTH}} {part:4.0%}"
        if self._on_terminal:
            if self._step not in {"", step}:
                print(file=sys.stderr)
            print(f"\r{bar}", end="", file=sys.stderr, flush=True)
        elif step != self._step or part >= 1 or now - self._told_at > _EVERY_SECONDS:
            print(bar, file=sys.stderr, flush=True)
            self._told_at = now
        self._step = step
