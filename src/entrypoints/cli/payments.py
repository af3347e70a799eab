from collections.abc import Sequence
from pathlib import Path

import rich_click as click

from domain.access import OPERATOR
from domain.errors import GatewayUnavailable
from domain.history import Entry
from domain.payment import Payment
from domain.refund import Refund
from domain.status import Status
from domain.usecases.refund_changes import by
from entrypoints.cli.attention import next_command, show_attention
from entrypoints.cli.dispute import dispute_file
from entrypoints.cli.moving_money import cancel, refund
from entrypoints.cli.note import Note
from entrypoints.cli.output import as_json, json_text, rupiah, say, show_json, show_table
from entrypoints.cli.paid_twice import plain_transactions, show_transactions
from entrypoints.cli.plain import plain_entry, plain_payment, plain_refund
from entrypoints.cli.session import DATABASE, DATABASE_AND_MIDTRANS, with_container
from entrypoints.container import Container
from entrypoints.trouble import Trouble


@click.group()
def payments() -> None:
    """The payments: list them, see how one came to be what it is, ask Midtrans again, cancel, refund.

    Example: bayar payments list --status pending
    """


payments.add_command(cancel)
payments.add_command(refund)


@payments.command("list")
@click.option("--status", type=click.Choice([str(status) for status in Status]), help="Only these.")
@click.option("--user", type=click.IntRange(1, 2**63 - 1), help="Only this user's.")
@click.option("--attention", is_flag=True, help="Only what needs a person, with the next command for each.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 10_000))
@as_json
def list_payments(
    status: str | None,
    user: int | None,
    attention: bool,  # noqa: FBT001 - a flag
    limit: int,
    as_json: bool,  # noqa: FBT001 - a flag
) -> None:
    """List payments, newest first; or with --attention the one list of what needs a person.

    Example: bayar payments list --status pending --limit 50
    """
    if attention:
        if status or user:
            raise click.UsageError("--attention is of all payments; leave --status and --user out.")
        show_attention(limit=limit, as_json=as_json)
        return

    async def do(container: Container) -> list[Payment]:
        wanted = Status(status) if status else None
        return await container.reader().page(user_id=user, status=wanted, after=None, limit=limit)

    found = with_container(DATABASE, do)
    if as_json:
        show_json([plain_payment(payment) for payment in found])
        return
    show_table(
        ["order id", "status", "amount", "type", "user", "created (UTC)", "paid (UTC)", "late"],
        [
            [
                p.order_id,
                p.status,
                rupiah(p.gross_amount),
                p.payment_type,
                p.user_id,
                p.created_at,
                p.paid_at,
                "late" if p.late else "",
            ]
            for p in found
        ],
    )


@payments.command()
@click.argument("order_id")
@as_json
def show(order_id: str, as_json: bool) -> None:  # noqa: FBT001 - a flag
    """Show a payment, its refunds, and its timeline: every change, when, and from which evidence.

    Example: bayar payments show order-1001
    """

    async def do(container: Container) -> tuple[Payment, list[Entry], list[Refund]]:
        payment = await container.get_payment()(order_id, OPERATOR)
        refunds = await container.list_refunds()(order_id, OPERATOR)
        return payment, await container.reader().log(payment.id), refunds

    payment, log, refunds = with_container(DATABASE, do)
    if as_json:
        show_json(
            plain_payment(payment)
            | {
                "transactions": plain_transactions(payment, refunds),
                "refunds": [plain_refund(found, order_id) for found in refunds],
                "timeline": [plain_entry(entry) for entry in log],
            }
        )
        return
    show_payment(payment, log, refunds)


@payments.command()
@click.argument("order_id")
@as_json
def sync(order_id: str, as_json: bool) -> None:  # noqa: FBT001 - a flag
    """Ask Midtrans about a payment, whatever its status, and store what it says.

    Example: bayar payments sync order-1001
    """

    async def do(container: Container) -> tuple[Payment, bool]:
        try:
            return await container.reconcile_payments().sync(order_id), True
        except GatewayUnavailable:
            return await container.get_payment()(order_id, OPERATOR), False

    payment, refreshed = with_container(DATABASE_AND_MIDTRANS, do)
    if as_json:
        show_json(plain_payment(payment) | {"refreshed": refreshed})
    else:
        say(f"{payment.order_id}  {payment.status}")
    if not refreshed:
        raise click.ClickException("Midtrans did not answer; the status above is the stored one.")


@payments.command()
@click.argument("order_id")
@click.option(
    "--note",
    required=True,
    type=Note(),
    help="What was found and done; it is kept in the payment's timeline.",
)
def attend(order_id: str, note: str) -> None:
    """Take a payment off the --attention list once somebody has looked at it. Moves no money.

    Example: bayar payments attend order-1001 --note "delivered late, customer agreed"
    """

    async def do(container: Container) -> tuple[Payment, Payment]:
        before = await container.get_payment()(order_id, OPERATOR)
        return before, await container.attend_payment()(order_id, note=note)

    before, payment = with_container(DATABASE, do)
    say(f"{payment.order_id}  {payment.status}, nothing needs a person any more")
    for found in payment.attended:
        if found not in before.attended:  # one that is new to the operator may have come meanwhile
            say(f"looked at: {found.reason} ({found.subject})")


@payments.command()
@click.argument("order_id")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Where to write it; stdout if absent.",
)
def export(order_id: str, output: Path | None) -> None:
    """Write one payment's whole evidence as JSON, to hand to Midtrans in a dispute.

    Example: bayar payments export order-1001 --output order-1001.json
    """

    async def do(container: Container) -> tuple[Payment, list[Entry]]:
        payment = await container.get_payment()(order_id, OPERATOR)
        return payment, await container.reader().log(payment.id)

    payment, log = with_container(DATABASE, do)
    text = json_text(dispute_file(payment, log, plain_payment(payment)))
    if output is None:
        click.echo(text)
        return
    try:
        output.write_text(text + "\n", encoding="utf-8")
    except OSError as trouble:
        raise Trouble(f"{output} cannot be written: {trouble.strerror}.") from trouble
    say(f"{len(log)} entries of {order_id} are in {output}.")


def show_payment(payment: Payment, log: list[Entry], refunds: Sequence[Refund] = ()) -> None:
    """A payment in a few lines, and its refunds and its timeline as tables."""
    say(
        f"{payment.order_id}  {payment.status}  {rupiah(payment.gross_amount)}  {payment.payment_type}  "
        f"transaction {payment.transaction_id or 'none yet'}"
    )
    for found in payment.attention:
        say(f"needs a person: {found.reason} ({found.subject}); {next_command(payment, found)}")
    show_transactions(payment, refunds)
    if refunds:
        show_table(
            ["refund", "amount", "status", "asked (UTC)", "accepted (UTC)", "confirmed (UTC)", "by", "key"],
            [
                [
                    r.id,
                    rupiah(r.amount),
                    r.status,
                    r.created_at,
                    r.accepted_at,
                    r.confirmed_at,
                    by(r.user_id),
                    r.key,
                ]
                for r in refunds
            ],
        )
        click.echo()
    show_table(
        ["when (UTC)", "what", "evidence", "detail"],
        [
            [
                entry.recorded_at,
                entry.what,
                entry.source,
                ", ".join(f"{k} {v}" for k, v in entry.detail.items()),
            ]
            for entry in log
        ],
    )
    if not log:
        click.echo("An earlier service made this payment; its log starts with the next change.")
