from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from adapters.postgres.statements import load
from domain.ports.refunds import DueRefund, KnownRefund, StuckRefund
from domain.refund import STUCK_AFTER, Refund, RefundStatus

if TYPE_CHECKING:
    from uuid import UUID

    from adapters.postgres.pool import Connection

SQL: Final = load("refunds.sql")
_ADD, _KNOWN, _LOCK, _OF_PAYMENT = SQL["add"], SQL["known"], SQL["lock"], SQL["of_payment"]
_TAKE, _SAVE, _GIVE_UP, _TAKE_DUE = SQL["take"], SQL["save"], SQL["give_up"], SQL["take_due"]
_STUCK = SQL["stuck"]


class PostgresRefunds:
    """The refunds, within one open transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, refund: Refund) -> bool:
        added = await self._connection.fetchval(
            _ADD,
            refund.id,
            refund.payment_id,
            refund.user_id,
            refund.key,
            refund.fingerprint,
            refund.transaction,
            refund.amount,
            refund.reason,
            refund.created_at,
        )
        return added is not None

    async def known(self, user_id: int, key: str) -> KnownRefund | None:
        row = await self._connection.fetchrow(_KNOWN, user_id, key)
        if row is None:
            return None
        return KnownRefund(
            refund=_refund(row), leased_seconds=row["leased_seconds"], is_too_old=row["is_too_old"]
        )

    async def lock(self, refund_id: UUID) -> Refund | None:
        row = await self._connection.fetchrow(_LOCK, refund_id)
        return _refund(row) if row else None

    async def of_payment(self, payment_id: UUID) -> list[Refund]:
        return [_refund(row) for row in await self._connection.fetch(_OF_PAYMENT, payment_id)]

    async def take(self, refund_id: UUID) -> Refund:
        return _refund(await self._connection.fetchrow(_TAKE, refund_id))

    async def save(self, refund: Refund) -> None:
        await self._connection.execute(
            _SAVE,
            refund.id,
            refund.status,
            refund.accepted_at,
            refund.confirmed_at,
            refund.gateway_code,
            refund.gateway_message,
        )

    async def give_up(self, refund_id: UUID) -> None:
        await self._connection.execute(_GIVE_UP, refund_id)

    async def stuck(self, *, limit: int) -> list[StuckRefund]:
        rows = await self._connection.fetch(_STUCK, STUCK_AFTER, limit)
        return [StuckRefund(refund=_refund(row), order_id=row["order_id"]) for row in rows]

    async def take_due(self, *, limit: int) -> list[DueRefund]:
        return [
            DueRefund(refund=_refund(row), order_id=row["order_id"], is_too_old=row["is_too_old"])
            for row in await self._connection.fetch(_TAKE_DUE, limit)
        ]


def _refund(row: Any) -> Refund:
    return Refund(
        id=row["id"],
        payment_id=row["payment_id"],
        user_id=row["user_id"],
        key=row["key"],
        fingerprint=row["fingerprint"],
        transaction=row["transaction"],
        amount=row["amount"],
        reason=row["reason"],
        status=RefundStatus(row["status"]),
        attempts=row["attempts"],
        created_at=row["created_at"],
        accepted_at=row["accepted_at"],
        confirmed_at=row["confirmed_at"],
        gateway_code=row["gateway_code"],
        gateway_message=row["gateway_message"],
    )
