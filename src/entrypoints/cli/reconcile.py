import asyncio
import sys
from collections.abc import Callable
from functools import partial
from typing import Final

import rich_click as click
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from domain.usecases.reconcile_payments import Rest
from entrypoints.cli.output import as_json, show_json
from entrypoints.cli.session import EVERYTHING, with_container
from entrypoints.container import Container
from entrypoints.trouble import Trouble
from entrypoints.worker import RECONCILE, RECONCILED_AT_ONCE, Chore, chores, finish

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
    asked, is_silent = 0, False
    with Progress(*columns, transient=True, disable=not sys.stderr.isatty()) as progress:
        progress.console.stderr = True
        for chore in chores(container):
            if chore.name == RECONCILE:
                task = progress.add_task("Payments asked about")
                asked, is_silent = await _reconciled(container, partial(progress.advance, task))
            else:
                task = progress.add_task(chore.name.capitalize())
                await _done(chore, partial(progress.advance, task))
    if is_silent:
        raise MidtransSilent(
            f"Midtrans does not answer; {asked} payments were asked about, the others stay due."
        )
    return asked


async def _done(chore: Chore, advance: Callable[[], None]) -> None:
    try:
        while await chore.do():
            advance()
    finally:
        await finish(chore)


async def _reconciled(container: Container, advance: Callable[[int], None]) -> tuple[int, bool]:
    """How many payments were asked about, and whether Midtrans fell silent over it."""
    asked = 0
    while True:
        done = await container.reconcile_payments()(limit=RECONCILED_AT_ONCE)
        asked += done.asked
        advance(done.asked)
        match done.rest:
            case Rest.NOTHING_DUE:
                return asked, False
            case Rest.MIDTRANS_SILENT:
                return asked, True
            case Rest.BUDGET_SPENT:
                await asyncio.sleep(_BUDGET_SECONDS)
