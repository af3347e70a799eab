from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from domain.chain import Chain


class EvidenceLog(Protocol):
    """The logs of all payments as they were at one instant, however long the reading takes."""

    async def count(self, order_id: str | None) -> int:
        """How many payments have a log, of all or of one."""
        ...

    def chains(self, order_id: str | None) -> AbstractAsyncContextManager[AsyncIterator[Chain]]:
        """Every payment's log, in the order of the payments' ids. Raises DatabaseUnavailable."""
        ...
