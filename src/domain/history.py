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
    CHARGE = "charge"
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
