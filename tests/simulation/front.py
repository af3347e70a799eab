"""How the outside reaches Bayar: some process that is up answers, or nobody does."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from domain.access import Caller
from domain.idempotency import IdempotentCall
from domain.order import Wanted
from domain.usecases.refund_payment import RefundWish
from simulation.fate import Fault
from simulation.process import Process, Told
from simulation.world import World

T = TypeVar("T")
# docs.midtrans.com, HTTP notification: how long it waits for an answer.
_MIDTRANS_WAITS: Final = 15.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Created:
    """How Bayar answered one create, whether or not it was heard."""

    wanted: Wanted
    call: IdempotentCall | None
    told: Told
    asked_at: float
    at: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Refunded:
    """How Bayar answered one wish for a refund, whether or not it was heard."""

    order_id: str
    call: IdempotentCall
    told: Told
    asked_at: float
    at: float


class Front:
    """``on_created``, ``on_refunded`` and ``on_receipt`` hear of each answer as it is given.

    They are those to creates, to wishes for a refund, and to notifications.
    """

    def __init__(self, world: World, processes: list[Process]) -> None:
        self._world, self._processes = world, processes
        self.on_created: list[Callable[[Created], None]] = []
        self.on_refunded: list[Callable[[Refunded], None]] = []
        self.on_receipt: list[Callable[[bytes, int], None]] = []

    async def create(self, wanted: Wanted, call: IdempotentCall | None, *, patience: float) -> Told | None:
        """What came back within the shop's patience."""
        asked_at = self._world.time

        def note(told: Told) -> None:
            created = Created(wanted=wanted, call=call, told=told, asked_at=asked_at, at=self._world.time)
            for hear in self.on_created:
                hear(created)

        return await self._call("create", lambda process: process.create(wanted, call), note, patience)

    async def status(self, order_id: str, caller: Caller, *, patience: float) -> Told | None:
        return await self._call(
            "status", lambda process: process.status(order_id, caller), lambda _: None, patience
        )

    async def cancel(self, order_id: str, caller: Caller, *, patience: float) -> Told | None:
        return await self._call(
            "cancel", lambda process: process.cancel(order_id, caller), lambda _: None, patience
        )

    async def refund(
        self, order_id: str, caller: Caller, wish: RefundWish, call: IdempotentCall, *, patience: float
    ) -> Told | None:
        asked_at = self._world.time

        def note(told: Told) -> None:
            refunded = Refunded(
                order_id=order_id, call=call, told=told, asked_at=asked_at, at=self._world.time
            )
            for hear in self.on_refunded:
                hear(refunded)

        return await self._call(
            "refund", lambda process: process.refund(order_id, caller, wish, call), note, patience
        )

    async def notify(self, body: bytes) -> int | None:
        """The status that Midtrans sees, if it sees any."""

        def note(status: int) -> None:
            for hear in self.on_receipt:
                hear(body, status)

        heard = await self._call("webhook", lambda process: process.notified(body), note, _MIDTRANS_WAITS)
        return None if self._world.fate.strikes(Fault.RECEIPT_LOST) else heard

    async def _call(
        self,
        purpose: str,
        work: Callable[[Process], Awaitable[T]],
        note: Callable[[T], None],
        patience: float,
    ) -> T | None:
        up = [one for one in self._processes if one.is_up and one.has_api and not one.is_stopping]
        if not up:
            return None
        process = self._world.fate.one_of(up)
        answer = process.serve(purpose, lambda: work(process), on_answer=note)
        limit = self._world.loop.call_later(patience, _give_up, answer)
        heard = await answer
        limit.cancel()
        return heard


def _give_up(answer: asyncio.Future[T | None]) -> None:
    if not answer.done():
        answer.set_result(None)
