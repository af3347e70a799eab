"""What the customer's side reads, in memory."""

import asyncio
from collections.abc import Mapping
from uuid import UUID

from domain.payment import Payment
from domain.ports.checkouts import Checkout
from support.fakes import InMemoryUnitOfWork


class InMemoryCheckouts:
    """Payments by their checkout token, as committed."""

    def __init__(self, begin: InMemoryUnitOfWork) -> None:
        self._begin = begin

    async def find(self, token: str) -> Checkout | None:
        await asyncio.sleep(0)
        self._begin.check_reachable()
        for payment in self._begin.state.payments.values():
            if payment.checkout_token == token:
                ended_at = None
                for entry in sorted(self._begin.state.entries[payment.id], key=lambda entry: entry.seq):
                    ended_at = None if entry.status.is_open else ended_at or entry.recorded_at
                return Checkout(payment=payment, ended_at=ended_at)
        return None


class InMemoryPaymentChanges:
    """Which payments changed, as committed; ``questions`` is how often it was asked."""

    def __init__(self, begin: InMemoryUnitOfWork) -> None:
        self._begin = begin
        self.questions = 0

    async def since(self, seen: Mapping[UUID, int]) -> list[Payment]:
        self.questions += 1
        asked = dict(seen)
        await asyncio.sleep(0)
        self._begin.check_reachable()
        return [
            payment
            for payment in self._begin.state.payments.values()
            if payment.id in asked and payment.log_length > asked[payment.id]
        ]
