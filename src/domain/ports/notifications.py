from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from domain.refund_claim import RefundClaim

# How the reason of a dismissed one begins; his note who dismissed it, and the reason before, follow.
DISMISSED: Final = "dismissed: "


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceivedNotification:
    """A notification as it is kept, its signature proven. ``body`` is its JSON text.

    ``processed`` false is still to do, unless ``error`` says why it is set aside.
    """

    id: UUID
    received_at: datetime
    order_id: str
    transaction_id: str | None
    transaction_status: str
    signature_key: str = field(repr=False)
    body: str = field(repr=False)
    processed: bool
    error: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ForgedNotification:
    """What is kept of a notification whose signature is wrong; each text cut to size."""

    id: UUID
    received_at: datetime
    order_id: str
    status_code: str
    gross_amount: str
    transaction_status: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DoubtfulNotification:
    """A stored notification that waits for Midtrans's own word; ``refunds`` is what it claims of them."""

    id: UUID
    order_id: str
    transaction_id: str | None
    transaction_status: str
    refunds: RefundClaim
    attempts: int


class Notifications(Protocol):
    """The stored notifications, within one open transaction."""

    async def add(self, notification: ReceivedNotification) -> None:
        """Keep it; one that is kept already, by its id, is left as it is."""
        ...

    async def add_all(self, notifications: Sequence[ReceivedNotification]) -> None:
        """As ``add``, for several at once."""
        ...

    async def add_repeat(self, notification: ReceivedNotification) -> None:
        """As ``add``, for one that did not move the payment.

        Past 100 of the same a day and order, it is only counted; one that is still to do makes the one that
        counts it so again, whatever became of that, and due at once.
        """
        ...

    async def add_forged(self, notification: ForgedNotification) -> None:
        """Keep it if there is room: a flood of forged ones is cut off, not stored."""
        ...

    async def take_doubtful(self, *, limit: int) -> list[DoubtfulNotification]:
        """Notifications to confirm now, oldest first; nobody else gets them for 30 s or more.

        Unless the same comes again meanwhile, and is only counted.
        """
        ...

    async def postpone(self, ids: list[UUID]) -> None:
        """Let them be taken again soon: 2 s after the first try, and each time twice as late."""
        ...

    async def mark_processed(self, ids: list[UUID]) -> None: ...

    async def set_aside(self, ids: list[UUID], error: str) -> None: ...

    async def dismiss(self, ids: list[UUID], note: str) -> list[UUID]:
        """Of those that are set aside say that somebody has looked at them, and why nothing follows.

        Their ids; they are processed then, and keep the reason that they were set aside for.
        """
        ...

    async def replayed(
        self,
        notification_id: UUID,
        *,
        order_id: str,
        transaction_id: str | None,
        processed: bool,
        error: str | None,
    ) -> bool:
        """Write over what became of a stored one, its signature proven anew; if still to do, it is due now.

        False when it is not there, or is a forged one.
        """
        ...
