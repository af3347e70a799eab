import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context, copy_context
from typing import Generic, TypeVar

from domain.errors import DatabaseUnavailable
from domain.ports.work import UnitOfWork, Work

T = TypeVar("T")
R = TypeVar("R")


class TooManyWait(DatabaseUnavailable):
    """The database does not keep up, and so much is waiting for it already that more would only wait."""

    def __init__(self) -> None:
        super().__init__("Too much is waiting for the database; nothing was stored, try again.")


class Together(Generic[T, R]):
    """What is handed in while others are being done is done in one go afterwards.

    Nothing waits for company: with nothing in hand a thing is done at once, alone. At most ``lanes`` groups
    of at most ``most`` are done at a time, a further one only once a ``crowd`` waits, as when a group takes
    long; beyond ``waiting`` more are refused.
    """

    def __init__(
        self,
        do: Callable[[Sequence[T]], Awaitable[Sequence[R]]],
        *,
        most: int,
        lanes: int,
        waiting: int,
        crowd: int = 1,
    ) -> None:
        self._do, self._most, self._lanes, self._waiting = do, most, lanes, waiting
        self._crowd = crowd
        self._queue: deque[tuple[T, asyncio.Future[R], Context]] = deque()
        self._at_work = 0
        self._running: set[asyncio.Task[None]] = set()

    async def __call__(self, thing: T) -> R:
        """What ``do`` made of it. Raises what ``do`` raises, and TooManyWait."""
        if len(self._queue) >= self._waiting:
            raise TooManyWait
        done: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._queue.append((thing, done, copy_context()))
        if self._at_work == 0 or (self._at_work < self._lanes and len(self._queue) >= self._crowd):
            self._at_work += 1
            lane = asyncio.create_task(self._work())
            self._running.add(lane)
            lane.add_done_callback(self._running.discard)
        return await done

    async def _work(self) -> None:
        try:
            while self._queue:
                await self._next_group()
        finally:
            # At once, and not when the task is done: what is handed in between would wait for nobody.
            self._at_work -= 1

    async def _next_group(self) -> None:
        group = [self._queue.popleft() for _ in range(min(len(self._queue), self._most))]
        try:
            # What is told of one alone is told as its caller's; of several, as nobody's.
            context = group[0][2] if len(group) == 1 else Context()
            done_together = self._do([thing for thing, _, _ in group])
            results = await asyncio.create_task(_awaited(done_together), context=context)
        except asyncio.CancelledError:
            for _, done, _ in group:
                done.cancel()
            raise
        except BaseException as trouble:
            for _, done, _ in group:
                if not done.done():
                    done.set_exception(trouble)
            if isinstance(trouble, KeyboardInterrupt | SystemExit):
                raise
            return
        for (_, done, _), result in zip(group, results, strict=True):
            if not done.done():  # whoever waited may have left
                done.set_result(result)


async def in_one_commit(
    begin: UnitOfWork, do: Callable[[Work, Sequence[T]], Awaitable[Sequence[R | None]]], group: Sequence[T]
) -> Sequence[R | None]:
    """What ``do`` makes of a group; when it fails None for each, so that whichever it was fails alone.

    Raises DatabaseUnavailable for one that is alone already.
    """
    try:
        async with begin() as work:
            return await do(work, group)
    except DatabaseUnavailable:
        if len(group) == 1:
            raise
    except Exception:  # noqa: BLE001, S110 - done alone, it tells why
        pass
    return [None] * len(group)


async def _awaited(thing: Awaitable[R]) -> R:
    return await thing
