from domain.payment import Payment
from domain.ports.payments import PaymentReader
from domain.status import OPEN


class FollowPayment:
    """Where somebody who follows a payment goes on: everything is told once, and the end last."""

    def __init__(self, *, reader: PaymentReader) -> None:
        self._reader = reader

    async def __call__(self, payment: Payment, *, seen: int | None) -> bool:
        """Whether there is more to tell to whoever saw the payment when its log was ``seen`` entries long.

        An open payment may always change; of one that is over there is nothing more once its end was seen,
        whatever became of the money since.
        """
        if payment.status.is_open or seen is None:
            return True
        if seen >= payment.log_length:
            return False
        log = await self._reader.log(payment.id)
        return not any(entry.seq == seen and entry.status not in OPEN for entry in log)
