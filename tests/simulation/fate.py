"""What goes wrong in a life, drawn from its seed."""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from random import Random
from typing import Final, TypeVar

T = TypeVar("T")


class Fault(StrEnum):
    """Everything that may go wrong, by the name that the report gives it."""

    # Bayar itself
    CRASH = "process killed between two steps"
    RESTART = "process stopped and started again"
    PAUSE = "a process stood still for a while"
    CLOCK_JUMP = "a process's clock jumped"
    KEY_CHANGED = "server key changed"
    # The database
    DATABASE_AWAY = "database away for a while"
    DATABASE_SLOW = "statement took long"
    STATEMENT_LOST = "connection lost inside a transaction"
    COMMIT_LOST = "connection lost before a commit"
    COMMIT_UNANSWERED = "commit done, its answer lost"
    # Calls of Midtrans
    MIDTRANS_AWAY = "Midtrans away for a while"
    NOT_CONNECTED = "no connection to Midtrans"
    REQUEST_LOST = "request to Midtrans lost"
    REQUEST_LATE = "request to Midtrans arrived late"
    ANSWER_LOST = "Midtrans's answer lost"
    ANSWER_LATE = "Midtrans's answer late"
    ERROR_UNDONE = "5xx from Midtrans, nothing done"
    ERROR_DONE = "5xx from Midtrans, though done"
    RATE_LIMITED = "429 from Midtrans"
    IN_PROCESS = "202 from Midtrans, still in process"
    STALE_STATUS = "status as it was some seconds ago"
    WRONG_ECHO = "answer about another amount or order"
    # What Midtrans does
    DENIED = "charge denied"
    FRAUD = "pending transaction denied later"
    REFUSED = "charge refused"
    NEVER_EXPIRED = "Midtrans forgot to expire"
    PAID_LATE = "money after the end"
    PAID_TWICE = "second transaction paid"
    DASHBOARD = "refund, chargeback or cancel in the dashboard"
    BANK_REFUSED = "refund refused by the bank"
    # Notifications
    NOTIFICATION_LOST = "notification never sent"
    NOTIFICATION_TWICE = "notification sent twice"
    NOTIFICATION_LATE = "notification sent late"
    NOTIFICATION_CUT = "notification without its optional fields"
    RECEIPT_LOST = "answer to a notification lost"
    # The shop's endpoint
    ENDPOINT_AWAY = "shop's endpoint not reached"
    ENDPOINT_REFUSED = "shop's endpoint answered an error"
    ENDPOINT_SILENT = "event taken, its answer lost"
    # People
    SHOP_GAVE_UP = "shop did not wait for the answer"
    SHOP_TWICE = "shop made the call twice at once"
    REFUND_TWICE = "two refunds asked for at once"
    KEY_REUSED = "shop used a key for other values"
    FORGED = "notification forged"
    TAMPERED = "notification repeated with other unsigned fields"
    STRANGER = "another system charged the same order id"


# How likely each is at every occasion, in a life that has it at all.
_RATES: Final[dict[Fault, tuple[float, ...]]] = {
    Fault.DATABASE_SLOW: (0.01, 0.05),
    Fault.STATEMENT_LOST: (0.005, 0.03),
    Fault.COMMIT_LOST: (0.02, 0.1),
    Fault.COMMIT_UNANSWERED: (0.02, 0.1),
    Fault.NOT_CONNECTED: (0.1, 0.5),
    Fault.REQUEST_LOST: (0.1, 0.4),
    Fault.REQUEST_LATE: (0.2, 0.6),
    Fault.ANSWER_LOST: (0.1, 0.6),
    Fault.ANSWER_LATE: (0.1, 0.4),
    Fault.ERROR_UNDONE: (0.1, 0.4),
    Fault.ERROR_DONE: (0.1, 0.5),
    Fault.RATE_LIMITED: (0.1, 0.3),
    Fault.IN_PROCESS: (0.1, 0.4),
    Fault.STALE_STATUS: (0.2, 0.8),
    Fault.WRONG_ECHO: (0.1, 0.3),
    Fault.DENIED: (0.2, 0.5),
    Fault.FRAUD: (0.1, 0.3),
    Fault.REFUSED: (0.2, 0.6),
    Fault.NEVER_EXPIRED: (0.5, 1.0),
    Fault.PAID_LATE: (0.3, 0.9),
    Fault.PAID_TWICE: (0.2, 0.6),
    Fault.DASHBOARD: (0.3, 0.8),
    Fault.BANK_REFUSED: (0.2, 0.6),
    Fault.ENDPOINT_AWAY: (0.1, 0.6),
    Fault.ENDPOINT_REFUSED: (0.1, 0.6),
    Fault.ENDPOINT_SILENT: (0.1, 0.5),
    Fault.REFUND_TWICE: (0.3, 0.9),
    Fault.NOTIFICATION_LOST: (0.2, 0.7, 1.0),
    Fault.NOTIFICATION_TWICE: (0.2, 0.5),
    Fault.NOTIFICATION_LATE: (0.2, 0.5),
    Fault.NOTIFICATION_CUT: (0.2, 0.5),
    Fault.RECEIPT_LOST: (0.1, 0.4),
    Fault.SHOP_GAVE_UP: (0.2, 0.6),
    Fault.SHOP_TWICE: (0.2, 0.6),
    Fault.KEY_REUSED: (0.2, 0.5),
    Fault.FORGED: (0.3, 0.8),
    Fault.TAMPERED: (0.3, 0.8),
    Fault.STRANGER: (0.2, 0.5),
}
# How many of the kinds of faults a life has; or most kinds of one theme, and few others.
_SHARES: Final = (0.0, 0.1, 0.2, 0.3, 0.5)
_OF_A_THEME, _BESIDES = 0.6, 0.05
_THEMES: Final = (
    # A charge goes astray.
    frozenset(
        {
            Fault.NOT_CONNECTED,
            Fault.REQUEST_LOST,
            Fault.REQUEST_LATE,
            Fault.ANSWER_LOST,
            Fault.ANSWER_LATE,
            Fault.ERROR_DONE,
            Fault.IN_PROCESS,
            Fault.REFUSED,
            Fault.DENIED,
            Fault.SHOP_GAVE_UP,
            Fault.SHOP_TWICE,
            Fault.STRANGER,
        }
    ),
    # News comes late, doubled, from the wrong people, or not at all.
    frozenset(
        {
            Fault.STALE_STATUS,
            Fault.FRAUD,
            Fault.PAID_LATE,
            Fault.PAID_TWICE,
            Fault.DASHBOARD,
            Fault.NEVER_EXPIRED,
            Fault.NOTIFICATION_LOST,
            Fault.NOTIFICATION_TWICE,
            Fault.NOTIFICATION_LATE,
            Fault.NOTIFICATION_CUT,
            Fault.RECEIPT_LOST,
            Fault.FORGED,
            Fault.TAMPERED,
        }
    ),
    # Money goes back, and the shop is told.
    frozenset(
        {
            Fault.REQUEST_LATE,
            Fault.ANSWER_LOST,
            Fault.ERROR_DONE,
            Fault.STALE_STATUS,
            Fault.BANK_REFUSED,
            Fault.REFUND_TWICE,
            Fault.SHOP_GAVE_UP,
            Fault.DASHBOARD,
            Fault.PAID_TWICE,
            Fault.NOTIFICATION_LOST,
            Fault.ENDPOINT_AWAY,
            Fault.ENDPOINT_REFUSED,
            Fault.ENDPOINT_SILENT,
        }
    ),
    # The database is in trouble.
    frozenset(
        {
            Fault.DATABASE_SLOW,
            Fault.STATEMENT_LOST,
            Fault.COMMIT_LOST,
            Fault.COMMIT_UNANSWERED,
            Fault.NOTIFICATION_TWICE,
            Fault.SHOP_TWICE,
            Fault.ANSWER_LOST,
        }
    ),
)


class Fate:
    """Draws everything that is left to chance, and counts what went wrong.

    A life has only some kinds of faults, so that each is also met without the noise of all the others.
    """

    def __init__(self, seed: int, *, faulty: bool) -> None:
        self.random = Random(seed)  # noqa: S311 - the same seed is the same life
        self.struck: Counter[Fault] = Counter()
        self.is_faulty = faulty
        self._rates = self._drawn() if faulty else {}
        self._kinds = frozenset(self._rates)

    def _drawn(self) -> dict[Fault, float]:
        """Which kinds of faults this life has, and how likely each is."""
        theme = self.one_of((None, None, *_THEMES))
        share = self.one_of(_SHARES)
        rates = {}
        for fault, choices in _RATES.items():
            if theme is not None:
                share = _OF_A_THEME if fault in theme else _BESIDES
            if self.chance(share):
                rates[fault] = self.one_of(choices)
        return rates

    def strikes(self, fault: Fault) -> bool:
        """Whether this fault happens here and now."""
        rate = self._rates.get(fault)
        if rate is None or self.random.random() >= rate:
            return False
        self.struck[fault] += 1
        return True

    def may_strike(self, fault: Fault) -> bool:
        """Whether this life has this fault at all, or had it."""
        return fault in self._kinds

    def calm(self) -> None:
        """Nothing goes wrong any more."""
        self._rates.clear()

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def between(self, least: float, most: float) -> float:
        return least + (most - least) * self.random.random()

    def whole(self, least: int, most: int) -> int:
        return least + int((most - least + 1) * self.random.random())

    def one_of(self, choices: Sequence[T]) -> T:
        return choices[int(len(choices) * self.random.random())]
