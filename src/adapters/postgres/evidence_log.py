from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from adapters.postgres.errors import translated
from adapters.postgres.payments import entry_of
from adapters.postgres.pool import ACQUIRE_SECONDS, PATIENT_SECONDS
from adapters.postgres.statements import load
from domain.chain import Chain, Row

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from adapters.postgres.pool import Pool

SQL: Final = load("evidence_log.sql")
_COUNT, _CHAINS = SQL["count"], SQL["chains"]
_ROWS_AT_ONCE: Final = 1000


class PostgresEvidenceLog:
    """The evidence log, read through a cursor in one snapshot: it may be larger than memory."""

    def __init__(self, *, pool: Pool) -> None:
        self._pool = pool

    async def count(self, order_id: str | None) -> int:
        with translated():
            async with self._pool.acquire(timeout=ACQUIRE_SECONDS) as connection:
                return int(await connection.fetchval(_COUNT, order_id, timeout=PATIENT_SECONDS))

    @asynccontextmanager
    async def chains(self, order_id: str | None) -> AsyncIterator[AsyncIterator[Chain]]:
        with translated():
            async with (
                self._pool.acquire(timeout=ACQUIRE_SECONDS) as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                yield _grouped(
                    connection.cursor(_CHAINS, order_id, prefetch=_ROWS_AT_ONCE, timeout=PATIENT_SECONDS)
                )


async def _grouped(rows: Any) -> AsyncIterator[Chain]:
    """The rows of one payment after another, as chains."""
    found: list[Any] = []
    async for row in rows:
        if found and found[0]["id"] != row["id"]:
            yield _chain(found)
            found = []
        found.append(row)
    if found:
        yield _chain(found)


def _chain(rows: list[Any]) -> Chain:
    first = rows[0]
    return Chain(
        row=Row(
            order_id=first["order_id"],
            gross_amount=first["gross_amount"],
            payment_type=first["payment_type"],
            status=first["row_status"],
            expires_at=first["expires_at"],
            transaction_id=first["midtrans_transaction_id"],
            paid_at=first["paid_at"],
            late=first["late"],
            refunded_amount=first["refunded_amount"],
        ),
        payment_id=first["id"],
        length=first["log_length"],
        head=first["log_head"],
        entries=tuple(entry_of(row) for row in rows if row["seq"] is not None),
        unproven=frozenset(row["seq"] for row in rows if row["proven"] is False),
    )
