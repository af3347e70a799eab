"""Whether one payment's evidence log is as it was written, and its row as the log tells it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.history import Entry, seal
from domain.payment import Payment

Value = str | int | bool | None

# What an entry tells of the payment's row, once it has changed. What is not told is as it began.
_TOLD: Final = ("transaction_id", "paid_at", "late", "refunded_amount")
_AT_FIRST: Final = {"transaction_id": None, "paid_at": None, "late": False, "refunded_amount": 0}
# What the first entry tells of it, and nothing changes; an adopted one tells no expiry.
_FIXED: Final = ("order_id", "gross_amount", "payment_type", "expires_at")


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """What a payment's own row says of all that its log tells, too."""

    order_id: str
    gross_amount: int
    payment_type: str
    status: str
    expires_at: datetime | None
    transaction_id: str | None
    paid_at: datetime | None
    late: bool
    refunded_amount: int


def row_of(payment: Payment) -> Row:
    return Row(
        order_id=payment.order_id,
        gross_amount=payment.gross_amount,
        payment_type=payment.payment_type,
        status=payment.status,
        expires_at=payment.expires_at,
        transaction_id=payment.transaction_id,
        paid_at=payment.paid_at,
        late=payment.late,
        refunded_amount=payment.refunded_amount,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Chain:
    """One payment's whole log as stored, in order, with the length and the head that its row keeps.

    ``unproven`` are the entries whose bytes are gone, or are not those that they name.
    """

    row: Row
    payment_id: UUID
    length: int
    head: bytes
    entries: tuple[Entry, ...]
    unproven: frozenset[int] = frozenset()

    @property
    def order_id(self) -> str:
        return self.row.order_id


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
        if entry.seq in chain.unproven:
            return f"what proved entry {place} ({entry.what}) is gone or was changed"
        head = entry.digest
    if len(chain.entries) != chain.length:
        return f"the log has {len(chain.entries)} entries, the payment knows of {chain.length}"
    return None if head == chain.head else "the payment's head is not the last entry's digest"


def contradiction_in(chain: Chain) -> str | None:
    """Where the row says something else than its log, which is whole; None if it says the same."""
    for name, told in _told(chain.entries).items():
        said = getattr(chain.row, name)
        if isinstance(said, datetime):
            said = said.isoformat()
        if said != told:
            return f"the payment's {name} is {_shown(said)}, its log says {_shown(told)}"
    return None


def _told(entries: tuple[Entry, ...]) -> Mapping[str, Value]:
    """What the row has to say, by its log."""
    if not entries:
        return {}
    first = entries[0].detail
    told: dict[str, Value] = {name: first[name] for name in _FIXED if name in first}
    told |= _AT_FIRST
    for entry in entries:
        told |= {name: entry.detail[name] for name in _TOLD if name in entry.detail}
    return told | {"status": entries[-1].status}


def _shown(value: Value) -> str:
    return "nothing" if value is None else str(value)


def anchor(previous: bytes, chain: Chain) -> bytes:
    """One digest over the logs of many payments, taken in the order of their ids."""
    told = b"".join((chain.payment_id.bytes, chain.length.to_bytes(8, "big", signed=True), chain.head))
    return hashlib.sha256(previous + told).digest()
