from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from domain.delivery import Answer, DueDelivery, Verdict


class DeliveryState(StrEnum):
    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class EventDelivery:
    """One event on its way to one endpoint, with what became of the tries so far.

    ``due_at`` is when it is tried next, as long as it waits.
    """

    event_id: UUID
    endpoint_id: UUID
    order_id: str
    type: str
    url: str = field(repr=False)
    created_at: datetime
    attempts: int
    last_attempted_at: datetime | None
    last_status: int | None
    last_error: str | None
    due_at: datetime | None
    delivered_at: datetime | None
    gave_up_at: datetime | None

    @property
    def state(self) -> DeliveryState:
        if self.delivered_at is not None:
            return DeliveryState.DELIVERED
        return DeliveryState.WAITING if self.gave_up_at is None else DeliveryState.FAILED


@dataclass(frozen=True, kw_only=True, slots=True)
class Settled:
    """``counts`` is false when the try was given to somebody else meanwhile, and so decided nothing.

    ``gave_up`` is how many events are not sent any more because of it.
    """

    counts: bool
    gave_up: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Backlog:
    """How many events an endpoint does not have: those that wait for it, and those that were given up."""

    waiting: int = 0
    gave_up: int = 0


class Deliveries(Protocol):
    """The events on their way to the endpoints, within one open transaction.

    They are put there by ``Payments.save``, together with the change that they tell of. Leases and due times
    run by the database's clock.
    """

    async def take(self, *, limit: int) -> list[DueDelivery]:
        """Events to be sent now, those that wait longest first; nobody else gets them for 30 s.

        Of one payment and endpoint only the earliest that is not delivered, and none while another one of
        them is being sent. Of a failing endpoint one at a time, of any other ten.
        """
        ...

    async def settle(self, due: DueDelivery, answer: Answer, verdict: Verdict) -> Settled:
        """Keep what became of a try, and do what follows from it."""
        ...

    async def of_payment(self, payment_id: UUID) -> list[EventDelivery]:
        """Of one payment's events, newest first; a thousand at most."""
        ...

    async def page(self, *, failed: bool, enabled: bool = False, limit: int) -> list[EventDelivery]:
        """Of all payments' events, newest first; with ``failed`` only those that are not sent any more.

        With ``enabled`` only those of endpoints that are not disabled.
        """
        ...

    async def failed_events(self) -> list[UUID]:
        """The events that some endpoint does not have and is not sent any more, oldest first."""
        ...

    async def resend(
        self, event_ids: list[UUID], *, payment_id: UUID | None = None, at_once: bool = False
    ) -> list[UUID]:
        """Have events sent to all their endpoints again, and for 24 hours; the ids of those that there are.

        With ``payment_id`` only this payment's. With ``at_once`` no endpoint's pause is waited for.
        """
        ...

    async def backlogs(self) -> dict[UUID, Backlog]:
        """By endpoint, for all that lack an event."""
        ...

    async def oldest_waiting(self) -> timedelta:
        """How long the oldest event has waited that an enabled endpoint is still to have; else zero."""
        ...
