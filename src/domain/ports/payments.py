from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.history import Entry
from domain.payment import Payment
from domain.status import Status


class Payments(Protocol):
    """The payments of one open transaction."""

    async def add(self, payment: Payment, entries: tuple[Entry, ...]) -> None:
        """Raises OrderIdTaken, and UnknownUser when the user is not in ``users``."""
        ...

    async def add_all(self, payments: Sequence[tuple[Payment, tuple[Entry, ...]]]) -> set[UUID]:
        """As ``add``, for several at once; the ids of those whose order id was free. Raises UnknownUser."""
        ...

    async def lock(self, order_id: str) -> Payment | None:
        """The payment as committed last, locked until the transaction ends."""
        ...

    async def save(self, payment: Payment, entries: tuple[Entry, ...]) -> None:
        """Store a locked payment with the log rows of its change, and the bytes that prove it.

        When Midtrans is asked about it next follows from ``domain.schedule``. Raises TransactionTaken when
        its transaction id belongs to another payment.
        """
        ...

    async def save_all(self, changes: Sequence[tuple[Payment, tuple[Entry, ...]]]) -> None:
        """As ``save``, for several payments at once."""
        ...

    async def lock_free(self, order_ids: Sequence[str]) -> list[Payment]:
        """Those of them that nobody has locked, locked as by ``lock``; it never waits."""
        ...

    async def charge_again(self, payment_id: UUID) -> bool:
        """Note that the charge is sent once more; false when the gateway may have forgotten its key.

        It keeps a key five minutes; we count on four, 25 s of sending included, by the database's clock. Also
        false when the payment is over, by its status or by its end.
        """
        ...

    async def charge_anew(self, payment_id: UUID) -> bool:
        """Note that the charge is sent as if for the first time: the gateway has no transaction for it.

        False when the payment is over, or must never be charged again.
        """
        ...

    async def never_charge_again(self, payment_id: UUID) -> bool:
        """Its charge is being ended from here on, and its order id may become free at the gateway.

        False when that was noted before.
        """
        ...

    async def any_due(self) -> bool:
        """Whether there is anything to take."""
        ...

    async def take_due(self, *, limit: int) -> list[str]:
        """Order ids that Midtrans is to be asked about now: orphans first, then what is due for longest.

        Nobody else gets them for 55 s, nor one that was asked about in the last 10 s.
        """
        ...

    async def put_off(self, payment: Payment, *, at: datetime) -> None:
        """Let a payment that did not change come due again, as ``domain.schedule`` says.

        Counted from when it was read, by the database's clock; from ``at`` where that is not known.
        """
        ...

    async def take_turn(self, payment_id: UUID, *, seconds: int) -> bool:
        """Whether nobody asked Midtrans about this payment in the last ``seconds``; if so, we do now."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A place in a list of payments, newest first: after this one."""

    created_at: datetime
    id: UUID


class PaymentReader(Protocol):
    """Payments as committed, each call by itself; nothing is locked."""

    async def find(self, order_id: str) -> Payment | None: ...

    async def find_all(self, order_ids: Sequence[str]) -> list[Payment]:
        """Those of them that there are, in any order."""
        ...

    async def page(
        self, *, user_id: int | None, status: Status | None, after: Place | None, limit: int
    ) -> list[Payment]:
        """Payments of one user (or of everybody), newest first."""
        ...

    async def attention(self, *, limit: int) -> list[Payment]:
        """Payments that need a person, the latest change first."""
        ...

    async def log(self, payment_id: UUID) -> list[Entry]:
        """The evidence log of one payment, oldest first, each entry with the bytes that proved it."""
        ...
