from domain.access import Caller
from domain.history import Entry
from domain.ports.payments import PaymentReader
from domain.usecases.get_payment import GetPayment


class ReadTimeline:
    """How a payment came to be what it is: its evidence log, for somebody who may see it."""

    def __init__(self, *, get: GetPayment, reader: PaymentReader) -> None:
        self._get, self._reader = get, reader

    async def __call__(self, order_id: str, caller: Caller) -> list[Entry]:
        """Every entry, oldest first; none for a payment of an earlier service that has not changed since.

        Raises what GetPayment raises.
        """
        payment = await self._get(order_id, caller)
        return await self._reader.log(payment.id)
