from typing import Protocol

from domain.retention import Rule


class Pruner(Protocol):
    """Throws away what the rules of ``domain.retention`` give up, by the database's clock."""

    async def count(self, rule: Rule) -> int:
        """How many the rule gives up now. Raises DatabaseUnavailable."""
        ...

    async def delete(self, rule: Rule, *, limit: int) -> int:
        """Throw away at most so many of them, committed at once; how many went.

        Nobody waits for it, and it waits for nobody: what is being worked on is left for another time.
        Raises DatabaseUnavailable.
        """
        ...
