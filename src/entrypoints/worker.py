"""The background work: what nobody told, what is in doubt or without an outcome, what may go."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog

from domain.errors import DatabaseUnavailable
from domain.retention import RETENTION
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
    confirm, reconcile = container.confirm_notifications(), container.reconcile_payments()
    repeat, prune = container.repeat_refunds(), container.prune()

    async def confirm_notifications() -> bool:
        return await confirm(limit=_AT_ONCE) > 0

    async def reconcile_payments() -> bool:
        return (await reconcile(limit=RECONCILED_AT_ONCE)).asked > 0

    async def repeat_refunds() -> bool:
        return await repeat(limit=_AT_ONCE) > 0

    return [
        Chore(name="confirm notifications", every=1.0, do=confirm_notifications, lanes=_LANES),
        Chore(name=RECONCILE, every=1.0, do=reconcile_payments, lanes=_RECONCILING_LANES),
        Chore(name="repeat refunds", every=2.0, do=repeat_refunds, lanes=2),
        *(
            Chore(name=f"prune {rule.what}", every=rule.every, do=partial(prune.some, rule))
            for rule in RETENTION
            if rule.every is not None
        ),
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
