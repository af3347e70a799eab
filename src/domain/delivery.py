"""What follows from one try to deliver an event: a repeat, and when; or that there is none.

Two things keep an endpoint from being flooded and from being forgotten. An event that an answering endpoint
does not take is tried again at growing intervals of its own. An endpoint that does not answer at all, or
takes nothing for a while, is paused, and then tried with one event at a time until it takes one.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from uuid import UUID

# After so long without success, and so many tries, an event is not sent any more by itself.
GIVE_UP_AFTER: Final = timedelta(hours=24)
LEAST_TRIES: Final = 8

# So many refusals in a row are the endpoint's own trouble rather than an event's.
FAILING_FROM: Final = 10

_FIRST_WAIT: Final = timedelta(seconds=5)
_LONGEST_WAIT: Final = timedelta(minutes=30)
_FIRST_PAUSE: Final = timedelta(seconds=1)
_LONGEST_PAUSE: Final = timedelta(minutes=1)
_LONGEST_ASKED: Final = timedelta(hours=1)

_GONE: Final = 410
# Too busy, or whatever stands before the endpoint says that nobody is behind it.
_AWAY: Final = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """The endpoint's answer; ``retry_after`` is what it asked for, in seconds."""

    status: int
    retry_after: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Unreached:
    """There was no answer; the event may have arrived all the same."""

    reason: str


Answer = Answered | Unreached


@dataclass(frozen=True, kw_only=True, slots=True)
class DueDelivery:
    """An event to be sent to an endpoint now.

    ``attempt`` numbers the tries: a try that another one has followed decides nothing any more. ``refusals``
    are the tries that moved the event's own interval on; ``strikes`` are the endpoint's failures in a row.
    """

    event_id: UUID
    endpoint_id: UUID
    payment_id: UUID
    type: str
    body: str = field(repr=False)
    url: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    allow_private: bool
    attempt: int
    refusals: int
    tried_for: timedelta
    strikes: int
    failing_for: timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivered:
    """The endpoint has it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Gone:
    """The endpoint wants nothing any more; its events are kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Failed:
    """The endpoint does not have it.

    It is sent again after ``again``, or by itself never; the endpoint is left alone for ``pause``.
    With ``gives_up_older`` everything that has waited for the endpoint for that long is given up with it.
    """

    again: timedelta | None
    refusals: int
    strikes: int
    pause: timedelta
    gives_up_older: timedelta | None = None

    @property
    def is_failing(self) -> bool:
        """Whether it is the endpoint that fails, not the one event."""
        return self.strikes > FAILING_FROM


Verdict = Delivered | Gone | Failed


def verdict(due: DueDelivery, answer: Answer, *, chance: float) -> Verdict:
    """``chance``, from 0 to 1, keeps apart what failed together."""
    asked = timedelta()
    is_away = True
    if isinstance(answer, Answered):
        if 200 <= answer.status < 300:  # noqa: PLR2004 - the successes
            return Delivered()
        if answer.status == _GONE:
            return Gone()
        is_away = answer.status in _AWAY
        asked = min(timedelta(seconds=answer.retry_after or 0), _LONGEST_ASKED)
    strikes = (max(due.strikes, FAILING_FROM) if is_away else due.strikes) + 1
    refusals = due.refusals if is_away else due.refusals + 1
    pause = max(_pause(strikes, chance), asked)
    return Failed(
        again=_again(due, pause if is_away else _wait(refusals, chance)),
        refusals=refusals,
        strikes=strikes,
        pause=pause,
        gives_up_older=GIVE_UP_AFTER if due.failing_for >= GIVE_UP_AFTER else None,
    )


def _again(due: DueDelivery, wait: timedelta) -> timedelta | None:
    """The last try is made when the time is up, not before."""
    left = GIVE_UP_AFTER - due.tried_for
    if left > timedelta():
        return min(wait, left)
    return wait if due.attempt < LEAST_TRIES else None


def _wait(refusals: int, chance: float) -> timedelta:
    return _grown(_FIRST_WAIT, refusals - 1, _LONGEST_WAIT, chance)


def _pause(strikes: int, chance: float) -> timedelta:
    """None while it may still be the events' fault."""
    if strikes <= FAILING_FROM:
        return timedelta()
    return _grown(_FIRST_PAUSE, strikes - FAILING_FROM - 1, _LONGEST_PAUSE, chance)


def _grown(first: timedelta, steps: int, longest: timedelta, chance: float) -> timedelta:
    """Doubled with each step up to the longest, then moved by up to a quarter either way."""
    grown = min(first * (1 << min(steps, 30)), longest)
    return grown * (0.75 + chance / 2)
