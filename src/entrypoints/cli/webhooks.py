import sys
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any, Final
from uuid import UUID

import rich_click as click

from domain.errors import DatabaseUnavailable, NotificationNotFound, NotReplayable
from domain.notification import readable, without_signature
from domain.ports.notification_reader import (
    InboxPlace,
    KeptNotification,
    Kind,
    NotificationReader,
    WholeNotification,
)
from domain.usecases.judging import Outcome
from entrypoints.cli import confirming
from entrypoints.cli.note import Note
from entrypoints.cli.output import as_json, show_json, show_lines, show_table
from entrypoints.cli.progress import progress
from entrypoints.cli.session import DATABASE, DATABASE_AND_MIDTRANS, with_container
from entrypoints.container import Container

_AT_ONCE: Final = 1000
_REFUSED: Final = "refused"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Replayed:
    """What became of one notification that was to be replayed."""

    id: str
    order_id: str | None
    outcome: str
    why: str


@click.group()
def webhooks() -> None:
    """The notifications that Midtrans sent: list them, look into one, replay those that were set aside.

    Example: bayar webhooks list --failed
    """


@webhooks.command("list")
@click.option(
    "--failed", is_flag=True, help="Only those that are set aside until they are replayed or dismissed."
)
@click.option("--order-id", help="Only those of this order.")
@click.option("--forged/--no-forged", default=None, help="Only forged ones, or none of them.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 10_000))
@as_json
def list_webhooks(
    failed: bool,  # noqa: FBT001 - a flag
    order_id: str | None,
    forged: bool | None,  # noqa: FBT001 - a flag
    limit: int,
    as_json: bool,  # noqa: FBT001 - a flag
) -> None:
    """List stored notifications, newest first, and what became of each.

    \b
    processed     applied, or nothing new
    to do         the background work asks Midtrans about it
    set aside     not applied, for the reason beside it, until it is replayed or dismissed
    dismissed     somebody looked at one that was set aside, and nothing followed
    forged        its signature was wrong
    not verified  left so by an earlier service

    Example: bayar webhooks list --failed --limit 50
    """
    if failed and forged:
        raise click.UsageError("Forged ones are never set aside; say --failed or --forged.")

    async def do(container: Container) -> list[KeptNotification]:
        kind = {True: Kind.FORGED, False: Kind.NOT_FORGED, None: Kind.ANY}[forged]
        return await container.inbox().page(
            Kind.FAILED if failed else kind, order_id=order_id, after=None, limit=limit
        )

    found = with_container(DATABASE, do)
    if as_json:
        show_json([_plain(kept) for kept in found])
        return
    show_table(
        ["id", "received (UTC)", "order id", "claims", "outcome", "why"],
        [[k.id, k.received_at, k.order_id, k.transaction_status, k.standing, _safe(k.error)] for k in found],
    )


@webhooks.command()
@click.argument("notification_id", metavar="ID", type=click.UUID)
@as_json
def show(notification_id: UUID, as_json: bool) -> None:  # noqa: FBT001 - a flag
    """Show one stored notification: what became of it, and its body without the signature.

    Example: bayar webhooks show 0199b6a4-7b1e-7c52-9d0e-3f3a1c2b4d5e
    """

    async def do(container: Container) -> WholeNotification:
        found: WholeNotification | None = await container.inbox().find(notification_id)
        if found is None:
            raise NotificationNotFound(notification_id)
        return found

    found = with_container(DATABASE, do)
    kept, body = found.kept, readable(found.body)
    if as_json:
        show_json(_plain(kept) | {"body": body})
        return
    show_lines(
        {
            "id": kept.id,
            "received (UTC)": kept.received_at,
            "order id": kept.order_id,
            "transaction": kept.transaction_id,
            "claims": kept.transaction_status,
            "outcome": kept.standing,
            "why": _safe(kept.error),
            "tries": kept.attempts or None,
            "more of the same": f"{kept.repeats}, counted and not kept" if kept.repeats else None,
        }
    )
    show_json(body)


@webhooks.command()
@click.argument("ids", metavar="ID...", nargs=-1, required=True, type=click.UUID)
@click.option(
    "--note", required=True, type=Note(), help="Why nothing follows from them; it is kept beside them."
)
def dismiss(ids: tuple[UUID, ...], note: str) -> None:
    """Take notifications off the --failed list once somebody has looked at them. Moves no payment.

    A dismissed one is kept, and can still be replayed.

    Example: bayar webhooks dismiss 0199b6a4-7b1e-7c52-9d0e-3f3a1c2b4d5e --note "the dashboard's test"
    """

    async def do(container: Container) -> None:
        await container.dismiss_notifications()(list(dict.fromkeys(ids)), note=note)

    with_container(DATABASE, do)
    for notification_id in dict.fromkeys(ids):
        click.echo(f"{notification_id}  dismissed")


@webhooks.command()
@click.argument("ids", metavar="[ID]...", nargs=-1, type=click.UUID)
@click.option("--failed", is_flag=True, help="All that are set aside, oldest first.")
@confirming.yes
@as_json
def replay(ids: tuple[UUID, ...], failed: bool, yes: bool, as_json: bool) -> None:  # noqa: FBT001 - flags
    """Look at stored notifications again, as if they came just now, and say what became of each.

    The signature is checked again; one that nothing proves is refused, and then the exit status is 1.
    Each is committed by itself, and replaying one twice changes nothing more.

    Example: bayar webhooks replay --failed
    """
    if failed == bool(ids):
        raise click.UsageError("Name the notifications to replay, or say --failed.")
    if failed:
        confirming.need_an_answer(yes=yes)
    done: list[_Replayed] = []

    async def do(container: Container) -> None:
        inbox = container.inbox()
        wanted = await _failed(inbox) if failed else await _named(inbox, ids)
        if failed and wanted:
            confirming.ask(f"Replay {len(wanted)} notifications that are set aside?", yes=yes)
        with progress("Replaying", len(wanted)) as tell:
            for notification_id, order_id in wanted.items():
                done.append(await _replay(container, notification_id, order_id))
                tell(len(done))

    try:
        with_container(DATABASE_AND_MIDTRANS, do)
    except (DatabaseUnavailable, KeyboardInterrupt):
        if done:
            _show(done, as_json=as_json)
        raise
    _show(done, as_json=as_json)
    if any(one.outcome in {_REFUSED, Outcome.FAILED} for one in done):
        sys.exit(1)


async def _named(inbox: NotificationReader, ids: tuple[UUID, ...]) -> dict[UUID, str | None]:
    """The notifications named, each once, with the order that it is about where that is known."""
    found = {notification_id: await inbox.find(notification_id) for notification_id in ids}
    return {name: whole.kept.order_id if whole else None for name, whole in found.items()}


async def _failed(inbox: NotificationReader) -> dict[UUID, str | None]:
    """All that are set aside now, oldest first."""
    found: list[KeptNotification] = []
    after = None
    while page := await inbox.page(Kind.FAILED, order_id=None, after=after, limit=_AT_ONCE):
        found += page
        after = InboxPlace(received_at=page[-1].received_at, id=page[-1].id)
    return {kept.id: kept.order_id for kept in reversed(found)}


async def _replay(container: Container, notification_id: UUID, order_id: str | None) -> _Replayed:
    try:
        verdict = await container.replay_notification()(notification_id)
        outcome, why = str(verdict.outcome), verdict.why
    except NotReplayable as refused:
        outcome, why = _REFUSED, refused.why
    except NotificationNotFound:
        outcome, why = _REFUSED, "there is no such notification"
    return _Replayed(id=str(notification_id), order_id=order_id, outcome=outcome, why=_safe(why) or "")


def _show(done: list[_Replayed], *, as_json: bool) -> None:
    if as_json:
        show_json([asdict(one) for one in done])
    elif not done:
        click.echo("No notification is set aside.")
    else:
        show_table(["id", "order id", "outcome", "why"], [list(asdict(one).values()) for one in done])
        counted = Counter(one.outcome for one in done)
        click.echo(", ".join(f"{number} {outcome}" for outcome, number in counted.items()) + ".")


def _plain(kept: KeptNotification) -> dict[str, Any]:
    return {
        "id": str(kept.id),
        "received_at": f"{kept.received_at:%Y-%m-%dT%H:%M:%S.%f}Z",
        "order_id": kept.order_id,
        "transaction_id": kept.transaction_id,
        "transaction_status": kept.transaction_status,
        "outcome": kept.standing,
        "is_verified": kept.is_verified,
        "processed": kept.processed,
        "processing_error": _safe(kept.error),
        "attempts": kept.attempts,
        "repeats": kept.repeats,
    }


def _safe(text: str | None) -> str | None:
    """An earlier service may have put a signature into its own words."""
    return without_signature(text) if text else text
