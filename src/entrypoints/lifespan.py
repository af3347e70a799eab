"""Opens what the container built and closes it in reverse."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from entrypoints.container import Container


@asynccontextmanager
async def running(container: Container, *, midtrans: bool = True) -> AsyncIterator[Container]:
    """The pool and the HTTP clients, open; without ``midtrans`` the pool alone, and no server key is needed.

    The database may be away: connections are made on demand.
    """
    resources = (container.pool, container.http, container.merchant) if midtrans else (container.pool,)
    async with AsyncExitStack() as stack:
        for resource in resources:
            await stack.enter_async_context(resource())
        yield container
