"""Laws about what Midtrans is asked: soon enough, and no more than it bears."""

from uuid import UUID

from adapters.midtrans.client import Reply
from domain.payment import Payment
from domain.status import Status
from simulation.fate import Fault
from simulation.law import Law
from simulation.line import Call
from simulation.scene import Scene
from support.fakes import START, StoredNotification

_SPARINGLY = frozenset({"status", "reconcile payments"})
_ALMOST = 1e-6
# A charge takes 25 s at most, and is asked about 40 s after it was begun.
_UNTIL_ORPHAN = 40.0
_A_MINUTE = 60.0
_TEN_SECONDS = 10.0
# For the looks of the background work, and for what Midtrans takes to answer.
_GRACE = 5.0


class Asking:
    """Watches each question. Promptness is judged once it is calm: nobody promises it for the storm."""

    def __init__(self, scene: Scene) -> None:
        self._scene, self._world, self._broke = scene, scene.world, scene.world.broke
        self._asked: dict[str, Call] = {}
        self._rounds: set[tuple[str, object]] = set()
        self._asked_at: dict[str, float] = {}
        self._told_at: dict[str, float] = {}
        self._rate = scene.database.ask_rate
        self._left, self._taken_at = max(self._rate, 1.0), 0.0
        scene.network.on_call.append(self._called)
        scene.network.on_reply.append(self._replied)
        scene.database.on_take.append(self._took)
        scene.database.on_inbox.append(self._received)
        scene.weather.on_calm.append(self._calmed)

    def _called(self, call: Call) -> None:
        if call.verb != "status":
            return
        name = self._scene.order_of(call.subject)
        self._asked_at[name] = self._world.time
        if call.purpose in _SPARINGLY:
            self._spaced(name, call)

    def _spaced(self, name: str, call: Call) -> None:
        """Whoever takes a turn, or a due payment, asks at once; with a slow database, a while later.

        What the same round asks again, since it could not end a payment there, is no new turn.
        """
        before = self._asked.get(name)
        if (name, call.task) in self._rounds:
            return
        self._rounds.add((name, call.task))
        self._asked[name] = call
        if before is None or self._world.fate.may_strike(Fault.DATABASE_SLOW):
            return
        gap = call.at - before.at
        if gap < _TEN_SECONDS - _ALMOST and not self._world.fate.struck[Fault.PAUSE]:
            between = f"{gap:.1f} s between {before.purpose} and {call.purpose}"
            self._broke(Law.ASKED_SPARINGLY, f"{name}: {between}")

    def _replied(self, call: Call, reply: Reply) -> None:
        if call.verb == "status" and reply.status == 200:
            self._told_at[self._scene.order_of(call.subject)] = self._world.time

    def _took(self, orders: tuple[str, ...]) -> None:
        """Any stretch of time has its rate, and one second's worth that was saved up."""
        now, most = self._world.time, max(self._rate, 1.0)
        self._left = min(self._left + self._rate * (now - self._taken_at), most) - len(orders)
        self._taken_at = now
        if self._left < -_ALMOST:
            self._broke(Law.BUDGET, f"{-self._left:.2f} questions too many")

    def _received(self, row: StoredNotification) -> None:
        if self._scene.weather.is_calm and row.is_verified and not row.processed and row.error is None:
            self._world.later(_TEN_SECONDS + _GRACE, self._doubtful, row.id)

    def _doubtful(self, known: UUID) -> None:
        row = self._scene.database.state.notifications[known]
        if not row.processed and row.error is None and row.attempts == 0:
            self._broke(Law.DOUBTS, f"{row.order_id}: {row.transaction_status}")

    def _calmed(self) -> None:
        """Of what nobody has finished, whatever Midtrans never told of is asked about within a minute."""
        state, now = self._scene.database.state, self._world.time
        paused = state.budget.paused_until - self._world.clock.now() if state.budget else None
        since = now + (max(paused.total_seconds(), 0.0) if paused else 0.0)
        for name, payment in state.payments.items():
            if payment.status is Status.CREATED and name not in self._told_at:
                due = max(_charged_at(payment) + _UNTIL_ORPHAN, since)
                self._world.later(due + _A_MINUTE + _GRACE - now, self._orphan, name, now)

    def _orphan(self, name: str, since: float) -> None:
        """What Midtrans says in the very moment of the calm was asked before it, and is heard."""
        is_asked = self._asked_at.get(name, 0.0) > since
        is_told = self._told_at.get(name, -1.0) >= since
        if self._scene.database.state.payments[name].status is Status.CREATED and not (is_asked or is_told):
            self._broke(Law.ORPHANS, name)


def _charged_at(payment: Payment) -> float:
    return ((payment.charged_at or payment.created_at) - START).total_seconds()
