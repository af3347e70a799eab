from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from integration.disasters.world import World, a_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from support.database import Databases


@pytest.fixture(scope="package")
async def world(databases: Databases) -> AsyncIterator[World]:
    """One for all disasters; each has orders of its own, and starts what serves them."""
    async with a_world(await databases.create()) as world:
        yield world
