"""How commands show things: a table with colour on a terminal, plain columns in a pipe, JSON for machines."""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import rich_click as click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from entrypoints.printable import printable, printable_json

_COLOURS: Final = {
    "settlement": "green",
    "pending": "yellow",
    "created": "yellow",
    "expire": "red",
    "cancel": "red",
    "deny": "red",
    "failure": "red",
    "ok": "green",
    "failed": "bold red",
    "applied": "green",
    "processed": "green",
    "to do": "yellow",
    "doubtful": "yellow",
    "set aside": "red",
    "unknown order": "red",
    "refused": "bold red",
}

# The least that the last column of a framed table, which may be prose, is squeezed into.
_LAST_COLUMN: Final = 24

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")


def say(text: str) -> None:
    """Print one line, whoever wrote the words in it."""
    click.echo(printable(text))


def json_text(value: Any) -> str:
    """JSON to be read by people too, with nothing in it that a terminal would obey."""
    return printable_json(json.dumps(value, indent=2, default=str, ensure_ascii=False))


def show_json(value: Any) -> None:
    click.echo(json_text(value))


def show_lines(values: Mapping[str, object]) -> None:
    """One thing, a line per value that it has, with the names in a column."""
    told = {name: text for name, value in values.items() if (text := _text(value))}
    width = max(map(len, told))
    for name, text in told.items():
        click.echo(f"{name:<{width}}  {text}")


def show_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """One line per row; on a terminal with a frame and colours by word, where that is wide enough."""
    texts = [[_text(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *texts, strict=True)]
    if not sys.stdout.isatty() or not _fits(widths):
        for row in [list(columns), *texts]:
            click.echo("  ".join(f"{c:<{w}}" for c, w in zip(row, widths, strict=True)).rstrip())
        return
    table = Table(header_style="bold", border_style="dim")
    for column in columns:
        table.add_column(column, no_wrap=column is not columns[-1], overflow="fold")
    for row in texts:
        table.add_row(*(Text(cell, style=_COLOURS.get(cell, "")) for cell in row))
    Console().print(table)


def _fits(widths: Sequence[int]) -> bool:
    """Whether a frame leaves every cell whole, if only the last column goes over several lines.

    What is cut off cannot be copied: an id, say, into the next command.
    """
    *others, last = widths
    return sum(others) + min(last, _LAST_COLUMN) + 3 * len(widths) + 1 <= Console().width


def _text(cell: object) -> str:
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M:%S}"
    return printable("" if cell is None else str(cell))


def rupiah(amount: int) -> str:
    return f"Rp{amount:,}".replace(",", ".")
