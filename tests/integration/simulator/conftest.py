from collections.abc import AsyncIterator

import pytest

from support.held import held_open
from support.simulator_desk import Desk, a_desk


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async for desk in held_open(a_desk()):
        yield desk
