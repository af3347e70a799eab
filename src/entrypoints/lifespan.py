"""Opens what the container built and closes it in reverse."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from entrypoints.container import Container


@asynccontextmanager
async def running(container: Container, *, midtrans: bool = True) -> AsyncIterator[Container]:
    """The pools and the HTTP clients, open; without ``midtrans`` only the pools, with no need of a key.

    The database may be away: connections are made on demand.
    """
    pools = (container.pool, container.background_pool)
    resources = (*pools, container.transport, container.merchant) if midtrans else pools
    async with AsyncExitStack() as stack:
        for resource in resources:
            await stack.enter_async_context(resource())
        yield container
