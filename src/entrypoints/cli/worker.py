import asyncio

import rich_click as click

from entrypoints.cli.session import service_settings
from entrypoints.container import Container
from entrypoints.endpoints import keep_endpoint_of_settings
from entrypoints.lifespan import running
from entrypoints.signals import on_signals
from entrypoints.worker import work


@click.command()
def worker() -> None:
    """Do the background work alone; any number of these may run.

    Example: bayar worker
    """
    settings = service_settings()

    async def run() -> None:
        stop = asyncio.Event()
        on_signals(stop.set)
        async with running(Container(settings=settings)) as container, asyncio.TaskGroup() as group:
            group.create_task(keep_endpoint_of_settings(container, stop, drops=False))
            group.create_task(work(container, stop))

    asyncio.run(run())
