import asyncio

from domain.decide import decide
from domain.errors import PaymentNotFound
from domain.evidence import RefundInDoubt
from domain.ports.clock import Clock
from domain.ports.payments import PaymentReader
from domain.ports.refunds import DueRefund
from domain.ports.work import UnitOfWork
from domain.refund import RefundStatus
from domain.usecases.send_refund import SendRefund


class RepeatRefunds:
    """Bring refunds without an outcome to an end, with the key that they were first sent with.

    And ask about accepted ones whose second word did not come. One whose key Midtrans no longer takes is a
    break: it keeps its amount, and a person has to look.
    """

    def __init__(self, *, begin: UnitOfWork, reader: PaymentReader, send: SendRefund, clock: Clock) -> None:
        self._begin, self._reader, self._send, self._clock = begin, reader, send, clock

    async def __call__(self, *, limit: int) -> int:
        """How many refunds were taken up; those that Midtrans did not answer for come again later."""
        async with self._begin() as work:
            due = await work.refunds.take_due(limit=limit)
        for trouble in await asyncio.gather(*map(self._look_at, due), return_exceptions=True):
            if trouble is not None:
                raise trouble
        return len(due)

    async def _look_at(self, due: DueRefund) -> None:
        if due.refund.status is RefundStatus.REQUESTED and not due.is_too_old:
            payment = await self._reader.find(due.order_id)
            if payment is None:
                raise PaymentNotFound(due.order_id)
            await self._send(payment, due.refund, may_exist=True)
            return
        refund = await self._send.ask(due.order_id, due.refund)
        if refund.status is RefundStatus.REQUESTED:
            await self._give_up(due)

    async def _give_up(self, due: DueRefund) -> None:
        async with self._begin() as work:
            payment = await work.payments.lock(due.order_id)
            refund = await work.refunds.lock(due.refund.id)
            if payment is None or refund is None or refund.status is not RefundStatus.REQUESTED:
                return
            unknown = RefundInDoubt(
                reason="refund_unknown", subject=str(refund.id), received_at=self._clock.now()
            )
            decision = decide(payment, unknown)
            if decision.changed:
                await work.payments.save(decision.payment, decision.entries)
            await work.refunds.give_up(refund.id)
