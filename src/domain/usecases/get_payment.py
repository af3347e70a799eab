from collections.abc import Sequence

from domain.access import ANY_PAYMENT, Caller, seen_by
from domain.errors import PaymentNotFound
from domain.payment import Payment
from domain.ports.payments import PaymentReader
from domain.ports.work import UnitOfWork
from domain.usecases.known_user import require_user
from domain.usecases.together import Together

# So many are read in one go; there is a further one at the same time only while those before keep so many
# waiting. More than so many at once are refused.
_MOST, _LANES, _CROWD, _WAITING = 64, 4, 32, 4000


class GetPayment:
    """The stored payment, for somebody who may see it. Those asked for at the same time are read together."""

    def __init__(self, *, begin: UnitOfWork, reader: PaymentReader, any_user: bool) -> None:
        self._begin, self._reader, self._any_user = begin, reader, any_user
        self._find = Together(self._found, most=_MOST, lanes=_LANES, waiting=_WAITING, crowd=_CROWD)

    async def __call__(self, order_id: str, caller: Caller) -> Payment:
        """Raises PaymentNotFound, and UnknownUser unless ``any_user`` or the caller may see any payment."""
        try:
            return seen_by(caller, await self._find(order_id), order_id)
        except PaymentNotFound:
            if not self._any_user and ANY_PAYMENT not in caller.scopes:
                await require_user(self._begin, caller)
            raise

    async def _found(self, order_ids: Sequence[str]) -> list[Payment | None]:
        found = {payment.order_id: payment for payment in await self._reader.find_all(order_ids)}
        return [found.get(order_id) for order_id in order_ids]
