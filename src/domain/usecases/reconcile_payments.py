import asyncio
from dataclasses import dataclass
from enum import Enum, auto

from domain.errors import GatewayUnavailable, PaymentNotFound
from domain.evidence import NoTransaction, StatusReply
from domain.payment import Payment
from domain.ports.clock import Clock
from domain.ports.gateway import PaymentGateway
from domain.ports.payments import PaymentReader
from domain.ports.work import UnitOfWork, Work
from domain.schedule import ask_in, is_to_be_cancelled, is_to_be_expired
from domain.usecases.applying import ApplyEvidence, told_by


class Rest(Enum):
    """Why a round took nothing up."""

    NOTHING_DUE = auto()
    BUDGET_SPENT = auto()
    MIDTRANS_SILENT = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """How many payments were asked about; ``rest`` says why not now, where there was none."""

    asked: int = 0
    rest: Rest | None = None


class ReconcilePayments:
    """Bring payments to what Midtrans holds true, without anybody's help.

    What is due, and how much may be asked, is in the database: any number of processes may do this at once,
    and one that dies leaves nothing behind but payments that come due again.
    """

    def __init__(
        self, *, begin: UnitOfWork, reader: PaymentReader, gateway: PaymentGateway, clock: Clock
    ) -> None:
        self._begin, self._reader, self._gateway, self._clock = begin, reader, gateway, clock
        self._apply = ApplyEvidence(begin)

    async def __call__(self, *, limit: int) -> Round:
        """Ask about the payments that are due, so many at most."""
        async with self._begin() as work:
            if not await work.payments.any_due():
                return Round(rest=Rest.NOTHING_DUE)
            allowance = await work.budget.allowance()
            if not allowance:
                return Round(rest=Rest.MIDTRANS_SILENT if allowance is None else Rest.BUDGET_SPENT)
            due = await work.payments.take_due(limit=min(allowance, limit))
            await work.budget.spend(len(due))
        if not due:  # others have them
            return Round(rest=Rest.NOTHING_DUE)
        rounds = await asyncio.gather(*map(self._bring_home, due), return_exceptions=True)
        silent = [told for told in rounds if isinstance(told, GatewayUnavailable)]
        async with self._begin() as work:
            await work.budget.report(answered=len(silent) < len(due))
        for trouble in rounds:
            if isinstance(trouble, BaseException) and not isinstance(trouble, GatewayUnavailable):
                raise trouble
        return Round(asked=len(due))

    async def sync(self, order_id: str) -> Payment:
        """The payment after asking about it now, whatever its status, due or not.

        Raises PaymentNotFound, and GatewayUnavailable when Midtrans does not say.
        """
        payment = await self._reader.find(order_id)
        if payment is None:
            raise PaymentNotFound(order_id)
        return await self._ask(payment)

    async def _bring_home(self, order_id: str) -> None:
        """Raises GatewayUnavailable; the payment comes due again by itself."""
        payment = await self._reader.find(order_id)
        if payment is None:
            return
        now = self._clock.now()
        if payment.status.is_paid and ask_in(payment, now) is None:
            async with self._begin() as work:
                await work.payments.put_off(payment, at=now)
            return
        await self._ask(payment)

    async def _ask(self, payment: Payment) -> Payment:
        known_as = payment.transaction_id or payment.order_id
        reply = await self._gateway.status(known_as)
        payment = await self._store(payment, reply)
        if is_to_be_cancelled(payment):
            async with self._begin() as work:
                await work.payments.never_charge_again(payment.id)
            return await self._store(payment, told_by(await self._gateway.cancel(known_as)))
        until = reply.expires_at if isinstance(reply, StatusReply) else None
        if is_to_be_expired(payment, payment.read_at or self._clock.now(), told=until):
            async with self._begin() as work:
                await work.payments.never_charge_again(payment.id)
            return await self._store(payment, await self._gateway.expire(known_as))
        return payment

    async def _store(self, payment: Payment, told: StatusReply | NoTransaction) -> Payment:
        async def put_off(work: Work, after: Payment) -> None:
            if after.log_length == payment.log_length:  # else the change has said when it is due
                await work.payments.put_off(after, at=self._clock.now())

        return await self._apply(payment.order_id, (told,), at=told.received_at, then=put_off)
