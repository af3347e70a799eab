"""The refunds in memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from domain.ports.refunds import DueRefund, KnownRefund, StuckRefund
from domain.refund import STUCK_AFTER, Refund, RefundStatus

if TYPE_CHECKING:
    from uuid import UUID

    from support.fakes import ManualClock

_LEASE: Final = timedelta(seconds=30)
_MINUTE: Final = timedelta(minutes=1)
_DAY: Final = timedelta(days=1)
_KEY_IS_TAKEN_FOR: Final = timedelta(days=7)


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredRefund:
    """A row of the refunds."""

    refund: Refund
    requested_at: datetime
    leased_until: datetime
    due_at: datetime | None


class InMemoryRefunds:
    """The refunds, within one open transaction of ``support.fakes``."""

    def __init__(self, transaction: Any, clock: ManualClock) -> None:
        self._transaction, self._clock = transaction, clock

    async def add(self, refund: Refund) -> bool:
        own, now = self._transaction, self._clock.now()
        await own.turn()
        await own.hold(("refund key", (refund.user_id, refund.key)))
        if self._under(refund.user_id, refund.key) is not None:
            return False
        assert refund.id not in self._rows(), "the row's id is taken"
        assert own.payment_of(refund.payment_id) is not None, "a refund without its payment"
        row = StoredRefund(refund=refund, requested_at=now, leased_until=now + _LEASE, due_at=now + _LEASE)
        own.changed.refunds[refund.id] = row
        return True

    async def known(self, user_id: int, key: str) -> KnownRefund | None:
        await self._transaction.turn()
        found = self._under(user_id, key)
        if found is None:
            return None
        await self._transaction.hold(("refund", found.refund.id))
        row = self._rows()[found.refund.id]
        left = (row.leased_until - self._clock.now()).total_seconds()
        return KnownRefund(
            refund=row.refund, leased_seconds=int(-(-left // 1)), is_too_old=self._is_too_old(row)
        )

    async def lock(self, refund_id: UUID) -> Refund | None:
        row = await self._locked(refund_id)
        return row.refund if row else None

    async def of_payment(self, payment_id: UUID) -> list[Refund]:
        await self._transaction.turn()
        found = [row.refund for row in self._rows().values() if row.refund.payment_id == payment_id]
        return sorted(found, key=lambda refund: (refund.created_at, refund.id))

    async def take(self, refund_id: UUID) -> Refund:
        row, now = await self._locked(refund_id), self._clock.now()
        assert row is not None
        young = row.refund.status is RefundStatus.NOT_SENT
        taken = replace(row.refund, status=RefundStatus.REQUESTED, attempts=row.refund.attempts + 1)
        self._transaction.changed.refunds[refund_id] = StoredRefund(
            refund=taken,
            requested_at=now if young else row.requested_at,
            leased_until=now + _LEASE,
            due_at=now + _LEASE,
        )
        return taken

    async def save(self, refund: Refund) -> None:
        row, now = await self._locked(refund.id), self._clock.now()
        assert row is not None
        due_at = None
        if refund.status is RefundStatus.REQUESTED:
            due_at = now + timedelta(seconds=min(5 * 2 ** (row.refund.attempts - 1), 3600))
        elif refund.status is RefundStatus.ACCEPTED and refund.confirmed_at is None:
            due_at = now + _DAY
        saved = replace(
            row.refund,
            status=refund.status,
            accepted_at=refund.accepted_at,
            confirmed_at=refund.confirmed_at,
            gateway_code=refund.gateway_code,
            gateway_message=refund.gateway_message,
        )
        assert (saved.status is RefundStatus.ACCEPTED) == (saved.accepted_at is not None)
        self._transaction.changed.refunds[refund.id] = replace(
            row, refund=saved, leased_until=now, due_at=due_at
        )

    async def give_up(self, refund_id: UUID) -> None:
        row = await self._locked(refund_id)
        assert row is not None
        given_up = replace(row, leased_until=self._clock.now(), due_at=None)
        self._transaction.changed.refunds[refund_id] = given_up

    async def stuck(self, *, limit: int) -> list[StuckRefund]:
        await self._transaction.turn()
        since = self._clock.now() - STUCK_AFTER
        found = [
            row
            for row in self._rows().values()
            if row.refund.status is RefundStatus.REQUESTED
            and row.due_at is not None
            and row.requested_at <= since
        ]
        stuck = []
        for row in sorted(found, key=lambda row: (row.requested_at, row.refund.id))[:limit]:
            payment = self._transaction.payment_of(row.refund.payment_id)
            assert payment is not None
            stuck.append(StuckRefund(refund=row.refund, order_id=payment.order_id))
        return stuck

    async def take_due(self, *, limit: int) -> list[DueRefund]:
        own, now = self._transaction, self._clock.now()
        await own.turn()
        due = [
            row
            for row in self._rows().values()
            if row.due_at is not None and row.due_at <= now and row.leased_until <= now
            if not own.is_held_elsewhere(("refund", row.refund.id))
        ]
        taken = []
        for row in sorted(due, key=lambda row: row.due_at or now)[:limit]:
            await own.hold(("refund", row.refund.id))
            refund = replace(row.refund, attempts=row.refund.attempts + 1)
            due_at = None if self._is_too_old(row) else now + _DAY
            if refund.status is RefundStatus.REQUESTED:
                due_at = now + _MINUTE
            own.changed.refunds[refund.id] = replace(
                row, refund=refund, leased_until=now + _MINUTE, due_at=due_at
            )
            payment = own.payment_of(refund.payment_id)
            assert payment is not None
            is_too_old = self._is_too_old(row)
            taken.append(DueRefund(refund=refund, order_id=payment.order_id, is_too_old=is_too_old))
        return taken

    async def _locked(self, refund_id: UUID) -> StoredRefund | None:
        await self._transaction.turn()
        if refund_id not in self._rows():
            return None
        await self._transaction.hold(("refund", refund_id))
        return self._rows()[refund_id]

    def _rows(self) -> dict[UUID, StoredRefund]:
        rows: dict[UUID, StoredRefund] = (
            self._transaction.committed.refunds | self._transaction.changed.refunds
        )
        return rows

    def _under(self, user_id: int, key: str) -> StoredRefund | None:
        names = (
            row for row in self._rows().values() if (row.refund.user_id, row.refund.key) == (user_id, key)
        )
        return next(names, None)

    def _is_too_old(self, row: StoredRefund) -> bool:
        return row.requested_at <= self._clock.now() - _KEY_IS_TAKEN_FOR
