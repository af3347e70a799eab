from collections.abc import AsyncIterator

import pytest

from integration.http.harness import Shop, a_shop
from support.held import held_open


@pytest.fixture
async def shop(database_url: str) -> AsyncIterator[Shop]:
    """A service that Midtrans notifies."""
    async for shop in held_open(a_shop(database_url)):
        yield shop


@pytest.fixture
async def quiet_shop(database_url: str) -> AsyncIterator[Shop]:
    """A service that has to ask, since Midtrans does not notify it."""
    async for shop in held_open(a_shop(database_url, notified=False)):
        yield shop
