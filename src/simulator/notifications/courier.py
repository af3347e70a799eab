"""Delivers notifications without anyone waiting for it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol
from weakref import WeakValueDictionary

import structlog
from msgspec.structs import replace as replaced

from simulator.core.disturbed import DISTURBING
from simulator.core.fault_plan import FaultPlan, occasion
from simulator.core.faults import Fault, Point
from simulator.core.transaction import PaidBy, Settlement, Transaction, TransactionStatus
from simulator.core.transactions import PACKING
from simulator.core.wire_log import order_id_of
from simulator.notifications.retries import is_received, time_to_retry
from simulator.ports import Clock
from simulator.schedule import Schedule

CONNECTIONS: Final = 256
# More than the repeats of a hundred thousand usual transactions take.
_MOST_BYTES: Final = 40 * 1024 * 1024
# What is due within the same tenth of a second waits together, which takes less memory.
_TOGETHER: Final = 100_000

_GARBLING: Final = (
    Fault.NOTIFICATION_FORGED,
    Fault.NOTIFICATION_WRONG_AMOUNT,
    Fault.NOTIFICATION_WRONG_CODE,
    *DISTURBING,
)
_WRITING: Final = (Fault.FORGED_SETTLEMENT, *_GARBLING)
_FAULTS: Final = (
    Fault.NOTIFICATION_DROPPED,
    Fault.NOTIFICATION_DUPLICATED,
    Fault.NOTIFICATION_DELAYED,
    Fault.NOTIFICATION_REORDERED,
    *_WRITING,
)
# What time_scale may be; beyond, an interval is none that a clock could wait for.
SLOWEST: Final = 0.001
FASTEST: Final = 1_000_000.0
# How much of the limits repeats may take, and what comes for the first time.
_REPEATS: Final = 1
_FRESH: Final = 2

_log = structlog.stdlib.get_logger()


class Writer(Protocol):
    """Makes the body of what is to be posted, and knows whose order it is about."""

    def body(self, content: bytes) -> bytes: ...

    def order_id(self, content: bytes) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One notification on its way to one address; `then` follow once it has been tried.

    `writer` makes the body of `content` when it is posted: until then it takes little memory.
    """

    url: str
    content: bytes
    writer: Writer
    retries: int = 0
    then: "tuple[Delivery, ...]" = ()


class Courier:
    """Posts each notification to each of its addresses, again and again as Midtrans would.

    Every address has its own retries. `time_scale` divides the intervals between them and
    nothing else. At most `limit` repeats wait, and no more of them than `most_bytes`; first
    attempts find as much room again, so that a receiver long away costs no fresh news. What
    finds no room is given up, and said so.
    """

    def __init__(
        self,
        *,
        send: Callable[[str, bytes], Awaitable[int]],
        write: Callable[[Transaction, Fault | None], bytes],
        faults: FaultPlan,
        clock: Clock,
        time_scale: float,
        limit: int,
        most_bytes: int = _MOST_BYTES,
    ) -> None:
        if not SLOWEST <= time_scale <= FASTEST:
            raise ValueError(f"time_scale must be from {SLOWEST} to {FASTEST}")
        self._send = send
        self._writers = {fault: _FromTransaction(write, fault) for fault in (None, *_WRITING)}
        self._faults = faults
        self._clock = clock
        self._time_scale = time_scale
        self._limit = limit
        self._most_bytes = most_bytes
        self._waiting: dict[datetime, list[Delivery]] = {}
        self._due = Schedule[datetime](clock)
        self._number = self._bytes = 0
        self._free = asyncio.Semaphore(CONNECTIONS)
        # Held back until the same transaction is told about again.
        self._held: dict[str, tuple[Delivery, ...]] = {}
        # By order id, for as long as somebody waits.
        self._watched = WeakValueDictionary[str, asyncio.Event]()

    def notify(self, transaction: Transaction) -> None:
        """Have the transaction's present state told, or what is planned instead; returns at once."""
        if not transaction.notification_urls:
            return
        armed = self._faults.take(occasion(Point.NOTIFICATION, transaction), *_FAULTS)
        fault = armed.fault if armed else None
        deliveries = self._deliveries(transaction, fault if fault in _GARBLING else None)
        held = self._held.pop(transaction.transaction_id, ())
        match fault:
            case Fault.NOTIFICATION_DROPPED:
                deliveries = []
            case Fault.NOTIFICATION_DUPLICATED:
                deliveries += self._deliveries(transaction)
            case Fault.FORGED_SETTLEMENT:
                deliveries += self._deliveries(_as_if_settled(transaction), fault)
            case Fault.NOTIFICATION_REORDERED if len(self._held) < self._limit:
                self._held[transaction.transaction_id] = (*held, *deliveries)
                return
        after = timedelta(seconds=armed.delay) if armed else timedelta(0)
        if deliveries:
            deliveries[-1] = replace(deliveries[-1], then=held)
        for delivery in deliveries or held:
            self._take(delivery, room=_FRESH, after=after)

    def send_again(self, *, url: str, body: bytes) -> None:
        """Post these very bytes once more; returns at once."""
        self._take(Delivery(url=url, content=body, writer=_READY), room=_FRESH)

    def told(self, order_id: str) -> asyncio.Event:
        """Watch for the next attempt at a notification about the order, whatever comes of it."""
        return self._watched.setdefault(order_id, asyncio.Event())

    def let_go(self) -> None:
        """Post what was held back."""
        held, self._held = self._held, {}
        for deliveries in held.values():
            for delivery in deliveries:
                self._take(delivery, room=_FRESH)

    async def deliver(self) -> None:
        """Make every attempt when its time comes, for ever."""
        async with asyncio.TaskGroup() as attempts:
            while True:
                for delivery in self._waiting.pop(await self._due.next()):
                    self._number -= 1
                    self._bytes -= len(delivery.content)
                    await self._free.acquire()
                    attempts.create_task(self._attempt(delivery))

    async def _attempt(self, delivery: Delivery) -> None:
        answer: int | None = None
        try:
            answer = await self._send(delivery.url, delivery.writer.body(delivery.content))
        except Exception as error:  # noqa: BLE001 - an address can fail in any way
            _log.debug("notification.unanswered", url=delivery.url, error=repr(error))
        finally:
            self._free.release()
        if self._watched and (watched := self._watched.pop(_order_id(delivery), None)):
            watched.set()
        for held in delivery.then:
            self._take(held, room=_FRESH)
        if is_received(answer):
            return
        interval = time_to_retry(answer, retries=delivery.retries)
        if interval is None:
            self._give_up(delivery, answer=answer)
        else:
            again = replace(delivery, retries=delivery.retries + 1, then=())
            self._take(again, room=_REPEATS, after=interval / self._time_scale)

    def _deliveries(self, transaction: Transaction, fault: Fault | None = None) -> list[Delivery]:
        content = PACKING.pack(transaction)
        writer = self._writers[fault]
        return [Delivery(url=url, content=content, writer=writer) for url in transaction.notification_urls]

    def _take(self, delivery: Delivery, *, room: int, after: timedelta = timedelta(0)) -> None:
        if self._number >= room * self._limit or self._bytes > room * self._most_bytes:
            self._give_up(delivery, waiting=self._number)
            return
        self._number += 1
        self._bytes += len(delivery.content)
        due = self._clock.now() + after
        due = due.replace(microsecond=due.microsecond // _TOGETHER * _TOGETHER)
        if due not in self._waiting:
            self._waiting[due] = []
            self._due.put(due, due)
        self._waiting[due].append(delivery)

    def _give_up(self, delivery: Delivery, **why: int | None) -> None:
        _log.warning(
            "notification.given_up",
            order_id=_order_id(delivery),
            attempts=delivery.retries + 1,
            **why,
        )


class _FromTransaction:
    """Writes about the transaction that was packed, as a fault would have it."""

    def __init__(self, write: Callable[[Transaction, Fault | None], bytes], fault: Fault | None) -> None:
        self._write, self._fault = write, fault

    def body(self, content: bytes) -> bytes:
        return self._write(PACKING.unpack(content), self._fault)

    def order_id(self, content: bytes) -> str:
        return PACKING.unpack(content).order_id


class _Ready:
    """Has nothing left to write."""

    def body(self, content: bytes) -> bytes:
        return content

    def order_id(self, content: bytes) -> str:
        return order_id_of(content) or ""


_READY: Final = _Ready()


def _order_id(delivery: Delivery) -> str:
    return delivery.writer.order_id(delivery.content)


def _as_if_settled(transaction: Transaction) -> Transaction:
    settlement = Settlement(
        settlement_time=transaction.transaction_time,
        paid_by=PaidBy.QR,
        issuer=transaction.acquirer,
        merchant_cross_reference_id=transaction.transaction_id,
    )
    return replaced(transaction, status=TransactionStatus.SETTLEMENT, settlement=settlement)
