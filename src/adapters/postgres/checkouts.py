"""What the customer's side reads: payments by their checkout token, and which of many have changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.postgres.errors import translated
from adapters.postgres.payments import payment_of
from adapters.postgres.pool import ACQUIRE_SECONDS
from adapters.postgres.statements import load
from domain.ports.checkouts import Checkout

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from adapters.postgres.pool import Pool
    from domain.payment import Payment

SQL: Final = load("checkouts.sql")
_FIND, _SINCE = SQL["find"], SQL["since"]


class PostgresCheckouts:
    """Payments by their checkout token."""

    def __init__(self, *, pool: Pool) -> None:
        self._pool = pool

    async def find(self, token: str) -> Checkout | None:
        with translated():
            async with self._pool.acquire(timeout=ACQUIRE_SECONDS) as connection:
                row = await connection.fetchrow(_FIND, token)
        return Checkout(payment=payment_of(row), ended_at=row["ended_at"]) if row else None


class PostgresPaymentChanges:
    """One statement a question, however many payments it is about."""

    def __init__(self, *, pool: Pool) -> None:
        self._pool = pool

    async def since(self, seen: Mapping[UUID, int]) -> list[Payment]:
        with translated():
            async with self._pool.acquire(timeout=ACQUIRE_SECONDS) as connection:
                rows = await connection.fetch(_SINCE, list(seen), list(seen.values()))
        return [payment_of(row) for row in rows]
