"""What was seen during a run, in seconds since the load began."""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from chaos.plan import Kill

# What a caller is promised when something is away: it is told so, and how to go on.
_TOLD: Final = frozenset({409, 429, 502, 503, 504})


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """One call of the service; no status is a connection that broke, or was refused."""

    at: float
    call: str
    status: int | None

    @property
    def outcome(self) -> str:
        if self.status is None:
            return "broken"
        return "told" if self.status in _TOLD else "good"


@dataclass(kw_only=True, slots=True)
class Killed:
    """A kill that was carried out, and how long it took until all was whole again; None if it never was."""

    kill: Kill
    at: float
    recovery: float | None = None


@dataclass(kw_only=True)
class Record:
    """Grows while the run lasts."""

    started_at: float = field(default_factory=time.time)
    answers: list[Answer] = field(default_factory=list)
    killed: list[Killed] = field(default_factory=list)
    # What processes ended with that nobody killed, and tracebacks in what they said.
    ended: list[str] = field(default_factory=list)
    tracebacks: list[str] = field(default_factory=list)

    def start(self) -> None:
        """The load begins now; what was seen before does not count."""
        self.started_at = time.time()
        self.answers.clear()

    def now(self) -> float:
        return time.time() - self.started_at

    def answered(self, call: str, status: int | None) -> None:
        self.answers.append(Answer(at=self.now(), call=call, status=status))

    def whole_seconds(self, since: float, until: float) -> float:
        """How much of this time, told as by a clock on the wall, nothing was killed and not yet back."""
        struck = sorted(
            (self.started_at + killed.at, self.started_at + killed.at + (killed.recovery or 0.0))
            for killed in self.killed
        )
        whole, reached = 0.0, since
        for start, end in struck:
            whole += max(min(start, until) - reached, 0.0)
            reached = min(max(reached, end), until)
        return whole + until - reached

    def per_second(self, seconds: int) -> dict[str, list[int]]:
        """How many calls had which outcome in each second."""
        counted = Counter((int(answer.at), answer.outcome) for answer in self.answers)
        return {
            outcome: [counted[second, outcome] for second in range(seconds)]
            for outcome in ("good", "told", "broken")
        }

    def by_status(self) -> list[tuple[str, str, int]]:
        """How often each kind of call was answered how."""
        counted = Counter(
            (answer.call, "no answer" if answer.status is None else str(answer.status))
            for answer in self.answers
        )
        return [(call, status, number) for (call, status), number in sorted(counted.items())]


def spread(values: Iterable[float]) -> tuple[float, float, float]:
    """The median, the 99th percentile and the most; zeros of nothing."""
    found = sorted(values) or [0.0]
    return found[len(found) // 2], found[min(len(found) * 99 // 100, len(found) - 1)], found[-1]
