from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from adapters.postgres.statements import load
from domain.asking import PROBE, Budget, overspent, pause_after, refilled

if TYPE_CHECKING:
    from adapters.postgres.pool import Connection

SQL: Final = load("budget.sql")
_MAKE, _LOCK, _SPEND = SQL["make"], SQL["lock"], SQL["spend"]
_SILENT, _ANSWERED = SQL["silent"], SQL["answered"]


class PostgresAskingBudget:
    """One unlogged row for all processes: ``rate`` questions a second, by the database's clock."""

    def __init__(self, connection: Connection, *, rate: float) -> None:
        self._connection, self._rate = connection, rate

    async def allowance(self) -> int | None:
        return self._read(await self._lock()).allowance

    async def spend(self, questions: int) -> None:
        if questions:
            budget = self._read(await self._lock())
            await self._keep(budget.tokens - questions, wait_for_the_answer=budget.is_probing)

    async def overspend(self, questions: int) -> None:
        if questions:
            row = await self._lock()
            left = overspent(row["tokens"], questions, rate=self._rate, seconds=row["seconds"])
            await self._keep(left, wait_for_the_answer=False)

    async def _keep(self, tokens: float, *, wait_for_the_answer: bool) -> None:
        await self._connection.execute(_SPEND, tokens, wait_for_the_answer, PROBE)

    async def report(self, *, answered: bool) -> None:
        if answered:
            await self._connection.execute(_ANSWERED)
            return
        failures = self._read(await self._lock()).failures + 1
        await self._connection.execute(_SILENT, failures, pause_after(failures))

    async def _lock(self) -> Any:
        row = await self._connection.fetchrow(_LOCK)
        if row is None:  # never asked before, or the server crashed since
            await self._connection.execute(_MAKE)
            row = await self._connection.fetchrow(_LOCK)
            assert row is not None
        return row

    def _read(self, row: Any) -> Budget:
        return Budget(
            tokens=refilled(row["tokens"], rate=self._rate, seconds=row["seconds"]),
            failures=row["failures"],
            is_paused=row["is_paused"],
        )
