import asyncio
from contextlib import suppress
from typing import Any


def end_abruptly(task: asyncio.Task[Any]) -> None:
    """End a task where it stands, as the kill of its process does.

    What holds a connection lets go of it, as the server would; nothing is awaited any more.
    """
    task._log_destroy_pending = False  # type: ignore[attr-defined]
    with suppress(RuntimeError):  # it wanted to wait for something while it died
        task.get_coro().close()  # type: ignore[union-attr]
