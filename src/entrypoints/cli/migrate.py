import rich_click as click

from entrypoints import migrations
from entrypoints.cli.output import as_json, show_json, show_table
from entrypoints.cli.session import DATABASE
from entrypoints.settings import from_environment


@click.command()
@click.argument("action", type=click.Choice(["up", "status", "rollback"]), default="up")
@as_json
def migrate(action: str, as_json: bool) -> None:  # noqa: FBT001 - a flag
    """Bring the database to this release's tables, show where it is, or take the last step back.

    A database of an earlier service with its rows is adopted as it is.

    Example: bayar migrate
    """
    url = from_environment(needs=DATABASE).database_url or ""
    if action == "up":
        done = [(name, "applied") for name in migrations.migrate_up(url)]
    elif action == "rollback":
        done = [(migrations.rollback(url), "rolled back")]
    else:
        done = [
            (name, "applied" if applied else "pending") for name, applied in migrations.migration_status(url)
        ]
    if as_json:
        show_json([{"migration": name, "state": state} for name, state in done])
    elif done:
        show_table(["migration", "state"], done)
    else:
        click.echo("The database is up to date.")
