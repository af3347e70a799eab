from collections.abc import Callable

import rich_click as click

from domain.retention import RETENTION, Rule
from entrypoints.cli import confirming
from entrypoints.cli.output import as_json, show_json, show_table
from entrypoints.cli.progress import progress
from entrypoints.cli.session import DATABASE, with_container
from entrypoints.container import Container


@click.command()
@click.option("--dry-run", is_flag=True, help="Only count what would go.")
@confirming.yes
@as_json
def prune(dry_run: bool, yes: bool, as_json: bool) -> None:  # noqa: FBT001 - flags
    """Throw away what is older than its retention; never a payment, its log, or anything of money.

    On a terminal it asks first, in a script it does not. It deletes in short transactions, beside a
    service at work, and may be stopped and started again.

    Example: bayar prune --dry-run
    """

    async def do(container: Container) -> dict[Rule, int]:
        counted = {rule: await container.pruner().count(rule) for rule in RETENTION}
        total = sum(counted.values())
        if dry_run or not total:
            return counted
        if confirming.is_a_terminal():
            confirming.ask(f"Throw away {total:,} rows for good?", yes=yes)
        gone: dict[Rule, int] = {}
        with progress("Pruning", total) as tell:
            for rule in RETENTION:
                gone[rule] = await container.prune()(rule, tell=_after(sum(gone.values()), tell))
        return gone

    found = with_container(DATABASE, do)
    if as_json:
        show_json(
            [
                {"what": rule.what, "kept": kept(rule), "rows": rows, "deleted": not dry_run}
                for rule, rows in found.items()
            ]
        )
    else:
        heading = "would go" if dry_run else "gone"
        show_table(["what", "kept", heading], [[rule.what, kept(rule), rows] for rule, rows in found.items()])


def _after(others: int, tell: Callable[[int], None]) -> Callable[[int], None]:
    """Tells of one rule's rows with those of the rules before it."""
    return lambda rows: tell(others + rows)


def kept(rule: Rule) -> str:
    """How long a rule keeps things, in words."""
    told = f"{rule.kept_for.days} days"
    return told if rule.at_most is None else f"{told}, {rule.at_most:,} at most"
