"""An event loop whose time is made up and whose order is drawn: the same seed is the same run.

Nothing waits: when nothing is ready, time jumps to the next timer. Of all that is ready, which goes on next
is drawn, so that whatever may interleave does, sooner or later. A task belongs to an owner, as do the tasks
that it starts; an owner can be killed, or stand still, between any two of their steps.
"""

import asyncio
import contextvars
import heapq
from collections.abc import Callable, Coroutine, Generator
from math import ceil
from random import Random
from typing import Any, Final, TypeVar

from support.killed import end_abruptly

T = TypeVar("T")
NEVER: Final = float("inf")


class _OthersFirst:
    def __await__(self) -> Generator[None, None, None]:
        yield


# What ``asyncio.sleep(0)`` is, a good deal faster.
OTHERS_FIRST: Final = _OthersFirst()


class TooManySteps(Exception):
    """Something goes round and round."""


class Owner:
    """Who a task belongs to; ``tasks`` are those that are not done, in the order of their start."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.tasks: dict[OwnedTask[Any], None] = {}


class OwnedTask(asyncio.Task[T]):
    """A task that knows its owner, and what it is for; what it starts inherits both."""

    owner: Owner | None = None
    purpose: str = ""


class Handle:
    """Something to be called once, unless it is cancelled before."""

    __slots__ = ("_args", "_call", "is_cancelled")

    def __init__(self, call: Callable[..., object], args: tuple[Any, ...]) -> None:
        self._call, self._args, self.is_cancelled = call, args, False

    def cancel(self) -> None:
        self.is_cancelled = True

    def run(self) -> None:
        self._call(*self._args)

    @property
    def owner(self) -> Owner | None:
        """Whose step this is, if it is a step of a task."""
        task = getattr(self._call, "__self__", None)
        return task.owner if isinstance(task, OwnedTask) else None


class VirtualLoop(asyncio.AbstractEventLoop):
    """With a ``grid``, everything happens at multiples of so many seconds, and so much of it at once.

    ``on_step`` is called after a step of a task, once ``steps`` has come to ``stop_at``; it hears whose step
    it was, and gives the next ``stop_at``.
    """

    def __init__(self, random: Random, *, most_steps: int, grid: float = 0.0) -> None:
        self._random, self._most_steps, self._grid = random.random, most_steps, grid
        self._now, self._count = 0.0, 0
        self._ready: list[Handle] = []
        self._timers: list[tuple[float, int, Handle]] = []
        self._paused: dict[Owner, list[Handle]] = {}
        self.is_stopped = False
        self.steps = 0
        self.stop_at: float = NEVER
        self.on_step: Callable[[Owner], float] = lambda _: NEVER

    def time(self) -> float:
        return self._now

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Nothing is told: what a killed task leaves behind is nobody's, all else is awaited."""

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> Handle:
        del context  # nothing in here depends on one
        handle = Handle(callback, args)
        self._ready.append(handle)
        return handle

    def call_at(  # type: ignore[override]
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> Handle:
        del context
        handle = Handle(callback, args)
        self._count += 1
        if self._grid:
            when = ceil(when / self._grid) * self._grid
        heapq.heappush(self._timers, (when, self._count, handle))
        return handle

    def call_later(  # type: ignore[override]
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> Handle:
        return self.call_at(self._now + max(delay, 0.0), callback, *args, context=context)

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(self, coro: Coroutine[Any, Any, T], **_: Any) -> OwnedTask[T]:  # type: ignore[override]
        task = OwnedTask(coro, loop=self)
        parent = asyncio.current_task(self)
        if isinstance(parent, OwnedTask) and parent.owner is not None:
            _give(task, parent.owner, parent.purpose)
        return task

    def start(self, owner: Owner, purpose: str, coro: Coroutine[Any, Any, T]) -> OwnedTask[T]:
        """A task of an owner, for a purpose."""
        task = OwnedTask(coro, loop=self)
        _give(task, owner, purpose)
        return task

    def kill(self, owner: Owner) -> None:
        """End every task of an owner where it stands: nothing of it runs any more."""
        for task in list(owner.tasks):
            end_abruptly(task)
        owner.tasks.clear()

    def pause(self, owner: Owner, seconds: float) -> None:
        """Nothing of an owner goes on for so long, though time does."""
        if owner not in self._paused:
            self._paused[owner] = []
            self.call_later(seconds, self.go_on, owner)

    def go_on(self, owner: Owner) -> None:
        """End a pause, if there is one."""
        self._ready.extend(self._paused.pop(owner, ()))

    def stop(self) -> None:
        """End this run after the step in hand, and make every other an empty one."""
        self.is_stopped = True

    def run(self, until: float) -> None:
        """Go on until nothing is left to do before that time. Raises TooManySteps."""
        other = asyncio._get_running_loop()
        asyncio._set_running_loop(self)
        try:
            while not self.is_stopped and self._has_ready(until):
                self._step()
        finally:
            asyncio._set_running_loop(other)

    def _has_ready(self, until: float) -> bool:
        """Whether there is a step to make; time goes on to it."""
        ready, timers = self._ready, self._timers
        while not ready:
            if not timers or timers[0][0] > until:
                self._now = max(self._now, until)
                return False
            self._now = max(self._now, timers[0][0])
            while timers and timers[0][0] <= self._now:
                handle = heapq.heappop(timers)[2]
                if not handle.is_cancelled:
                    ready.append(handle)
        return True

    def _step(self) -> None:
        ready = self._ready
        drawn = int(self._random() * len(ready))
        handle, ready[drawn] = ready[drawn], ready[-1]
        ready.pop()
        if handle.is_cancelled or (self._paused and self._is_held_back(handle)):
            return
        handle.run()
        self.steps += 1
        if self.steps >= self.stop_at and (owner := handle.owner) is not None:
            self.stop_at = self.on_step(owner)
        if self.steps > self._most_steps:
            raise TooManySteps

    def _is_held_back(self, handle: Handle) -> bool:
        owner = handle.owner
        if owner is None or owner not in self._paused:
            return False
        self._paused[owner].append(handle)
        return True


def _give(task: OwnedTask[Any], owner: Owner, purpose: str) -> None:
    task.owner, task.purpose = owner, purpose
    owner.tasks[task] = None
    task.add_done_callback(_forget)


def _forget(task: asyncio.Future[Any]) -> None:
    assert isinstance(task, OwnedTask)
    assert task.owner is not None
    task.owner.tasks.pop(task, None)
