"""A notification as Midtrans writes it: a JSON object, of whose fields five are needed."""

import json
import re
from datetime import datetime
from typing import Final

from domain import jakarta
from domain.errors import NotANotification
from domain.evidence import Notification

# How long each needed text may be: the columns that an earlier service made are not wider.
NEEDED: Final = {
    "order_id": 64,
    "status_code": 16,
    "gross_amount": 32,
    "signature_key": 255,
    "transaction_status": 32,
}
_SIGNATURE: Final = "signature_key"
_OPTIONAL_TEXT: Final = 64
_DIGITS: Final = 40
_A_SIGNATURE: Final = re.compile(r"[0-9A-Fa-f]{128,}")


def read(value: object, *, at: datetime) -> tuple[Notification, str]:
    """What a decoded body says, and its signature, which proves nothing before it is checked.

    Extra fields and odd optional ones are fine. Raises NotANotification.
    """
    if not isinstance(value, dict):
        raise NotANotification({"": "it is not an object"})
    wrong = {
        name: f"must be a text of 1 to {most} characters"
        for name, most in NEEDED.items()
        if not isinstance(text := value.get(name), str) or not 1 <= len(text) <= most
    }
    if wrong:
        raise NotANotification(wrong)
    said = Notification(
        order_id=value["order_id"],
        status_code=value["status_code"],
        gross_amount=value["gross_amount"],
        transaction_status=value["transaction_status"],
        transaction_id=_optional(value.get("transaction_id")),
        fraud_status=_optional(value.get("fraud_status")),
        currency=_optional(value.get("currency")),
        settled_at=jakarta.parse(value.get("settlement_time")),
        received_at=at,
    )
    return said, value[_SIGNATURE]


def _optional(found: object) -> str | None:
    """An optional field as text, cut to what is kept; an odd one is kept as text too, so that it differs."""
    return None if found is None else str(found)[:_OPTIONAL_TEXT]


def stored(body: str) -> object:
    """The JSON value of a body that was kept, perhaps by an earlier service; null where it is too deep."""
    try:
        value: object = json.loads(body, parse_int=_whole)
    except RecursionError:
        return None
    return value


def readable(body: str) -> object:
    """The JSON value of a body that was kept, to be shown: there is no signature in it."""
    try:
        return _without_signatures(json.loads(body, parse_int=_whole))
    except RecursionError:
        return "(nested too deep to be shown)"


def _whole(digits: str) -> int | str:
    """jsonb keeps numbers that Python refuses to read for their length."""
    return int(digits) if len(digits) <= _DIGITS else f"(a number of {len(digits)} digits)"


def without_signature(text: str) -> str:
    """The same with every signature in it blotted out."""
    return _A_SIGNATURE.sub("(a signature)", text)


def _without_signatures(value: object) -> object:
    """An earlier service may have put it anywhere, also into a text of its own."""
    match value:
        case str():
            return without_signature(value)
        case list():
            return [_without_signatures(element) for element in value]
        case dict():
            return {
                without_signature(name): _without_signatures(element)
                for name, element in value.items()
                if name.lower() != _SIGNATURE
            }
    return value
