"""Store what evidence decides, in one short transaction."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from domain.decide import decide
from domain.errors import GatewayUnavailable, PaymentNotFound, TransactionTaken
from domain.evidence import Evidence, NoTransaction, StatusReply, TransactionElsewhere
from domain.history import Entry
from domain.payment import Payment
from domain.ports.gateway import Declined
from domain.ports.work import UnitOfWork, Work
from domain.usecases.refund_changes import reported
from domain.usecases.together import Together, in_one_commit

Then = Callable[[Work, Payment], Awaitable[None]]


# So many are stored in one commit; there is a second at the same time only while the first keeps so many
# waiting. More than so many at once are refused.
_MOST, _LANES, _CROWD, _WAITING = 32, 2, 16, 5000


@dataclass(frozen=True, kw_only=True, slots=True)
class _Piece:
    """Evidence about one payment, and what is done about it in the same commit."""

    order_id: str
    evidence: tuple[Evidence, ...]
    then: Then | None


class ApplyEvidence:
    """Store what evidence decides. What is known at the same time of several payments shares a commit."""

    def __init__(self, begin: UnitOfWork) -> None:
        self._begin = begin
        self._together = Together(self._apply_all, most=_MOST, lanes=_LANES, waiting=_WAITING, crowd=_CROWD)

    async def __call__(
        self, order_id: str, evidence: tuple[Evidence, ...], *, at: datetime, then: Then | None = None
    ) -> Payment:
        """The payment after the evidence, committed together with its refunds and with what ``then`` does.

        A transaction id that belongs to another payment is kept as a break, and the evidence with it is not
        applied: it cannot be this payment's. ``then`` may be called again when a commit fails.
        """
        piece = _Piece(order_id=order_id, evidence=evidence, then=then)
        payment = await self._together(piece)
        if payment is not None:
            return payment
        try:
            return await self._alone(piece)
        except TransactionTaken as taken:
            elsewhere = TransactionElsewhere(transaction_id=taken.transaction_id, received_at=at)
            return await self._alone(replace(piece, evidence=(elsewhere,)))

    async def _apply_all(self, group: Sequence[_Piece]) -> Sequence[Payment | None]:
        """The payments of a group; None for each that has to be done alone.

        That is one whose payment is unknown or in another's hands, and the whole group when one fails.
        """
        return await in_one_commit(self._begin, _apply_in, group)

    async def _alone(self, piece: _Piece) -> Payment:
        async with self._begin() as work:
            payment = await work.payments.lock(piece.order_id)
            if payment is None:
                raise PaymentNotFound(piece.order_id)
            payment, entries = await _decided(work, payment, piece)
            if entries:
                await work.payments.save(payment, entries)
            if piece.then is not None:
                await piece.then(work, payment)
        return payment


async def _apply_in(work: Work, group: Sequence[_Piece]) -> list[Payment | None]:
    orders = list(dict.fromkeys(piece.order_id for piece in group))
    payments = {known.order_id: known for known in await work.payments.lock_free(orders)}
    entries: dict[str, tuple[Entry, ...]] = {}
    for piece in group:
        if piece.order_id in payments:
            payments[piece.order_id], more = await _decided(work, payments[piece.order_id], piece)
            entries[piece.order_id] = entries.get(piece.order_id, ()) + more
    changes = [(payments[order_id], own) for order_id, own in entries.items() if own]
    if changes:
        await work.payments.save_all(changes)
    done = [payments.get(piece.order_id) for piece in group]
    for piece, payment in zip(group, done, strict=True):
        if piece.then is not None and payment is not None:
            await piece.then(work, payment)
    return done


async def _decided(work: Work, payment: Payment, piece: _Piece) -> tuple[Payment, tuple[Entry, ...]]:
    entries: tuple[Entry, ...] = ()
    for evidence in piece.evidence:
        decision = decide(payment, evidence)
        payment, entries = decision.payment, entries + decision.entries
        if isinstance(evidence, StatusReply):
            payment, told = await reported(work, payment, evidence)
            entries += told
    return payment, entries


def told_by(reply: StatusReply | NoTransaction | Declined) -> StatusReply | NoTransaction:
    """What a reply to a cancel says of the transaction. Raises GatewayUnavailable when it was declined.

    Then it is not cancelled, and why says nothing of what it is by now.
    """
    if isinstance(reply, Declined):
        raise GatewayUnavailable(f"code {reply.code}, {reply.message}")
    return reply
