"""The Idempotency-Key header."""

from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from simulator.core.answers import Answer, InProcess, Refused
from simulator.core.packing import Packing
from simulator.ports import Clock

# docs.midtrans.com/reference/api-headers, "Idempotent Requests".
_LONGEST_KEY: Final = 46
_LIFETIME: Final = timedelta(minutes=5)
# More than a hundred thousand usual ones take.
_MOST_BYTES: Final = 32 * 1024 * 1024

_PACKING: Final = Packing[Answer](Answer)


class IdempotencyKeys:
    """Answers a repeated request like the first, whatever the endpoint and whatever the body.

    Only successes are remembered, for five minutes, at most `limit` of them, and only as long
    as they take no more than `most_bytes`; a key longer than 46 characters counts as none.
    """

    def __init__(self, clock: Clock, limit: int, most_bytes: int = _MOST_BYTES) -> None:
        self._clock = clock
        self._limit = limit
        self._most_bytes = most_bytes
        self._bytes = 0
        self._in_process: set[str] = set()
        # The oldest first, and until when each is remembered.
        self._answers: dict[str, bytes] = {}
        self._ends = deque[datetime]()

    async def once(self, key: str | None, work: Callable[[], Awaitable[Answer]]) -> Answer:
        """Do the work and return its answer, unless the key already has or awaits one."""
        if not key or len(key) > _LONGEST_KEY:
            return await work()
        self._forget_old_ones()
        if key in self._answers:
            return _PACKING.unpack(self._answers[key])
        if key in self._in_process:
            return InProcess()
        self._in_process.add(key)
        try:
            answer = await work()
        finally:
            self._in_process.discard(key)
        if not isinstance(answer, Refused):
            self._remember(key, _PACKING.pack(answer))
        return answer

    def _remember(self, key: str, packed: bytes) -> None:
        self._answers[key] = packed
        self._bytes += len(packed)
        self._ends.append(self._clock.now() + _LIFETIME)

    def _forget_old_ones(self) -> None:
        now = self._clock.now()
        while self._ends and (
            self._ends[0] <= now or len(self._ends) >= self._limit or self._bytes > self._most_bytes
        ):
            self._ends.popleft()
            self._bytes -= len(self._answers.pop(next(iter(self._answers))))
