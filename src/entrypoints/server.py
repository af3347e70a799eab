"""Serve the API: Granian inside our own loop, so that a signal drains it and nothing is cut off."""

import asyncio
import gc
import os
from typing import Final

import structlog
import uvloop

from domain.ports.gateway import KeyCheck
from entrypoints.container import Container
from entrypoints.endpoints import keep_endpoint_of_settings, watch_deliveries
from entrypoints.http.app import create_app
from entrypoints.lifespan import running
from entrypoints.listening import listener
from entrypoints.settings import Settings
from entrypoints.signals import on_signals
from entrypoints.worker import work

# Calls that wait for Midtrans outlive many a collection of garbage, and going through them all would hold up
# everybody: what is old is looked at more rarely than Python would.
_COLLECTED_AFTER: Final = (5_000, 5, 10)
# A create may take its whole deadline of 25 s; after this long a drain is given up.
GRACE_SECONDS: Final = 30.0
_log: Final = structlog.get_logger()


def serve(settings: Settings, *, host: str, port: int, with_worker: bool, several: bool) -> None:
    """One process of the API, until a signal; requests in flight are answered before it returns."""
    uvloop.run(_serve(settings, host=host, port=port, with_worker=with_worker, several=several))


async def _serve(settings: Settings, *, host: str, port: int, with_worker: bool, several: bool) -> None:
    stop = asyncio.Event()
    container = Container(settings=settings)
    async with running(container):
        app = create_app(container, several_processes=several)
        server = listener(app, host=host, port=port, streams=settings.max_streams)

        def drain() -> None:
            _log.info("server.draining")
            stop.set()
            container.watcher().close()
            server.stop()  # type: ignore[no-untyped-call] # Granian leaves it unannotated
            asyncio.get_running_loop().call_later(GRACE_SECONDS, os._exit, 1)

        on_signals(drain)
        _keep_collections_short()
        async with asyncio.TaskGroup() as group:
            group.create_task(_check_key(container))
            group.create_task(keep_endpoint_of_settings(container, stop, drops=True))
            group.create_task(watch_deliveries(container, stop))
            if with_worker:
                group.create_task(work(container, stop))
            _log.info("server.started", host=host, port=port, midtrans=settings.midtrans_url)
            await server.serve()
            stop.set()
    _log.info("server.stopped")


def _keep_collections_short() -> None:
    """What is there at the start stays, and is not looked at again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTED_AFTER)


async def _check_key(container: Container) -> None:
    """Say at the start when Midtrans refuses the key: else the first customer would find out."""
    if await container.midtrans().check_key() is KeyCheck.REFUSED:
        _log.error(
            "midtrans.key_refused",
            detail="Midtrans refuses MIDTRANS_SERVER_KEY; every charge will fail. Check the key, and that "
            "MIDTRANS_ENV names the environment it belongs to.",
        )
