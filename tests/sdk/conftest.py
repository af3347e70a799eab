from collections.abc import AsyncIterator

import pytest

from support.held import held_open
from support.simulator import Simulator, a_simulator


@pytest.fixture(scope="session")
async def simulator() -> AsyncIterator[Simulator]:
    """One simulator for all."""
    async for simulator in held_open(a_simulator()):
        yield simulator
