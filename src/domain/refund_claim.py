"""What a notification of a refund claims of amounts and keys, and whether Midtrans's own reply says as much.

A second refund changes no status, and Midtrans's reply may lag behind its notification: only these show it.
"""

from dataclasses import dataclass
from typing import Final

from domain.evidence import NoTransaction, StatusReply
from domain.rupiah import parse_gross_amount

_KEY_LENGTH: Final = 255


@dataclass(frozen=True, kw_only=True, slots=True)
class RefundClaim:
    """``amount`` is the sum of all refunds; ``confirmed`` are the keys on which the bank has said its word.

    None of it is proven: the signature does not cover it.
    """

    amount: int | None = None
    keys: frozenset[str] = frozenset()
    confirmed: frozenset[str] = frozenset()


def read(body: object) -> RefundClaim:
    """The claim in a notification's decoded body; what is odd in there claims nothing."""
    if not isinstance(body, dict):
        return RefundClaim()
    listed = body.get("refunds")
    refunds = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    known = {key: one for one in refunds if (key := _key(one)) and _amount(one) is not None}
    latest = _key(body)
    return RefundClaim(
        amount=_amount(body) or None,
        keys=frozenset(known or ({latest} if latest else ())),
        confirmed=frozenset(key for key, one in known.items() if _text(one.get("bank_confirmed_at"))),
    )


def is_told(claim: RefundClaim, gross_amount: int, reply: StatusReply | NoTransaction | None) -> bool | None:
    """Whether this very reply tells all that is claimed; None when nothing is.

    What the payment knows besides may be another refund: ours, while one of the dashboard is still to show.
    """
    if claim.amount is None and not claim.keys:
        return None
    if not isinstance(reply, StatusReply):
        return False
    found = []
    if claim.amount is not None:
        found.append(reply.refunded_of(gross_amount) >= min(claim.amount, gross_amount))
    if claim.keys and reply.refunds:
        confirmed = {one.key for one in reply.refunds if one.confirmed_at is not None}
        found.append(claim.keys <= {one.key for one in reply.refunds} and claim.confirmed <= confirmed)
    return all(found) if found else None


def _key(fields: dict[str, object]) -> str | None:
    return _text(fields.get("refund_key"))


def _amount(fields: dict[str, object]) -> int | None:
    return parse_gross_amount(_text(fields.get("refund_amount")) or "")


def _text(value: object) -> str | None:
    """As a reply's fields are read, with which this is compared."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    return value if isinstance(value, str) and 1 <= len(value) <= _KEY_LENGTH else None
