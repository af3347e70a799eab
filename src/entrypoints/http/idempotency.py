"""The Idempotency-Key header (draft-ietf-httpapi-idempotency-key-header)."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from litestar import Request

from domain.access import Caller
from domain.idempotency import IdempotentCall, fingerprint, parse_key

REPLAYED: Final[Mapping[str, str]] = {"Idempotent-Replayed": "true"}


class KeyMissing(Exception):
    """A call that needs an Idempotency-Key came without one."""


def idempotent_call(
    request: Request[Any, Any, Any], caller: Caller, body: msgspec.Struct
) -> IdempotentCall | None:
    """What makes a repeat of this call the same; None without the header. Raises InvalidPayment."""
    header = request.headers.get("idempotency-key")
    if header is None:
        return None
    values = msgspec.json.encode(body, order="sorted")
    return IdempotentCall(
        user_id=caller.user_id,
        key=parse_key(header),
        fingerprint=fingerprint(request.method, request.scope["path"], caller.user_id, values),
    )


def required_call(request: Request[Any, Any, Any], caller: Caller, body: msgspec.Struct) -> IdempotentCall:
    """What makes a repeat of this call the same. Raises KeyMissing and InvalidPayment."""
    call = idempotent_call(request, caller, body)
    if call is None:
        raise KeyMissing
    return call
