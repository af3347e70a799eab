"""Amounts are whole rupiah; Midtrans writes them as strings with two decimals."""

import re
from enum import StrEnum


class PaymentType(StrEnum):
    GOPAY = "gopay"
    QRIS = "qris"


# docs.midtrans.com, "Minimum and maximum transaction amounts" (2026-03).
MOST = {PaymentType.GOPAY: 20_000_000, PaymentType.QRIS: 10_000_000}
MOST_OF_ANY = max(MOST.values())

_GROSS_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,11})(?:\.0{1,2})?")


def parse_gross_amount(text: str) -> int | None:
    """Rupiah of Midtrans's ``"10000.00"``; None for anything else, also for a fraction of a rupiah."""
    found = _GROSS_AMOUNT.fullmatch(text)
    return int(found[1]) if found else None
