"""Everybody else: Midtrans's own doings, the merchant at its dashboard, other systems, and a forger."""

import asyncio
import json
from typing import Final

from simulation.courier import Courier, Letter
from simulation.fate import Fault
from simulation.midtrans import Midtrans, Transaction, sign
from simulation.world import World

_HOUR: Final = 3600.0
# What one and the same signature may be made to say.
_WORTH_CLAIMING: Final = {
    "200": ("refund", "partial_refund", "partial_chargeback", "chargeback"),
    "201": ("settlement",),
    "202": ("deny", "expire", "cancel"),
}
# Midtrans's published promise is to expire within 90 s of the time.
_EXPIRED_WITHIN: Final = 90.0


class Others:
    """``tampered_with`` are the order ids about which a signed notification told something untrue."""

    def __init__(self, world: World, midtrans: Midtrans, courier: Courier) -> None:
        self._world, self._fate = world, world.fate
        self._midtrans, self._courier = midtrans, courier
        self.tampered_with: set[str] = set()
        self.charged_elsewhere: set[str] = set()
        self._confirming: set[str] = set()

    def hear(self, transaction: Transaction) -> None:
        """A transaction is new or has changed: whoever does something about it starts."""
        world, fate, midtrans = self._world, self._fate, self._midtrans
        if transaction.status == "pending":
            if not fate.strikes(Fault.NEVER_EXPIRED):
                left = transaction.expires_at - world.time
                world.later(left + fate.between(0, _EXPIRED_WITHIN), midtrans.move, transaction, "expire")
            if fate.strikes(Fault.FRAUD):
                world.later(fate.between(0, 120), midtrans.move, transaction, "deny")
        elif transaction.status == "settlement":
            if fate.strikes(Fault.PAID_TWICE):
                world.later(fate.between(0, 600), midtrans.pay_twice, transaction)
            if fate.strikes(Fault.DASHBOARD):
                world.start("dashboard", self._give_back(transaction))
        for refund in transaction.refunds:
            if refund.key not in self._confirming:
                self._confirming.add(refund.key)
                world.later(fate.between(0.5 * _HOUR, 6 * _HOUR), midtrans.confirm, transaction, refund)
        if fate.strikes(Fault.FORGED):
            world.later(fate.between(0, 300), self._forge, transaction)
        if fate.strikes(Fault.TAMPERED):
            world.later(fate.between(0, 300), self._tamper, transaction)

    def charge_elsewhere(self, order_id: str, amount: int) -> None:
        """Another system of the merchant uses an order id of the shop's, for this or another amount."""
        fate, held = self._fate, self._midtrans.of_order(order_id)
        if held and not held[-1].frees_order_id:
            return
        self.charged_elsewhere.add(order_id)
        other = amount if fate.chance(0.4) else amount + 500
        transaction = self._midtrans.make_elsewhere(order_id, other, life=fate.between(60, 900))
        self._world.tell("another", "charges {} for {} as {}", order_id, other, transaction.id)
        if fate.chance(0.6):
            self._world.later(fate.between(1, 900), self._midtrans.pay, transaction)

    async def _give_back(self, transaction: Transaction) -> None:
        fate, midtrans, whole = self._fate, self._midtrans, transaction.amount
        await asyncio.sleep(fate.between(1, 2 * _HOUR))
        if fate.chance(0.5):
            midtrans.give_back(transaction, max(whole // 2, 1), key=f"dashboard-{transaction.id}")
            if fate.chance(0.5):
                await asyncio.sleep(fate.between(1, _HOUR))
                left = whole - transaction.now.refunded
                midtrans.give_back(transaction, left, key=f"dashboard-{transaction.id}-rest")
        else:
            midtrans.move(transaction, fate.one_of(("partial_chargeback", "chargeback")))

    def _forge(self, transaction: Transaction) -> None:
        """Somebody without the server key says that it was paid, or whatever else pays."""
        status, code = self._fate.one_of(
            (("settlement", "200"), ("refund", "200"), ("expire", "202"), ("cancel", "202"))
        )
        signature = sign(transaction.order_id, code, f"{transaction.amount}.00", "a made-up key")
        body = self._midtrans.notification(
            transaction, status_code=code, transaction_status=status, signature_key=signature
        )
        self._courier.post(Letter(body=body, about=None, status=f"forged {status}"), after=0.0)

    def _tamper(self, transaction: Transaction) -> None:
        """Somebody who saw a genuine notification repeats it with other words where nothing is signed."""
        fate = self._fate
        seen = [letter for letter in self._courier.sent if letter.about is transaction]
        if not seen:
            return
        body = json.loads(fate.one_of(seen).body)
        if fate.chance(0.25):
            body["transaction_id"] = fate.one_of(("t-0", *self._midtrans.transactions))
        else:
            body["transaction_status"] = fate.one_of(_WORTH_CLAIMING[body["status_code"]])
        self.tampered_with.add(transaction.order_id)
        letter = Letter(body=json.dumps(body).encode(), about=None, status="tampered with")
        self._courier.post(letter, after=0.0)
