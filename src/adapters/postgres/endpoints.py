from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from adapters.postgres.pool import PATIENT_SECONDS
from adapters.postgres.statements import load
from domain.endpoint import OF_SETTINGS, Disabled, Endpoint

if TYPE_CHECKING:
    from uuid import UUID

    from adapters.postgres.pool import Connection

SQL: Final = load("endpoints.sql")
_ADD, _PAGE, _ROTATE = SQL["add"], SQL["page"], SQL["rotate"]
_DISABLE, _ENABLE, _KEEP = SQL["disable"], SQL["enable"], SQL["keep_of_settings"]
_DROP = SQL["drop_of_settings"]


class PostgresEndpoints:
    """The endpoints that are told of changes, within one open transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, endpoint: Endpoint) -> None:
        await self._connection.execute(
            _ADD,
            endpoint.id,
            endpoint.user_id,
            endpoint.url,
            endpoint.secret,
            endpoint.allow_private,
            endpoint.created_at,
        )

    async def page(self) -> list[Endpoint]:
        return [_endpoint(row) for row in await self._connection.fetch(_PAGE)]

    async def rotate(self, endpoint_id: UUID, secret: str) -> bool:
        return await self._connection.fetchval(_ROTATE, endpoint_id, secret) is not None

    async def disable(self, endpoint_id: UUID, why: Disabled) -> bool:
        return await self._connection.fetchval(_DISABLE, endpoint_id, why, Disabled.GONE) is not None

    async def enable(self, endpoint_id: UUID) -> bool:
        # A day's events may wait for it, and an operator for us.
        await self._connection.execute("SET LOCAL statement_timeout = 0")
        return await self._connection.fetchval(_ENABLE, endpoint_id, timeout=PATIENT_SECONDS) is not None

    async def keep_of_settings(self, *, url: str, secret: str, allow_private: bool) -> Endpoint:
        row = await self._connection.fetchrow(
            _KEEP, OF_SETTINGS, url, secret, allow_private, Disabled.SETTINGS
        )
        return _endpoint(row)

    async def drop_of_settings(self) -> bool:
        return await self._connection.fetchval(_DROP, OF_SETTINGS, Disabled.SETTINGS) is not None


def _endpoint(row: Any) -> Endpoint:
    return Endpoint(
        id=row["id"],
        user_id=row["user_id"],
        url=row["url"],
        secret=row["secret"],
        previous_secret=row["previous_secret"],
        allow_private=row["allow_private"],
        created_at=row["created_at"],
        disabled_at=row["disabled_at"],
        disabled=Disabled(row["disabled_because"]) if row["disabled_because"] else None,
        failing_since=row["failing_since"],
        paused_until=row["paused_until"],
    )
