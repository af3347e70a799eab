"""What the processes hold at one moment, as the system tells it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from support.killing import children_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from endurance.shops import Seen

# What is begun and warmed up in the first third says nothing of what grows.
_WARM: Final = 1 / 3
_MIB: Final = 1024
_HOUR: Final = 3600


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """``at`` in seconds since the load began; memory in MiB; calls and what was wrong since the last one."""

    at: float
    memory: Mapping[str, float]
    connections: Mapping[str, int]
    calls_a_second: float
    wrong: Mapping[str, int]
    median: float
    slowest: float


def a_sample(
    *, at: float, since: float, pids: Mapping[str, int], postmaster: int, connected: int, seen: Seen
) -> Sample:
    """As it is now, with what was seen of the calls ``since``."""
    took = sorted(seen.seconds) or [0.0]
    own = {name: _sockets(pid) for name, pid in pids.items()}
    return Sample(
        at=at,
        memory={name: _resident(pid) for name, pid in pids.items()} | {"Postgres": _shared_once(postmaster)},
        connections=own | {"Postgres, clients": connected},
        calls_a_second=seen.calls / max(at - since, 1e-9),
        wrong=dict(seen.wrong),
        median=took[len(took) // 2],
        slowest=took[min(len(took) * 99 // 100, len(took) - 1)],
    )


def slope(samples: Sequence[Sample], values: Sequence[float]) -> float:
    """By how much a value grows in an hour, once warm: the straight line that fits best."""
    known = list(zip([sample.at for sample in samples], values, strict=True))
    known = known[int(len(known) * _WARM) :]
    middle = sum(at for at, _ in known) / len(known)
    mean = sum(value for _, value in known) / len(known)
    spread = sum((at - middle) ** 2 for at, _ in known)
    return _HOUR * sum((at - middle) * (value - mean) for at, value in known) / spread if spread else 0.0


def _resident(pid: int) -> float:
    return _kilobytes(Path(f"/proc/{pid}/status"), "VmRSS:") / _MIB


def _shared_once(postmaster: int) -> float:
    """Of all of Postgres's processes; what they share counts once."""
    pids = (postmaster, *children_of(postmaster))
    return sum(_kilobytes(Path(f"/proc/{pid}/smaps_rollup"), "Pss:") for pid in pids) / _MIB


def _kilobytes(file: Path, name: str) -> int:
    try:
        told = file.read_text()
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return 0
    return int(told.partition(name)[2].split()[0]) if name in told else 0


def _sockets(pid: int) -> int:
    found = 0
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found += descriptor.readlink().name.startswith("socket:")
        except FileNotFoundError:  # closed meanwhile
            continue
    return found
