import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from domain.delivery import Answer, DueDelivery, Verdict, verdict
from domain.errors import DatabaseUnavailable
from domain.ports.chance import Chance
from domain.ports.clock import Clock
from domain.ports.deliveries import Settled
from domain.ports.merchant import Merchant, Message
from domain.ports.work import UnitOfWork

# Together well below the 30 s for which an event is taken, so that nobody sends it a second time meanwhile:
# what a process that stood still finds in its hand it does not send any more.
_WITHIN: Final = 15.0
_STALE_AFTER: Final = 10.0
# An answer that cannot be stored at once is worth a few more tries: else the event is sent a second time.
_STORE_AGAIN_AFTER: Final = (0.2, 1.0, 3.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One try, and what became of it, as it is told to whoever watches."""

    due: DueDelivery
    answer: Answer
    verdict: Verdict
    settled: Settled
    seconds: float


class DeliverEvents:
    """Send the shop's endpoints what they are to be told, each event until its endpoint has it.

    What is sent and not yet answered when the process dies is sent again by whoever takes it next.
    """

    def __init__(
        self,
        *,
        begin: UnitOfWork,
        merchant: Merchant,
        clock: Clock,
        chance: Chance,
        tell: Callable[[Attempt], None],
    ) -> None:
        self._begin, self._merchant = begin, merchant
        self._clock, self._chance, self._tell = clock, chance, tell
        self._sending: set[asyncio.Task[None]] = set()

    async def __call__(self, *, at_once: int) -> int:
        """Start to send what is due, until ``at_once`` are under way; how many were started.

        No answer is waited for, so a slow endpoint holds up nobody. Raises what an earlier try ended with.
        """
        for ended in [task for task in self._sending if task.done()]:
            self._sending.remove(ended)
            ended.result()
        room = at_once - len(self._sending)
        if room <= 0:
            return 0
        taken_at = self._clock.monotonic()
        async with self._begin() as work:
            taken = await work.deliveries.take(limit=room)
        self._sending |= {asyncio.create_task(self._deliver(due, taken_at)) for due in taken}
        return len(taken)

    async def waits_for_one(self, *, within: float) -> bool:
        """Wait until one of those under way is answered, but no longer than this; false if there is none."""
        if self._sending:
            await asyncio.wait(self._sending, timeout=within, return_when=asyncio.FIRST_COMPLETED)
        return bool(self._sending)

    async def finish(self) -> None:
        """Wait until everything that is being sent is answered. Raises what the first of them ended with."""
        while self._sending:
            await asyncio.wait(self._sending)
            await self(at_once=0)

    async def _deliver(self, due: DueDelivery, taken_at: float) -> None:
        started = self._clock.monotonic()
        if started - taken_at > _STALE_AFTER:
            return
        message = Message(
            id=str(due.event_id),
            sent_at=self._clock.now(),
            body=due.body,
            url=due.url,
            secrets=due.secrets,
            allow_private=due.allow_private,
        )
        answer = await self._merchant.send(message, within=_WITHIN)
        decided = verdict(due, answer, chance=self._chance.fraction())
        settled = await self._settle(due, answer, decided)
        seconds = self._clock.monotonic() - started
        self._tell(Attempt(due=due, answer=answer, verdict=decided, settled=settled, seconds=seconds))

    async def _settle(self, due: DueDelivery, answer: Answer, decided: Verdict) -> Settled:
        for pause in (*_STORE_AGAIN_AFTER, None):
            try:
                async with self._begin() as work:
                    return await work.deliveries.settle(due, answer, decided)
            except DatabaseUnavailable:
                if pause is None:
                    raise
                await self._clock.sleep(pause)
        raise AssertionError  # the last round returns or raises
