"""The commands that move money: cancel a payment, refund one."""

import shlex
from typing import Final
from uuid import UUID

import rich_click as click

from domain.access import OPERATOR
from domain.errors import CancelUnknown, InvalidPayment, RefundNotSent, RefundUnknown
from domain.history import Source
from domain.idempotency import IdempotentCall, fingerprint, parse_key
from domain.payment import Payment
from domain.refund import Refund, amount_to_refund, own_transaction
from domain.status import Status
from domain.usecases.refund_payment import Refunded, RefundWish
from entrypoints.cli.confirming import ask, need_an_answer, yes
from entrypoints.cli.output import as_json, rupiah, say, show_json
from entrypoints.cli.plain import plain_payment, plain_refund
from entrypoints.cli.session import DATABASE_AND_MIDTRANS, with_container
from entrypoints.container import Container
from entrypoints.trouble import Trouble

_MOST: Final = 1_000_000_000
_LONGEST_REASON: Final = 255  # what Midtrans takes


@click.command()
@click.argument("order_id")
@yes
@as_json
def cancel(order_id: str, yes: bool, as_json: bool) -> None:  # noqa: FBT001 - flags
    """End a pending payment at Midtrans, so that nobody can pay it any more. Asks first.

    Example: bayar payments cancel order-1001 --yes
    """
    need_an_answer(yes=yes)

    async def do(container: Container) -> Payment:
        payment = await container.get_payment()(order_id, OPERATOR)
        if payment.status is Status.PENDING:
            ask(f"Cancel {_told(payment)}?", yes=yes)
        cancelled: Payment = await container.cancel_payment()(order_id, OPERATOR, source=Source.OPERATOR)
        return cancelled

    try:
        payment = with_container(DATABASE_AND_MIDTRANS, do)
    except CancelUnknown as unknown:
        raise Trouble(f"{unknown} Look again: bayar payments sync {shlex.quote(order_id)}") from unknown
    if as_json:
        show_json(plain_payment(payment))
    else:
        say(f"{payment.order_id}  {payment.status}")


@click.command()
@click.argument("order_id")
@click.option("--amount", type=click.IntRange(1, _MOST), help="Rupiah; all that is left if absent.")
@click.option("--reason", help="Why; GoPay shows it to the customer.")
@click.option(
    "--key", help="A name for this refund, so that a repeat is no second one; its own id if absent."
)
@click.option("--transaction", help="A second transaction that was paid for it; the payment's own if absent.")
@yes
@as_json
def refund(
    order_id: str,
    amount: int | None,
    reason: str | None,
    key: str | None,
    transaction: str | None,
    yes: bool,  # noqa: FBT001 - a flag
    as_json: bool,  # noqa: FBT001 - a flag
) -> None:
    """Give money of a paid payment back, all of it or some. Asks first.

    Repeating the command with the same options and --key gives the first outcome again and no second refund.

    Example: bayar payments refund order-1001 --amount 5000 --reason "out of stock" --yes
    """
    need_an_answer(yes=yes)
    if reason is not None and not (1 <= len(reason) <= _LONGEST_REASON and reason.isprintable()):
        raise click.UsageError(f"--reason must be 1 to {_LONGEST_REASON} printable characters.")
    named = _named(key)
    values = repr((amount, reason, transaction)).encode()
    used = ""

    async def do(container: Container) -> Refunded:
        nonlocal used
        refund_id: UUID = container.ids().uuid()
        used = named or str(refund_id)
        payment = await container.get_payment()(order_id, OPERATOR)
        refunds: list[Refund] = await container.list_refunds()(order_id, OPERATOR)
        of = transaction or own_transaction(payment)
        known = [r.amount for r in refunds if (r.user_id, r.key) == (OPERATOR.user_id, used)]
        wanted = known[0] if known else amount_to_refund(payment, refunds, transaction=of, amount=amount)
        ask(_question(payment, of, wanted), yes=yes)
        if not as_json:
            say(f"refunding {rupiah(wanted)} of {order_id} under the key {used}")
        call = IdempotentCall(
            user_id=OPERATOR.user_id,
            key=used,
            fingerprint=fingerprint("refund", order_id, OPERATOR.user_id, values),
        )
        wish = RefundWish(amount=wanted, reason=reason, transaction=transaction, id=refund_id)
        refunded: Refunded = await container.refund_payment()(
            order_id, OPERATOR, wish, call, source=Source.OPERATOR
        )
        return refunded

    try:
        done = with_container(DATABASE_AND_MIDTRANS, do)
    except (RefundUnknown, RefundNotSent) as unclear:
        again = f"the same command with --key {shlex.quote(used)} goes on with this refund"
        look = f"bayar payments show {shlex.quote(order_id)} tells what became of it"
        raise Trouble(f"{unclear} Look again: {look}, and {again}.") from unclear
    if as_json:
        show_json(plain_refund(done.refund, order_id) | {"replayed": done.replayed})
    else:
        say(f"refund {done.refund.id}  {done.refund.status}  {rupiah(done.refund.amount)}  {order_id}")


def _named(key: str | None) -> str | None:
    try:
        return None if key is None else parse_key(key)
    except InvalidPayment as wrong:
        raise click.UsageError(f"--key {wrong.message}.") from wrong


def _question(payment: Payment, transaction: str, amount: int) -> str:
    of = _told(payment)
    if transaction != own_transaction(payment):
        # Of two transactions the one with the higher rank is the payment's.
        of = f"the other transaction {transaction} of {of}, which will then be shown as refunded"
    return f"Refund {rupiah(amount)} of {of}?"


def _told(payment: Payment) -> str:
    return f"payment {payment.order_id} ({rupiah(payment.gross_amount)}, {payment.status})"
