import asyncio
from uuid import UUID

from domain.ports.notification_reader import InboxPlace, KeptNotification, Kind, WholeNotification
from support.fakes import InMemoryUnitOfWork, StoredNotification


class InMemoryNotificationReader:
    """The stored notifications as committed."""

    def __init__(self, begin: InMemoryUnitOfWork) -> None:
        self._begin = begin

    async def find(self, notification_id: UUID) -> WholeNotification | None:
        for row in await self._rows():
            if row.id == notification_id:
                body = row.body or "{}"  # the fake keeps nothing more of a forged one
                return WholeNotification(kept=_kept(row), body=body, signature_key=row.signature_key)
        return None

    async def page(
        self, kind: Kind, *, order_id: str | None, after: InboxPlace | None, limit: int
    ) -> list[KeptNotification]:
        newest_first = sorted(await self._rows(), key=lambda row: (row.received_at, row.id), reverse=True)
        return [
            _kept(row)
            for row in newest_first
            if order_id in {None, row.order_id}
            and _is(kind, row)
            and (after is None or (row.received_at, row.id) < (after.received_at, after.id))
        ][:limit]

    async def _rows(self) -> list[StoredNotification]:
        await asyncio.sleep(0)
        self._begin.check_reachable()
        return self._begin.notifications


def _is(kind: Kind, row: StoredNotification) -> bool:
    match kind:
        case Kind.FAILED:
            return not row.processed and row.error is not None
        case Kind.FORGED:
            return row.forged
        case Kind.NOT_FORGED:
            return not row.forged
    return True


def _kept(row: StoredNotification) -> KeptNotification:
    return KeptNotification(
        id=row.id,
        received_at=row.received_at,
        order_id=row.order_id,
        transaction_id=row.transaction_id,
        transaction_status=row.transaction_status,
        is_verified=row.is_verified,
        processed=row.processed,
        error=row.error,
        forged=row.forged,
        attempts=row.attempts,
        repeats=row.repeats,
    )
