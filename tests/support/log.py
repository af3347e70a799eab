"""Reading an evidence log the way that a verifier does."""

from collections.abc import Sequence

from domain.history import Entry, seal
from domain.payment import Payment


def is_intact(log: Sequence[Entry], payment: Payment) -> bool:
    """Whether each entry seals the one before it and the payment knows length and end of the log."""
    head = b""
    for seq, entry in enumerate(log, start=1):
        if entry.seq != seq or entry.digest != seal(entry, head):
            return False
        head = entry.digest
    return (payment.log_length, payment.log_head) == (len(log), head)
