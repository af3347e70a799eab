"""One made-up world: its time, its chance, and what everybody in it did."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from simulation.fate import Fate
from simulation.law import Law
from simulation.virtual_loop import OwnedTask, Owner, VirtualLoop
from support.fakes import START

_MOST_STEPS: Final = 300_000
# A life with so many findings is over.
_ENOUGH: Final = 20
# In some worlds much happens at once: all times are rounded up to multiples of so many seconds.
_GRIDS: Final = (0.0, 0.0, 0.1, 1.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """A promise that was broken, ``at`` so many seconds into the life."""

    law: Law
    what: str
    at: float


class Clock:
    """A clock that may be wrong about the time of day, and never about how long something took."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self.ahead = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self._loop.time() + self.ahead)

    def monotonic(self) -> float:
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        timer = self._loop.create_future()
        self._loop.call_later(seconds, timer.set_result, None)
        await timer


class World:
    """``clock`` is the right time. ``lines`` is the trace, kept only for who wants to read it."""

    def __init__(self, fate: Fate, *, traced: bool = False) -> None:
        self.fate = fate
        self.loop = VirtualLoop(fate.random, most_steps=_MOST_STEPS, grid=fate.one_of(_GRIDS))
        self.clock = Clock(self.loop)
        self.findings: list[Finding] = []
        self.lines: list[str] = []
        self._is_traced = traced
        self._people, self._to_come = Owner("the world"), 0

    @property
    def time(self) -> float:
        """Seconds since the world began."""
        return self.loop.time()

    def start(self, purpose: str, doing: Coroutine[Any, Any, Any]) -> OwnedTask[Any]:
        """Something that people, Midtrans or the weather do."""
        return self.loop.start(self._people, purpose, self._unharmed(doing))

    def later(self, seconds: float, do: Callable[..., object], *args: Any) -> None:
        """Something that happens by itself after a while."""
        self._to_come += 1
        self.loop.call_later(seconds, self._happen, do, args)

    @property
    def is_quiet(self) -> bool:
        """Whether nothing outside Bayar will happen any more."""
        return not self._people.tasks and not self._to_come

    def tell(self, who: str, what: str, *about: object) -> None:
        """A line of the trace; ``what`` is a format for ``about``."""
        if self._is_traced:
            self.lines.append(f"{_written(self.time)}  {who:<12} {what.format(*about)}")

    def broke(self, law: Law, what: str) -> None:
        """Note that a promise was broken."""
        self.findings.append(Finding(law=law, what=what, at=self.time))
        self.tell("FINDING", "{}: {}", law, what)
        if len(self.findings) >= _ENOUGH:
            self.loop.stop()

    def _happen(self, do: Callable[..., object], args: tuple[Any, ...]) -> None:
        self._to_come -= 1
        do(*args)

    async def _unharmed(self, doing: Coroutine[Any, Any, Any]) -> None:
        """A fault of the simulation itself is a finding too."""
        try:
            await doing
        except Exception as fault:  # noqa: BLE001 - whatever it is
            self.broke(Law.SIMULATION, repr(fault))


def _written(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    days, hours = divmod(hours, 24)
    return f"{days}d {hours:02}:{minutes:02}:{rest:06.3f}"
