"""What makes two calls the same: a user's Idempotency-Key and the values that came with it."""

import hashlib
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from domain.errors import ChargeLost, GatewayRefused, InvalidPayment
from domain.payment import Payment
from domain.status import Status

LEASE: Final = timedelta(seconds=30)
LIFE: Final = timedelta(hours=72)

_LONGEST: Final = 255
# draft-ietf-httpapi-idempotency-key-header: a string in quotes (RFC 8941). A bare one means the same.
_HEADER: Final = re.compile(r'"(?P<quoted>(?:[ !#-\[\]-~]|\\["\\])+)"|(?P<bare>[!#-~][ -~]*)')


@dataclass(frozen=True, kw_only=True, slots=True)
class IdempotentCall:
    """One call that may be repeated: the same key with another fingerprint is another call.

    ``lease`` is this try's own name: what a try that lost its lease still writes is not taken.
    """

    user_id: int
    key: str
    fingerprint: bytes
    lease: UUID | None = None


def parse_key(header: str) -> str:
    """The key in an Idempotency-Key header: 1 to 255 printable ASCII characters. Raises InvalidPayment."""
    found = _HEADER.fullmatch(header.strip(" \t"))
    key = ""
    if found:
        key = found["bare"] or re.sub(r"\\(.)", r"\1", found["quoted"])
    if not 1 <= len(key) <= _LONGEST:
        raise InvalidPayment("Idempotency-Key", "must be 1 to 255 printable ASCII characters")
    return key


def fingerprint(method: str, path: str, user_id: int, values: bytes) -> bytes:
    """``values`` is the decoded body in one fixed form, so that spaces and the fields' order do not count."""
    parts = (method.encode(), path.encode(), str(user_id).encode(), values)
    return hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).digest()


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """The call ended with a charge, paid or payable or over by now."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """The call ended without one; what it was answered, to be answered again. ``lost``: a ChargeLost."""

    gateway_code: str
    gateway_message: str
    lost: bool = False

    def error(self, order_id: str) -> GatewayRefused:
        kind = ChargeLost if self.lost else GatewayRefused
        return kind(order_id, self.gateway_code, self.gateway_message)


Ending = Taken | Refused


def ending_of(payment: Payment, code: str, message: str) -> Ending | None:
    """How the call that created this payment ended; None while nobody can tell.

    ``code`` and ``message`` are Midtrans's words, if this is a refusal.
    """
    if payment.status is Status.DENY or payment.status is Status.FAILURE:
        return Refused(gateway_code=code, gateway_message=message)
    if payment.status.is_paid or payment.charge_answer is not None:
        return Taken()
    if payment.status.is_unpaid_end:
        return Refused(gateway_code=code, gateway_message=message, lost=True)
    return None
