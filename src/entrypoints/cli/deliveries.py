from typing import Any, Final
from uuid import UUID

import msgspec
import rich_click as click

from domain.access import OPERATOR
from domain.errors import EventNotFound
from domain.ports.deliveries import EventDelivery
from entrypoints.cli.endpoints import shown_url
from entrypoints.cli.output import as_json, show_json, show_table
from entrypoints.cli.progress import progress
from entrypoints.cli.session import DATABASE, with_container
from entrypoints.container import Container
from entrypoints.http.delivery_views import delivery_view

_AT_ONCE: Final = 100


@click.group()
def deliveries() -> None:
    """What your backend was told, is still to be told, and could not be told; and telling it again.

    Example: bayar deliveries list --failed
    """


@deliveries.command("list")
@click.argument("order_id", required=False)
@click.option("--failed", is_flag=True, help="Only what was given up after a day.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 10_000))
@as_json
def list_deliveries(order_id: str | None, failed: bool, limit: int, as_json: bool) -> None:  # noqa: FBT001 - flags
    """List deliveries of all payments or of one, newest first.

    Example: bayar deliveries list order-1001
    """

    async def do(container: Container) -> list[EventDelivery]:
        if order_id is not None:
            found = await container.list_deliveries()(order_id, OPERATOR)
            return [one for one in found if not failed or one.gave_up_at is not None][:limit]
        async with container.begin()() as work:
            return await work.deliveries.page(failed=failed, limit=limit)

    found = with_container(DATABASE, do)
    if as_json:
        show_json([_plain(delivery) for delivery in found])
        return
    show_table(
        [
            "created (UTC)",
            "order id",
            "event",
            "state",
            "tries",
            "last answer",
            "next (UTC)",
            "address",
            "event id",
        ],
        [
            [
                one.created_at,
                one.order_id,
                one.type,
                one.state,
                one.attempts,
                one.last_error or (one.last_status and f"HTTP {one.last_status}"),
                one.due_at,
                shown_url(one.url),
                one.event_id,
            ]
            for one in found
        ],
    )


@deliveries.command()
@click.argument("event_ids", metavar="[EVENT_ID]...", nargs=-1, type=click.UUID)
@click.option("--failed", is_flag=True, help="Everything that was given up.")
def resend(event_ids: tuple[UUID, ...], failed: bool) -> None:  # noqa: FBT001 - a flag
    """Have events sent to all their endpoints again, under their own ids, without waiting for a pause.

    Example: bayar deliveries resend --failed
    """
    if bool(event_ids) == failed:
        raise click.UsageError("Name the events, or say --failed.")

    async def do(container: Container) -> int:
        begin = container.begin()
        if not failed:
            async with begin() as work:
                found = await work.deliveries.resend(list(event_ids), at_once=True)
                for missing in set(event_ids) - set(found):
                    raise EventNotFound(missing)
            return len(found)
        async with begin() as work:
            ids = await work.deliveries.failed_events()
        with progress("Queueing", len(ids)) as tell:
            for start in range(0, len(ids), _AT_ONCE):
                async with begin() as work:
                    await work.deliveries.resend(ids[start : start + _AT_ONCE], at_once=True)
                tell(start + _AT_ONCE)
        return len(ids)

    queued = with_container(DATABASE, do)
    click.echo(f"{queued} {'event is' if queued == 1 else 'events are'} to be sent again.")


def _plain(delivery: EventDelivery) -> dict[str, Any]:
    view: dict[str, Any] = msgspec.to_builtins(delivery_view(delivery))
    return {"order_id": delivery.order_id, "url": shown_url(delivery.url)} | view
