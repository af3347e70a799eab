import asyncio
import sys
from typing import Final

import rich_click as click
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from domain.usecases.reconcile_payments import Rest
from entrypoints.cli.output import as_json, show_json
from entrypoints.cli.session import EVERYTHING, with_container
from entrypoints.container import Container
from entrypoints.trouble import Trouble
from entrypoints.worker import RECONCILE, RECONCILED_AT_ONCE, chores

_BUDGET_SECONDS: Final = 0.25


class MidtransSilent(Trouble):
    """Midtrans answers nothing; what is due stays due."""


@click.command()
@click.option("--once", is_flag=True, required=True, help="One full pass; `bayar worker` goes on for ever.")
@as_json
def reconcile(once: bool, as_json: bool) -> None:  # noqa: FBT001, ARG001 - flags; without --once it is refused
    """Do everything that is due in the background now, once, and end.

    Midtrans is asked about every payment that is due, as fast as BAYAR_ASK_RATE allows.

    Example: bayar reconcile --once
    """
    asked = with_container(EVERYTHING, _one_pass)
    if as_json:
        show_json({"asked": asked})
    else:
        click.echo(f"Nothing more is due; Midtrans was asked about {asked} payments.")


async def _one_pass(container: Container) -> int:
    columns = (*Progress.get_default_columns()[:1], TextColumn("{task.completed}"), TimeElapsedColumn())
    with Progress(*columns, transient=True, disable=not sys.stderr.isatty()) as progress:
        progress.console.stderr = True
        for chore in chores(container):
            if chore.name == RECONCILE:
                continue
            task = progress.add_task(chore.name.capitalize())
            while await chore.do():
                progress.advance(task)
        asked, task = 0, progress.add_task("Payments asked about")
        while True:
            done = await container.reconcile_payments()(limit=RECONCILED_AT_ONCE)
            asked += done.asked
            progress.advance(task, done.asked)
            match done.rest:
                case Rest.NOTHING_DUE:
                    return asked
                case Rest.MIDTRANS_SILENT:
                    raise MidtransSilent(
                        f"Midtrans does not answer; {asked} payments were asked about, the others stay due."
                    )
                case Rest.BUDGET_SPENT:
                    await asyncio.sleep(_BUDGET_SECONDS)
