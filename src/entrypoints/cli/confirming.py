import sys

import rich_click as click

from entrypoints.printable import printable

yes = click.option("--yes", is_flag=True, help="Do not ask.")


def is_a_terminal() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin.isatty()


def need_an_answer(*, yes: bool) -> None:
    """Wrong usage where nobody can be asked: without a terminal, ``--yes`` has to be said."""
    if not yes and not is_a_terminal():
        raise click.UsageError("There is no terminal to ask on; say --yes.")


def ask(question: str, *, yes: bool) -> None:
    """Go on only if a person says so, or has said ``--yes``."""
    if not yes:
        click.confirm(printable(question), abort=True, err=True)
