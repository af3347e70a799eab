import asyncio

import rich_click as click

from entrypoints.cli.session import service_settings
from entrypoints.container import Container
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
        async with running(Container(settings=settings)) as container:
            await work(container, stop)

    asyncio.run(run())
