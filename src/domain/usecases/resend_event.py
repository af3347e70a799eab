from uuid import UUID

from domain.access import Caller
from domain.errors import EventNotFound
from domain.ports.work import UnitOfWork
from domain.usecases.get_payment import GetPayment


class ResendEvent:
    """Have an event of a payment sent to all its endpoints once more, whether they had it or not."""

    def __init__(self, *, begin: UnitOfWork, get: GetPayment) -> None:
        self._begin, self._get = begin, get

    async def __call__(self, order_id: str, event_id: UUID, caller: Caller) -> None:
        """Raises what GetPayment raises, and EventNotFound for one that is not this payment's."""
        payment = await self._get(order_id, caller)
        async with self._begin() as work:
            if not await work.deliveries.resend([event_id], payment_id=payment.id):
                raise EventNotFound(event_id)
