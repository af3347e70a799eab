import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

T = TypeVar("T")


async def held_open(context: AbstractAsyncContextManager[T]) -> AsyncIterator[T]:
    """What an asynchronous fixture yields, entered and left by one task of its own.

    Litestar's lifespan must be left by the task that entered it, and the two halves of an
    asynchronous fixture are two tasks.
    """
    running: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    over = asyncio.Event()

    async def run() -> None:
        async with context as opened:
            running.set_result(opened)
            await over.wait()

    task = asyncio.create_task(run())
    started: set[asyncio.Future[Any]] = {running, task}
    await asyncio.wait(started, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()
    yield running.result()
    over.set()
    await task
