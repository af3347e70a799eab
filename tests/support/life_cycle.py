"""Writes docs/life-cycle.md anew, by asking the deciding function: ``make life-cycle``."""

from datetime import timedelta
from pathlib import Path
from typing import Final

from domain.decide import NO_TRANSACTION_AFTER, Decision, decide
from domain.evidence import ChargeRefused, Evidence, NoTransaction
from domain.payment import Payment
from domain.status import OPEN, UNPAID_ENDS, Status
from support.builders import NOW, a_charge_answer, a_notification, a_status_reply
from support.grid import in_status

FILE: Final = Path(__file__).parents[2] / "docs" / "life-cycle.md"
LATER: Final = NOW + NO_TRANSACTION_AFTER + timedelta(minutes=1)

_OF_A_TRANSACTION: Final = tuple(
    status for status in Status if status not in {Status.CREATED, Status.FAILURE}
)
_CHARGE: Final[dict[str, Evidence]] = {
    "taken": a_charge_answer(status=Status.PENDING),
    "denied": a_charge_answer(status=Status.DENY),
    "refused": ChargeRefused(code="402", message="no", received_at=NOW),
}
_REPLIES: Final[dict[str, Evidence]] = {
    **{f"`{status}`": a_status_reply(transaction_status=status) for status in _OF_A_TRANSACTION},
    "404, at once": NoTransaction(received_at=NOW),
    "404, 11 minutes later": NoTransaction(received_at=LATER),
    "`settlement` of a second one": a_status_reply(transaction_id="t-2"),
    "of another amount": a_status_reply(gross_amount="1.00"),
}
_NOTIFICATIONS: Final[dict[str, Evidence]] = {
    **{f"`{status}`": a_notification(transaction_status=status) for status in _OF_A_TRANSACTION},
    "`settlement` of a second one": a_notification(transaction_id="t-2"),
    "`settlement` with code 201": a_notification(status_code="201"),
    "of another amount": a_notification(gross_amount="1.00"),
}

_HEAD: Final = """\
# The life cycle of a payment

What becomes of a payment in each status when something is told about it.
`make life-cycle` writes this page by asking the deciding function (`domain/decide.py`); a test keeps it so.
The picture is in [architecture.md](architecture.md#the-life-cycle).

## The statuses

In the order of their rank: of two true claims about a payment the one further down is its status.

| rank | status | group |
|---|---|---|
"""
_LEGEND: Final = """
## How to read the tables

A row is what is told, a column is what the payment is before.
A payment that has a transaction has `t-1`, and what is told is about `t-1` too unless the row says otherwise.

| cell | means |
|---|---|
| a status | the payment is that from now on |
| · | nothing changes: it is known, or older news |
| ask | a doubtful notification: Midtrans is asked, and its reply decides |
| aside | a notification that cannot be about this payment as it stands: it is kept with the reason |
| + late | and it is marked as money that came after the end |
| + break | and a person has to look at it |
"""


def page() -> str:
    """The whole page."""
    tables = {
        "The charge is answered": _table(_CHARGE),
        "Midtrans is asked, and replies": _table(_REPLIES),
        "A notification arrives": _table(_NOTIFICATIONS),
    }
    sections = [f"\n## {title}\n\n{table}" for title, table in tables.items()]
    return "".join([_HEAD, _statuses(), _LEGEND, *sections])


def _statuses() -> str:
    rows = []
    for status in Status:
        group = "open" if status in OPEN else "ended unpaid" if status in UNPAID_ENDS else "paid"
        rows.append(f"| {status.rank} | `{status}` | {group} |\n")
    return "".join(rows)


def _table(told: dict[str, Evidence]) -> str:
    head = "| told | " + " | ".join(f"`{status}`" for status in Status) + " |\n"
    line = "|---" * (len(Status) + 1) + "|\n"
    rows = [
        f"| {name} | " + " | ".join(_cell(in_status(status), evidence) for status in Status) + " |\n"
        for name, evidence in told.items()
    ]
    return head + line + "".join(rows)


def _cell(before: Payment, evidence: Evidence) -> str:
    decision = decide(before, evidence)
    if decision.doubts:
        return "ask"
    if decision.set_aside:
        return "aside"
    return _changed(before, decision)


def _changed(before: Payment, decision: Decision) -> str:
    after = decision.payment
    words = [] if after.status is before.status else [f"`{after.status}`"]
    if after.late and not before.late:
        words.append("+ late")
    if after.breaks != before.breaks:
        words.append("+ break")
    return " ".join(words) or "·"


def main() -> None:
    FILE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
