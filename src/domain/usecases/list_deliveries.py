from domain.access import Caller
from domain.ports.deliveries import EventDelivery
from domain.ports.work import UnitOfWork
from domain.usecases.get_payment import GetPayment


class ListDeliveries:
    """How the events of one payment are on their way to the endpoints, newest first."""

    def __init__(self, *, begin: UnitOfWork, get: GetPayment) -> None:
        self._begin, self._get = begin, get

    async def __call__(self, order_id: str, caller: Caller) -> list[EventDelivery]:
        """Raises what GetPayment raises."""
        payment = await self._get(order_id, caller)
        async with self._begin() as work:
            return await work.deliveries.of_payment(payment.id)
