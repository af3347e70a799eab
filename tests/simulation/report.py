"""What many lives came to, for people and for programs."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

from simulation.fate import Fault
from simulation.law import Law
from simulation.many import Tally

_DAY: Final = 86_400.0


@contextmanager
def progress(lives: int, *, quiet: bool) -> Iterator[Callable[[Tally], None]]:
    """A bar on stderr, where somebody looks at it."""
    console = Console(stderr=True, quiet=quiet or not sys.stderr.isatty())
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[pace]:.0f} lives/s, {task.fields[findings]} findings"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=lives, pace=0.0, findings=0)

        def advance(tally: Tally) -> None:
            pace, findings = tally.lives_a_second, sum(tally.broken.values())
            bar.update(task, completed=tally.lives, pace=pace, findings=findings)

        yield advance


def as_json(tally: Tally) -> str:
    return json.dumps(
        {
            "lives": tally.lives,
            "seconds": round(tally.seconds, 1),
            "lives_per_second": round(tally.lives_a_second, 1),
            "steps": tally.steps,
            "days_lived": round(tally.lived / _DAY, 1),
            "payments": dict(sorted(tally.payments.items())),
            "faults": {fault.name.lower(): tally.faults[fault] for fault in Fault},
            "broken": {law.name.lower(): count for law, count in tally.broken.items()},
            "findings": [
                {"seed": seed, "law": law.name.lower(), "what": what} for seed, law, what in tally.findings
            ],
        },
        indent=2,
    )


def as_tables(tally: Tally) -> str:
    """What went wrong, by kind, and what that broke, if anything."""
    console = Console(width=100, force_terminal=False)
    faults = Table("fault", _right("times"), title="faults injected", title_justify="left")
    for fault in Fault:
        faults.add_row(fault.value, f"{tally.faults[fault]:,}")
    faults.add_row("all", f"{sum(tally.faults.values()):,}")
    with console.capture() as captured:
        console.print(faults)
        console.print(_broken(tally))
        console.print(_told(tally))
    return captured.get().rstrip()


def _told(tally: Tally) -> str:
    payments = ", ".join(f"{count:,} {status}" for status, count in sorted(tally.payments.items()))
    broken = sum(tally.broken.values())
    return (
        f"{tally.lives:,} lives in {tally.seconds:,.0f} s ({tally.lives_a_second:,.0f} a second), "
        f"{tally.lived / _DAY:,.0f} days of their own time, {tally.steps:,} steps.\n"
        f"Payments: {payments}.\n"
        + (f"{broken:,} promises broken." if broken else f"No promise broken, of {len(Law)}.")
    )


def _broken(tally: Tally) -> Table | str:
    if not tally.findings:
        return ""
    table = Table(
        "promise", _right("lives"), "what, and how to replay it", title="findings", title_justify="left"
    )
    first: dict[Law, tuple[int, str]] = {}
    for seed, law, what in tally.findings:
        first.setdefault(law, (seed, what))
    for law, (seed, what) in first.items():
        table.add_row(law.value, f"{tally.broken[law]:,}", f"{what}\n{replay(seed)}")
    return table


def replay(seed: int) -> str:
    """The command that lives this life again and prints it."""
    return f"make simulate LIFE={seed}"


def _right(name: str) -> Column:
    return Column(name, justify="right")
