"""Who follows a payment in this process, and the one look at the database for all of them."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

import structlog

from domain.errors import DatabaseUnavailable, TooManyStreams
from domain.payment import Payment
from domain.ports.changes import PaymentChanges

# A change reaches its viewers within this and one statement.
_SECONDS_BETWEEN_LOOKS: Final = 0.3
_LONGEST_PAUSE: Final = 2.0
_log: Final = structlog.get_logger()


class Watch:
    """One viewer's wait for one payment. However slow the viewer, it holds the newest state and no more."""

    __slots__ = ("_latest", "_seen", "_waiting", "is_over")

    def __init__(self, seen: int) -> None:
        self._seen = seen
        self._latest: Payment | None = None
        self._waiting: asyncio.Future[None] | None = None
        self.is_over = False

    async def change(self, *, within: float) -> Payment | None:
        """The payment as soon as it differs from what was seen; None after so many seconds, or when over."""
        if self._latest is None and not self.is_over:
            loop = asyncio.get_running_loop()
            self._waiting = loop.create_future()
            alarm = loop.call_later(within, self._wake)
            try:
                await self._waiting
            finally:
                alarm.cancel()
                self._waiting = None
        latest, self._latest = self._latest, None
        return latest

    def tell(self, payment: Payment) -> None:
        if payment.log_length > self._seen:
            self._seen, self._latest = payment.log_length, payment
            self._wake()

    def end(self) -> None:
        """Let the viewer go: nothing more will be told."""
        self.is_over = True
        self._wake()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


class Watcher:
    """Looks at all followed payments with one question, as long as there are any, and tells their viewers.

    ``most`` is how many viewers there may be at a time. A database that is away is waited for.
    """

    def __init__(self, *, changes: PaymentChanges, most: int, pause: float = _SECONDS_BETWEEN_LOOKS) -> None:
        self._changes, self._most, self._pause = changes, most, pause
        self._watches: defaultdict[UUID, set[Watch]] = defaultdict(set)
        self._seen: dict[UUID, int] = {}
        self._number = 0
        self._looking: asyncio.Task[None] | None = None
        self._is_closed = False

    @contextmanager
    def watch(self, payment: Payment) -> Iterator[Watch]:
        """Follow a payment from the state that the viewer has of it. Raises TooManyStreams."""
        if self._number >= self._most:
            raise TooManyStreams
        watch, payment_id = Watch(payment.log_length), payment.id
        watch.is_over = self._is_closed
        self._number += 1
        self._watches[payment_id].add(watch)
        # Whoever has an older state is told with the next look; whoever has a newer one is not told again.
        self._seen[payment_id] = min(payment.log_length, self._seen.get(payment_id, payment.log_length))
        if self._looking is None and not self._is_closed:
            self._looking = asyncio.create_task(self._look_again_and_again())
        try:
            yield watch
        finally:
            self._number -= 1
            self._watches[payment_id].discard(watch)
            if not self._watches[payment_id]:
                del self._watches[payment_id], self._seen[payment_id]

    async def look(self) -> None:
        """Ask once what has changed, and tell it. Raises DatabaseUnavailable."""
        for payment in await self._changes.since(self._seen):
            if payment.id in self._seen:
                self._seen[payment.id] = payment.log_length
                for watch in self._watches[payment.id]:
                    watch.tell(payment)

    def close(self) -> None:
        """Let every viewer go, and whoever comes later."""
        self._is_closed = True
        if self._looking is not None:
            self._looking.cancel()
        for watches in self._watches.values():
            for watch in watches:
                watch.end()

    async def _look_again_and_again(self) -> None:
        pause = self._pause
        while True:
            await asyncio.sleep(pause)
            if not self._watches:
                self._looking = None
                return
            try:
                await self.look()
            except DatabaseUnavailable:
                if pause == self._pause:
                    _log.warning("watcher.database_away")
                pause = min(pause * 2, _LONGEST_PAUSE)
            except Exception:  # noqa: BLE001 - one bad look must not leave everybody waiting for ever
                _log.exception("watcher.failed")
                pause = _LONGEST_PAUSE
            else:
                pause = self._pause
