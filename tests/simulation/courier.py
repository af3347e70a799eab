"""Midtrans's notifications on their way: lost, doubled, late, out of order, and repeated until received."""

from dataclasses import dataclass
from typing import Protocol

from simulation.fate import Fault
from simulation.midtrans import Midtrans, Transaction
from simulation.world import World
from simulator.notifications.retries import is_received, time_to_retry


class Webhook(Protocol):
    async def notify(self, body: bytes) -> int | None:
        """The HTTP status of the answer; None when none came."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """A notification as written; ``about`` is None when it is not Midtrans's."""

    body: bytes
    about: Transaction | None
    status: str


class Courier:
    """``sent`` are the genuine notifications, which others may have seen too."""

    def __init__(self, world: World, midtrans: Midtrans, webhook: Webhook) -> None:
        self._world, self._midtrans, self._webhook = world, midtrans, webhook
        self.sent: list[Letter] = []

    def tell(self, transaction: Transaction) -> None:
        """Notify of a transaction as it is now."""
        fate = self._world.fate
        if fate.strikes(Fault.NOTIFICATION_LOST):
            return
        cut = fate.strikes(Fault.NOTIFICATION_CUT)
        body = self._midtrans.notification(transaction, cut=cut)
        letter = Letter(body=body, about=transaction, status=transaction.status)
        self.sent.append(letter)
        for _ in range(2 if fate.strikes(Fault.NOTIFICATION_TWICE) else 1):
            is_late = fate.strikes(Fault.NOTIFICATION_LATE)
            self.post(letter, after=fate.between(5, 1800) if is_late else fate.between(0.02, 5))

    def post(self, letter: Letter, *, after: float, tries: int = 0) -> None:
        self._world.later(after, self._set_out, letter, tries)

    def _set_out(self, letter: Letter, tries: int) -> None:
        self._world.start("notify", self._deliver(letter, tries))

    async def _deliver(self, letter: Letter, tries: int) -> None:
        answer = await self._webhook.notify(letter.body)
        about = letter.about
        self._world.tell("Midtrans", "notified {} ({}): {}", about.id if about else "", letter.status, answer)
        if is_received(answer):
            if about is not None:
                about.received[letter.status] = self._world.time
            return
        interval = time_to_retry(answer, retries=tries)
        if interval is not None:
            # Midtrans shifts each interval at random.
            after = interval.total_seconds() * self._world.fate.between(0.3, 1.0)
            self.post(letter, after=after, tries=tries + 1)
