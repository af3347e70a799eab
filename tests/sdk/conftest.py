import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from support.simulator import Simulator, a_simulator


@pytest.fixture(scope="session")
async def simulator() -> AsyncIterator[Simulator]:
    """Run one simulator for all, in a task of its own: a lifespan is left by the task that entered it."""
    running: asyncio.Future[Simulator] = asyncio.get_running_loop().create_future()
    over = asyncio.Event()

    async def run() -> None:
        async with a_simulator() as simulator:
            running.set_result(simulator)
            await over.wait()

    task = asyncio.create_task(run())
    started: set[asyncio.Future[Any]] = {running, task}
    await asyncio.wait(started, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()
    yield running.result()
    over.set()
    await task
