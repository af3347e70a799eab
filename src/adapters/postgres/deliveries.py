from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, assert_never

from adapters.postgres.endpoints import PostgresEndpoints
from adapters.postgres.statements import load
from domain.delivery import FAILING_FROM, Answered, Delivered, DueDelivery, Failed, Gone, Unreached
from domain.endpoint import Disabled
from domain.ports.deliveries import Backlog, EventDelivery, Settled

if TYPE_CHECKING:
    from datetime import timedelta
    from uuid import UUID

    from adapters.postgres.pool import Connection
    from domain.delivery import Answer, Verdict

SQL: Final = load("deliveries.sql")
_READY, _TAKE = SQL["ready"], SQL["take"]
_ANSWERS_AGAIN, _DELIVERED = SQL["answers_again"], SQL["delivered"]
_STRIKE, _FAILED, _GIVE_UP_OLDER, _GONE = SQL["strike"], SQL["failed"], SQL["give_up_older"], SQL["gone"]
_OF_PAYMENT, _PAGE, _FAILED_EVENTS = SQL["of_payment"], SQL["page"], SQL["failed_events"]
_LOCK_ENDPOINTS, _LIFT_PAUSES, _RESEND = SQL["lock_endpoints"], SQL["lift_pauses"], SQL["resend"]
_OLDEST_WAITING, _BACKLOGS = SQL["oldest_waiting"], SQL["backlogs"]
_AT_ONCE: Final = 10


class PostgresDeliveries:
    """The events on their way to the endpoints, within one open transaction.

    Whatever changes an endpoint and deliveries of it locks the endpoint first.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def take(self, *, limit: int) -> list[DueDelivery]:
        ready = await self._connection.fetch(_READY, limit)
        if not ready:
            return []
        rows = await self._connection.fetch(
            _TAKE, [row["id"] for row in ready], _AT_ONCE, FAILING_FROM, limit
        )
        return [_due(row) for row in rows]

    async def settle(self, due: DueDelivery, answer: Answer, verdict: Verdict) -> Settled:
        status = answer.status if isinstance(answer, Answered) else None
        one = (due.event_id, due.endpoint_id, due.attempt, status)
        match verdict:
            case Delivered():
                await self._connection.execute(_ANSWERS_AGAIN, due.endpoint_id)
                counts = await self._connection.fetchval(_DELIVERED, *one) is not None
                return Settled(counts=counts)
            case Gone():
                await PostgresEndpoints(self._connection).disable(due.endpoint_id, Disabled.GONE)
                return Settled(counts=await self._connection.fetchval(_GONE, *one) is not None)
            case Failed():
                error = answer.reason if isinstance(answer, Unreached) else None
                return await self._failed(due, verdict, *one, error)
            case _:
                assert_never(verdict)

    async def _failed(self, due: DueDelivery, verdict: Failed, *told: object) -> Settled:
        adds = 0 if verdict.is_failing else 1
        await self._connection.execute(
            _STRIKE, due.endpoint_id, verdict.strikes, verdict.pause, adds, FAILING_FROM
        )
        done = await self._connection.fetchval(_FAILED, *told, verdict.refusals, verdict.again)
        counts = done is not None
        gave_up = int(counts and verdict.again is None)
        if verdict.gives_up_older is not None:
            gave_up += await self._connection.fetchval(
                _GIVE_UP_OLDER, due.endpoint_id, verdict.gives_up_older
            )
        return Settled(counts=counts, gave_up=gave_up)

    async def of_payment(self, payment_id: UUID) -> list[EventDelivery]:
        return [_delivery(row) for row in await self._connection.fetch(_OF_PAYMENT, payment_id)]

    async def page(self, *, failed: bool, enabled: bool = False, limit: int) -> list[EventDelivery]:
        return [_delivery(row) for row in await self._connection.fetch(_PAGE, failed, enabled, limit)]

    async def failed_events(self) -> list[UUID]:
        return [row["id"] for row in await self._connection.fetch(_FAILED_EVENTS)]

    async def resend(
        self, event_ids: list[UUID], *, payment_id: UUID | None = None, at_once: bool = False
    ) -> list[UUID]:
        endpoints = [row["id"] for row in await self._connection.fetch(_LOCK_ENDPOINTS, event_ids)]
        if at_once:
            await self._connection.execute(_LIFT_PAUSES, endpoints)
        return [row["event_id"] for row in await self._connection.fetch(_RESEND, event_ids, payment_id)]

    async def backlogs(self) -> dict[UUID, Backlog]:
        return {
            row["endpoint_id"]: Backlog(waiting=row["waiting"], gave_up=row["gave_up"])
            for row in await self._connection.fetch(_BACKLOGS)
        }

    async def oldest_waiting(self) -> timedelta:
        waited: timedelta = await self._connection.fetchval(_OLDEST_WAITING)
        return waited


def _due(row: Any) -> DueDelivery:
    previous = row["previous_secret"]
    return DueDelivery(
        event_id=row["event_id"],
        endpoint_id=row["endpoint_id"],
        payment_id=row["payment_id"],
        type=row["type"],
        body=row["body"],
        url=row["url"],
        secrets=(row["secret"], previous) if previous else (row["secret"],),
        allow_private=row["allow_private"],
        attempt=row["attempts"],
        refusals=row["refusals"],
        tried_for=row["tried_for"],
        strikes=row["strikes"],
        failing_for=row["failing_for"],
    )


def _delivery(row: Any) -> EventDelivery:
    return EventDelivery(
        event_id=row["event_id"],
        endpoint_id=row["endpoint_id"],
        order_id=row["order_id"],
        type=row["type"],
        url=row["url"],
        created_at=row["created_at"],
        attempts=row["attempts"],
        last_attempted_at=row["last_attempted_at"],
        last_status=row["last_status"],
        last_error=row["last_error"],
        due_at=row["due_at"],
        delivered_at=row["delivered_at"],
        gave_up_at=row["gave_up_at"],
    )
