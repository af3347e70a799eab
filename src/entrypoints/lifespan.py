"""Opens what the container built and closes it in reverse."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from entrypoints.container import Container


@asynccontextmanager
async def running(container: Container) -> AsyncIterator[Container]:
    """The pool and the HTTP client, open. The database may be away: connections are made on demand."""
    async with AsyncExitStack() as stack:
        for resource in (container.pool(), container.http()):
            await stack.enter_async_context(resource)
        yield container
