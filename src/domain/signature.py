"""Midtrans's signature: sha512 over order id, status code, amount and server key, without separators.

docs.midtrans.com, "HTTP(S) Notification / Webhooks": ``SHA512(order_id+status_code+gross_amount+ServerKey)``.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from enum import Enum, auto

from domain import order_id as order_ids
from domain.rupiah import MOST_OF_ANY
from domain.status import STATUS_CODES

_AMOUNT_AT_END = re.compile(r"[1-9][0-9]{0,7}(?:\.00)?")


class Signer(Enum):
    CURRENT = auto()
    PREVIOUS = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerKeys:
    """The key that Midtrans signs with, and the one before it while keys are being changed."""

    current: str = field(repr=False)
    previous: str | None = field(default=None, repr=False)

    def signer(
        self, *, order_id: str, status_code: str, gross_amount: str, signature_key: str
    ) -> Signer | None:
        """Whose key made this signature; None when it was neither. Takes the same time either way."""
        signed = order_id + status_code + gross_amount
        given = signature_key.encode("utf-8", "surrogatepass")
        if hmac.compare_digest(_digest(signed, self.current), given):
            return Signer.CURRENT
        if self.previous and hmac.compare_digest(_digest(signed, self.previous), given):
            return Signer.PREVIOUS
        return None


def _digest(signed: str, key: str) -> bytes:
    text = (signed + key).encode("utf-8", "surrogatepass")
    return hashlib.sha512(text).hexdigest().encode()


def has_second_reading(order_id: str, status_code: str, gross_amount: str) -> bool:
    """Whether the signed string also reads as another order's notification.

    Nothing separates the three parts, so ``x2001`` + ``200`` + ``500.00`` and ``x`` + ``200`` +
    ``1200500.00`` carry one and the same signature.
    """
    signed = order_id + status_code + gross_amount
    for start in range(4, len(signed)):
        if signed[start - 3 : start] not in STATUS_CODES:
            continue
        split = signed[: start - 3], signed[start - 3 : start], signed[start:]
        if (
            split != (order_id, status_code, gross_amount)
            and _AMOUNT_AT_END.fullmatch(split[2])
            and int(split[2].partition(".")[0]) <= MOST_OF_ANY
            and order_ids.may_exist(split[0])
        ):
            return True
    return False
