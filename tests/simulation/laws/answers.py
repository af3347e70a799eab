"""Laws about what shops and Midtrans are told."""

from domain.status import Status
from simulation.front import Created
from simulation.law import Law
from simulation.scene import Scene

_OUTCOMES = frozenset({201, 502, 504})


class Answers:
    """Watches each answer as it is given."""

    def __init__(self, scene: Scene) -> None:
        self._scene, self._broke = scene, scene.world.broke
        self._first: dict[tuple[int, str], Created] = {}
        self._receipts: dict[bytes, int] = {}
        scene.front.on_created.append(self._created)
        scene.front.on_receipt.append(self._received)

    def _created(self, created: Created) -> None:
        told = created.told
        if told.order_id is not None and told.order_id not in self._scene.database.state.payments:
            self._broke(Law.TOLD_EXISTS, told.order_id)
        if told.payment is not None:
            if told.payment.status is Status.PENDING and not told.payment.actions:
                self._broke(Law.PAYABLE, told.payment.order_id)
            if not self._scene.midtrans.of_order(told.payment.order_id):
                self._broke(Law.CHARGED_FOR_201, told.payment.order_id)
        if told.code == "gateway-unavailable" and created.wanted.order_id is not None:
            self._nothing_charged(created.wanted.order_id)
        if created.call is not None:
            self._same_key(created, (created.call.user_id, created.call.key), created.call.fingerprint)

    def _nothing_charged(self, name: str) -> None:
        ours = [one for one in self._scene.midtrans.of_order(name) if one.key is not None]
        if ours or self._scene.network.under_way.get(name):
            self._broke(Law.NOTHING_FOR_503, name)

    def _same_key(self, created: Created, key: tuple[int, str], fingerprint: bytes) -> None:
        told, first = created.told, self._first.get(key)
        if first is None:
            if told.status in {201, 502}:
                self._first[key] = created
            return
        assert first.call is not None
        if first.call.fingerprint != fingerprint:
            if told.status in _OUTCOMES:
                self._broke(Law.OTHER_VALUES, f"{key[1]}: {told}")
            return
        if told.order_id not in {None, first.told.order_id}:
            self._broke(Law.ONE_PAYMENT, f"{key[1]}: {first.told}, then {told}")
        if told.status in _OUTCOMES and created.asked_at > first.at:
            before = first.told.status, first.told.code, first.told.gateway_code
            if (told.status, told.code, told.gateway_code) != before:
                self._broke(Law.ONE_OUTCOME, f"{key[1]}: {first.told}, then {told}")
            elif not told.replayed:
                self._broke(Law.SAYS_REPLAYED, key[1])

    def _received(self, body: bytes, status: int) -> None:
        """What was answered with 200 is in the inbox, once for each time."""
        if status != 200:
            return
        answered = self._receipts[body] = self._receipts.get(body, 0) + 1
        rows, text = self._scene.database.state.notifications.values(), body.decode()
        kept = sum(1 + row.repeats for row in rows if row.body == text)
        if kept < answered:
            self._broke(Law.RECEIPT_AFTER_COMMIT, f"{answered} answered, {kept} kept")
