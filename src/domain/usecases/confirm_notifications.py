import asyncio
from collections import defaultdict
from dataclasses import replace
from typing import Final

from domain.decide import knows
from domain.errors import GatewayUnavailable
from domain.evidence import NoTransaction, StatusReply
from domain.payment import Break, Payment
from domain.ports.clock import Clock
from domain.ports.gateway import PaymentGateway
from domain.ports.notifications import DoubtfulNotification
from domain.ports.payments import PaymentReader
from domain.ports.work import UnitOfWork
from domain.refund_claim import is_told
from domain.status import REFUNDS, Status, status_of
from domain.usecases.applying import ApplyEvidence

# Midtrans may notify a moment before its own GET status agrees; news is asked about this often.
_ATTEMPTS: Final = 8


class ConfirmNotifications:
    """Settle doubtful notifications by Midtrans's own word, one round of questions per payment."""

    def __init__(
        self, *, begin: UnitOfWork, reader: PaymentReader, gateway: PaymentGateway, clock: Clock
    ) -> None:
        self._begin, self._reader, self._gateway, self._clock = begin, reader, gateway, clock
        self._apply = ApplyEvidence(begin)

    async def __call__(self, *, limit: int) -> int:
        """How many notifications were taken up; those that Midtrans did not answer for come again later."""
        async with self._begin() as work:
            taken = await work.notifications.take_doubtful(limit=limit)
        if not taken:
            return 0
        by_order: dict[str, list[DoubtfulNotification]] = defaultdict(list)
        for doubtful in taken:
            by_order[doubtful.order_id].append(doubtful)
        found = {payment.order_id: payment for payment in await self._reader.find_all(list(by_order))}
        asked = {
            order_id: _questions(found[order_id], claims) if order_id in found else ()
            for order_id, claims in by_order.items()
        }
        rounds = [
            self._confirm(order_id, found.get(order_id), claims, asked[order_id])
            for order_id, claims in by_order.items()
        ]
        rounds.append(self._count(sum(map(len, asked.values()))))
        for trouble in await asyncio.gather(*rounds, return_exceptions=True):
            if trouble is not None:
                raise trouble
        return len(taken)

    async def _count(self, questions: int) -> None:
        """They do not wait for the budget, nor for being counted, but they are."""
        if questions:
            async with self._begin() as work:
                await work.budget.overspend(questions)

    async def _confirm(
        self,
        order_id: str,
        before: Payment | None,
        claims: list[DoubtfulNotification],
        asked: tuple[str, ...],
    ) -> None:
        if before is None:
            await self._close(claims, f"there is no payment {order_id}")
            return
        if not asked:
            await self._close(claims, None)
            return
        own, *claimed = asked
        try:
            told = await self._ask(own, claimed)
        except GatewayUnavailable:
            await self._postpone(claims)
            return
        evidence = _evidence(told, own, order_id)
        payment = await self._apply(order_id, evidence, at=self._clock.now())
        confirmed = [
            claim
            for claim in claims
            if _is_confirmed(payment, claim)
            and _tells_its_refunds(before, payment, claim, told.get(claim.transaction_id or own))
        ]
        denied = [
            claim
            for claim in claims
            if claim not in confirmed
            and (claim.transaction_id or own) in told
            and not _may_be_early(payment, claim)
        ]
        await self._postpone([claim for claim in claims if claim not in (*confirmed, *denied)])
        await self._close(confirmed, None)
        await self._close(denied, f"Midtrans does not confirm it; the payment is {payment.status}")

    async def _ask(self, own: str, claimed: list[str]) -> dict[str, StatusReply | NoTransaction]:
        """What Midtrans says under the payment's own id and under every claimed one that it answers for."""
        asked = [self._gateway.status(transaction) for transaction in (own, *claimed)]
        told: dict[str, StatusReply | NoTransaction] = {}
        for transaction, reply in zip(
            (own, *claimed), await asyncio.gather(*asked, return_exceptions=True), strict=True
        ):
            if isinstance(reply, GatewayUnavailable) and transaction != own:
                continue  # An odd id must not hold up the others' claims.
            if isinstance(reply, BaseException):
                raise reply
            told[transaction] = reply
        return told

    async def _postpone(self, claims: list[DoubtfulNotification]) -> None:
        if claims:
            async with self._begin() as work:
                await work.notifications.postpone([claim.id for claim in claims])

    async def _close(self, claims: list[DoubtfulNotification], error: str | None) -> None:
        if not claims:
            return
        ids = [claim.id for claim in claims]
        async with self._begin() as work:
            if error is None:
                await work.notifications.mark_processed(ids)
            else:
                await work.notifications.set_aside(ids, error)


def _questions(payment: Payment, claims: list[DoubtfulNotification]) -> tuple[str, ...]:
    """The ids to ask Midtrans about, the payment's own first; none where all that is claimed is known."""
    if all(_needs_no_question(payment, claim) for claim in claims):
        return ()
    own = payment.transaction_id or payment.order_id
    return (own, *sorted({claim.transaction_id or own for claim in claims} - {own}))


def _evidence(
    told: dict[str, StatusReply | NoTransaction], own: str, order_id: str
) -> tuple[StatusReply | NoTransaction, ...]:
    """The payment's own last.

    That an order is unknown proves nothing once a transaction of it is known, and that a claimed transaction
    is unknown proves nothing about the order at all.
    """
    claimed = [reply for asked, reply in told.items() if asked != own and isinstance(reply, StatusReply)]
    is_known = own == order_id and any(reply.order_id == order_id for reply in claimed)
    if is_known and isinstance(told[own], NoTransaction):
        return tuple(claimed)
    return (*claimed, told[own])


def _is_confirmed(payment: Payment, claim: DoubtfulNotification) -> bool:
    """Whether the payment, by what Midtrans itself said, already holds the status that is claimed."""
    status = _status(claim)
    if status is None:
        return False
    twice = Break(reason="paid_twice", subject=claim.transaction_id or "")
    is_held = twice in payment.breaks and status.rank <= payment.status.rank
    return is_held or knows(payment, claim.transaction_id, status)


def _needs_no_question(payment: Payment, claim: DoubtfulNotification) -> bool:
    """But for a refund's: only Midtrans's list tells which one was accepted, or confirmed."""
    return _status(claim) not in REFUNDS and _is_confirmed(payment, claim)


def _tells_its_refunds(
    before: Payment, payment: Payment, claim: DoubtfulNotification, reply: StatusReply | NoTransaction | None
) -> bool:
    """Whether Midtrans's own word has all the refunds that are claimed, when it has the status.

    Of a partial one that says nothing of its amount the reply has to be news, or to stay the same for long.
    """
    status = _status(claim)
    if status not in REFUNDS:
        return True
    told = is_told(claim.refunds, payment.gross_amount, reply)
    if told is None:
        is_news = (before.status, before.refunded_amount) != (payment.status, payment.refunded_amount)
        return status is Status.REFUND or is_news or claim.attempts >= _ATTEMPTS
    return told or (claim.attempts >= _ATTEMPTS and _is_told_but_late(payment, claim, reply))


def _is_told_but_late(
    payment: Payment, claim: DoubtfulNotification, reply: StatusReply | NoTransaction | None
) -> bool:
    """Whether all but the bank's word is told, or the sum is known: Midtrans's list may stay behind."""
    claimed = replace(claim.refunds, confirmed=frozenset())
    is_own = claim.transaction_id in {None, payment.transaction_id}
    is_known = claimed.amount is not None and payment.refunded_amount >= min(
        claimed.amount, payment.gross_amount
    )
    return (is_own and is_known) or bool(is_told(claimed, payment.gross_amount, reply))


def _may_be_early(payment: Payment, claim: DoubtfulNotification) -> bool:
    """Whether Midtrans's own status may only not have followed its notification yet.

    Of what is not confirmed that is also a further refund under a status that is known.
    """
    status = _status(claim)
    is_news = status is not None and status.rank > payment.status.rank
    is_further = status in REFUNDS and _is_confirmed(payment, claim)
    return claim.attempts < _ATTEMPTS and (payment.status.is_open or is_news or is_further)


def _status(claim: DoubtfulNotification) -> Status | None:
    return status_of(claim.transaction_status)
