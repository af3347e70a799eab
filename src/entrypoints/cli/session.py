"""What a command needs before it can work: settings, logs, an open container."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from entrypoints.container import Container
from entrypoints.lifespan import running
from entrypoints.settings import Settings, from_environment
from entrypoints.telemetry.logs import configure_logs

T = TypeVar("T")

DATABASE: Final = ("DATABASE_URL",)
DATABASE_AND_MIDTRANS: Final = ("DATABASE_URL", "MIDTRANS_SERVER_KEY")
EVERYTHING: Final = (*DATABASE_AND_MIDTRANS, "AUTH_JWT_SECRET|AUTH_JWT_PUBLIC_KEY")


def service_settings() -> Settings:
    """Settings of a process that serves, which logs to stdout."""
    settings = from_environment(needs=EVERYTHING)
    configure_logs(log_format=settings.log_format, level=settings.log_level, stream=sys.stdout)
    return settings


def with_container(needs: tuple[str, ...], do: Callable[[Container], Awaitable[T]]) -> T:
    """Run one command's work over an open container; only trouble is logged, to stderr."""
    settings = from_environment(needs=needs)
    configure_logs(log_format="console", level="error", stream=sys.stderr)

    async def session() -> T:
        midtrans = "MIDTRANS_SERVER_KEY" in needs
        async with running(Container(settings=settings), midtrans=midtrans) as container:
            return await do(container)

    return asyncio.run(session())
