from dataclasses import dataclass
from uuid import UUID

from domain.access import Caller
from domain.errors import (
    DatabaseUnavailable,
    InProgress,
    KeyReused,
    PaymentNotFound,
    RefundNotSent,
    RefundRefused,
    RefundUnknown,
)
from domain.history import Source
from domain.idempotency import IdempotentCall
from domain.payment import Payment
from domain.ports.clock import Clock
from domain.ports.gateway import NotTaken
from domain.ports.identifiers import Identifiers
from domain.ports.refunds import KnownRefund
from domain.ports.work import UnitOfWork, Work
from domain.refund import Refund, RefundStatus, amount_to_refund, own_transaction
from domain.usecases.get_payment import GetPayment
from domain.usecases.refund_changes import noted
from domain.usecases.send_refund import SendRefund


@dataclass(frozen=True, kw_only=True, slots=True)
class RefundWish:
    """A refund as it is asked for: of the payment's own transaction, and all that is left, unless told.

    ``id`` is the refund's own, where whoever asks has to know it beforehand.
    """

    amount: int | None = None
    reason: str | None = None
    transaction: str | None = None
    id: UUID | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Refunded:
    """``replayed`` says that an earlier call with the same Idempotency-Key had made the refund."""

    refund: Refund
    replayed: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class _Try:
    """What this call has to do: send the refund, only ask about it, or nothing any more."""

    payment: Payment
    refund: Refund
    may_exist: bool = False
    is_over: bool = False
    only_ask: bool = False


class RefundPayment:
    """Give money of a paid payment back, once per Idempotency-Key.

    The refund and what it takes of the payment are committed, under the payment's lock, before Midtrans is
    asked; so two refunds at the same instant never exceed it together.
    """

    def __init__(
        self, *, begin: UnitOfWork, get: GetPayment, send: SendRefund, clock: Clock, ids: Identifiers
    ) -> None:
        self._begin, self._get, self._send = begin, get, send
        self._clock, self._ids = clock, ids

    async def __call__(
        self,
        order_id: str,
        caller: Caller,
        wish: RefundWish,
        call: IdempotentCall,
        *,
        source: Source = Source.SHOP,
    ) -> Refunded:
        """The refund that Midtrans accepted.

        Raises what GetPayment raises, and KeyReused, InProgress, IllegalTransition, RefundExceedsPayment and
        InvalidPayment before anything is stored. After: RefundRefused, which is final; RefundNotSent, after
        which the same call may be made again; and RefundUnknown, after which it is repeated until
        Midtrans says.
        """
        await self._get(order_id, caller)
        mine = await self._start(order_id, wish, call, source)
        if mine.is_over:
            return Refunded(refund=_accepted(mine, mine.refund, replayed=True), replayed=True)
        try:
            if mine.only_ask:
                return Refunded(refund=_accepted(mine, await self._send.ask(order_id, mine.refund)))
            refund, outcome = await self._send(mine.payment, mine.refund, may_exist=mine.may_exist)
        except DatabaseUnavailable as not_stored:
            # What Midtrans said is lost to us: only repeating the refund can tell.
            raise RefundUnknown(order_id) from not_stored
        if refund.status is RefundStatus.NOT_SENT and isinstance(outcome, NotTaken):
            raise RefundNotSent(outcome.reason, outcome.retry_after or 5)
        return Refunded(refund=_accepted(mine, refund))

    async def _start(self, order_id: str, wish: RefundWish, call: IdempotentCall, source: Source) -> _Try:
        async with self._begin() as work:
            payment = await work.payments.lock(order_id)
            if payment is None:
                raise PaymentNotFound(order_id)
            known = await work.refunds.known(call.user_id, call.key)
            if known is None:
                refund = await self._new(work, payment, wish, call)
                if await work.refunds.add(refund):
                    return await self._requested(work, payment, refund, source)
                known = await work.refunds.known(call.user_id, call.key)
            if known is None:
                raise InProgress(1)
            if known.refund.fingerprint != call.fingerprint:
                raise KeyReused
            return await self._again(work, payment, known, source)

    async def _new(self, work: Work, payment: Payment, wish: RefundWish, call: IdempotentCall) -> Refund:
        transaction = wish.transaction or own_transaction(payment)
        refunds = await work.refunds.of_payment(payment.id)
        return Refund(
            id=wish.id or self._ids.uuid(),
            payment_id=payment.id,
            user_id=call.user_id,
            key=call.key,
            fingerprint=call.fingerprint,
            transaction=transaction,
            amount=amount_to_refund(payment, refunds, transaction=transaction, amount=wish.amount),
            reason=wish.reason,
            created_at=self._clock.now(),
        )

    async def _again(self, work: Work, payment: Payment, known: KnownRefund, source: Source) -> _Try:
        """Go on where an earlier call with this key stopped."""
        refund = known.refund
        match refund.status:
            case RefundStatus.ACCEPTED | RefundStatus.REFUSED:
                return _Try(payment=payment, refund=refund, is_over=True)
            case RefundStatus.NOT_SENT:
                refunds = await work.refunds.of_payment(payment.id)
                amount_to_refund(payment, refunds, transaction=refund.transaction, amount=refund.amount)
                return await self._requested(work, payment, await work.refunds.take(refund.id), source)
            case RefundStatus.REQUESTED:
                if known.leased_seconds > 0:
                    raise InProgress(known.leased_seconds)
                if known.is_too_old:
                    return _Try(payment=payment, refund=refund, only_ask=True)
                return _Try(payment=payment, refund=await work.refunds.take(refund.id), may_exist=True)

    async def _requested(self, work: Work, payment: Payment, refund: Refund, source: Source) -> _Try:
        payment, entries = noted(payment, refund, "refund requested", source, at=self._clock.now())
        await work.payments.save(payment, entries)
        return _Try(payment=payment, refund=refund)


def _accepted(mine: _Try, refund: Refund, *, replayed: bool = False) -> Refund:
    """The refund if it was accepted. Raises RefundRefused and RefundUnknown."""
    order_id = mine.payment.order_id
    if refund.status is RefundStatus.REFUSED:
        refused = RefundRefused(order_id, refund.gateway_code or "", refund.gateway_message or "")
        refused.replayed = replayed
        raise refused
    if refund.status is not RefundStatus.ACCEPTED:
        raise RefundUnknown(order_id)
    return refund
