"""Laws about what the shop's endpoint is told: everything, in order, and nothing else."""

from uuid import UUID

from domain.endpoint import OF_SETTINGS
from domain.merchant_event import news
from simulation.law import Law
from simulation.scene import Scene


class Telling:
    """Listens at the endpoint."""

    def __init__(self, scene: Scene) -> None:
        self._scene, self._broke = scene, scene.world.broke
        self._told: dict[UUID, str] = {}
        self._last: dict[UUID, tuple[int, UUID]] = {}
        scene.backend.on_event.append(self._heard)

    def is_at_rest(self) -> bool:
        """Whether everything that is to be told has been told."""
        return not any(row.waits for row in self._scene.database.state.merchant.deliveries.values())

    def judge(self) -> None:
        state = self._scene.database.state
        if not state.merchant.endpoints:
            return
        for payment in state.payments.values():
            for event in news(payment, state.entries[payment.id]):
                if event.id not in self._told:
                    self._broke(Law.TOLD_OF_ALL, f"{payment.order_id}: {event.type}")

    def _heard(self, event_id: UUID, body: str) -> None:
        row = self._scene.database.state.merchant.deliveries.get((event_id, OF_SETTINGS))
        if row is None or row.event.body != body:
            self._broke(Law.TOLD_WHAT_IS, body)
            return
        payment_id = row.event.payment_id
        if event_id not in self._told:
            if row.place < self._last.get(payment_id, row.place):
                self._broke(Law.TOLD_IN_ORDER, f"{row.order_id}: {row.event.type} came late")
            self._last[payment_id] = row.place
        if self._told.setdefault(event_id, body) != body:
            self._broke(Law.TOLD_IN_ORDER, f"{row.order_id}: {row.event.type} in other words")
