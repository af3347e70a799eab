"""One try of a stored refund, and what its answer means."""

from dataclasses import replace
from enum import Enum, auto
from typing import Final

from domain.errors import GatewayUnavailable, PaymentNotFound, TransactionTaken
from domain.evidence import TransactionElsewhere
from domain.history import Source
from domain.payment import Payment
from domain.ports.clock import Clock
from domain.ports.gateway import (
    AlreadyThere,
    Declined,
    NotTaken,
    PaymentGateway,
    RefundOrder,
    RefundOutcome,
    RefundTaken,
    Unanswered,
)
from domain.ports.work import UnitOfWork, Work
from domain.refund import Refund, RefundStatus
from domain.usecases.applying import ApplyEvidence
from domain.usecases.refund_changes import accept, noted

_SECONDS: Final = 17.0
_UNAUTHORIZED: Final = "401"


class Meaning(Enum):
    """What an answer says about the refund as a whole; ASK is that only Midtrans's own list can tell."""

    ACCEPTED = auto()
    REFUSED = auto()
    NOT_SENT = auto()
    UNKNOWN = auto()
    ASK = auto()


def meaning(outcome: RefundOutcome, *, may_exist: bool) -> Meaning:
    """What one try says; ``may_exist`` is whether an earlier one may have been taken.

    Then a refusal tells nothing about that one, but for the bank's: Midtrans asks the bank only under a key
    that has no refund yet.
    """
    match outcome:
        case RefundTaken():
            return Meaning.ACCEPTED
        case Declined(by_bank=True):
            return Meaning.REFUSED
        case Declined(code=code):
            if not may_exist:
                return Meaning.REFUSED
            return Meaning.UNKNOWN if code == _UNAUTHORIZED else Meaning.ASK
        case AlreadyThere():
            return Meaning.ASK
        case NotTaken():
            return Meaning.UNKNOWN if may_exist else Meaning.NOT_SENT
        case Unanswered():
            return Meaning.UNKNOWN


class SendRefund:
    """Send a refund to Midtrans once, and store what its answer means. No transaction is open meanwhile."""

    def __init__(self, *, begin: UnitOfWork, gateway: PaymentGateway, clock: Clock) -> None:
        self._begin, self._gateway, self._clock = begin, gateway, clock
        self._apply = ApplyEvidence(begin)

    async def __call__(
        self, payment: Payment, refund: Refund, *, may_exist: bool
    ) -> tuple[Refund, RefundOutcome]:
        """The refund after this try, or after what a later one came to, and what this try was answered."""
        wish = RefundOrder(
            key=str(refund.id),
            transaction=refund.transaction,
            order_id=payment.order_id,
            gross_amount=payment.gross_amount,
            amount=refund.amount,
            reason=refund.reason,
        )
        outcome = await self._gateway.refund(wish, within=_SECONDS)
        means = meaning(outcome, may_exist=may_exist)
        if means is Meaning.ASK:
            await self.ask(payment.order_id, refund)
        try:
            return await self._store(payment.order_id, refund, means, outcome), outcome
        except TransactionTaken as taken:
            return await self._keep_as_break(payment.order_id, refund, taken), outcome

    async def ask(self, order_id: str, refund: Refund) -> Refund:
        """The refund after Midtrans has told its refunds of the transaction, if it does."""
        try:
            reply = await self._gateway.status(refund.transaction)
        except GatewayUnavailable:
            return refund
        found = None

        async def look(work: Work, _payment: Payment) -> None:
            nonlocal found
            found = await work.refunds.lock(refund.id)

        await self._apply(order_id, (reply,), at=self._clock.now(), then=look)
        return found or refund

    async def _keep_as_break(self, order_id: str, refund: Refund, taken: TransactionTaken) -> Refund:
        """What was taken is another payment's transaction; whose money went back, a person has to say."""
        at = self._clock.now()
        elsewhere = TransactionElsewhere(transaction_id=taken.transaction_id, received_at=at)

        async def come_again_later(work: Work, _payment: Payment) -> None:
            found = await work.refunds.lock(refund.id)
            if found is not None and found.attempts == refund.attempts:
                await work.refunds.save(found)

        await self._apply(order_id, (elsewhere,), at=at, then=come_again_later)
        return refund

    async def _store(self, order_id: str, refund: Refund, means: Meaning, outcome: RefundOutcome) -> Refund:
        at = self._clock.now()
        async with self._begin() as work:
            payment = await work.payments.lock(order_id)
            found = await work.refunds.lock(refund.id)
            if payment is None or found is None:
                raise PaymentNotFound(order_id)
            if found.status is RefundStatus.ACCEPTED:
                return found
            if isinstance(outcome, RefundTaken):
                payment, entries = await accept(
                    work,
                    payment,
                    found,
                    Source.REFUND,
                    transaction_id=outcome.transaction_id,
                    at=at,
                    raw=outcome.raw,
                )
                await work.payments.save(payment, entries)
                return await work.refunds.lock(refund.id) or found
            if found.status is not RefundStatus.REQUESTED or found.attempts != refund.attempts:
                return found  # a later try has it, and this one's answer is not the last word
            after = _after(found, means, outcome)
            await work.refunds.save(after)
            if after.status is not found.status:
                what = f"refund {after.status.replace('_', ' ')}"
                raw = outcome.raw if isinstance(outcome, Declined) else b""
                payment, entries = noted(payment, after, what, Source.REFUND, at=at, raw=raw)
                await work.payments.save(payment, entries)
            return after


def _after(refund: Refund, means: Meaning, outcome: RefundOutcome) -> Refund:
    if means is Meaning.NOT_SENT:
        return replace(refund, status=RefundStatus.NOT_SENT)
    if means is Meaning.REFUSED and isinstance(outcome, Declined):
        return replace(
            refund,
            status=RefundStatus.REFUSED,
            gateway_code=outcome.code,
            gateway_message=outcome.message,
        )
    return refund
