"""The transactions the simulator knows."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final

from simulator.core.packing import Packing
from simulator.core.transaction import Transaction

# More than a hundred thousand usual ones take. One alone may take 20 KB.
_MOST_BYTES: Final = 64 * 1024 * 1024

PACKING: Final = Packing[Transaction](Transaction)


class Transactions:
    """Transactions in memory, at most `limit`: the oldest finished ones leave first.

    When none is finished the oldest pending one leaves. They leave too when together they take
    more than `most_bytes`.
    """

    def __init__(self, limit: int, most_bytes: int = _MOST_BYTES) -> None:
        self._limit = limit
        self._most_bytes = most_bytes
        self._bytes = 0
        self._by_id: dict[str, bytes] = {}
        # All that were charged under it, the newest last.
        self._of_order: dict[str, tuple[str, ...]] = {}
        self._by_qr_id: dict[str, str] = {}
        self._pending: dict[str, None] = {}
        self._finished = deque[str]()

    def find(self, any_id: str) -> Transaction | None:
        """Look up by transaction id, or by order id: the newest one charged under it."""
        packed = self._by_id.get(any_id)
        if packed is None and (names := self._of_order.get(any_id)):
            packed = self._by_id[names[-1]]
        return None if packed is None else PACKING.unpack(packed)

    def find_by_qr_id(self, qr_id: str) -> Transaction | None:
        name = self._by_qr_id.get(qr_id)
        return None if name is None else PACKING.unpack(self._by_id[name])

    def ids(self) -> Iterable[str]:
        """Go through all transaction ids."""
        return self._by_id

    def newest_first(self, order_id: str | None = None) -> Iterator[Transaction]:
        """Go through all, or all of one order, from the latest charge to the earliest."""
        names = self._by_id if order_id is None else self._of_order.get(order_id, ())
        return (PACKING.unpack(self._by_id[name]) for name in reversed(names))

    def put(self, transaction: Transaction) -> list[Transaction]:
        """Add it, or replace its earlier value; returns what had to leave for it."""
        name, order_id = transaction.transaction_id, transaction.order_id
        packed = PACKING.pack(transaction)
        earlier = self._by_id.get(name)
        self._by_id[name] = packed
        self._bytes += len(packed) - len(earlier or b"")
        if earlier is None:
            self._of_order[order_id] = (*self._of_order.get(order_id, ()), name)
            self._by_qr_id[transaction.qr_id] = name
            self._pending[name] = None
        if not transaction.is_pending and name in self._pending:
            del self._pending[name]
            self._finished.append(name)
        gone = []
        while len(self._by_id) > self._limit or self._bytes > self._most_bytes:
            gone.append(self._remove_oldest())
        return gone

    def _remove_oldest(self) -> Transaction:
        name = self._finished.popleft() if self._finished else next(iter(self._pending))
        self._pending.pop(name, None)
        packed = self._by_id.pop(name)
        self._bytes -= len(packed)
        oldest = PACKING.unpack(packed)
        del self._by_qr_id[oldest.qr_id]
        left = tuple(other for other in self._of_order[oldest.order_id] if other != name)
        if left:
            self._of_order[oldest.order_id] = left
        else:
            del self._of_order[oldest.order_id]
        return oldest
