"""The transactions the simulator knows."""

from collections.abc import Iterator
from typing import Final

from simulator.core.transaction import Transaction

# Metadata alone can be 16 KB, more than ten times the rest of a transaction.
_MOST_METADATA: Final = 64 * 1024 * 1024


class Transactions:
    """Transactions in memory, at most `limit`: the oldest finished ones leave first.

    When none is finished the oldest pending one leaves. They leave too when their metadata
    together take more than `most_metadata` bytes.
    """

    def __init__(self, limit: int, most_metadata: int = _MOST_METADATA) -> None:
        self._limit = limit
        self._most_metadata = most_metadata
        self._metadata = 0
        self._by_id: dict[str, Transaction] = {}
        self._newest_of_order: dict[str, str] = {}
        self._by_qr_id: dict[str, str] = {}
        self._finished: dict[str, None] = {}

    def find(self, any_id: str) -> Transaction | None:
        """Look up by transaction id, or by order id: the newest one charged under it."""
        return self._by_id.get(any_id) or self._by_id.get(self._newest_of_order.get(any_id, ""))

    def find_by_qr_id(self, qr_id: str) -> Transaction | None:
        return self._by_id.get(self._by_qr_id.get(qr_id, ""))

    def newest_first(self, order_id: str | None = None) -> Iterator[Transaction]:
        """Go through all, or all of one order, from the latest charge to the earliest."""
        for transaction in reversed(self._by_id.values()):
            if order_id in {None, transaction.order_id}:
                yield transaction

    def put(self, transaction: Transaction) -> list[Transaction]:
        """Add it, or replace its earlier value; returns what had to leave for it."""
        name = transaction.transaction_id
        if name not in self._by_id:
            self._newest_of_order[transaction.order_id] = name
            self._by_qr_id[transaction.qr_id] = name
            self._metadata += len(transaction.metadata or b"")
        self._by_id[name] = transaction
        if not transaction.is_pending:
            self._finished.setdefault(name)
        gone = []
        while len(self._by_id) > self._limit or self._metadata > self._most_metadata:
            gone.append(self._remove_oldest())
        return gone

    def _remove_oldest(self) -> Transaction:
        name = next(iter(self._finished or self._by_id))
        self._finished.pop(name, None)
        oldest = self._by_id.pop(name)
        self._metadata -= len(oldest.metadata or b"")
        del self._by_qr_id[oldest.qr_id]
        if self._newest_of_order.get(oldest.order_id) == name:
            del self._newest_of_order[oldest.order_id]
        return oldest
