from collections.abc import AsyncIterator

import pytest

from support.database import connected
from support.service import Serving, environment, simulating


@pytest.fixture(scope="module")
async def simulator() -> AsyncIterator[Serving]:
    """A Midtrans look-alike in a process of its own."""
    async with simulating() as simulator:
        yield simulator


@pytest.fixture
async def env(database_url: str, simulator: Serving) -> dict[str, str]:
    """All that serving needs: a migrated database with one user, and the look-alike."""
    async with connected(database_url) as connection:
        await connection.execute("INSERT INTO users DEFAULT VALUES")
    return environment(DATABASE_URL=database_url, MIDTRANS_BASE_URL=simulator.url)
