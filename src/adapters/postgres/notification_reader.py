from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from adapters.postgres.errors import translated
from adapters.postgres.notifications import naive
from adapters.postgres.payments import may_be_asked_for
from adapters.postgres.pool import ACQUIRE_SECONDS
from adapters.postgres.statements import load
from domain.ports.notification_reader import KeptNotification, Kind, WholeNotification

if TYPE_CHECKING:
    from uuid import UUID

    from adapters.postgres.pool import Pool
    from domain.ports.notification_reader import InboxPlace

SQL: Final = load("notification_reader.sql")
_FIND, _PAGE, _PAGE_OF_ORDER = SQL["find"], SQL["page"], SQL["page_of_order"]
_PAGE_OF_FAILED, _PAGE_OF_FORGED = SQL["page_of_failed"], SQL["page_of_forged"]


class PostgresNotificationReader:
    """The stored notifications as committed, one statement and one connection a call."""

    def __init__(self, *, pool: Pool) -> None:
        self._pool = pool

    async def find(self, notification_id: UUID) -> WholeNotification | None:
        for row in await self._rows(_FIND, notification_id):
            body = row["raw_body"] or "null"  # an earlier service may have kept none
            return WholeNotification(kept=_kept(row), body=body, signature_key=row["signature_key"])
        return None

    async def page(
        self, kind: Kind, *, order_id: str | None, after: InboxPlace | None, limit: int
    ) -> list[KeptNotification]:
        place = (naive(after.received_at), after.id) if after else (None, None)
        forged = {Kind.FORGED: True, Kind.NOT_FORGED: False}.get(kind)
        if order_id is not None:
            if not may_be_asked_for(order_id):
                return []
            failed = kind is Kind.FAILED
            rows = await self._rows(_PAGE_OF_ORDER, *place, limit, forged, order_id, failed)
        elif kind is Kind.FAILED:
            rows = await self._rows(_PAGE_OF_FAILED, *place, limit)
        elif kind is Kind.FORGED:
            rows = await self._rows(_PAGE_OF_FORGED, *place, limit)
        else:
            rows = await self._rows(_PAGE, *place, limit, forged)
        return [_kept(row) for row in rows]

    async def _rows(self, statement: str, *arguments: object) -> list[Any]:
        with translated():
            async with self._pool.acquire(timeout=ACQUIRE_SECONDS) as connection:
                return await connection.fetch(statement, *arguments)


def _kept(row: Any) -> KeptNotification:
    return KeptNotification(
        id=row["id"],
        received_at=row["received_at"].replace(tzinfo=UTC),
        order_id=row["order_id"],
        transaction_id=row["midtrans_transaction_id"],
        transaction_status=row["transaction_status"],
        is_verified=bool(row["is_verified"]),
        processed=bool(row["processed"]),
        error=row["processing_error"],
        forged=row["forged"],
        attempts=row["attempts"],
        repeats=row["repeats"],
    )
