"""A whole Bayar at one's desk: database, Midtrans look-alike, API and background work in one process."""

import asyncio
import os
import secrets
import shlex
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx
import jwt
import rich_click as click
import uvloop

from domain.access import OPERATOR
from entrypoints.cli.output import rupiah
from entrypoints.cli.payments import show_payment
from entrypoints.cli.simulator import DEFAULT_KEY
from entrypoints.container import Container
from entrypoints.embedded_postgres import embedded_postgres
from entrypoints.endpoints import keep_endpoint_of_settings, watch_deliveries
from entrypoints.http.app import create_app
from entrypoints.lifespan import running
from entrypoints.listening import check_port, listener
from entrypoints.migrations import migrate_up
from entrypoints.settings import Settings, load, of_merchant
from entrypoints.signals import on_signals
from entrypoints.telemetry.logs import configure_logs
from entrypoints.trouble import Trouble
from entrypoints.worker import work
from simulator.app import create_app as create_simulator

HOST: Final = "127.0.0.1"
_CREATE: Final = "/api/payments/gopayqris/create"
_AMOUNT: Final = 25_000
_WAIT_SECONDS: Final = 10.0
_TOKEN_SECONDS: Final = 30 * 86_400


@dataclass(frozen=True, kw_only=True, slots=True)
class Demo:
    """Where everything is. The simulator listens one port above the API."""

    port: int
    url: str
    settings: Settings

    @property
    def minutes(self) -> int:
        """How long a payment of the demo may be paid."""
        return int(self.settings.life.total_seconds()) // 60

    @property
    def simulator_url(self) -> str:
        return f"http://{HOST}:{self.port + 1}"


class DemoFailed(Trouble):
    """The demonstration payment did not come through; the text says where it stopped."""


@click.command()
@click.option("--port", default=8090, show_default=True, type=click.IntRange(1, 65534), help="The API's.")
@click.option("--once", is_flag=True, help="Take one payment from create to paid, show it, and end.")
@click.option(
    "--data",
    default=".bayar/demo",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the demo's database is kept for the next run.",
)
def demo(port: int, once: bool, data: Path) -> None:  # noqa: FBT001 - a flag
    """Try Bayar: an embedded database, a Midtrans look-alike and the API, with a user and a token.

    No account, no Docker, no public address. Ctrl-C stops everything and keeps the data.

    Example: bayar demo --once
    """
    for taken in (port, port + 1):
        check_port(HOST, taken)
    with embedded_postgres(data, database="bayar") as database_url:
        migrate_up(database_url)
        url = f"http://{HOST}:{port}"
        settings = load(
            {
                "DATABASE_URL": database_url,
                "MIDTRANS_SERVER_KEY": DEFAULT_KEY,
                "MIDTRANS_BASE_URL": f"http://{HOST}:{port + 1}",
                "AUTH_JWT_SECRET": _secret(data / "token-secret"),
                "BAYAR_PUBLIC_URL": url,
                "BAYAR_MERCHANT_NAME": "Warung Bayar",
            }
            | of_merchant()
        )
        level = "error" if once else "info"
        configure_logs(log_format="console", level=level, stream=sys.stdout)
        run = _take_one if once else _stay
        uvloop.run(run(Demo(port=port, url=url, settings=settings)))


async def _stay(demo: Demo) -> None:
    stop = asyncio.Event()
    on_signals(stop.set)
    async with _started(demo, stop) as (container, token), _client() as http:
        del container
        guide(demo, token, example=await _created(http, demo, token))
        await stop.wait()
    click.echo("Stopped; the data is kept for the next run.")


async def _take_one(demo: Demo) -> None:
    stop = asyncio.Event()
    on_signals(stop.set)
    async with _started(demo, stop) as (container, token), _client() as http:
        created = await _created(http, demo, token)
        order_id = created["order_id"]
        click.echo(f"created   {order_id}, {created['status']}: the customer sees its QR")
        _done(await http.post(f"{demo.simulator_url}/wallet/{created['transaction_id']}/pay"))
        click.echo("paid      by the customer, in the wallet")
        status = await _settled(http, f"{demo.url}/api/payments/{order_id}", _bearer(token))
        click.echo(f"notified  by Midtrans: {status}\n")
        payment = await container.get_payment()(order_id, OPERATOR)
        show_payment(payment, await container.reader().log(payment.id))


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=_WAIT_SECONDS, trust_env=False)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def _created(http: httpx.AsyncClient, demo: Demo, token: str) -> Any:
    """A payment, as the shop's backend asks for it."""
    order = {"gross_amount": _AMOUNT}
    return _done(await http.post(f"{demo.url}{_CREATE}", json=order, headers=_bearer(token)))


async def _settled(http: httpx.AsyncClient, url: str, bearer: dict[str, str]) -> str:
    """The status once Midtrans's notification has arrived; nobody asks Midtrans."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline:
        status = str(_done(await http.get(url, headers=bearer))["status"])
        if status == "settlement":
            return status
        await asyncio.sleep(0.05)
    raise DemoFailed(f"No notification came within {_WAIT_SECONDS:.0f} s; the payment is still open.")


def _done(answer: httpx.Response) -> Any:
    if answer.is_error:
        raise DemoFailed(f"{answer.request.method} {answer.request.url} was answered {answer.text}")
    return answer.json()


@asynccontextmanager
async def _started(demo: Demo, stop: asyncio.Event) -> AsyncIterator[tuple[Container, str]]:
    """Simulator, API and background work, answering; with a token of the demo's user."""
    simulator = create_simulator(server_key=DEFAULT_KEY, public_url=demo.simulator_url)
    async with running(Container(settings=demo.settings)) as container, asyncio.TaskGroup() as group:
        servers = [
            listener(create_app(container), host=HOST, port=demo.port, streams=demo.settings.max_streams),
            listener(simulator, host=HOST, port=demo.port + 1),
        ]
        tasks = [group.create_task(server.serve()) for server in servers]
        tasks.append(group.create_task(work(container, stop)))
        tasks.append(group.create_task(keep_endpoint_of_settings(container, stop, drops=True)))
        tasks.append(group.create_task(watch_deliveries(container, stop)))
        try:
            await _answering(f"{demo.url}/health/ready", f"{demo.simulator_url}/v2/none/status")
            yield container, await _token(container, demo.settings)
        finally:
            stop.set()
            container.watcher().close()
            for server in servers:
                server.stop()  # type: ignore[no-untyped-call] # Granian leaves it unannotated


async def _answering(*urls: str) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    async with httpx.AsyncClient(trust_env=False) as http:
        for url in urls:
            while True:
                try:
                    await http.get(url)
                    break
                except httpx.HTTPError as silent:
                    if time.monotonic() > deadline:
                        raise DemoFailed(f"{url} does not answer.") from silent
                    await asyncio.sleep(0.02)


async def _token(container: Container, settings: Settings) -> str:
    async with container.begin()() as work:
        users = await work.users.page(limit=1)
        user = users[0] if users else await work.users.add()
    assert settings.token_key is not None and isinstance(settings.token_key.key, str)  # noqa: PT018 - made above
    claims = {"sub": str(user), "exp": int(time.time()) + _TOKEN_SECONDS, "scope": "payments:refund"}
    return jwt.encode(claims, settings.token_key.key, algorithm=settings.token_key.algorithm)


def _secret(path: Path) -> str:
    """The key of the demo's tokens, made once, so that a token still works in the next run."""
    try:
        return path.read_text()
    except FileNotFoundError:
        secret = secrets.token_urlsafe(48)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secret)
        return secret


def guide(demo: Demo, token: str, *, example: Any) -> None:
    """What to do next, ready to copy: one payment and one fault."""
    wallet = next(action["url"] for action in example["actions"] if action["name"] == "deeplink-redirect")
    program = shlex.quote(sys.argv[0])
    order_id = f"demo-{int(time.time())}"
    bold = partial(click.style, bold=True)
    click.echo(
        f"""
{click.style("Bayar is running.", bold=True, fg="green")}

  Checkout page  {example["checkout_url"]}
  Wallet page    {wallet}
  API docs       {demo.url}/docs
  Midtrans       {demo.simulator_url}  (a look-alike; nothing leaves this machine)

{bold("One payment")}

1. Open the checkout page, which a customer sees, and the wallet page beside it.
   A payment of {rupiah(_AMOUNT)} is ready there, for {demo.minutes} minutes.

2. Press Pay in the wallet, and watch the checkout page: it turns to paid by itself.

{bold("One fault: the notification gets lost")}

3. In another terminal, ask for a payment as your shop's backend does, and open its checkout_url:

   export TOKEN={token}

   curl -s {demo.url}{_CREATE} \\
     -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
     -d '{{"order_id": "{order_id}", "gross_amount": 40000}}' | python3 -m json.tool

4. Let the look-alike lose the next notification:

   {program} simulator trigger notification-dropped --url {demo.simulator_url}

5. Pay: press "Bayar dengan GoPay" ("Pay with GoPay") on the page, Pay in the wallet, and go back.
   The page keeps waiting, for nobody has told Bayar; it asks by itself after two minutes.

6. Or read its status. Bayar asks Midtrans at once, and the page turns to paid:

   curl -s {demo.url}/api/payments/{order_id}/status -H "Authorization: Bearer $TOKEN"

{bold("As the service's operator")}

7. See from which evidence each change came, and what Midtrans has notified of:

   export DATABASE_URL='{demo.settings.database_url}'
   {program} payments show {order_id}
   {program} webhooks list

Ctrl-C stops everything and keeps the data.
"""
    )
