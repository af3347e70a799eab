"""Shops that order payments, and what they do when no answer comes."""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from domain.access import Caller
from domain.idempotency import IdempotentCall, fingerprint
from domain.order import Wanted
from domain.rupiah import PaymentType
from domain.usecases.refund_payment import RefundWish
from simulation.customers import Customers
from simulation.fate import Fate, Fault
from simulation.front import Front
from simulation.process import Told
from simulation.world import World

_MINUTE: Final = 60.0
_PATH: Final = "/api/payments/gopayqris/create"
_CANCELS: Final = 0.1
_REFUNDS: Final = 0.35
# After these a shop has nothing to wait for.
_DEFINITE: Final = frozenset({201, 400, 403, 404, 422, 502})


@dataclass(frozen=True, kw_only=True, slots=True)
class Purchase:
    """One order of a shop; ``patience`` is how long it waits for an answer, in seconds."""

    shop: str
    wanted: Wanted
    key: str | None
    patience: float

    @property
    def call(self) -> IdempotentCall | None:
        """What the header and the body make of it."""
        if self.key is None:
            return None
        wanted = self.wanted
        values = f"{wanted.order_id} {wanted.gross_amount} {wanted.payment_type} {wanted.life}".encode()
        user = wanted.user_id
        return IdempotentCall(
            user_id=user, key=self.key, fingerprint=fingerprint("POST", _PATH, user, values)
        )


def a_purchase(fate: Fate, number: int) -> Purchase:
    """An order as shops make them; the numbers keep order ids and keys apart."""
    has_key = fate.chance(0.75)
    has_own_id = not has_key or fate.chance(0.7)
    return Purchase(
        shop=f"shop {number}",
        wanted=Wanted(
            user_id=fate.whole(1, 2),
            order_id=f"A-{number}" if has_own_id else None,
            gross_amount=fate.one_of((1, 10_000, 25_000)),
            payment_type=fate.one_of(tuple(PaymentType)),
            life=timedelta(minutes=fate.one_of((1, 2, 5, 15, 15, 60))),
        ),
        key=f"key-{number}" if has_key else None,
        patience=fate.between(0.5, 20) if fate.strikes(Fault.SHOP_GAVE_UP) else 60.0,
    )


class Shop:
    """Calls until the answer is definite, as the README asks of shops with an Idempotency-Key."""

    def __init__(self, world: World, front: Front, customers: Customers) -> None:
        self._world, self._fate, self._front, self._customers = world, world.fate, front, customers

    def orders(self, purchase: Purchase) -> None:
        self._world.start("shop", self._order(purchase))

    async def _order(self, purchase: Purchase) -> None:
        await asyncio.sleep(self._fate.between(0, 5 * _MINUTE))
        if self._fate.strikes(Fault.SHOP_TWICE):
            self._world.start("shop", self._insist(purchase))
        if purchase.key is not None and self._fate.strikes(Fault.KEY_REUSED):
            self._world.start("shop", self._misuse(purchase))
        await self._insist(purchase)

    async def _insist(self, purchase: Purchase) -> None:
        told: Told | None = None
        for _ in range(self._fate.whole(2, 10)):
            told = await self._create(purchase)
            if purchase.key is None or (told is not None and told.status in _DEFINITE):
                break
            await asyncio.sleep(self._fate.one_of((0.2, 1.0, 31.0, 2 * _MINUTE, 4.2 * _MINUTE)))
        order_id = told.order_id if told is not None and told.order_id else purchase.wanted.order_id
        if order_id is not None:
            await self._watch(purchase, order_id)

    async def _create(self, purchase: Purchase) -> Told | None:
        world, wanted = self._world, purchase.wanted
        world.tell(
            purchase.shop, "creates {} for {} (key {})", wanted.order_id, wanted.gross_amount, purchase.key
        )
        told = await self._front.create(wanted, purchase.call, patience=purchase.patience)
        world.tell(purchase.shop, "is told {}", told)
        if told is not None and told.payment is not None:
            self._customers.see(told.payment)
        return told

    async def _misuse(self, purchase: Purchase) -> None:
        """The same key for other values: one of the two is refused, whichever comes second."""
        await asyncio.sleep(self._fate.between(0, 2 * _MINUTE))
        other = replace(purchase.wanted, order_id=f"B-{purchase.key}", gross_amount=3)
        await self._create(replace(purchase, wanted=other))

    async def _watch(self, purchase: Purchase, order_id: str) -> None:
        """Look at the status now and then."""
        caller = Caller(user_id=purchase.wanted.user_id)
        for _ in range(self._fate.whole(0, 4)):
            await asyncio.sleep(self._fate.one_of((0.5, 3.0, 12.0, _MINUTE, 5 * _MINUTE)))
            told = await self._front.status(order_id, caller, patience=30.0)
            self._world.tell(purchase.shop, "reads {}: {}", order_id, told)
            if told is not None and told.payment is not None and not told.payment.status.is_open:
                break
        if self._fate.chance(_CANCELS):
            told = await self._front.cancel(order_id, caller, patience=30.0)
            self._world.tell(purchase.shop, "cancels {}: {}", order_id, told)
        if self._fate.chance(_REFUNDS):
            await self._give_back(purchase, order_id)

    async def _give_back(self, purchase: Purchase, order_id: str) -> None:
        """Some time later some of the money goes back, in one refund or two."""
        amount, fate = purchase.wanted.gross_amount or 1, self._fate
        await asyncio.sleep(fate.one_of((1.0, _MINUTE, 20 * _MINUTE)))
        at_once = fate.strikes(Fault.REFUND_TWICE)
        for number in range(2 if at_once or fate.chance(0.3) else 1):
            wish = RefundWish(amount=fate.one_of((None, amount, max(amount // 2, 1), amount // 3 or 1)))
            refunding = self._insist_on_refund(purchase, order_id, wish, f"refund-{order_id}-{number}")
            if at_once:
                self._world.start("shop", refunding)
            else:
                await refunding

    async def _insist_on_refund(self, purchase: Purchase, order_id: str, wish: RefundWish, key: str) -> None:
        user = purchase.wanted.user_id
        values = fingerprint("POST", f"/api/payments/{order_id}/refunds", user, repr(wish).encode())
        call = IdempotentCall(user_id=user, key=key, fingerprint=values)
        for _ in range(self._fate.whole(1, 6)):
            told = await self._front.refund(
                order_id, Caller(user_id=user), wish, call, patience=purchase.patience
            )
            self._world.tell(purchase.shop, "refunds {} of {} ({}): {}", wish.amount, order_id, key, told)
            if told is not None and told.status in _DEFINITE | {409}:
                return
            await asyncio.sleep(self._fate.one_of((0.2, 1.0, 31.0, 2 * _MINUTE)))
