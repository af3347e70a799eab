"""How often Midtrans repeats a notification."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

# docs.midtrans.com/docs/https-notification-webhooks: retries by the receiver's answer.
_RETRIES: Final[Mapping[int, int]] = {
    500: 1,
    503: 4,
    400: 2,
    404: 2,
}
_FOLLOWED: Final = frozenset({307, 308})
_INTERVALS: Final = tuple(timedelta(minutes=minutes) for minutes in (2, 10, 30, 90, 210))


def is_received(answer: int | None) -> bool:
    """Tell whether the receiver took the notification; None stands for no answer in time."""
    return answer is not None and 200 <= answer < 300  # noqa: PLR2004 - the 2xx class


def time_to_retry(answer: int | None, *, retries: int) -> timedelta | None:
    """Tell how long after an attempt that was not received the next follows; None for never.

    `retries` counts those already made. Midtrans shifts each interval at random, by how much
    is not published; here they are exact.
    """
    allowed = 0 if _leads_away(answer) else _RETRIES.get(answer or 0, len(_INTERVALS))
    return _INTERVALS[retries] if retries < allowed else None


def _leads_away(answer: int | None) -> bool:
    """Tell whether it is a redirect that is not followed; a followed one that leads nowhere is repeated."""
    return answer is not None and 300 <= answer < 400 and answer not in _FOLLOWED  # noqa: PLR2004 - the 3xx class
