"""Store what evidence decides, in one short transaction."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from domain.decide import decide
from domain.errors import GatewayUnavailable, PaymentNotFound, TransactionTaken
from domain.evidence import Evidence, NoTransaction, StatusReply, TransactionElsewhere
from domain.history import Entry
from domain.payment import Payment
from domain.ports.gateway import Declined
from domain.ports.work import UnitOfWork, Work
from domain.usecases.refund_changes import reported

Then = Callable[[Work, Payment], Awaitable[None]]


async def apply(
    begin: UnitOfWork,
    order_id: str,
    evidence: tuple[Evidence, ...],
    *,
    at: datetime,
    then: Then | None = None,
) -> Payment:
    """The payment after the evidence, committed together with its refunds and with what ``then`` does.

    A transaction id that belongs to another payment is kept as a break, and the evidence with it is not
    applied: it cannot be this payment's.
    """
    try:
        return await _apply(begin, order_id, evidence, then)
    except TransactionTaken as taken:
        elsewhere = TransactionElsewhere(transaction_id=taken.transaction_id, received_at=at)
        return await _apply(begin, order_id, (elsewhere,), then)


async def _apply(
    begin: UnitOfWork, order_id: str, evidence: tuple[Evidence, ...], then: Then | None
) -> Payment:
    async with begin() as work:
        payment = await work.payments.lock(order_id)
        if payment is None:
            raise PaymentNotFound(order_id)
        entries: tuple[Entry, ...] = ()
        for piece in evidence:
            decision = decide(payment, piece)
            payment, entries = decision.payment, entries + decision.entries
            if isinstance(piece, StatusReply):
                payment, told = await reported(work, payment, piece)
                entries += told
        if entries:
            await work.payments.save(payment, entries)
        if then is not None:
            await then(work, payment)
    return payment


def told_by(reply: StatusReply | NoTransaction | Declined) -> StatusReply | NoTransaction:
    """What a reply to a cancel says of the transaction. Raises GatewayUnavailable when it was declined.

    Then it is not cancelled, and why says nothing of what it is by now.
    """
    if isinstance(reply, Declined):
        raise GatewayUnavailable(f"code {reply.code}, {reply.message}")
    return reply
