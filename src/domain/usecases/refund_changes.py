"""What becomes of a refund, stored under the lock of its payment; every change is an entry of the log."""

from dataclasses import replace
from datetime import datetime

from domain import history
from domain.access import OPERATOR
from domain.decide import decide
from domain.evidence import RefundAccepted, RefundInDoubt, ReportedRefund, StatusReply
from domain.history import Entry, Source
from domain.payment import Payment
from domain.ports.work import Work
from domain.refund import Refund, RefundStatus, accepted_of, own_transaction, transaction_of

Changed = tuple[Payment, tuple[Entry, ...]]


def by(user_id: int) -> str:
    """Who asked, as the log has it."""
    return "operator" if user_id == OPERATOR.user_id else f"user {user_id}"


def noted(
    payment: Payment, refund: Refund, what: str, source: Source, *, at: datetime, raw: bytes = b""
) -> Changed:
    """The payment with the entry of a refund's change, and what Midtrans sent that proves it."""
    detail: dict[str, str | int | bool | None] = {
        "refund": str(refund.id),
        "amount": refund.amount,
        "by": by(refund.user_id),
    }
    if transaction_of(payment, refund) != own_transaction(payment):
        detail["of_transaction"] = refund.transaction
    if refund.gateway_code is not None:
        detail[history.REFUSED_CODE] = refund.gateway_code
        detail[history.REFUSED_MESSAGE] = refund.gateway_message
    return history.recorded(payment, payment, what, source, detail, at=at, raw=raw)


async def accept(
    work: Work,
    payment: Payment,
    refund: Refund,
    source: Source,
    *,
    transaction_id: str,
    at: datetime,
    raw: bytes,
) -> Changed:
    """Midtrans has taken the refund of this transaction: it counts, whatever was thought of it before."""
    accepted = replace(
        refund, status=RefundStatus.ACCEPTED, accepted_at=at, gateway_code=None, gateway_message=None
    )
    await work.refunds.save(accepted)
    total = accepted_of(payment, await work.refunds.of_payment(payment.id), transaction_of(payment, refund))
    payment, entries = noted(payment, accepted, "refund accepted", source, at=at, raw=raw)
    evidence: list[RefundAccepted | RefundInDoubt] = [
        RefundAccepted(
            refund_id=refund.id,
            amount=refund.amount,
            total=total,
            transaction_id=transaction_id,
            received_at=at,
        )
    ]
    if refund.status is not RefundStatus.REQUESTED:  # whoever asked was told that no money goes back
        told_no = RefundInDoubt(reason="refund_after_refusal", subject=str(refund.id), received_at=at)
        evidence.append(told_no)
    for piece in evidence:
        decision = decide(payment, piece)
        payment, entries = decision.payment, entries + decision.entries
    return payment, entries


async def reported(work: Work, payment: Payment, reply: StatusReply) -> Changed:
    """The refunds of ours that Midtrans lists are accepted, and confirmed once it tells the bank's word."""
    entries: tuple[Entry, ...] = ()
    if not reply.refunds or reply.order_id != payment.order_id:
        return payment, entries
    ours = {str(refund.id): refund for refund in await work.refunds.of_payment(payment.id)}
    for told in reply.refunds:
        if told.key in ours:
            payment, more = await _listed(work, payment, ours.pop(told.key), told, reply)
            entries += more
    return payment, entries


async def _listed(
    work: Work, payment: Payment, refund: Refund, told: ReportedRefund, reply: StatusReply
) -> Changed:
    entries: tuple[Entry, ...] = ()
    at = reply.received_at
    if told.amount != refund.amount:
        subject = f"refund {refund.id}: {told.amount} instead of {refund.amount}"
        odd = RefundInDoubt(reason="refund_amount", subject=subject, received_at=at, raw=reply.raw)
        decision = decide(payment, odd)
        return decision.payment, decision.entries
    if refund.status is not RefundStatus.ACCEPTED:
        payment, entries = await accept(
            work,
            payment,
            refund,
            Source.STATUS_REPLY,
            transaction_id=reply.transaction_id,
            at=at,
            raw=reply.raw,
        )
        refund = replace(refund, status=RefundStatus.ACCEPTED, accepted_at=at)
    if told.confirmed_at is not None and refund.confirmed_at is None:
        refund = replace(refund, confirmed_at=told.confirmed_at, gateway_code=None, gateway_message=None)
        await work.refunds.save(refund)
        payment, more = noted(payment, refund, "refund confirmed", Source.STATUS_REPLY, at=at, raw=reply.raw)
        entries += more
    return payment, entries
