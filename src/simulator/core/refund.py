"""Money that goes back to the customer."""

from dataclasses import dataclass
from datetime import datetime

import msgspec


class Refund(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One refund that Midtrans accepted; the bank confirms it later."""

    number: int
    uuid: str
    key: str
    amount: int
    reason: str | None
    created_at: datetime
    bank_confirmed_at: datetime | None = None

    @property
    def changed_at(self) -> datetime:
        return self.bank_confirmed_at or self.created_at


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundWish:
    """What a merchant asks for: the whole rest unless an amount is named."""

    key: str
    amount: int | None
    reason: str | None
