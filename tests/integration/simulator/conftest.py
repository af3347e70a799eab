import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from support.simulator_desk import Desk, a_desk


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    """Run a simulator in a task of its own.

    Litestar's lifespan must be left by the task that entered it, and the two halves of an
    asynchronous fixture are two tasks.
    """
    running: asyncio.Future[Desk] = asyncio.get_running_loop().create_future()
    over = asyncio.Event()

    async def run() -> None:
        async with a_desk() as desk:
            running.set_result(desk)
            await over.wait()

    task = asyncio.create_task(run())
    started: set[asyncio.Future[Any]] = {running, task}
    await asyncio.wait(started, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()
    yield running.result()
    over.set()
    await task
