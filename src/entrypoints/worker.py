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
# So many events are on their way to the shop's endpoints at the same time.
_TOLD_AT_ONCE: Final = 100
_TOLD_EVERY: Final = 0.5
_log: Final = structlog.get_logger()


@dataclass(frozen=True, kw_only=True, slots=True)
class Chore:
    """Something done again and again, ``every`` so many seconds; true asks for another round at once.

    In several ``lanes``, a round that takes long does not hold up the others. ``ends`` waits at the end for
    what the rounds have started.
    """

    name: str
    every: float
    do: Callable[[], Awaitable[bool]]
    lanes: int = 1
    ends: Callable[[], Awaitable[None]] | None = None


def chores(container: Container) -> list[Chore]:
    """All of it, in an order in which one pass leaves nothing due: what the others find is told last."""
    confirm, reconcile = container.confirm_notifications(), container.reconcile_payments()
    repeat, prune, deliver = container.repeat_refunds(), container.prune(), container.deliver_events()

    async def confirm_notifications() -> bool:
        return await confirm(limit=_AT_ONCE) > 0

    async def reconcile_payments() -> bool:
        return (await reconcile(limit=RECONCILED_AT_ONCE)).asked > 0

    async def deliver_events() -> bool:
        started = await deliver(at_once=_TOLD_AT_ONCE)
        return started > 0 or await deliver.waits_for_one(within=_TOLD_EVERY)

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
        Chore(name="deliver events", every=_TOLD_EVERY, do=deliver_events, ends=deliver.finish),
    ]


async def work(container: Container, stop: asyncio.Event) -> None:
    """Do every chore until ``stop``; the round in hand is finished first.

    Any number of processes may do this at once. Nothing that goes wrong ends it: it is told and tried again.
    """
    outage = Outage()
    async with asyncio.TaskGroup() as group:
        for chore in chores(container):
            for _ in range(chore.lanes):
                group.create_task(_repeat(chore, stop, outage))


@dataclass(kw_only=True, slots=True)
class Outage:
    """Whether it was told that the database is away: one line, however many chores meet it."""

    told: bool = False


async def _repeat(chore: Chore, stop: asyncio.Event, outage: Outage) -> None:
    while not stop.is_set():
        again = False
        try:
            again = await chore.do()
            outage.told = False
        except DatabaseUnavailable:
            if not outage.told:
                _log.warning("worker.database_away", chore=chore.name)
            outage.told = True
        except Exception:  # noqa: BLE001 - one bad round must not end the work
            _log.exception("worker.failed", chore=chore.name)
        if not again:
            await pause(stop, chore.every)
    await finish(chore)


async def finish(chore: Chore) -> None:
    """Wait for what the chore has started; whatever goes wrong is told, and ends nothing."""
    if chore.ends is not None:
        await _end(chore, chore.ends)


async def _end(chore: Chore, ends: Callable[[], Awaitable[None]]) -> None:
    """Whatever goes wrong with one of those that were started, the others are waited for."""
    while True:
        try:
            return await ends()
        except DatabaseUnavailable:
            _log.warning("worker.database_away", chore=chore.name)
        except Exception:  # noqa: BLE001 - the others are worth waiting for
            _log.exception("worker.failed", chore=chore.name)


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait for so long, but no longer than until ``stop``."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        pass
