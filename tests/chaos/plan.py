"""What goes wrong, and when, from a seed: the same seed is the same plan.

The plan alone: what the processes were doing when it struck differs from run to run.
"""

from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Any, Final


class Target(StrEnum):
    """What is killed, always with -9."""

    API_PROCESS = "one of the API's processes"
    API_PARENT = "the API's parent process"
    API = "the API, all of its processes"
    WORKER = "one of two workers"
    WORKERS = "both workers"
    POSTGRES_PROCESS = "one of Postgres's processes"
    POSTGRES = "Postgres, all of its processes"


@dataclass(frozen=True, kw_only=True, slots=True)
class Kill:
    """``at`` so many seconds after the load began; what died stays ``away`` so long."""

    at: float
    target: Target
    away: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Misbehaviour:
    """A fault of Midtrans's, as the simulator is told of it."""

    at: float
    command: dict[str, Any]


# Between two kills, so that what died has a chance to come back first; sometimes it has not.
_PAUSE: Final = (2.5, 6.0)
_QUIET_START: Final = 4.0
_AWAY: Final = {
    Target.API_PROCESS: 0.0,  # its parent replaces it
    Target.API_PARENT: 1.0,
    Target.API: 3.0,
    Target.WORKER: 3.0,
    Target.WORKERS: 5.0,
    Target.POSTGRES_PROCESS: 0.0,  # it recovers by itself
    Target.POSTGRES: 6.0,
}


def kills(seed: int, seconds: float) -> list[Kill]:
    """Every target in turn, shuffled anew each time round."""
    random = Random(f"kills {seed}")  # noqa: S311 - to be repeatable is the point
    found: list[Kill] = []
    deck: list[Target] = []
    at = _QUIET_START + random.uniform(0, 2)
    while at < seconds:
        deck = deck or random.sample(list(Target), len(Target))
        target = deck.pop()
        found.append(Kill(at=round(at, 2), target=target, away=round(random.uniform(0, _AWAY[target]), 2)))
        at += random.uniform(*_PAUSE)
    return found


# How often each comes, and where it strikes. None of them makes Midtrans say for good what is not so.
_FAULTS: Final = (
    (4, {"fault": "answer-lost", "on": "charge"}),
    (3, {"fault": "connection-closed", "on": "charge"}),
    (3, {"fault": "slow-answer", "on": "charge", "seconds": 3}),
    (2, {"fault": "error-500", "on": "charge"}),
    (2, {"fault": "error-500-taken", "on": "charge"}),
    (2, {"fault": "bad-gateway", "on": "charge"}),
    (2, {"fault": "bad-gateway-taken", "on": "charge"}),
    (2, {"fault": "unavailable", "on": "charge"}),
    (2, {"fault": "rate-limited", "on": "charge"}),
    (2, {"fault": "in-process", "on": "charge"}),
    (1, {"fault": "wrong-amount", "on": "charge"}),
    (1, {"fault": "wrong-order-id", "on": "charge"}),
    (2, {"fault": "missing-fields", "on": "charge"}),
    (2, {"fault": "unknown-fields", "on": "charge"}),
    (1, {"fault": "denied", "on": "charge"}),
    (1, {"fault": "duplicate-order-id", "on": "charge"}),
    (3, {"fault": "notification-first", "on": "charge", "seconds": 3}),
    # Rarely: a question is not repeated within 10 s, so two in a row would take most of the 30 s promised.
    (1, {"fault": "connection-closed", "on": "status"}),
    (2, {"fault": "slow-answer", "on": "status", "seconds": 3}),
    (1, {"fault": "bad-gateway", "on": "status"}),
    (1, {"fault": "uppercase-status", "on": "status"}),
    (6, {"fault": "notification-duplicated"}),
    (5, {"fault": "notification-reordered"}),
    (4, {"fault": "notification-delayed", "seconds": 5}),
    (6, {"fault": "notification-dropped"}),
    (3, {"fault": "notification-forged"}),
    (3, {"fault": "notification-wrong-amount"}),
    (3, {"fault": "notification-wrong-code"}),
    (4, {"fault": "forged-settlement"}),
    (2, {"fault": "paid-by-qr"}),
)


def misbehaviours(seed: int, seconds: float, *, every: float = 0.25) -> list[Misbehaviour]:
    """One fault at a time, each for one occasion."""
    random = Random(f"faults {seed}")  # noqa: S311 - to be repeatable is the point
    weights = [weight for weight, _ in _FAULTS]
    return [
        Misbehaviour(at=step * every, command=dict(random.choices(_FAULTS, weights)[0][1]))
        for step in range(int(seconds / every))
    ]
