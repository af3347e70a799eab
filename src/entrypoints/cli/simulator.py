import asyncio
import sys

import rich_click as click

from entrypoints.listening import check_port, listener
from entrypoints.server import on_signals
from entrypoints.telemetry.logs import configure_logs
from simulator.app import create_app

DEFAULT_KEY = "SB-Mid-server-simulator"


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8091, show_default=True, type=click.IntRange(1, 65535))
@click.option("--server-key", default=DEFAULT_KEY, show_default=True, help="The server key it accepts.")
@click.option("--notify", metavar="URL", help="Where notifications go unless a charge says otherwise.")
@click.option(
    "--time-scale",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    help="How many times faster than Midtrans a notification is repeated.",
)
def simulator(host: str, port: int, server_key: str, notify: str | None, time_scale: float) -> None:
    """Run a look-alike of Midtrans's Core API, to try payments without an account.

    Any backend in any language may use it: point its Midtrans client to this address.

    Example: bayar simulator --notify http://localhost:8080/api/payments/webhook
    """
    configure_logs(log_format=None, level="info", stream=sys.stdout)
    check_port(host, port)
    public_url = f"http://{host}:{port}"
    app = create_app(server_key=server_key, public_url=public_url, notify_url=notify, time_scale=time_scale)
    click.echo(f"Midtrans look-alike at {public_url}, server key {server_key}; Ctrl-C stops it.")

    async def run() -> None:
        server = listener(app, host=host, port=port)
        on_signals(server.stop)  # Granian leaves it unannotated
        await server.serve()

    asyncio.run(run())
