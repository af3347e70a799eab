"""Which order ids exist: the shop's own, and the ones that we make.

Ours have a fixed length, so that no digits of a signed string can be read as a longer or shorter one of
them; a shop can therefore never choose one that looks like ours.
"""

import re

OURS = "byr-"
OUR_RANDOM_LENGTH = 26
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"

# Webhook and create live beside ``/api/payments/{order_id}``, so no payment may be called like them.
_RESERVED = (OURS, "webhook", "gopayqris")
_CHOSEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_~.-]{0,49}")
_GENERATED = re.compile(rf"{OURS}[{ALPHABET}]{{{OUR_RANDOM_LENGTH}}}")

RULE = (
    "1 to 50 letters, digits, '_', '~', '.' or '-', starting with a letter or digit, "
    f"and not with {', '.join(_RESERVED)}"
)


def may_be_chosen(order_id: str) -> bool:
    """Whether a shop may give a payment this order id."""
    return _CHOSEN.fullmatch(order_id) is not None and not order_id.startswith(_RESERVED)


def may_exist(order_id: str) -> bool:
    """Whether any payment, the shop's or ours, can have this order id."""
    return may_be_chosen(order_id) or _GENERATED.fullmatch(order_id) is not None
