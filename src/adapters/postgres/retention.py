from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.postgres.errors import translated
from adapters.postgres.pool import ACQUIRE_SECONDS, PATIENT_SECONDS
from adapters.postgres.statements import load
from domain.retention import Prunable

if TYPE_CHECKING:
    from adapters.postgres.pool import Pool
    from domain.retention import Rule

SQL: Final = load("retention.sql")
# How to count and how to delete what a rule gives up; a rule with ``at_most`` says it last.
_STATEMENTS: Final = {
    Prunable.PROCESSED_NOTIFICATIONS: (SQL["count_processed"], SQL["delete_processed"]),
    Prunable.FORGED_NOTIFICATIONS: (SQL["count_forged"], SQL["delete_forged"]),
    Prunable.IDEMPOTENCY_KEYS: (SQL["count_idempotency_keys"], SQL["delete_idempotency_keys"]),
    Prunable.DELIVERED_EVENTS: (SQL["count_delivered_events"], SQL["delete_delivered_events"]),
}


class PostgresPruner:
    """Each statement is a transaction of its own; what another one has locked is skipped."""

    def __init__(self, *, pool: Pool) -> None:
        self._pool = pool

    async def count(self, rule: Rule) -> int:
        count, _ = _STATEMENTS[rule.what]
        with translated():
            async with self._pool.acquire(timeout=ACQUIRE_SECONDS) as connection:
                given_up = await connection.fetchval(
                    count, rule.kept_for, *_at_most(rule), timeout=PATIENT_SECONDS
                )
        return int(given_up)

    async def delete(self, rule: Rule, *, limit: int) -> int:
        _, delete = _STATEMENTS[rule.what]
        with translated():
            async with self._pool.acquire(timeout=ACQUIRE_SECONDS) as connection:
                return int(await connection.fetchval(delete, rule.kept_for, limit, *_at_most(rule)))


def _at_most(rule: Rule) -> tuple[int, ...]:
    return () if rule.at_most is None else (rule.at_most,)
