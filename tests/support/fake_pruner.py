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
        gone = list(self._given_up(rule))[:limit]
        match rule.what:
            case Prunable.PROCESSED_NOTIFICATIONS | Prunable.FORGED_NOTIFICATIONS:
                for name in gone:
                    del state.notifications[name]
            case Prunable.IDEMPOTENCY_KEYS:
                for name in gone:
                    del state.keys[name]
            case Prunable.DELIVERED_EVENTS:
                deliveries = state.merchant.deliveries.items()
                state.merchant.deliveries = {key: row for key, row in deliveries if row.event.id not in gone}
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
            case Prunable.DELIVERED_EVENTS:
                rows = sorted(self._begin.state.merchant.deliveries.values(), key=lambda row: row.created_at)
                kept = {row.event.id for row in rows if row.delivered_at is None or row.delivered_at >= since}
                kept |= {row.event.id for row in rows if row.created_at >= since}
                return [
                    event_id
                    for event_id in dict.fromkeys(row.event.id for row in rows)
                    if event_id not in kept
                ]
