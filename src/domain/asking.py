"""What the background work may ask of Midtrans: so many questions a second, fewer while it is silent."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

_PATIENCE: Final = 3
_LONGEST_PAUSE: Final = timedelta(minutes=1)
# How long one question may take to show whether Midtrans is back.
PROBE: Final = timedelta(seconds=20)


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """What is left at one moment; ``failures`` are rounds in a row without any answer."""

    tokens: float
    failures: int = 0
    is_paused: bool = False

    @property
    def is_probing(self) -> bool:
        """Midtrans was silent so long that one question has to show that it is back."""
        return self.failures >= _PATIENCE

    @property
    def allowance(self) -> int | None:
        """How many questions may be asked now; None while Midtrans is left alone.

        The one that is to show whether Midtrans is back waits for no tokens: nothing else ends the silence.
        """
        if self.is_paused:
            return None
        return 1 if self.is_probing else max(int(self.tokens), 0)


def refilled(tokens: float, *, rate: float, seconds: float) -> float:
    """The tokens after so many seconds; never more than a second's worth is saved up, or owed."""
    most = max(rate, 1.0)
    return min(max(tokens, -most) + rate * max(seconds, 0.0), most)


def overspent(tokens: float, questions: int, *, rate: float, seconds: float) -> float:
    """The tokens after so many seconds and questions that did not wait to be allowed.

    They use up what is there but for the last one, and half of what comes in where there is less: others have
    something to ask too, however many of these there are.
    """
    now = refilled(tokens, rate=rate, seconds=seconds)
    kept = min(refilled(tokens, rate=rate, seconds=seconds / 2), 1.0)
    return max(now - questions, kept)


def pause_after(failures: int) -> timedelta:
    """How long nothing is asked after so many silent rounds in a row."""
    if failures < _PATIENCE:
        return timedelta()
    return min(timedelta(seconds=2 ** min(failures - _PATIENCE, 10)), _LONGEST_PAUSE)
