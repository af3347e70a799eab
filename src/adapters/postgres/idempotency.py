from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from adapters.postgres.statements import load
from domain.idempotency import Refused, Taken
from domain.ports.idempotency import Ended, New, Resumed, Reused, Running

if TYPE_CHECKING:
    from uuid import UUID

    from adapters.postgres.pool import Connection
    from domain.idempotency import Ending, IdempotentCall
    from domain.ports.idempotency import Claim

SQL: Final = load("idempotency.sql")
_TAKE = SQL["take"]
_SEEN, _FORGET_OLD, _INSERT, _LOCK = SQL["seen"], SQL["forget_old"], SQL["insert"], SQL["lock"]
_KEEP, _RELEASE, _END = SQL["keep"], SQL["release"], SQL["end"]


class PostgresIdempotencyKeys:
    """The Idempotency-Keys, within one open transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def seen(self, call: IdempotentCall) -> bool:
        return bool(await self._connection.fetchval(_SEEN, call.user_id, call.key))

    async def claim(self, call: IdempotentCall, payment_id: UUID) -> Claim:
        await self._connection.execute(_FORGET_OLD, call.user_id, call.key)
        if await self._connection.fetchval(
            _INSERT, call.user_id, call.key, call.fingerprint, payment_id, call.lease
        ):
            return New()
        row = await self._connection.fetchrow(_LOCK, call.user_id, call.key)
        if row is None:
            return Running(retry_after=1)
        if row["fingerprint"] != call.fingerprint:
            return Reused()
        if row["finished"]:
            return Ended(order_id=row["order_id"], ending=_ending(row))
        if row["leased_seconds"] > 0:
            return Running(retry_after=row["leased_seconds"])
        await self._connection.execute(_TAKE, call.user_id, call.key, call.lease)
        return Resumed(order_id=row["order_id"], uncharged=row["uncharged"])

    async def end(self, call: IdempotentCall, ending: Ending) -> None:
        refused = ending if isinstance(ending, Refused) else None
        await self._connection.execute(
            _END,
            call.user_id,
            call.key,
            call.lease,
            refused and refused.gateway_code,
            refused and refused.gateway_message,
            refused is not None and refused.lost,
        )

    async def keep(self, call: IdempotentCall) -> bool:
        kept = await self._connection.fetchval(_KEEP, call.user_id, call.key, call.lease)
        return kept is not None

    async def release(self, call: IdempotentCall, *, uncharged: bool) -> None:
        await self._connection.execute(_RELEASE, call.user_id, call.key, call.lease, uncharged)


def _ending(row: Any) -> Ending:
    if row["gateway_code"] is None:
        return Taken()
    return Refused(gateway_code=row["gateway_code"], gateway_message=row["gateway_message"], lost=row["lost"])
