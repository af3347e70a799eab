"""Customers who see a QR and pay it: at once, at the last moment, too late, or never."""

import asyncio
import json
from typing import Final

from domain.payment import Payment
from simulation.fate import Fault
from simulation.midtrans import Midtrans, Transaction
from simulation.world import World

_ABANDON: Final = 0.25
_LATE: Final = (30.0, 10 * 60.0, 5 * 3600.0)


class Customers:
    """One customer for each QR that a shop shows."""

    def __init__(self, world: World, midtrans: Midtrans) -> None:
        self._world, self._midtrans = world, midtrans
        self._seen: set[str] = set()

    def see(self, payment: Payment) -> None:
        """A shop shows the QR of a payment, if it has one, to the customer who waits for it."""
        if payment.charge_answer is None or not payment.actions:
            return
        transaction_id = json.loads(payment.charge_answer)["transaction_id"]
        transaction = self._midtrans.transactions.get(transaction_id)
        if transaction is not None and transaction_id not in self._seen:
            self._seen.add(transaction_id)
            self.come(transaction)

    def come(self, transaction: Transaction) -> None:
        """A customer who may pay it."""
        self._world.start("customer", self._pay(transaction))

    async def _pay(self, transaction: Transaction) -> None:
        world, fate = self._world, self._world.fate
        if fate.chance(_ABANDON):
            return
        left = transaction.expires_at - world.time
        after = fate.one_of((fate.between(0, 20), fate.between(0, left), left - 1, left + 1))
        await asyncio.sleep(max(after, 0.0))
        is_late = fate.strikes(Fault.PAID_LATE)
        if is_late:
            await asyncio.sleep(fate.one_of(_LATE))
        taken = self._midtrans.pay(transaction, late=is_late)
        world.tell("customer", "pays {}: {}", transaction.id, "taken" if taken else "refused")
