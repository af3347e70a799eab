"""The Idempotency-Key header."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from simulator.core.answers import Answer, InProcess, Refused
from simulator.ports import Clock

# docs.midtrans.com/reference/api-headers, "Idempotent Requests".
_LONGEST_KEY: Final = 46
_LIFETIME: Final = timedelta(minutes=5)


class IdempotencyKeys:
    """Answers a repeated request like the first, whatever the endpoint and whatever the body.

    Only successes are remembered, for five minutes, and at most `limit` of them; a key longer
    than 46 characters counts as none.
    """

    def __init__(self, clock: Clock, limit: int) -> None:
        self._clock = clock
        self._limit = limit
        self._in_process: set[str] = set()
        self._answers: dict[str, tuple[datetime, Answer]] = {}

    async def once(self, key: str | None, work: Callable[[], Awaitable[Answer]]) -> Answer:
        """Do the work and return its answer, unless the key already has or awaits one."""
        if not key or len(key) > _LONGEST_KEY:
            return await work()
        self._forget_old_ones()
        if key in self._answers:
            return self._answers[key][1]
        if key in self._in_process:
            return InProcess()
        self._in_process.add(key)
        try:
            answer = await work()
        finally:
            self._in_process.discard(key)
        if not isinstance(answer, Refused):
            self._answers[key] = (self._clock.now() + _LIFETIME, answer)
        return answer

    def _forget_old_ones(self) -> None:
        now = self._clock.now()
        while self._answers:
            oldest = next(iter(self._answers))
            if self._answers[oldest][0] > now and len(self._answers) < self._limit:
                break
            del self._answers[oldest]
