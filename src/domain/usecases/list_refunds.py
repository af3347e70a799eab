from domain.access import Caller
from domain.ports.work import UnitOfWork
from domain.refund import Refund
from domain.usecases.get_payment import GetPayment


class ListRefunds:
    """A payment's refunds, oldest first, for somebody who may see the payment."""

    def __init__(self, *, begin: UnitOfWork, get: GetPayment) -> None:
        self._begin, self._get = begin, get

    async def __call__(self, order_id: str, caller: Caller) -> list[Refund]:
        """Raises what GetPayment raises."""
        payment = await self._get(order_id, caller)
        async with self._begin() as work:
            return await work.refunds.of_payment(payment.id)
