from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from adapters.postgres.statements import load
from domain import refund_claim
from domain.notification import stored
from domain.ports.notifications import DISMISSED, DoubtfulNotification

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from adapters.postgres.pool import Connection
    from domain.ports.notifications import ForgedNotification, ReceivedNotification

SQL: Final = load("notifications.sql")
_ADD, _ADD_REPEAT, _ADD_FORGED = SQL["add"], SQL["add_repeat"], SQL["add_forged"]
_TAKE_DOUBTFUL, _MARK_PROCESSED = SQL["take_doubtful"], SQL["mark_processed"]
_POSTPONE, _REPLAYED = SQL["postpone"], SQL["replayed"]
_SET_ASIDE, _DISMISS = SQL["set_aside"], SQL["dismiss"]


class PostgresNotifications:
    """The stored notifications, within one open transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, notification: ReceivedNotification) -> None:
        await self.add_all([notification])

    async def add_all(self, notifications: Sequence[ReceivedNotification]) -> None:
        columns = zip(*map(_columns, notifications), strict=True)
        await self._connection.execute(_ADD, *map(list, columns))

    async def add_repeat(self, notification: ReceivedNotification) -> None:
        await self._connection.execute(_ADD_REPEAT, *_columns(notification), notification.transaction_status)

    async def add_forged(self, notification: ForgedNotification) -> None:
        kept = {
            "order_id": notification.order_id,
            "status_code": notification.status_code,
            "gross_amount": notification.gross_amount,
            "transaction_status": notification.transaction_status,
        }
        await self._connection.execute(
            _ADD_FORGED,
            notification.id,
            naive(notification.received_at),
            notification.order_id,
            json.dumps(kept),
        )

    async def take_doubtful(self, *, limit: int) -> list[DoubtfulNotification]:
        rows = await self._connection.fetch(_TAKE_DOUBTFUL, limit)
        return [
            DoubtfulNotification(
                id=row["id"],
                order_id=row["order_id"] or "",
                transaction_id=row["midtrans_transaction_id"],
                transaction_status=row["transaction_status"] or "",
                refunds=refund_claim.read(stored(row["refunds"])),
                attempts=row["attempts"],
            )
            for row in rows
        ]

    async def postpone(self, ids: list[UUID]) -> None:
        await self._connection.execute(_POSTPONE, ids)

    async def mark_processed(self, ids: list[UUID]) -> None:
        await self._connection.execute(_MARK_PROCESSED, ids)

    async def set_aside(self, ids: list[UUID], error: str) -> None:
        await self._connection.execute(_SET_ASIDE, ids, error)

    async def dismiss(self, ids: list[UUID], note: str) -> list[UUID]:
        rows = await self._connection.fetch(_DISMISS, ids, f"{DISMISSED}{note}")
        return [row["id"] for row in rows]

    async def replayed(
        self,
        notification_id: UUID,
        *,
        order_id: str,
        transaction_id: str | None,
        processed: bool,
        error: str | None,
    ) -> bool:
        written = await self._connection.fetchval(
            _REPLAYED, notification_id, order_id, transaction_id, processed, error
        )
        return written is not None


def _columns(notification: ReceivedNotification) -> tuple[Any, ...]:
    return (
        notification.id,
        naive(notification.received_at),
        notification.order_id,
        notification.transaction_id,
        notification.body,
        notification.signature_key,
        notification.processed,
        notification.error,
    )


def naive(instant: datetime) -> datetime:
    """``received_at`` is a timestamp without a zone, in UTC."""
    return instant.astimezone(UTC).replace(tzinfo=None)
