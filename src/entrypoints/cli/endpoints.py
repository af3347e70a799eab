from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import rich_click as click

from domain.endpoint import Disabled, Endpoint
from domain.errors import EndpointNotFound
from entrypoints.cli.output import as_json, show_json, show_table
from entrypoints.cli.session import DATABASE, with_container
from entrypoints.container import Container
from entrypoints.web_address import endpoint_url


def _checked(_ctx: click.Context, _param: click.Parameter, url: str) -> str:
    try:
        return endpoint_url(url)
    except ValueError as wrong:
        raise click.BadParameter(f"the address {wrong}.") from wrong


@click.group()
def endpoints() -> None:
    """Addresses of your backend that are told of each change of a payment.

    Example: bayar endpoints add https://shop.example/bayar
    """


@endpoints.command()
@click.argument("url", callback=_checked)
@click.option(
    "--user", type=click.IntRange(1, 2**63 - 1), help="Only this user's payments; everybody's if absent."
)
@click.option("--allow-private", is_flag=True, help="It may be in a private network, such as this machine's.")
@as_json
def add(url: str, user: int | None, allow_private: bool, as_json: bool) -> None:  # noqa: FBT001 - flags
    """Add an endpoint and print its id and its secret, which is shown this once.

    It is told of every change from now on.

    Example: bayar endpoints add https://shop.example/bayar
    """

    async def do(container: Container) -> Endpoint:
        return await container.add_endpoint()(url, user_id=user, allow_private=allow_private)

    added = with_container(DATABASE, do)
    if not allow_private:
        _warn(url)
    _show_secret(added.id, added.secret, as_json=as_json)


@endpoints.command("list")
@as_json
def list_endpoints(as_json: bool) -> None:  # noqa: FBT001 - a flag
    """List the endpoints, oldest first, without their secrets and the queries of their addresses.

    Example: bayar endpoints list
    """

    async def do(container: Container) -> list[Endpoint]:
        async with container.begin()() as work:
            return await work.endpoints.page()

    found = with_container(DATABASE, do)
    if as_json:
        show_json([_plain(endpoint) for endpoint in found])
        return
    show_table(
        ["id", "address", "user", "state", "private", "by"],
        [
            [
                endpoint.id,
                shown_url(endpoint.url),
                endpoint.user_id or "all",
                state_of(endpoint),
                "allowed" if endpoint.allow_private else "",
                "settings" if endpoint.is_of_settings else "",
            ]
            for endpoint in found
        ],
    )


@endpoints.command()
@click.argument("endpoint_id", metavar="ID", type=click.UUID)
@as_json
def rotate(endpoint_id: UUID, as_json: bool) -> None:  # noqa: FBT001 - a flag
    """Give an endpoint a new secret and print it, this once; the one before signs beside it for 24 hours.

    Example: bayar endpoints rotate 0190f1de-0000-7000-8000-000000000001
    """

    async def do(container: Container) -> str:
        return await container.rotate_secret()(endpoint_id)

    _show_secret(endpoint_id, with_container(DATABASE, do), as_json=as_json)


@endpoints.command()
@click.argument("endpoint_id", metavar="ID", type=click.UUID)
def disable(endpoint_id: UUID) -> None:
    """Tell an endpoint nothing more; what waits for it is kept.

    Example: bayar endpoints disable 0190f1de-0000-7000-8000-000000000001
    """

    async def do(container: Container) -> None:
        async with container.begin()() as work:
            if not await work.endpoints.disable(endpoint_id, Disabled.OPERATOR):
                raise EndpointNotFound(endpoint_id)

    with_container(DATABASE, do)
    click.echo(f"{endpoint_id}  disabled")


@endpoints.command()
@click.argument("endpoint_id", metavar="ID", type=click.UUID)
def enable(endpoint_id: UUID) -> None:
    """Tell an endpoint of changes from now on, and at once of what waits for it.

    For one that is paused because it failed this ends the pause.

    Example: bayar endpoints enable 0190f1de-0000-7000-8000-000000000001
    """

    async def do(container: Container) -> None:
        async with container.begin()() as work:
            if not await work.endpoints.enable(endpoint_id):
                raise EndpointNotFound(endpoint_id)

    with_container(DATABASE, do)
    click.echo(f"{endpoint_id}  enabled")


def shown_url(url: str) -> str:
    """An address without what its query may hold."""
    parts = urlsplit(url)
    return parts._replace(query="…" if parts.query else "").geturl()


def _warn(url: str) -> None:
    """Say at once what can be seen of an address as it is written; names are looked at when they are used."""
    parts = urlsplit(url)
    if _is_private(parts.hostname or ""):
        click.echo("The address is private: nothing is sent there without --allow-private.", err=True)
    elif parts.scheme == "http":
        click.echo("The address is not https: whoever is on the way can read what it is told.", err=True)


def _is_private(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _show_secret(endpoint_id: UUID, secret: str, *, as_json: bool) -> None:
    if as_json:
        show_json({"id": str(endpoint_id), "secret": secret})
    else:
        click.echo(f"endpoint  {endpoint_id}\nsecret    {secret}")


def state_of(endpoint: Endpoint) -> str:
    """Whether it is told of changes, and if not, why or since when."""
    if endpoint.disabled is not None:
        return f"disabled: {endpoint.disabled}"
    if endpoint.failing_since is not None:
        return f"failing since {endpoint.failing_since:%Y-%m-%d %H:%M:%S}"
    return "enabled"


def _plain(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "id": str(endpoint.id),
        "url": shown_url(endpoint.url),
        "user_id": endpoint.user_id,
        "allow_private": endpoint.allow_private,
        "of_settings": endpoint.is_of_settings,
        "rotating": endpoint.previous_secret is not None,
        "created_at": endpoint.created_at.isoformat(),
        "disabled_at": endpoint.disabled_at and endpoint.disabled_at.isoformat(),
        "disabled": endpoint.disabled,
        "failing_since": endpoint.failing_since and endpoint.failing_since.isoformat(),
        "paused_until": endpoint.paused_until and endpoint.paused_until.isoformat(),
    }
