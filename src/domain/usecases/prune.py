from collections.abc import Callable
from typing import Final

from domain.ports.pruner import Pruner
from domain.retention import Rule

# So many rows are locked, and lost if it fails, at a time.
BATCH: Final = 2000


class Prune:
    """Throw away what one rule of the retention gives up, in many short transactions."""

    def __init__(self, *, pruner: Pruner) -> None:
        self._pruner = pruner

    async def __call__(self, rule: Rule, *, tell: Callable[[int], None] = lambda _: None) -> int:
        """How many went; ``tell`` hears so after each transaction. Raises DatabaseUnavailable."""
        gone = 0
        more = True
        while more:
            deleted = await self._pruner.delete(rule, limit=BATCH)
            gone, more = gone + deleted, deleted == BATCH
            tell(gone)
        return gone

    async def some(self, rule: Rule) -> bool:
        """One transaction's worth; whether there is more. Raises DatabaseUnavailable."""
        return await self._pruner.delete(rule, limit=BATCH) == BATCH
