"""Everybody and everything of one life, for whoever has to see it all."""

from dataclasses import dataclass

from simulation.database import SimulatedDatabase
from simulation.front import Front
from simulation.line import Network
from simulation.merchant import Backend
from simulation.midtrans import Midtrans
from simulation.others import Others
from simulation.weather import Weather
from simulation.world import World


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """What the laws look at; they hear of what happens through its ``on_…`` lists.

    ``confirm`` is the service's BAYAR_CONFIRM.
    """

    world: World
    database: SimulatedDatabase
    midtrans: Midtrans
    network: Network
    front: Front
    others: Others
    weather: Weather
    confirm: str
    backend: Backend

    def order_of(self, any_id: str) -> str:
        """The order id that a transaction id or an order id is about."""
        held = self.midtrans.transactions.get(any_id)
        return held.order_id if held else any_id
