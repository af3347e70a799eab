import sys
from math import isfinite
from typing import Any

import httpx
import rich_click as click
import uvloop

from entrypoints.cli.output import as_json, show_json, show_table
from entrypoints.listening import check_port, listener
from entrypoints.signals import on_signals
from entrypoints.telemetry.logs import configure_logs
from entrypoints.trouble import Trouble
from simulator.app import create_app
from simulator.core.faults import FAULTS, Fault, Point
from simulator.notifications.courier import FASTEST, SLOWEST

DEFAULT_KEY = "SB-Mid-server-simulator"


class NotTriggered(Trouble):
    """The simulator did not take the fault; the text says why."""


def _finite(_ctx: click.Context, _param: click.Parameter, value: float | None) -> float | None:
    """A range alone lets through what is not a number."""
    if value is not None and not isfinite(value):
        raise click.BadParameter("must be a number.")
    return value


@click.group(invoke_without_command=True)
@click.pass_context
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8091, show_default=True, type=click.IntRange(1, 65535))
@click.option("--server-key", default=DEFAULT_KEY, show_default=True, help="The server key it accepts.")
@click.option("--public-url", metavar="URL", help="Where others reach it: what links in answers start with.")
@click.option("--notify", metavar="URL", help="Where notifications go unless a charge says otherwise.")
@click.option(
    "--time-scale",
    default=1.0,
    show_default=True,
    type=click.FloatRange(SLOWEST, FASTEST),
    callback=_finite,
    help="How many times faster than Midtrans a notification is repeated.",
)
def simulator(
    ctx: click.Context,
    host: str,
    port: int,
    server_key: str,
    public_url: str | None,
    notify: str | None,
    time_scale: float,
) -> None:
    """Run a look-alike of Midtrans's Core API, to try payments without an account.

    Any backend in any language may use it: point its Midtrans client to this address.

    Example: bayar simulator --notify http://localhost:8080/api/payments/webhook
    """
    if ctx.invoked_subcommand is not None:
        return
    configure_logs(log_format=None, level="info", stream=sys.stdout)
    check_port(host, port)
    public_url = public_url or f"http://{_linkable(host)}:{port}"
    app = create_app(server_key=server_key, public_url=public_url, notify_url=notify, time_scale=time_scale)
    click.echo(f"Midtrans look-alike at {public_url}, server key {server_key}; Ctrl-C stops it.")

    async def run() -> None:
        server = listener(app, host=host, port=port)
        on_signals(server.stop)  # Granian leaves it unannotated
        await server.serve()

    uvloop.run(run())


def _linkable(host: str) -> str:
    """A host that a link can name: listening everywhere, it is found here."""
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


@simulator.command()
@click.argument(
    "fault", required=False, type=click.Choice([str(fault) for fault in FAULTS]), metavar="[FAULT]"
)
@click.option("--url", default="http://127.0.0.1:8091", show_default=True, help="Where the simulator is.")
@click.option("--order-id", help="Only for this order.")
@click.option("--transaction-id", help="Only for this transaction.")
@click.option(
    "--on", type=click.Choice([str(point) for point in Point]), help="Only there; else wherever it can."
)
@click.option("--times", default=1, show_default=True, type=click.IntRange(1, 1_000_000))
@click.option(
    "--seconds",
    type=click.FloatRange(0),
    callback=_finite,
    help="How long, for the faults that wait.",
)
@as_json
def trigger(
    fault: str | None,
    url: str,
    order_id: str | None,
    transaction_id: str | None,
    on: str | None,
    times: int,
    seconds: float | None,
    as_json: bool,  # noqa: FBT001 - a flag
) -> None:
    """Make a running simulator misbehave; without a name, list what it can do.

    Example: bayar simulator trigger answer-lost --on charge --times 2
    """
    if fault is None:
        rows = [[str(name), kind.description] for name, kind in FAULTS.items()]
        if as_json:
            show_json([{"name": name, "description": description} for name, description in rows])
        else:
            show_table(["fault", "what happens"], rows)
        return
    wanted = {
        "fault": fault,
        "times": times,
        "order_id": order_id,
        "transaction_id": transaction_id,
        "on": on,
        "seconds": seconds,
    }
    try:
        answer = httpx.post(
            f"{url.rstrip('/')}/simulator/faults",
            json={name: value for name, value in wanted.items() if value is not None},
            trust_env=False,
        )
    except (httpx.HTTPError, httpx.InvalidURL) as silent:
        raise NotTriggered(f"No simulator answers at {url}; start one with: bayar simulator") from silent
    armed = _object(answer)
    if armed is None or not (answer.is_success or "error" in armed):
        raise NotTriggered(f"What answers at {url} (HTTP {answer.status_code}) is no simulator of Bayar.")
    if not answer.is_success:
        raise NotTriggered(f"The simulator refused: {armed['error']}")
    if as_json:
        show_json(armed)
    else:
        click.echo(f"armed: {fault}. {FAULTS[Fault(fault)].description}")


def _object(answer: httpx.Response) -> dict[str, Any] | None:
    try:
        told = answer.json()
    except ValueError:
        return None
    return told if isinstance(told, dict) else None
