from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.payment import Payment


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkout:
    """A payment that a checkout token belongs to.

    ``ended_at`` is since when its log says that it is no longer open; None while it is open.
    """

    payment: Payment
    ended_at: datetime | None


class Checkouts(Protocol):
    """Payments by their checkout token, as committed; nothing is locked."""

    async def find(self, token: str) -> Checkout | None:
        """Raises DatabaseUnavailable."""
        ...
