"""Many lives, over all cores, and what they come to."""

import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from simulation.fate import Fault
from simulation.law import Law
from simulation.life import Outcome, live
from simulation.quiet import in_quiet

_AT_A_TIME: Final = 50
# A seed for each law is enough to look at; all are counted.
_SHOWN: Final = 20


@dataclass(kw_only=True, slots=True)
class Tally:
    """The sums over many lives; ``findings`` are seeds with what they broke, the first of each law."""

    lives: int = 0
    steps: int = 0
    seconds: float = 0.0
    lived: float = 0.0
    faults: Counter[Fault] = field(default_factory=Counter)
    payments: Counter[str] = field(default_factory=Counter)
    broken: Counter[Law] = field(default_factory=Counter)
    findings: list[tuple[int, Law, str]] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        self.lives += 1
        self.steps += outcome.steps
        self.lived += outcome.seconds
        self.faults += outcome.faults
        self.payments += outcome.payments
        for law in {finding.law for finding in outcome.findings}:
            self.broken[law] += 1
            if self.broken[law] <= _SHOWN:
                what = next(found.what for found in outcome.findings if found.law is law)
                self.findings.append((outcome.seed, law, what))

    def join(self, other: "Tally") -> None:
        self.lives += other.lives
        self.steps += other.steps
        self.lived += other.lived
        self.faults += other.faults
        self.payments += other.payments
        self.broken += other.broken
        self.findings += other.findings

    @property
    def lives_a_second(self) -> float:
        return self.lives / self.seconds if self.seconds else 0.0


def live_many(
    seeds: range, *, jobs: int | None = None, tell: Callable[[Tally], None] = lambda _: None
) -> Tally:
    """Live them all; ``tell`` hears now and then how far it is."""
    started, total = time.monotonic(), Tally()
    chunks = [seeds[at : at + _AT_A_TIME] for at in range(0, len(seeds), _AT_A_TIME)]
    for tally in _tallies(chunks, jobs or os.cpu_count() or 1):
        total.join(tally)
        total.seconds = time.monotonic() - started
        tell(total)
    total.findings.sort()
    return total


def _tallies(chunks: list[range], jobs: int) -> Iterator[Tally]:
    if jobs == 1 or len(chunks) == 1:
        yield from map(_lived, chunks)
        return
    with multiprocessing.get_context("spawn").Pool(min(jobs, len(chunks))) as pool:
        yield from pool.imap_unordered(_lived, chunks)


def _lived(seeds: range) -> Tally:
    tally = Tally()
    with in_quiet():
        for seed in seeds:
            tally.add(live(seed))
    return tally
