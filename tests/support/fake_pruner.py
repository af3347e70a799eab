import asyncio
from collections.abc import Iterable
from typing import Any

from domain.retention import Prunable, Rule
from support.fakes import InMemoryUnitOfWork, ManualClock


class InMemoryPruner:
    """Throws away what the rules give up, out of the memory of a unit of work."""

    def __init__(self, begin: InMemoryUnitOfWork, clock: ManualClock) -> None:
        self._begin, self._clock = begin, clock

    async def count(self, rule: Rule) -> int:
        await asyncio.sleep(0)
        self._begin.check_reachable()
        return len(list(self._given_up(rule)))

    async def delete(self, rule: Rule, *, limit: int) -> int:
        await asyncio.sleep(0)
        self._begin.check_reachable()
        state = self._begin.state
        rows: dict[Any, Any] = state.keys if rule.what is Prunable.IDEMPOTENCY_KEYS else state.notifications  # type: ignore[assignment]
        gone = list(self._given_up(rule))[:limit]
        for name in gone:
            del rows[name]
        return len(gone)

    def _given_up(self, rule: Rule) -> Iterable[Any]:
        now = self._clock.now()
        since = now - rule.kept_for
        inbox = self._begin.notifications
        match rule.what:
            case Prunable.PROCESSED_NOTIFICATIONS:
                old = [row for row in inbox if row.received_at < since]
                return [row.id for row in old if row.processed and row.error is None]
            case Prunable.FORGED_NOTIFICATIONS:
                forged = [row for row in inbox if row.forged]
                if rule.at_most is not None and len(forged) >= rule.at_most:
                    since = max(since, forged[-rule.at_most].received_at)
                return [row.id for row in forged if row.received_at < since]
            case Prunable.IDEMPOTENCY_KEYS:
                keys = self._begin.state.keys.items()
                return [name for name, row in keys if row.created_at <= since and row.leased_until <= now]
