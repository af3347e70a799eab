"""Tables of what follows: a row for what was told, a column for each status before."""

from dataclasses import dataclass
from typing import Any

from domain.payment import Payment
from domain.status import Status
from support.builders import NOW, a_payment

WITHOUT_TRANSACTION = frozenset({"created", "failure"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    told: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.told} on {self.before}"


def cells(grid: str) -> list[Cell]:
    """Every cell of a table; one with a missing or a surplus cell is refused."""
    head, *rows = [line.split() for line in grid.strip().splitlines()]
    assert head == [str(status) for status in Status]
    return [
        Cell(told=told, before=before, after=after)
        for told, *results in rows
        for before, after in zip(head, results, strict=True)
    ]


def in_status(status: str, **changes: Any) -> Payment:
    """A payment in this status, with transaction ``t-1`` where it has one by then."""
    known: dict[str, Any] = {"status": Status(status)}
    if status not in WITHOUT_TRANSACTION:
        known["transaction_id"] = "t-1"
    if known["status"].is_paid:
        known["paid_at"] = NOW
    return a_payment(**known | changes)
