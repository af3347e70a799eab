from domain.access import ANY_PAYMENT, Caller, seen_by
from domain.errors import PaymentNotFound
from domain.payment import Payment
from domain.ports.payments import PaymentReader
from domain.ports.work import UnitOfWork
from domain.usecases.known_user import require_user


class GetPayment:
    """The stored payment, for somebody who may see it."""

    def __init__(self, *, begin: UnitOfWork, reader: PaymentReader, any_user: bool) -> None:
        self._begin, self._reader, self._any_user = begin, reader, any_user

    async def __call__(self, order_id: str, caller: Caller) -> Payment:
        """Raises PaymentNotFound, and UnknownUser unless ``any_user`` or the caller may see any payment."""
        try:
            return seen_by(caller, await self._reader.find(order_id), order_id)
        except PaymentNotFound:
            if not self._any_user and ANY_PAYMENT not in caller.scopes:
                await require_user(self._begin, caller)
            raise
