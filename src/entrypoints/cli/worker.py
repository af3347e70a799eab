import asyncio
from typing import Final

import rich_click as click
import structlog

from entrypoints.cli.session import service_settings
from entrypoints.container import Container
from entrypoints.endpoints import keep_endpoint_of_settings
from entrypoints.lifespan import running
from entrypoints.signals import on_signals
from entrypoints.worker import work

_log: Final = structlog.get_logger()


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
            _log.info("worker.started", midtrans=settings.midtrans_url)
            group.create_task(keep_endpoint_of_settings(container, stop, drops=False))
            group.create_task(work(container, stop))
        _log.info("worker.stopped")

    asyncio.run(run())
