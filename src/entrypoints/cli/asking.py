"""What moves money asks first."""

import sys
from typing import Final

import rich_click as click

yes = click.option("--yes", is_flag=True, help="Do it without asking.")

_NOBODY_TO_ASK: Final = "This moves money and there is no terminal to ask at; add --yes if it is meant."


def require_answer(*, yes: bool) -> None:
    """Wrong usage, exit status 2, where nobody can be asked and ``--yes`` is not there."""
    if not yes and not _is_terminal():
        raise click.UsageError(_NOBODY_TO_ASK)


def confirm(question: str, *, yes: bool) -> None:
    """Go on only with a yes; anything else ends the command with exit status 1."""
    if not yes:
        click.confirm(question, abort=True, err=True)


def _is_terminal() -> bool:
    return sys.stdin.isatty()
