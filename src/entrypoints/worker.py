"""The background work: what notifications did not tell or left in doubt, and what is to be thrown away."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import structlog

from domain.errors import DatabaseUnavailable
from entrypoints.container import Container

# So many payments are asked about at the same time, in each lane.
_AT_ONCE: Final = 20
_LANES: Final = 6
RECONCILED_AT_ONCE: Final = 25
_RECONCILING_LANES: Final = 4
RECONCILE: Final = "reconcile payments"
_log: Final = structlog.get_logger()


@dataclass(frozen=True, kw_only=True, slots=True)
class Chore:
    """Something done again and again, ``every`` so many seconds; true asks for another round at once.

    In several ``lanes``, a round that takes long does not hold up the others.
    """

    name: str
    every: float
    do: Callable[[], Awaitable[bool]]
    lanes: int = 1


def chores(container: Container) -> list[Chore]:
    confirm, begin = container.confirm_notifications(), container.background_begin()
    reconcile = container.reconcile_payments()

    async def confirm_notifications() -> bool:
        return await confirm(limit=_AT_ONCE) > 0

    async def reconcile_payments() -> bool:
        return (await reconcile(limit=RECONCILED_AT_ONCE)).asked > 0

    async def prune_forged() -> bool:
        async with begin() as work:
            await work.notifications.prune_forged()
        return False

    async def prune_idempotency_keys() -> bool:
        async with begin() as work:
            await work.idempotency.prune()
        return False

    return [
        Chore(name="confirm notifications", every=1.0, do=confirm_notifications, lanes=_LANES),
        Chore(name=RECONCILE, every=1.0, do=reconcile_payments, lanes=_RECONCILING_LANES),
        Chore(name="prune forged notifications", every=60.0, do=prune_forged),
        Chore(name="prune idempotency keys", every=3600.0, do=prune_idempotency_keys),
    ]


async def work(container: Container, stop: asyncio.Event) -> None:
    """Do every chore until ``stop``; the round in hand is finished first.

    Any number of processes may do this at once. Nothing that goes wrong ends it: it is told and tried again.
    """
    async with asyncio.TaskGroup() as group:
        for chore in chores(container):
            for _ in range(chore.lanes):
                group.create_task(_repeat(chore, stop))


async def _repeat(chore: Chore, stop: asyncio.Event) -> None:
    away = False
    while not stop.is_set():
        again = False
        try:
            again = await chore.do()
            away = False
        except DatabaseUnavailable:
            if not away:
                _log.warning("worker.database_away", chore=chore.name)
            away = True
        except Exception:  # noqa: BLE001 - one bad round must not end the work
            _log.exception("worker.failed", chore=chore.name)
        if not again:
            await _pause(stop, chore.every)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        pass
