from __future__ import annotations

from typing import TYPE_CHECKING, Final

import asyncpg

from adapters.postgres.statements import load
from domain.errors import UserNotAdded

if TYPE_CHECKING:
    from adapters.postgres.pool import Connection

SQL: Final = load("users.sql")
_EXISTS, _ADD, _ADD_WITH_ID, _PAGE = SQL["exists"], SQL["add"], SQL["add_with_id"], SQL["page"]
_TRIES: Final = 1000


class PostgresUsers:
    """The ``users`` table, within one open transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def exists(self, user_id: int) -> bool:
        return bool(await self._connection.fetchval(_EXISTS, user_id))

    async def add(self, user_id: int | None = None) -> int:
        try:
            if user_id is not None:
                await self._connection.fetchval(_ADD_WITH_ID, user_id)
                return user_id
            for _ in range(_TRIES):
                if added := await self._connection.fetchval(_ADD):
                    return int(added)
        except (asyncpg.IntegrityConstraintViolationError, asyncpg.GeneratedAlwaysError) as demands:
            raise UserNotAdded(demands.message) from demands
        raise UserNotAdded("its own counter only meets ids that are taken")

    async def page(self, *, limit: int) -> list[int]:
        return [row["id"] for row in await self._connection.fetch(_PAGE, limit)]
