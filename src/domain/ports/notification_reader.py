from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum, auto
from typing import Protocol
from uuid import UUID

from domain.ports.notifications import DISMISSED


class Standing(StrEnum):
    """What became of a stored notification so far."""

    PROCESSED = "processed"
    TO_DO = "to do"
    SET_ASIDE = "set aside"
    DISMISSED = "dismissed"
    NOT_VERIFIED = "not verified"
    FORGED = "forged"


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptNotification:
    """A stored notification as it is listed; an earlier service may have left out any of its texts.

    ``is_verified`` says that a signature was proven when it came, which an earlier service may have claimed.
    """

    id: UUID
    received_at: datetime
    order_id: str | None
    transaction_id: str | None
    transaction_status: str | None
    is_verified: bool
    processed: bool
    error: str | None
    forged: bool
    attempts: int
    repeats: int

    @property
    def standing(self) -> Standing:
        if self.forged:
            return Standing.FORGED
        if self.processed:
            is_dismissed = self.error is not None and self.error.startswith(DISMISSED)
            return Standing.DISMISSED if is_dismissed else Standing.PROCESSED
        if self.error is not None:
            return Standing.SET_ASIDE
        return Standing.TO_DO if self.is_verified else Standing.NOT_VERIFIED


@dataclass(frozen=True, kw_only=True, slots=True)
class WholeNotification:
    """One with its body, as JSON text, and the signature that was kept beside it."""

    kept: KeptNotification
    body: str = field(repr=False)
    signature_key: str | None = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class InboxPlace:
    """A place in a list of notifications, newest first: after this one."""

    received_at: datetime
    id: UUID


class Kind(Enum):
    """Which notifications are meant."""

    ANY = auto()
    FAILED = auto()  # set aside, until they are replayed or dismissed
    FORGED = auto()
    NOT_FORGED = auto()


class NotificationReader(Protocol):
    """The stored notifications as committed, each call by itself; an earlier service's among them."""

    async def find(self, notification_id: UUID) -> WholeNotification | None: ...

    async def page(
        self, kind: Kind, *, order_id: str | None, after: InboxPlace | None, limit: int
    ) -> list[KeptNotification]:
        """Those of one order, or of all where none is named, newest first."""
        ...
