"""The signals that end a process."""

import asyncio
import signal
from collections.abc import Callable


def on_signals(do: Callable[[], None]) -> None:
    """Call ``do`` once, at the first SIGTERM or SIGINT; later ones change nothing."""
    loop = asyncio.get_running_loop()
    seen = asyncio.Event()

    def once() -> None:
        if not seen.is_set():
            seen.set()
            do()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, once)
