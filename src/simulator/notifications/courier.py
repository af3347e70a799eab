"""Delivers notifications without anyone waiting for it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import structlog

from simulator.core.transaction import Transaction
from simulator.notifications.retries import is_received, time_to_retry
from simulator.ports import Clock
from simulator.schedule import Schedule

CONNECTIONS: Final = 256

_log = structlog.stdlib.get_logger()


# Compared by identity: two deliveries of the same transaction are two things.
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Delivery:
    """One notification on its way to one address."""

    url: str
    transaction: Transaction
    retries: int = 0


class Courier:
    """Posts each notification to each of its addresses, again and again as Midtrans would.

    Every address has its own retries. `time_scale` divides the intervals between them and
    nothing else. At most `limit` repeats wait, and first attempts find as much room again, so
    that a receiver long away costs no fresh news. What finds no room is given up, and said so.
    """

    def __init__(
        self,
        *,
        send: Callable[[str, bytes], Awaitable[int]],
        write: Callable[[Transaction], bytes],
        clock: Clock,
        time_scale: float,
        limit: int,
    ) -> None:
        if time_scale <= 0:
            raise ValueError("time_scale must be greater than 0")
        self._send = send
        self._write = write
        self._clock = clock
        self._time_scale = time_scale
        self._limit = limit
        self._waiting = Schedule[Delivery](clock)
        self._free = asyncio.Semaphore(CONNECTIONS)

    def notify(self, transaction: Transaction) -> None:
        """Have the transaction's present state told; returns at once."""
        for url in transaction.notification_urls:
            self._take(Delivery(url=url, transaction=transaction), most=2 * self._limit)

    async def deliver(self) -> None:
        """Make every attempt when its time comes, for ever."""
        async with asyncio.TaskGroup() as attempts:
            while True:
                delivery = await self._waiting.next()
                await self._free.acquire()
                attempts.create_task(self._attempt(delivery))

    async def _attempt(self, delivery: Delivery) -> None:
        answer: int | None = None
        try:
            answer = await self._send(delivery.url, self._write(delivery.transaction))
        except Exception as error:  # noqa: BLE001 - an address can fail in any way
            _log.debug("notification.unanswered", url=delivery.url, error=repr(error))
        finally:
            self._free.release()
        if is_received(answer):
            return
        interval = time_to_retry(answer, retries=delivery.retries)
        if interval is None:
            self._give_up(delivery, answer=answer)
        else:
            again = replace(delivery, retries=delivery.retries + 1)
            self._take(again, most=self._limit, after=interval / self._time_scale)

    def _take(self, delivery: Delivery, *, most: int, after: timedelta = timedelta(0)) -> None:
        if len(self._waiting) >= most:
            self._give_up(delivery, waiting=len(self._waiting))
        else:
            self._waiting.put(delivery, self._clock.now() + after)

    def _give_up(self, delivery: Delivery, **why: int | None) -> None:
        _log.warning(
            "notification.given_up",
            order_id=delivery.transaction.order_id,
            transaction_status=delivery.transaction.status,
            attempts=delivery.retries + 1,
            **why,
        )
