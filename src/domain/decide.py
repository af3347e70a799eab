"""The one function that decides what evidence means for a payment.

It is pure and total. Repeating evidence changes nothing, and status, refunded amount and transaction id
do not depend on the order in which believed evidence arrives: of all claims the one with the highest rank
wins, and between two transactions of one rank the smaller id. ``paid_at``, ``late`` and the log are history.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, assert_never

from domain import history
from domain.evidence import (
    Attended,
    ChargeAnswer,
    ChargeRefused,
    Evidence,
    Notification,
    NoTransaction,
    RefundAccepted,
    RefundInDoubt,
    StatusReply,
    TransactionElsewhere,
)
from domain.history import Entry, Source
from domain.payment import AFTER_FAILURE, MISSING_THERE, NOT_CONFIRMED, Break, Payment
from domain.rupiah import parse_gross_amount
from domain.signature import has_second_reading
from domain.status import MONEY_BACK, NOTIFIED, REFUNDS, REPLIED, Status, status_of

# A charge is sent for up to 25 s, and may still be under way ten minutes after it was sent last: only later
# does an unknown order id mean that there is no transaction.
NO_TRANSACTION_AFTER: Final = timedelta(minutes=10, seconds=25)
# What a notification alone moved is confirmed within the hour; a contradiction then is no delay any more.
CONFIRMED_WITHIN: Final = timedelta(minutes=55)
# Midtrans expires a transaction within 90 s of its time (its published SLA), and then still knows it.
MISSED_AFTER: Final = timedelta(minutes=10)


class Doubt(StrEnum):
    """Why a notification with a right signature does not move the payment by itself."""

    CONTRADICTS_FINAL = "it contradicts a final status"
    MONEY_BACK = "a refund or chargeback that only a notification told"
    OTHER_TRANSACTION = "another transaction than the payment's"
    NO_TRANSACTION_YET = "the payment has no transaction yet"
    PREVIOUS_KEY = "signed with the previous server key"
    SECOND_READING = "the signed text can be read as another order's"


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What follows from one piece of evidence.

    ``entries`` are the log rows of the change, none when nothing changed. ``doubts`` ask for Midtrans's own
    word first; ``set_aside`` says why the evidence cannot be about this payment as it stands.
    """

    payment: Payment
    entries: tuple[Entry, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    set_aside: str | None = None

    @property
    def changed(self) -> bool:
        return bool(self.entries)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Claim:
    """One transaction's state, believed."""

    status: Status
    transaction_id: str | None
    at: datetime
    settled_at: datetime | None = None
    refunded: int = 0
    charge_answer: str | None = None
    raw: bytes = b""


def decide(payment: Payment, evidence: Evidence) -> Decision:
    """What the payment is once this evidence is known, and what the log keeps of it."""
    match evidence:
        case ChargeAnswer():
            claim = _Claim(
                status=evidence.status,
                transaction_id=evidence.transaction_id,
                at=evidence.received_at,
                charge_answer=evidence.answer,
                raw=evidence.raw,
            )
            return _believe(payment, claim, Source.CHARGE)
        case ChargeRefused():
            claim = _Claim(
                status=Status.FAILURE, transaction_id=None, at=evidence.received_at, raw=evidence.raw
            )
            told = {history.REFUSED_CODE: evidence.code, history.REFUSED_MESSAGE: evidence.message}
            return _believe(payment, claim, Source.CHARGE, told)
        case Notification():
            return _notified(payment, evidence)
        case StatusReply():
            return _replied(payment, evidence)
        case NoTransaction():
            return _missing(payment, evidence)
        case TransactionElsewhere(transaction_id=elsewhere, received_at=at):
            return _break(payment, Break(reason="transaction_taken", subject=elsewhere), at)
        case Attended(note=note, received_at=at):
            if not payment.attention:
                return Decision(payment=payment)
            attended = replace(payment, attended=tuple(sorted({*payment.attended, *payment.attention})))
            return _record(payment, attended, Source.OPERATOR, {"note": note}, at)
        case RefundAccepted(total=total, transaction_id=transaction_id, received_at=at):
            status = Status.REFUND if total >= payment.gross_amount else Status.PARTIAL_REFUND
            claim = _Claim(status=status, transaction_id=transaction_id, at=at, refunded=total)
            return _believe(payment, claim, Source.REFUND)
        case RefundInDoubt(reason=reason, subject=subject, received_at=at, raw=raw):
            return _break(payment, Break(reason=reason, subject=subject), at, raw)
        case _:
            assert_never(evidence)


def knows(payment: Payment, transaction_id: str | None, status: Status) -> bool:
    """Whether a claim about the payment's own transaction tells nothing new: a repeat, or older news."""
    if transaction_id not in {None, payment.transaction_id}:
        return False
    older = status.rank < payment.status.rank and (status is Status.PENDING or status.is_paid)
    return older or status is payment.status


def _notified(payment: Payment, evidence: Notification) -> Decision:
    status = _status(evidence, NOTIFIED)
    if other := _not_about(payment, evidence):
        return Decision(payment=payment, set_aside=other.subject)
    if status is None:
        return Decision(payment=payment, set_aside=_disagreement(evidence))
    # A payment's status does not tell which of its refunds are known, and which the bank has confirmed.
    if status not in REFUNDS and knows(payment, evidence.transaction_id, status):
        return Decision(payment=payment)
    if doubts := _doubts(payment, evidence, status):
        return Decision(payment=payment, doubts=doubts)
    claim = _Claim(
        status=status,
        transaction_id=evidence.transaction_id or payment.transaction_id,
        at=evidence.received_at,
        settled_at=evidence.settled_at,
        raw=evidence.raw,
    )
    return _believe(payment, claim, Source.NOTIFICATION)


def _replied(payment: Payment, evidence: StatusReply) -> Decision:
    at, raw = evidence.received_at, evidence.raw
    if other := _not_about(payment, evidence):
        return _break(payment, other, at, raw)
    status = _status(evidence, REPLIED)
    if status is None:
        return _break(payment, Break(reason="status", subject=_disagreement(evidence)), at, raw)
    is_own = evidence.transaction_id == payment.transaction_id
    if is_own and status.rank < payment.status.rank and _is_long_unconfirmed(payment, at):
        said = f"Midtrans says {status}, a notification said {payment.status}"
        return _break(payment, Break(reason=NOT_CONFIRMED, subject=said), at, raw)
    claim = _Claim(
        status=status,
        transaction_id=evidence.transaction_id,
        at=at,
        settled_at=evidence.settled_at,
        refunded=evidence.refunded_of(payment.gross_amount) if status in MONEY_BACK else 0,
        raw=raw,
    )
    return _believe(payment, claim, Source.STATUS_REPLY)


def _missing(payment: Payment, evidence: NoTransaction) -> Decision:
    """Only a payment that never had a transaction fails by this; a known one that is gone is a break."""
    at = evidence.received_at
    if payment.status is Status.CREATED:
        if _not_before(payment, at) < (payment.charged_at or payment.created_at) + NO_TRANSACTION_AFTER:
            return Decision(payment=payment)
        claim = _Claim(status=Status.FAILURE, transaction_id=None, at=at, raw=evidence.raw)
        return _believe(payment, claim, Source.STATUS_REPLY)
    end = payment.expires_at + MISSED_AFTER
    is_overdue = payment.status is Status.PENDING and _not_before(payment, at) >= end
    # One that was found after its end may be unknown for a moment: a status follows its notification.
    is_settled = (payment.read_at or at) >= (payment.changed_at or payment.created_at) + MISSED_AFTER
    if (is_overdue and is_settled) or _is_long_unconfirmed(payment, at):
        subject = payment.transaction_id or payment.order_id
        return _break(payment, Break(reason=MISSING_THERE, subject=subject), at, evidence.raw)
    return Decision(payment=payment)


def _is_long_unconfirmed(payment: Payment, at: datetime) -> bool:
    since = payment.unconfirmed_since
    return since is not None and _not_before(payment, at) >= since + CONFIRMED_WITHIN


def _not_before(payment: Payment, at: datetime) -> datetime:
    """The earlier of two clocks, the process's and the database's: one that is ahead proves nothing."""
    return min(at, payment.read_at or at)


def _not_about(payment: Payment, evidence: Notification | StatusReply) -> Break | None:
    """Why this cannot be the payment's own transaction, in words for a person."""
    if evidence.order_id != payment.order_id:
        theirs = f"order id {evidence.order_id} instead of {payment.order_id}"
        return Break(reason="order_id", subject=theirs)
    if parse_gross_amount(evidence.gross_amount) != payment.gross_amount:
        theirs = f"amount {evidence.gross_amount} instead of {payment.gross_amount}"
        return Break(reason="amount", subject=theirs)
    if evidence.currency not in {None, "IDR"}:
        return Break(reason="currency", subject=f"currency {evidence.currency} instead of IDR")
    return None


def _status(evidence: Notification | StatusReply, agreed: dict[Status, frozenset[str]]) -> Status | None:
    """The claimed status, if its status code and fraud verdict agree with it."""
    status = status_of(evidence.transaction_status)
    if status is None or evidence.status_code not in agreed.get(status, frozenset()):
        return None
    if status.is_paid and (evidence.fraud_status or "accept").lower() != "accept":
        return None
    return status


def _disagreement(evidence: Notification | StatusReply) -> str:
    fraud = f", fraud status {evidence.fraud_status}" if evidence.fraud_status else ""
    return f"status {evidence.transaction_status} does not go with code {evidence.status_code}{fraud}"


def _doubts(payment: Payment, evidence: Notification, status: Status) -> tuple[Doubt, ...]:
    found = []
    if payment.status.is_unpaid_end or (payment.status.is_paid and status.is_unpaid_end):
        found.append(Doubt.CONTRADICTS_FINAL)
    if status in MONEY_BACK:
        found.append(Doubt.MONEY_BACK)
    if payment.transaction_id is None:
        found.append(Doubt.NO_TRANSACTION_YET)
    elif evidence.transaction_id not in {None, payment.transaction_id}:
        found.append(Doubt.OTHER_TRANSACTION)
    if evidence.previous_key:
        found.append(Doubt.PREVIOUS_KEY)
    if has_second_reading(evidence.order_id, evidence.status_code, evidence.gross_amount):
        found.append(Doubt.SECOND_READING)
    return tuple(found)


def _believe(payment: Payment, claim: _Claim, source: Source, told: history.Detail | None = None) -> Decision:
    """Join one believed claim into the payment."""
    ours, theirs = payment.transaction_id, claim.transaction_id
    wins = _beats(claim, payment)
    status = claim.status if wins else payment.status
    transaction_id = theirs if wins and theirs is not None else ours
    after = replace(
        payment,
        status=status,
        transaction_id=transaction_id,
        refunded_amount=max(payment.refunded_amount, min(claim.refunded, payment.gross_amount)),
        charge_answer=payment.charge_answer or claim.charge_answer,
        paid_at=payment.paid_at or _paid_at(claim),
        late=payment.late or (status.is_paid and _had_ended(payment)),
        breaks=_breaks(payment, claim, wins=wins),
        unconfirmed_since=_unconfirmed_since(payment, status, transaction_id, claim, source),
    )
    if after == payment:
        return Decision(payment=payment)
    return _record(payment, after, source, told or {}, claim.at, claim.raw)


def _beats(claim: _Claim, payment: Payment) -> bool:
    """Whether the claim's transaction is the one that the payment stands for from now on."""
    if claim.status.rank != payment.status.rank:
        return claim.status.rank > payment.status.rank
    ours, theirs = payment.transaction_id, claim.transaction_id
    return theirs is not None and (ours is None or theirs < ours)


def _unconfirmed_since(
    before: Payment, status: Status, transaction_id: str | None, claim: _Claim, source: Source
) -> datetime | None:
    """Since when only a notification says what the payment is; None once Midtrans said the same itself.

    By the database's clock, with which it will be compared: a process whose clock is behind has not waited.
    """
    if source is Source.NOTIFICATION:
        since = before.read_at or claim.at
        return before.unconfirmed_since or (since if status is not before.status else None)
    is_about_it = claim.transaction_id == transaction_id
    return None if is_about_it and claim.status is status else before.unconfirmed_since


def _paid_at(claim: _Claim) -> datetime | None:
    return claim.settled_at or claim.at if claim.status.is_paid else None


def _breaks(payment: Payment, claim: _Claim, *, wins: bool) -> tuple[Break, ...]:
    """What a person has to look at.

    With a second paid transaction, whichever of the two is not the payment's; and a charge that is there
    after the shop was told that there is none.
    """
    ours, theirs = payment.transaction_id, claim.transaction_id
    found = set(payment.breaks)
    if payment.status.is_paid and claim.status.is_paid and None not in {ours, theirs} and ours != theirs:
        found.discard(Break(reason="paid_twice", subject=str(theirs if wins else ours)))
        found.add(Break(reason="paid_twice", subject=str(ours if wins else theirs)))
    if payment.status is Status.FAILURE and wins and claim.status is Status.PENDING:
        found.add(Break(reason=AFTER_FAILURE, subject=theirs or ""))
    return tuple(sorted(found))


def _found(before: Payment, after: Payment) -> tuple[Break, ...]:
    """The breaks that are news.

    Of two paid transactions that are known, the payment may come to stand for the other one, as when that is
    refunded. Then the break names the first, and whoever was told of that as of a second payment would give
    the first one's money back, too.
    """
    ours, theirs = str(before.transaction_id), str(after.transaction_id)
    swapped = Break(reason="paid_twice", subject=ours)
    is_known = Break(reason="paid_twice", subject=theirs) in before.breaks
    return tuple(b for b in after.breaks if b not in before.breaks and not (is_known and b == swapped))


def _had_ended(payment: Payment) -> bool:
    """Whether an unpaid end was recorded, also one that turned out to be none."""
    return payment.status.is_unpaid_end or any(b.reason == AFTER_FAILURE for b in payment.breaks)


def _break(payment: Payment, found: Break, at: datetime, raw: bytes = b"") -> Decision:
    """Keep a disagreement; one about what is to be confirmed ends the wait for that."""
    is_its_end = found.reason in {NOT_CONFIRMED, MISSING_THERE} and _is_long_unconfirmed(payment, at)
    since = None if is_its_end else payment.unconfirmed_since
    after = replace(payment, breaks=tuple(sorted({*payment.breaks, found})), unconfirmed_since=since)
    if after == payment:
        return Decision(payment=payment)
    told = {f"{history.BREAK}{found.reason}": found.subject}
    return _record(payment, after, Source.STATUS_REPLY, told, at, raw)


def _record(
    before: Payment, after: Payment, source: Source, told: history.Detail, at: datetime, raw: bytes = b""
) -> Decision:
    """The change as one log entry, named after the most telling part of it."""
    detail = dict(told)
    what = "charge answered"
    if before.unconfirmed_since and after.unconfirmed_since is None:
        what = "break" if told else "confirmed"
    if after.attended != before.attended:
        detail |= {f"attended_{b.reason}": b.subject for b in after.attended if b not in before.attended}
        what = "attended"
    if after.transaction_id != before.transaction_id:
        detail["transaction_id"] = after.transaction_id
        what = "transaction found"
    if after.breaks != before.breaks:
        found = _found(before, after)
        detail |= {f"{history.BREAK}{b.reason}": b.subject for b in found}
        what = "break" if found else what
    if after.refunded_amount != before.refunded_amount:
        detail["refunded_amount"] = after.refunded_amount
        what = "refunded"
    if after.paid_at and not before.paid_at:
        detail["paid_at"] = after.paid_at.isoformat()
    if after.late and not before.late:
        detail["late"] = True
    if after.status is not before.status:
        detail["from"] = before.status
        what = after.status
    payment, entries = history.recorded(before, after, what, source, detail, at=at, raw=raw)
    return Decision(payment=payment, entries=entries)
