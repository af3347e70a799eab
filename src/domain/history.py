"""The evidence log of one payment: every change is an entry, each sealed with the one before it.

An entry's digest covers all its fields and the digest before it, so an edited, removed, added or moved
entry breaks the chain; the payment keeps the length and the last digest.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from domain.payment import Payment
from domain.status import Status

Detail = Mapping[str, str | int | bool | None]

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
    payment_id: UUID
    seq: int
    recorded_at: datetime
    what: str
    source: Source
    status: Status
    detail: Detail
    digest: bytes


def opened(payment: Payment) -> tuple[Payment, tuple[Entry, ...]]:
    """A payment that was just created, with the first entry of its log."""
    detail: Detail = {
        "order_id": payment.order_id,
        "gross_amount": payment.gross_amount,
        "payment_type": payment.payment_type,
        "expires_at": payment.expires_at.isoformat(),
    }
    payment, entry = _append(payment, "created", Source.SHOP, detail, at=payment.created_at)
    return payment, (entry,)


def recorded(
    before: Payment, after: Payment, what: str, source: Source, detail: Detail, *, at: datetime
) -> tuple[Payment, tuple[Entry, ...]]:
    """``after`` with the entry of this change; one that an earlier service made first records its state."""
    after = replace(after, updated_at=max(at, before.updated_at))
    if before.log_length:
        after, entry = _append(after, what, source, detail, at=at)
        return after, (entry,)
    adopted, first = _append(before, "adopted", Source.ADOPTION, _state(before), at=at)
    after = replace(after, log_length=adopted.log_length, log_head=adopted.log_head)
    after, second = _append(after, what, source, detail, at=at)
    return after, (first, second)


def _append(
    payment: Payment, what: str, source: Source, detail: Detail, *, at: datetime
) -> tuple[Payment, Entry]:
    entry = Entry(
        payment_id=payment.id,
        seq=payment.log_length + 1,
        recorded_at=at,
        what=what,
        source=source,
        status=payment.status,
        detail=detail,
        digest=b"",
    )
    entry = replace(entry, digest=seal(entry, payment.log_head))
    return replace(payment, log_length=entry.seq, log_head=entry.digest), entry


def _state(payment: Payment) -> Detail:
    return {
        "order_id": payment.order_id,
        "gross_amount": payment.gross_amount,
        "payment_type": payment.payment_type,
        "transaction_id": payment.transaction_id,
        "paid_at": payment.paid_at.isoformat() if payment.paid_at else None,
    }


def seal(entry: Entry, head: bytes) -> bytes:
    """The digest of an entry that follows the one whose digest is ``head`` (empty for the first)."""
    fields = [
        _FORMAT,
        str(entry.payment_id),
        entry.seq,
        entry.recorded_at.astimezone(UTC).isoformat(),
        entry.what,
        entry.source,
        entry.status,
        entry.detail,
    ]
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(head + text.encode()).digest()


@dataclass(frozen=True, kw_only=True, slots=True)
class Chain:
    """One payment's whole log as stored, in order, with the length and the head that its row keeps."""

    order_id: str
    payment_id: UUID
    length: int
    head: bytes
    entries: tuple[Entry, ...]


def fault_in(chain: Chain) -> str | None:
    """Where the log was touched, in words: an entry edited, removed, added or moved; None if it is whole.

    Whoever can also rewrite the payment's own row can cut the end off unseen; comparing ``anchor`` with one
    that was kept elsewhere shows that too.
    """
    head = b""
    for place, entry in enumerate(chain.entries, start=1):
        if entry.seq != place:
            return f"entry {place} is missing" if entry.seq > place else f"entry {entry.seq} is there twice"
        if entry.payment_id != chain.payment_id or entry.digest != seal(entry, head):
            return f"entry {place} ({entry.what}) is not as it was written"
        head = entry.digest
    if len(chain.entries) != chain.length:
        return f"the log has {len(chain.entries)} entries, the payment knows of {chain.length}"
    return None if head == chain.head else "the payment's head is not the last entry's digest"


def anchor(previous: bytes, chain: Chain) -> bytes:
    """One digest over the logs of many payments, taken in the order of their ids."""
    told = b"".join((chain.payment_id.bytes, chain.length.to_bytes(8, "big"), chain.head))
    return hashlib.sha256(previous + told).digest()
