"""The shop's endpoint, which is told of every change of its payments: away, full of errors, or forgetful."""

import asyncio
from collections.abc import Callable
from typing import Final
from uuid import UUID

from domain.delivery import Answer, Answered, Unreached
from domain.endpoint import OF_SETTINGS, Endpoint
from domain.ports.merchant import Message
from simulation.database import SimulatedDatabase
from simulation.fate import Fault
from simulation.world import World
from support.fake_merchant import StoredEndpoint
from support.fakes import START

URL: Final = "https://shop.example/events"


class Backend:
    """Answers all processes. ``on_event`` hear of each event that has arrived, whatever was answered."""

    def __init__(self, world: World, database: SimulatedDatabase) -> None:
        self._world, self._fate, self._database = world, world.fate, database
        self.on_event: list[Callable[[UUID, str], None]] = []

    def listen(self) -> None:
        """From now on there is an endpoint to be told, of every user's payments."""
        endpoint = Endpoint(id=OF_SETTINGS, user_id=None, url=URL, secret="whsec_c2VjcmV0", created_at=START)
        self._database.state.merchant.endpoints[endpoint.id] = StoredEndpoint(endpoint=endpoint)

    async def send(self, message: Message, *, within: float) -> Answer:
        """As ``domain.ports.merchant``."""
        assert not self._database.is_open_here(), "the shop was told inside a transaction"
        fate = self._fate
        if fate.strikes(Fault.ENDPOINT_AWAY):
            await asyncio.sleep(fate.one_of((0.1, within)))
            return Unreached(reason="ConnectError")
        await asyncio.sleep(fate.between(0.005, 0.3))
        if fate.strikes(Fault.ENDPOINT_REFUSED):
            return Answered(status=fate.one_of((429, 500, 503)))
        self._world.tell("shop", "is told {}", message.body)
        for hear in self.on_event:
            hear(UUID(message.id), message.body)
        if fate.strikes(Fault.ENDPOINT_SILENT):
            await asyncio.sleep(fate.one_of((0.1, within)))
            return Unreached(reason="ReadError")
        return Answered(status=200)
