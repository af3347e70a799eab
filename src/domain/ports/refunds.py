from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from domain.refund import Refund


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownRefund:
    """A refund that was asked for before.

    ``leased_seconds`` is for how long somebody is still at it, none if not positive; ``is_too_old`` says that
    Midtrans does not take its key any more.
    """

    refund: Refund
    leased_seconds: int
    is_too_old: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class DueRefund:
    """A refund that the background work has to look at: one without an outcome, or one not yet confirmed."""

    refund: Refund
    order_id: str
    is_too_old: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class StuckRefund:
    """A refund that has had no outcome for too long, and whose it is."""

    refund: Refund
    order_id: str


class Refunds(Protocol):
    """The refunds, within one open transaction; leases, due times and ages run by the database's clock.

    But for ``take_due``, whoever changes one holds the lock of its payment.
    """

    async def add(self, refund: Refund) -> bool:
        """Keep a new one and hold it for 30 s; false when its user has used its key before."""
        ...

    async def known(self, user_id: int, key: str) -> KnownRefund | None:
        """The refund under a user's key, locked until the transaction ends."""
        ...

    async def lock(self, refund_id: UUID) -> Refund | None:
        """The refund as committed last, locked until the transaction ends."""
        ...

    async def of_payment(self, payment_id: UUID) -> list[Refund]:
        """A payment's refunds, oldest first."""
        ...

    async def take(self, refund_id: UUID) -> Refund:
        """Take it up once more and hold it for 30 s; from now on it is requested.

        One that was certainly not sent before is as young as a new one.
        """
        ...

    async def save(self, refund: Refund) -> None:
        """Store where it stands, and let it go.

        A requested one is due again after 5 s, and each time twice as late, up to an hour; an accepted one
        without the bank's word after a day.
        """
        ...

    async def give_up(self, refund_id: UUID) -> None:
        """Let it go as it is, and never let it be due again."""
        ...

    async def stuck(self, *, limit: int) -> list[StuckRefund]:
        """Those without an outcome for ``STUCK_AFTER``, oldest first, but for those that were given up."""
        ...

    async def take_due(self, *, limit: int) -> list[DueRefund]:
        """Refunds to look at now, oldest first; nobody else gets them for a minute or more.

        An accepted one comes about daily, and not after its first week.
        """
        ...
