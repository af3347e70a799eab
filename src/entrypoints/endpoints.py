"""What every process that serves or works does for the shop's endpoints, beside delivering to them."""

import asyncio
from typing import Final
from urllib.parse import urlsplit

import structlog

from domain.endpoint import OF_SETTINGS, Disabled, Endpoint
from domain.errors import DatabaseUnavailable
from entrypoints.container import Container
from entrypoints.settings import Settings
from entrypoints.telemetry.metrics import OLDEST_DELIVERY
from entrypoints.worker import pause

_WATCH_SECONDS: Final = 15.0
_log: Final = structlog.get_logger()


async def keep_endpoint_of_settings(container: Container, stop: asyncio.Event, *, drops: bool) -> None:
    """Put the endpoint of the settings into the database, where whoever stores or delivers events finds it.

    Once, but as soon as the database is there. With ``drops``, settings that name none disable it: that is
    said by whoever serves, for a worker may simply not have been told.
    """
    settings: Settings = container.settings()
    while not stop.is_set():
        try:
            await _keep(container, settings, drops=drops)
        except DatabaseUnavailable:
            await pause(stop, 1.0)
        else:
            return


async def watch_deliveries(container: Container, stop: asyncio.Event) -> None:
    """Measure how long the oldest event waits, whoever delivers, until ``stop``."""
    begin = container.begin()
    while not stop.is_set():
        try:
            async with begin() as work:
                OLDEST_DELIVERY.set((await work.deliveries.oldest_waiting()).total_seconds())
        except DatabaseUnavailable:
            pass  # The chores say so.
        await pause(stop, _WATCH_SECONDS)


async def _keep(container: Container, settings: Settings, *, drops: bool) -> None:
    if settings.merchant_url is not None and settings.merchant_secret is not None:
        async with container.begin()() as work:
            endpoint = await work.endpoints.keep_of_settings(
                url=settings.merchant_url,
                secret=settings.merchant_secret,
                allow_private=settings.merchant_allow_private,
            )
        _tell(endpoint)
    elif drops:
        async with container.begin()() as work:
            dropped = await work.endpoints.drop_of_settings()
        if dropped:
            _log.warning("merchant.endpoint_disabled", endpoint=str(OF_SETTINGS), why=Disabled.SETTINGS)


def _tell(endpoint: Endpoint) -> None:
    told = {"endpoint": str(endpoint.id), "host": urlsplit(endpoint.url).hostname}
    if endpoint.disabled is None:
        _log.info("merchant.endpoint_kept", **told)
    else:
        _log.warning("merchant.endpoint_disabled", **told, why=endpoint.disabled)
