"""The one program: ``bayar``."""

import sys
from importlib import import_module
from typing import Any, Final

import rich_click as click
from click.exceptions import NoArgsIsHelpError

from domain.errors import BayarError, DatabaseUnavailable
from entrypoints.printable import printable, printable_lines
from entrypoints.trouble import Trouble

# Loaded when called: `bayar token` must not wait for a web framework.
_COMMANDS: Final = {
    "demo": "entrypoints.cli.demo:demo",
    "serve": "entrypoints.cli.serve:serve",
    "worker": "entrypoints.cli.worker:worker",
    "migrate": "entrypoints.cli.migrate:migrate",
    "simulator": "entrypoints.cli.simulator:simulator",
    "token": "entrypoints.cli.token:token",
    "users": "entrypoints.cli.users:users",
    "payments": "entrypoints.cli.payments:payments",
    "reconcile": "entrypoints.cli.reconcile:reconcile",
    "webhooks": "entrypoints.cli.webhooks:webhooks",
    "prune": "entrypoints.cli.prune:prune",
    "endpoints": "entrypoints.cli.endpoints:endpoints",
    "deliveries": "entrypoints.cli.deliveries:deliveries",
    "verify": "entrypoints.cli.verify:verify",
    "doctor": "entrypoints.cli.doctor:doctor",
}


class _LazyGroup(click.RichGroup):
    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> Any:
        target = _COMMANDS.get(name)
        if target is None:
            return None
        module, _, attribute = target.partition(":")
        return getattr(import_module(module), attribute)


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="bayar")
def bayar() -> None:
    """GoPay and QRIS payments through Midtrans.

    Start with `bayar demo`.
    """


def main() -> None:
    """Run a command; expected trouble is one plain sentence on stderr and exit status 1, wrong usage 2."""
    try:
        status = bayar(prog_name="bayar", standalone_mode=False)
    except NoArgsIsHelpError as alone:
        click.echo(alone.message)
        sys.exit(alone.exit_code)
    except click.UsageError as wrong:
        click.echo(printable(_wrong_usage(wrong)), err=True)
        sys.exit(wrong.exit_code)
    except click.ClickException as trouble:
        click.echo(printable_lines(trouble.format_message()), err=True)
        sys.exit(trouble.exit_code)
    except click.Abort:
        click.echo("Aborted.", err=True)
        sys.exit(1)
    except Exception as trouble:  # noqa: BLE001 - it is told, and ends the program
        told = _expected(trouble)
        click.echo(_fault(trouble) if told is None else told, err=True)
        sys.exit(1)
    sys.exit(status)


def _fault(fault: BaseException) -> str:
    """A fault of ours, with all that helps to find it."""
    logs: Any = import_module("entrypoints.telemetry.logs")  # late, as the commands are
    return str(logs.traceback_of(fault)).rstrip("\n")


def _wrong_usage(wrong: click.UsageError) -> str:
    """What is wrong, on one line, with where to read on."""
    told = printable(" ".join(wrong.format_message().split())).rstrip(".")
    return f"{told}. See {wrong.ctx.command_path if wrong.ctx else 'bayar'} --help."


def _expected(trouble: BaseException) -> str | None:
    """The sentence to tell, or None for a fault of ours, whose traceback is wanted."""
    match trouble:
        case DatabaseUnavailable() if trouble.__cause__ and str(trouble) == str(DatabaseUnavailable()):
            # Whoever sits at a shell can do something about a wrong name or password, say.
            why = str(trouble.__cause__).partition("\n")[0] or "no answer in time"
            return printable(f"The database is away or too busy ({why}); nothing was lost, try again.")
        case BayarError():
            return printable(str(trouble))
        case Trouble():
            return printable_lines(str(trouble))
        case BaseExceptionGroup(exceptions=[only]):
            return _expected(only)
    return None
