"""The evidence log of one payment: every change is an entry, each sealed with the one before it.

An entry's digest covers all its fields and the digest before it, so an edited, removed, added or moved
entry breaks the chain; the payment keeps the length and the last digest.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from domain.payment import Payment

Detail = Mapping[str, str | int | bool | None]

# The part of an entry's detail that names the bytes which proved it.
EVIDENCE: Final = "evidence"
# How the part of an entry's detail begins that tells of a break, followed by its reason.
BREAK: Final = "break_"
# The parts of an entry's detail that say with what code and words Midtrans refused.
REFUSED_CODE: Final = "refused_code"
REFUSED_MESSAGE: Final = "refused_message"
# The part of an adopted payment's first entry that has the earlier service's word for its status, where it is
# none of ours.
EARLIER_STATUS: Final = "earlier_status"
_FORMAT: Final = 1


class Source(StrEnum):
    """Where the evidence for a change came from."""

    SHOP = "shop"
    OPERATOR = "operator"
    CHARGE = "charge"
    REFUND = "refund"
    NOTIFICATION = "notification"
    STATUS_REPLY = "status reply"
    ADOPTION = "earlier service"


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One change; ``raw`` are the bytes that proved it, kept by the digest that ``detail`` tells.

    ``source`` and ``status`` are a Source's and a Status's text; where somebody edited it, any other.
    """

    payment_id: UUID
    seq: int
    recorded_at: datetime
    what: str
    source: str
    status: str
    detail: Detail
    digest: bytes
    raw: bytes = field(default=b"", repr=False, compare=False)


def opened(payment: Payment) -> tuple[Payment, tuple[Entry, ...]]:
    """A payment that was just created, with the first entry of its log."""
    detail: Detail = {
        "order_id": payment.order_id,
        "gross_amount": payment.gross_amount,
        "payment_type": payment.payment_type,
        "expires_at": payment.expires_at.isoformat(),
    }
    entry = _next(payment, "created", Source.SHOP, detail, at=payment.created_at)
    return replace(payment, log_length=entry.seq, log_head=entry.digest), (entry,)


def recorded(
    before: Payment,
    after: Payment,
    what: str,
    source: Source,
    detail: Detail,
    *,
    at: datetime,
    raw: bytes = b"",
) -> tuple[Payment, tuple[Entry, ...]]:
    """``after`` with the entry of this change; one that an earlier service made first records its state."""
    adoption: tuple[Entry, ...] = ()
    if not before.log_length:
        adoption = (_next(before, "adopted", Source.ADOPTION, _state(before), at=at),)
    if raw:
        detail = {**detail, EVIDENCE: digest_of(raw).hex()}
    entry = _next(after, what, source, detail, at=at, raw=raw, last=adoption[0] if adoption else None)
    updated_at, changed_at = max(at, before.updated_at), before.read_at or at
    length, head = entry.seq, entry.digest
    after = replace(after, updated_at=updated_at, changed_at=changed_at, log_length=length, log_head=head)
    return after, (*adoption, entry)


def digest_of(raw: bytes) -> bytes:
    """Under which name the bytes of a piece of evidence are kept."""
    return hashlib.sha256(raw).digest()


def _next(
    payment: Payment,
    what: str,
    source: Source,
    detail: Detail,
    *,
    at: datetime,
    raw: bytes = b"",
    last: Entry | None = None,
) -> Entry:
    """The entry that follows ``last``, or the one that the payment itself knows of."""
    seq, head = (last.seq, last.digest) if last else (payment.log_length, payment.log_head)
    return Entry(
        payment_id=payment.id,
        seq=seq + 1,
        recorded_at=at,
        what=what,
        source=source,
        status=payment.status,
        detail=detail,
        digest=_digest(head, payment.id, seq + 1, at, what, source, payment.status, detail),
        raw=raw,
    )


def _state(payment: Payment) -> Detail:
    """As it is found: its row loses the earlier service's own word with the first change."""
    word = payment.earlier_status
    earlier: Detail = {} if word is None else {EARLIER_STATUS: word}
    return {
        **earlier,
        "order_id": payment.order_id,
        "gross_amount": payment.gross_amount,
        "payment_type": payment.payment_type,
        "transaction_id": payment.transaction_id,
        "paid_at": payment.paid_at.isoformat() if payment.paid_at else None,
    }


def seal(entry: Entry, head: bytes) -> bytes:
    """The digest of an entry that follows the one whose digest is ``head`` (empty for the first)."""
    return _digest(
        head,
        entry.payment_id,
        entry.seq,
        entry.recorded_at,
        entry.what,
        entry.source,
        entry.status,
        entry.detail,
    )


def _digest(
    head: bytes,
    payment_id: UUID,
    seq: int,
    recorded_at: datetime,
    what: str,
    source: str,
    status: str,
    detail: Detail,
) -> bytes:
    at = recorded_at.astimezone(UTC).isoformat()
    text = _canonical([_FORMAT, str(payment_id), seq, at, what, source, status, detail])
    return hashlib.sha256(head + text.encode()).digest()


_canonical: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
