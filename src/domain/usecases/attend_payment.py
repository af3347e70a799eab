from domain.errors import NothingToAttend, PaymentNotFound
from domain.evidence import Attended
from domain.payment import Payment
from domain.ports.clock import Clock
from domain.ports.payments import PaymentReader
from domain.ports.work import UnitOfWork
from domain.usecases.applying import ApplyEvidence


class AttendPayment:
    """Note that an operator has looked at what needed a person, and what was done about it."""

    def __init__(self, *, begin: UnitOfWork, reader: PaymentReader, clock: Clock) -> None:
        self._begin, self._reader, self._clock = begin, reader, clock
        self._apply = ApplyEvidence(begin)

    async def __call__(self, order_id: str, *, note: str) -> Payment:
        """Raises PaymentNotFound, and NothingToAttend when nothing needs a person."""
        payment = await self._reader.find(order_id)
        if payment is None:
            raise PaymentNotFound(order_id)
        if not payment.attention:
            raise NothingToAttend(order_id)
        now = self._clock.now()
        return await self._apply(order_id, (Attended(note=note, received_at=now),), at=now)
