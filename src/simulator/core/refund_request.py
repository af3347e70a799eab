"""Reading the body of a refund."""

import re
from collections.abc import Callable
from typing import Final

import msgspec

from simulator.core.answers import MALFORMED, Refused, invalid
from simulator.core.fields import Fields
from simulator.core.refund import RefundWish

# docs.midtrans.com/reference/direct-refund-transaction, "refund_key".
_REFUND_KEY: Final = re.compile(r"[A-Za-z0-9\-_]+")


def read_refund_request(body: bytes, *, new_key: Callable[[], str]) -> RefundWish | Refused:
    """Read a refund, or refuse it with everything that is wrong.

    An empty body asks for the whole amount; without a refund_key Midtrans makes one.
    """
    try:
        values = msgspec.json.decode((body or b"{}").decode(), type=dict[str, object])
    except (msgspec.DecodeError, ValueError, RecursionError):
        return MALFORMED
    complaints: list[str] = []
    fields = Fields(values, complaints)
    key = fields.text("refund_key")
    if key is not None and not _REFUND_KEY.fullmatch(key):
        fields.complain("refund_key", "contains characters that are not allowed")
    wish = RefundWish(
        key=key or new_key(),
        amount=fields.number("amount"),
        reason=fields.text("reason"),
    )
    return invalid(tuple(complaints)) if complaints else wish
