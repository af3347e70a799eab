import rich_click as click

from entrypoints.cli.output import as_json, show_json, show_table
from entrypoints.cli.session import DATABASE, with_container
from entrypoints.container import Container


@click.group()
def users() -> None:
    """Users of the service's own table: whose payments these are.

    Example: bayar users add
    """


@users.command()
@click.option(
    "--id", "user_id", type=click.IntRange(1, 2**63 - 1), help="The id; the next free one if absent."
)
@as_json
def add(user_id: int | None, as_json: bool) -> None:  # noqa: FBT001 - a flag
    """Add a user and print its id.

    Example: bayar users add --id 42
    """

    async def do(container: Container) -> int:
        async with container.begin()() as work:
            return await work.users.add(user_id)

    added = with_container(DATABASE, do)
    if as_json:
        show_json({"id": added})
    else:
        click.echo(added)


@users.command("list")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000))
@as_json
def list_users(limit: int, as_json: bool) -> None:  # noqa: FBT001 - a flag
    """List the users' ids.

    Example: bayar users list --json
    """

    async def do(container: Container) -> list[int]:
        async with container.begin()() as work:
            return await work.users.page(limit=limit)

    found = with_container(DATABASE, do)
    if as_json:
        show_json([{"id": user_id} for user_id in found])
    else:
        show_table(["id"], [[user_id] for user_id in found])
