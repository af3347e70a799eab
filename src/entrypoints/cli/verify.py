import sys

import rich_click as click

from domain.errors import PaymentNotFound
from domain.usecases.verify_log import Verified
from entrypoints.cli.output import as_json, show_json, show_table
from entrypoints.cli.progress import progress
from entrypoints.cli.session import DATABASE, with_container
from entrypoints.container import Container


@click.command()
@click.argument("order_id", required=False)
@click.option("--head", is_flag=True, help="Print only the digest to keep elsewhere and compare with later.")
@as_json
def verify(order_id: str | None, head: bool, as_json: bool) -> None:  # noqa: FBT001 - flags
    """Check that nobody edited, removed, added or moved an entry of the evidence log, nor edited a payment.

    Exit status 1 if somebody did.

    Example: bayar verify
    """

    async def do(container: Container) -> Verified:
        if order_id is not None and await container.reader().find(order_id) is None:
            raise PaymentNotFound(order_id)
        total = await container.log().count(order_id)
        with progress("Verifying", total) as tell:
            return await container.verify_log()(order_id, tell=tell)

    found = with_container(DATABASE, do)
    faults = [{"order_id": fault.order_id, "fault": fault.what} for fault in found.faults]
    if as_json:
        show_json(
            {
                "payments": found.payments,
                "entries": found.entries,
                "faults": faults,
                "head": found.head.hex(),
            }
        )
    elif head:
        click.echo(found.head.hex())
    else:
        if faults:
            show_table(["order id", "fault"], [[fault["order_id"], fault["fault"]] for fault in faults])
        verdict = f"{len(faults)} broken" if faults else "all whole"
        click.echo(f"{found.entries} entries of {found.payments} payments: {verdict}.")
    sys.exit(1 if faults else 0)
