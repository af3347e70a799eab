from dataclasses import dataclass
from typing import Final

from domain.access import Caller
from domain.errors import GatewayUnavailable
from domain.payment import Payment
from domain.ports.clock import Clock
from domain.ports.gateway import PaymentGateway
from domain.ports.work import UnitOfWork
from domain.usecases.applying import ApplyEvidence
from domain.usecases.get_payment import GetPayment

# What Midtrans asks for between two questions about one payment (its guide for GoPay at the till).
SECONDS_BETWEEN: Final = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Refreshed:
    """``refreshed`` is false only when Midtrans should have been asked and did not answer."""

    payment: Payment
    refreshed: bool


class RefreshPayment:
    """The payment's status, after asking Midtrans while the payment is open."""

    def __init__(self, *, begin: UnitOfWork, get: GetPayment, gateway: PaymentGateway, clock: Clock) -> None:
        self._begin, self._get, self._gateway, self._clock = begin, get, gateway, clock
        self._apply = ApplyEvidence(begin)

    async def __call__(self, order_id: str, caller: Caller) -> Refreshed:
        """Ask at most once per 10 s and payment, over all processes. Raises what GetPayment raises."""
        payment = await self._get(order_id, caller)
        if not payment.status.is_open:
            return Refreshed(payment=payment, refreshed=True)
        async with self._begin() as work:
            due = await work.payments.take_turn(payment.id, seconds=SECONDS_BETWEEN)
        if not due:
            return Refreshed(payment=payment, refreshed=True)
        try:
            evidence = await self._gateway.status(payment.transaction_id or payment.order_id)
        except GatewayUnavailable:
            return Refreshed(payment=payment, refreshed=False)
        payment = await self._apply(order_id, (evidence,), at=self._clock.now())
        return Refreshed(payment=payment, refreshed=True)
