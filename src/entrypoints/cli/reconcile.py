import asyncio
import sys
from collections.abc import Callable
from functools import partial
from typing import Final

import rich_click as click
import structlog
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from domain.errors import DatabaseUnavailable
from domain.usecases.reconcile_payments import Rest
from entrypoints.cli.output import as_json, show_json
from entrypoints.cli.session import EVERYTHING, with_container
from entrypoints.container import Container
from entrypoints.trouble import Trouble
from entrypoints.worker import RECONCILE, RECONCILED_AT_ONCE, Chore, chores, finish

_BUDGET_SECONDS: Final = 0.25
_log: Final = structlog.get_logger()


class MidtransSilent(Trouble):
    """Midtrans answers nothing; what is due stays due."""


class ChoresFailed(Trouble):
    """Some of the work met a fault of ours, which is logged; all the other was done."""


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
    asked, is_silent, failed = 0, False, list[str]()
    with Progress(*columns, transient=True, disable=not sys.stderr.isatty()) as progress:
        progress.console.stderr = True
        for chore in chores(container):
            try:
                if chore.name == RECONCILE:
                    task = progress.add_task("Payments asked about")
                    asked, is_silent = await _reconciled(container, partial(progress.advance, task))
                else:
                    task = progress.add_task(chore.name.capitalize())
                    await _done(chore, partial(progress.advance, task))
            except DatabaseUnavailable:  # the other chores would wait for it in vain
                raise
            except Exception:  # noqa: BLE001 - the others are worth doing
                _log.exception("reconcile.failed", chore=chore.name)
                failed.append(chore.name)
    if failed:
        raise ChoresFailed(
            f"What is due was done, but for a fault in: {', '.join(failed)}. "
            "The log above tells it; what was left comes due again."
        )
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
