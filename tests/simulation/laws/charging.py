"""Laws about charges: made once, by a create, for what is stored, and with nothing held open meanwhile."""

import json

from adapters.midtrans.client import Reply
from simulation.fate import Fault
from simulation.law import Law
from simulation.line import Call
from simulation.scene import Scene


class Charging:
    """Watches each call of Midtrans, and counts charges in the end."""

    def __init__(self, scene: Scene) -> None:
        self._scene, self._broke = scene, scene.world.broke
        # What the last question of a task was answered with, by order id.
        self._told: dict[tuple[str, object], str] = {}
        scene.network.on_call.append(self._called)
        scene.network.on_reply.append(self._replied)

    def judge(self) -> None:
        for name in self._scene.database.state.payments:
            ours = [one.id for one in self._scene.midtrans.of_order(name) if one.key is not None]
            if len(ours) > 1:
                self._broke(Law.ONE_CHARGE, f"{name}: {', '.join(ours)}")

    def _called(self, call: Call) -> None:
        if self._scene.database.is_open_here():
            self._broke(Law.NO_OPEN_TRANSACTION, f"{call.verb} of {call.subject} ({call.purpose})")
        if call.is_charge:
            self._charged(call)

    def _charged(self, call: Call) -> None:
        name = call.subject
        payment = self._scene.database.state.payments.get(name)
        if call.purpose != "create":
            self._broke(Law.ONLY_CREATE_CHARGES, f"{name} by {call.purpose}")
        if payment is None:
            self._broke(Law.ROW_BEFORE_CHARGE, name)
            return
        if call.key != str(payment.id):
            self._broke(Law.ONE_KEY, f"{name}: {call.key}")
        # By its own clock, which is the one that it can know.
        if call.by_clock >= payment.expires_at and not self._scene.world.fate.struck[Fault.CLOCK_JUMP]:
            self._broke(Law.NOT_AFTER_THE_END, name)
        if self._told.get((name, call.task), "404") != "404":
            self._broke(Law.ANEW_ONLY_WITHOUT, name)

    def _replied(self, call: Call, reply: Reply) -> None:
        if call.verb == "status" and call.purpose == "create":
            self._told[call.subject, call.task] = json.loads(reply.body).get("status_code", "")
