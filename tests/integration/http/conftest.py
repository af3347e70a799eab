import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import pytest

from integration.http.harness import Shop, a_shop


@pytest.fixture
async def shop(database_url: str) -> AsyncIterator[Shop]:
    """A shop that Midtrans notifies."""
    async for shop in _in_a_task_of_its_own(a_shop(database_url)):
        yield shop


@pytest.fixture
async def quiet_shop(database_url: str) -> AsyncIterator[Shop]:
    """A shop that Midtrans does not notify: what is delivered to it, the test delivers."""
    async for shop in _in_a_task_of_its_own(a_shop(database_url, notified=False)):
        yield shop


async def _in_a_task_of_its_own(opening: AbstractAsyncContextManager[Shop]) -> AsyncIterator[Shop]:
    """Litestar's lifespan must be left by the task that entered it; a fixture's two halves are two tasks."""
    ready: asyncio.Future[Shop] = asyncio.get_running_loop().create_future()
    over = asyncio.Event()

    async def run() -> None:
        async with opening as shop:
            ready.set_result(shop)
            await over.wait()

    task = asyncio.create_task(run())
    await asyncio.wait([task, ready], return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()
    yield ready.result()
    over.set()
    await task
