"""What must be true after everything: each promise, and where it was broken."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

    from chaos.load import Order
    from chaos.record import Record

SETTLED_WITHIN: Final = 30.0
# Any other answer is a fault of the service's: 500 above all.
_ANSWERS: Final = {
    "create": {201, 409, 429, 502, 503, 504},
    "status": {200, 503},
    "notification": {200, 403, 503},
    "duplicate": {200, 403, 503},
    "forged": {400, 403, 503},
}
_MOST_NAMED: Final = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A payment as stored, and when it was settled here."""

    order_id: str
    status: str
    settled_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Charge:
    """A transaction as Midtrans has it."""

    transaction_id: str
    status: str
    settled_at: datetime | None = None


def is_as_at_midtrans(status: str, charges: list[Charge]) -> bool:
    """Whether a payment is what Midtrans has of it; what it never heard of has failed."""
    return status == (charges[0].status if charges else "failure")


@dataclass(kw_only=True)
class Facts:
    """Everything that is known when all is over."""

    orders: list[Order]
    rows: list[Row]
    charges: dict[str, list[Charge]]
    promised: Counter[str]
    stored: Counter[str]
    taken_in: list[str]
    verified: str
    # How long after the end of the trouble everything here was as at Midtrans; None if it never was.
    calm_seconds: float | None
    record: Record

    @property
    def waits(self) -> dict[str, tuple[datetime, datetime]]:
        """For each payment that a shop waited for: when it was settled at Midtrans, and when here."""
        watched = {order.order_id for order in self.orders if order.is_watched}
        return {
            row.order_id: (charge.settled_at, row.settled_at)
            for row in self.rows
            for charge in self.charges.get(row.order_id, [])[:1]
            if row.order_id in watched and row.settled_at and charge.settled_at
        }

    @property
    def lags(self) -> dict[str, float]:
        """How many seconds each of those took."""
        return {order_id: (here - there).total_seconds() for order_id, (there, here) in self.waits.items()}

    @property
    def whole_lags(self) -> dict[str, float]:
        """How many of them the service was whole: for the others there was nobody to do it."""
        return {
            order_id: self.record.whole_seconds(there.timestamp(), here.timestamp())
            for order_id, (there, here) in self.waits.items()
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Promise:
    """``broken`` names where, the first few of them; empty if it was kept."""

    what: str
    seen: str
    broken: tuple[str, ...] = ()

    @property
    def is_kept(self) -> bool:
        return not self.broken


def examine(facts: Facts) -> list[Promise]:
    """Every promise, kept or broken."""
    return [
        _accounted_for(facts),
        _settled(facts),
        _the_same_everywhere(facts),
        _charged_once(facts),
        _stored(facts),
        _not_taken_in(facts),
        _verified(facts),
        _answered_properly(facts),
        _came_back(facts),
        _no_faults_of_its_own(facts),
    ]


def _accounted_for(facts: Facts) -> Promise:
    rows = {row.order_id for row in facts.rows}
    asked = {order.order_id for order in facts.orders}
    known = {order_id for order_id, charges in facts.charges.items() if charges}
    watched = [order for order in facts.orders if order.is_watched]
    answered = {order.order_id for order in facts.orders if order.answer in {201, 502}}
    seen = f"{len(asked)} asked for, {len(rows)} stored"
    if asked - rows:
        seen += f"; of the other {len(asked - rows)} no shop and no Midtrans ever heard"
    return _promise(
        "Payments asked for are payments accounted for",
        seen,
        *(f"{order_id}: stored and never asked for" for order_id in sorted(rows - asked)),
        *(f"{order_id}: answered and not stored" for order_id in sorted(answered - rows)),
        *(f"{order_id}: charged and not stored" for order_id in sorted(known - rows)),
        *(
            f"{order.order_id}: never answered, after {order.calls} calls"
            for order in watched
            if order.answer is None
        ),
    )


def _settled(facts: Facts) -> Promise:
    lags = facts.whole_lags
    late = [f"{order_id}: {lag:.1f} s" for order_id, lag in lags.items() if lag > SETTLED_WITHIN]
    status = {row.order_id: row.status for row in facts.rows}
    settled = [
        order_id
        for order_id, charges in facts.charges.items()
        for charge in charges
        if charge.status == "settlement"
    ]
    return _promise(
        f"Every settlement at Midtrans is one here within {SETTLED_WITHIN:.0f} s",
        f"{len(settled)} settlements; the slowest of the {len(lags)} that a shop waited for took"
        f" {max(lags.values(), default=0):.1f} s, all others were known {_told(facts)} after the trouble",
        *(f"{one}: {status.get(one, 'nothing')} here" for one in settled if status.get(one) != "settlement"),
        *late,
    )


def _the_same_everywhere(facts: Facts) -> Promise:
    apart = [
        f"{row.order_id}: {row.status} here, {[charge.status for charge in found]} at Midtrans"
        for row in facts.rows
        if not is_as_at_midtrans(row.status, found := facts.charges.get(row.order_id, []))
    ]
    if facts.calm_seconds is None:
        apart.append(f"not all were alike {SETTLED_WITHIN:.0f} s after the trouble")
    ends = Counter(row.status for row in facts.rows)
    seen = ", ".join(f"{number} {status}" for status, number in ends.most_common())
    return _promise("Every payment ends as Midtrans says", f"{seen}; all alike {_told(facts)}", *apart)


def _told(facts: Facts) -> str:
    return "never" if facts.calm_seconds is None else f"{facts.calm_seconds:.1f} s"


def _charged_once(facts: Facts) -> Promise:
    twice = [
        f"{order_id}: {len(found)} charges" for order_id, found in facts.charges.items() if len(found) > 1
    ]
    number = sum(bool(found) for found in facts.charges.values())
    return _promise("Nobody is charged twice", f"{number} charges at Midtrans", *twice)


def _stored(facts: Facts) -> Promise:
    missing = facts.promised - facts.stored
    return _promise(
        "Every notification that was answered with 2xx is in the table",
        f"{facts.promised.total()} answered with 2xx, {facts.stored.total()} stored",
        *(f"{_named(body)}, {number} times" for body, number in missing.items()),
    )


def _named(body: str) -> str:
    """A notification in words: its signature is nobody's business."""
    try:
        said = json.loads(body)
    except ValueError:
        return "something that is no JSON"
    return f"{said.get('order_id')} {said.get('transaction_status')}"


def _not_taken_in(facts: Facts) -> Promise:
    tried = sum(answer.call == "forged" for answer in facts.record.answers)
    return _promise("No forged notification is taken", f"{tried} tried", *map(_named, facts.taken_in))


def _verified(facts: Facts) -> Promise:
    broken = () if facts.verified.endswith("all whole.") else (facts.verified,)
    return _promise("`bayar verify` finds every log whole", facts.verified, *broken)


def _answered_properly(facts: Facts) -> Promise:
    wrong = Counter(
        f"{answer.call} answered {answer.status}"
        for answer in facts.record.answers
        if answer.status is not None and answer.status not in _ANSWERS[answer.call]
    )
    return _promise(
        "No answer but those that are documented, and never a 500",
        f"{len(facts.record.answers)} calls",
        *(f"{what}, {number} times" for what, number in wrong.items()),
    )


def _came_back(facts: Facts) -> Promise:
    gone = [
        f"{killed.kill.target}, killed at {killed.at:.1f} s"
        for killed in facts.record.killed
        if killed.recovery is None
    ]
    return _promise("What was killed comes back", f"{len(facts.record.killed)} kills", *gone)


def _no_faults_of_its_own(facts: Facts) -> Promise:
    return _promise(
        "No process logs a traceback",
        f"{len(facts.record.ended)} processes ended that nobody had killed",
        *facts.record.tracebacks,
    )


def _promise(what: str, seen: str, *broken: str) -> Promise:
    named = broken[:_MOST_NAMED]
    if len(broken) > len(named):
        named += (f"and {len(broken) - len(named)} more",)
    return Promise(what=what, seen=seen, broken=named)
