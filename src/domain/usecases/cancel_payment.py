from typing import Final

from domain import history
from domain.access import Caller
from domain.errors import (
    CancelUnknown,
    GatewayRefused,
    GatewayUnavailable,
    IllegalTransition,
    PaymentNotFound,
)
from domain.evidence import NoTransaction
from domain.history import Source
from domain.payment import Payment
from domain.ports.clock import Clock
from domain.ports.gateway import Declined, PaymentGateway
from domain.ports.work import UnitOfWork
from domain.status import Status
from domain.usecases.applying import ApplyEvidence
from domain.usecases.get_payment import GetPayment
from domain.usecases.refund_changes import by

_UNKNOWN_THERE: Final = ("404", "Midtrans has no such transaction")


class CancelPayment:
    """End a pending payment at Midtrans, so that nobody can pay it any more."""

    def __init__(self, *, begin: UnitOfWork, get: GetPayment, gateway: PaymentGateway, clock: Clock) -> None:
        self._begin, self._get, self._gateway, self._clock = begin, get, gateway, clock
        self._apply = ApplyEvidence(begin)

    async def __call__(self, order_id: str, caller: Caller, *, source: Source = Source.SHOP) -> Payment:
        """The cancelled payment.

        Raises what GetPayment raises; IllegalTransition, with the payment, unless it was pending and nothing
        was faster; GatewayRefused; and CancelUnknown when Midtrans did not say, after which asking for
        the status tells.
        """
        await self._get(order_id, caller)
        payment = await self._start(order_id, caller, source)
        try:
            reply = await self._gateway.cancel(payment.transaction_id or order_id)
        except GatewayUnavailable as away:
            raise CancelUnknown(order_id) from away
        match reply:
            case Declined(code=code, message=message):
                raise GatewayRefused(order_id, code, message)
            case NoTransaction():
                raise GatewayRefused(order_id, *_UNKNOWN_THERE)
        payment = await self._apply(order_id, (reply,), at=self._clock.now())
        if payment.status is Status.PENDING:
            raise CancelUnknown(order_id)
        return _cancelled(payment)

    async def _start(self, order_id: str, caller: Caller, source: Source) -> Payment:
        """Note who wants it, and that its charge is never sent again: the cancel frees its order id there."""
        async with self._begin() as work:
            payment = await work.payments.lock(order_id)
            if payment is None:
                raise PaymentNotFound(order_id)
            if payment.status is not Status.PENDING:
                raise _too_late(payment)
            is_first = await work.payments.never_charge_again(payment.id)
            if is_first or source is Source.OPERATOR:
                detail = {"by": by(caller.user_id)}
                payment, entries = history.recorded(
                    payment, payment, "cancel asked", source, detail, at=self._clock.now()
                )
                await work.payments.save(payment, entries)
        return payment


def _cancelled(payment: Payment) -> Payment:
    if payment.status is not Status.CANCEL:
        raise _too_late(payment)
    return payment


def _too_late(payment: Payment) -> IllegalTransition:
    return IllegalTransition(payment.order_id, payment.status, "be cancelled", payment)
