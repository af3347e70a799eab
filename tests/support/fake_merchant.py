"""The shop's side in memory: endpoints, what is on its way to them, and a backend that answers as told."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from domain.delivery import (
    FAILING_FROM,
    Answer,
    Answered,
    Delivered,
    DueDelivery,
    Failed,
    Gone,
    Unreached,
    Verdict,
)
from domain.endpoint import OF_SETTINGS, ROTATION, Disabled, Endpoint
from domain.merchant_event import MerchantEvent, news
from domain.ports.deliveries import Backlog, EventDelivery, Settled

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from domain.history import Entry
    from domain.payment import Payment
    from domain.ports.merchant import Message
    from support.fakes import InMemoryUnitOfWork, ManualClock, _Transaction

LEASE: Final = timedelta(seconds=30)
_AT_ONCE: Final = 10
_STALE: Final = timedelta(hours=1)
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredEndpoint:
    """A row of the endpoints; of its times those that have passed are left out on reading."""

    endpoint: Endpoint
    previous_until: datetime = _NEVER
    paused_until: datetime = _NEVER
    strikes: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredDelivery:
    """A row of an event's way to an endpoint."""

    event: MerchantEvent
    endpoint_id: UUID
    order_id: str
    created_at: datetime
    queued_at: datetime
    due_at: datetime
    leased_until: datetime = _NEVER
    attempts: int = 0
    refusals: int = 0
    first_attempted_at: datetime | None = None
    last_attempted_at: datetime | None = None
    delivered_at: datetime | None = None
    gave_up_at: datetime | None = None
    last_status: int | None = None
    last_error: str | None = None

    @property
    def key(self) -> tuple[UUID, UUID]:
        return self.event.id, self.endpoint_id

    @property
    def waits(self) -> bool:
        return self.delivered_at is None and self.gave_up_at is None

    @property
    def place(self) -> tuple[int, UUID]:
        return self.event.seq, self.event.id


@dataclass(slots=True)
class MerchantState:
    """What is committed, or changed in one transaction."""

    endpoints: dict[UUID, StoredEndpoint] = field(default_factory=dict)
    deliveries: dict[tuple[UUID, UUID], StoredDelivery] = field(default_factory=dict)

    def merge(self, changed: MerchantState) -> None:
        self.endpoints |= changed.endpoints
        self.deliveries |= changed.deliveries


class _Rows:
    """What one open transaction sees and changes."""

    def __init__(self, transaction: _Transaction, clock: ManualClock) -> None:
        self._transaction, self._clock = transaction, clock

    def _endpoints(self) -> list[StoredEndpoint]:
        own = self._transaction
        rows = own.committed.merchant.endpoints | own.changed.merchant.endpoints
        return sorted(rows.values(), key=lambda row: (row.endpoint.created_at, row.endpoint.id))

    def _deliveries(self) -> list[StoredDelivery]:
        own = self._transaction
        return list((own.committed.merchant.deliveries | own.changed.merchant.deliveries).values())

    async def _locked_endpoint(self, endpoint_id: UUID) -> StoredEndpoint | None:
        await self._transaction.turn()
        await self._transaction.hold(("endpoint", endpoint_id))
        return next((row for row in self._endpoints() if row.endpoint.id == endpoint_id), None)

    async def _locked_delivery(self, key: tuple[UUID, UUID]) -> StoredDelivery:
        await self._transaction.turn()
        await self._transaction.hold(("delivery", key))
        return next(row for row in self._deliveries() if row.key == key)

    def _keep_endpoint(self, row: StoredEndpoint) -> None:
        self._transaction.changed.merchant.endpoints[row.endpoint.id] = row

    def _keep(self, row: StoredDelivery) -> None:
        self._transaction.changed.merchant.deliveries[row.key] = row


def queue(
    transaction: _Transaction, clock: ManualClock, payment: Payment, user_id: int, entries: tuple[Entry, ...]
) -> None:
    """What the shop is to be told of a change, for every endpoint that is there to be told."""
    rows = _Rows(transaction, clock)
    for event in news(payment, entries):
        for row in rows._endpoints():
            endpoint = row.endpoint
            if endpoint.disabled_at is None and endpoint.user_id in {None, user_id}:
                now = clock.now()
                rows._keep(
                    StoredDelivery(
                        event=event,
                        endpoint_id=endpoint.id,
                        order_id=payment.order_id,
                        created_at=now,
                        queued_at=now,
                        due_at=now,
                    )
                )


class InMemoryEndpoints(_Rows):
    """The endpoints that are told of changes, within one open transaction."""

    async def add(self, endpoint: Endpoint) -> None:
        assert await self._locked_endpoint(endpoint.id) is None, "the row's id is taken"
        self._keep_endpoint(StoredEndpoint(endpoint=endpoint))

    async def page(self) -> list[Endpoint]:
        await self._transaction.turn()
        return [self._shown(row) for row in self._endpoints()]

    async def rotate(self, endpoint_id: UUID, secret: str) -> bool:
        row = await self._locked_endpoint(endpoint_id)
        if row is not None:
            self._keep_endpoint(self._rotated(row, secret))
        return row is not None

    async def disable(self, endpoint_id: UUID, why: Disabled) -> bool:
        row = await self._locked_endpoint(endpoint_id)
        if row is not None and row.endpoint.disabled in {None, Disabled.GONE}:
            since = row.endpoint.disabled_at or self._clock.now()
            disabled = replace(row.endpoint, disabled_at=since, disabled=why)
            self._keep_endpoint(replace(row, endpoint=disabled))
        return row is not None

    async def enable(self, endpoint_id: UUID) -> bool:
        row = await self._locked_endpoint(endpoint_id)
        if row is None:
            return False
        self._keep_endpoint(_afresh(row))
        now = self._clock.now()
        for waiting in self._deliveries():
            if waiting.endpoint_id == endpoint_id and waiting.waits:
                held = await self._locked_delivery(waiting.key)
                self._keep(replace(held, queued_at=now, due_at=now, refusals=0, first_attempted_at=None))
        return True

    async def keep_of_settings(self, *, url: str, secret: str, allow_private: bool) -> Endpoint:
        row = await self._locked_endpoint(OF_SETTINGS)
        if row is None:
            created = Endpoint(
                id=OF_SETTINGS, user_id=None, url=url, secret=secret, created_at=self._clock.now()
            )
            row = StoredEndpoint(endpoint=created)
        if row.endpoint.secret != secret:
            row = self._rotated(row, secret)
        if row.endpoint.url != url or row.endpoint.disabled is Disabled.SETTINGS:
            row = _afresh(row) if row.endpoint.url != url else _enabled(row)
        endpoint = replace(row.endpoint, url=url, allow_private=allow_private)
        self._keep_endpoint(replace(row, endpoint=endpoint))
        return self._shown(replace(row, endpoint=endpoint))

    async def drop_of_settings(self) -> bool:
        row = await self._locked_endpoint(OF_SETTINGS)
        if row is None or row.endpoint.disabled_at is not None:
            return False
        return await self.disable(OF_SETTINGS, Disabled.SETTINGS)

    def _rotated(self, row: StoredEndpoint, secret: str) -> StoredEndpoint:
        endpoint = replace(row.endpoint, secret=secret, previous_secret=row.endpoint.secret)
        return replace(row, endpoint=endpoint, previous_until=self._clock.now() + ROTATION)

    def _shown(self, row: StoredEndpoint) -> Endpoint:
        now = self._clock.now()
        return replace(
            row.endpoint,
            previous_secret=row.endpoint.previous_secret if row.previous_until > now else None,
            paused_until=row.paused_until if row.paused_until > now else None,
        )


def _enabled(row: StoredEndpoint) -> StoredEndpoint:
    return replace(row, endpoint=replace(row.endpoint, disabled_at=None, disabled=None))


def _afresh(row: StoredEndpoint) -> StoredEndpoint:
    row = _enabled(row)
    return replace(row, endpoint=replace(row.endpoint, failing_since=None), strikes=0, paused_until=_NEVER)


class InMemoryDeliveries(_Rows):
    """The events on their way to the endpoints, within one open transaction."""

    async def take(self, *, limit: int) -> list[DueDelivery]:
        own = self._transaction
        await own.turn()
        heads = {}
        for row in self._endpoints():
            endpoint = row.endpoint
            due = self._due(endpoint.id)
            if endpoint.disabled_at is None and row.paused_until <= self._clock.now() and due:
                if own.is_held_elsewhere(("endpoint", endpoint.id)):
                    continue
                await own.hold(("endpoint", endpoint.id))
                heads[endpoint.id] = due[0].due_at
        await own.turn()
        taken: list[DueDelivery] = []
        for endpoint_id in sorted(heads, key=lambda known: heads[known]):
            row = next(known for known in self._endpoints() if known.endpoint.id == endpoint_id)
            taken += self._take_from(row, room=limit - len(taken))
        return taken

    def _due(self, endpoint_id: UUID) -> list[StoredDelivery]:
        now = self._clock.now()
        due = [
            row
            for row in self._deliveries()
            if row.endpoint_id == endpoint_id and row.waits and row.due_at <= now and row.leased_until <= now
        ]
        return sorted(due, key=lambda row: row.due_at)

    def _take_from(self, row: StoredEndpoint, *, room: int) -> list[DueDelivery]:
        now, endpoint = self._clock.now(), row.endpoint
        is_fresh = row.paused_until > now - _STALE
        strikes = row.strikes if is_fresh else 0
        of_endpoint = [known for known in self._deliveries() if known.endpoint_id == endpoint.id]
        under_way = sum(known.leased_until > now for known in of_endpoint)
        room = min(room, (1 if strikes > FAILING_FROM else _AT_ONCE) - under_way)
        taken = []
        for due in self._due(endpoint.id):
            if len(taken) >= room:
                break
            if any(_goes_first(other, due, now) for other in of_endpoint):
                continue
            first = due.first_attempted_at or now
            self._keep(
                replace(
                    due,
                    leased_until=now + LEASE,
                    attempts=due.attempts + 1,
                    first_attempted_at=first,
                    last_attempted_at=now,
                )
            )
            previous = endpoint.previous_secret if row.previous_until > now else None
            taken.append(
                DueDelivery(
                    event_id=due.event.id,
                    endpoint_id=endpoint.id,
                    payment_id=due.event.payment_id,
                    type=due.event.type,
                    body=due.event.body,
                    url=endpoint.url,
                    secrets=(endpoint.secret, previous) if previous else (endpoint.secret,),
                    allow_private=endpoint.allow_private,
                    attempt=due.attempts + 1,
                    refusals=due.refusals,
                    tried_for=now - first,
                    strikes=strikes,
                    failing_for=now - endpoint.failing_since
                    if endpoint.failing_since and is_fresh
                    else timedelta(),
                )
            )
        return taken

    async def settle(self, due: DueDelivery, answer: Answer, verdict: Verdict) -> Settled:
        now = self._clock.now()
        endpoint = await self._locked_endpoint(due.endpoint_id)
        assert endpoint is not None
        told: dict[str, Any] = {
            "last_status": answer.status if isinstance(answer, Answered) else None,
            "last_error": answer.reason if isinstance(answer, Unreached) else None,
        }
        match verdict:
            case Delivered():
                if endpoint.strikes:
                    well = replace(endpoint.endpoint, failing_since=None)
                    self._keep_endpoint(replace(endpoint, endpoint=well, strikes=0, paused_until=_NEVER))
                told["delivered_at"] = now
            case Gone():
                await InMemoryEndpoints(self._transaction, self._clock).disable(
                    due.endpoint_id, Disabled.GONE
                )
            case Failed():
                self._strike(endpoint, verdict)
                told["refusals"] = verdict.refusals
                told["due_at"] = now + (verdict.again or timedelta())
                told["gave_up_at"] = None if verdict.again is not None else now
        counts = await self._change(due, **told)
        if counts and (told.get("delivered_at") or told.get("gave_up_at")):
            await self._free(due)
        gave_up = int(counts and told.get("gave_up_at") is not None)
        if isinstance(verdict, Failed) and verdict.gives_up_older is not None:
            gave_up += await self._give_up(due.endpoint_id, verdict.gives_up_older)
        return Settled(counts=counts, gave_up=gave_up)

    def _strike(self, row: StoredEndpoint, verdict: Failed) -> None:
        now = self._clock.now()
        is_fresh = row.paused_until > now - _STALE
        strikes = max((row.strikes if is_fresh else 0) + (0 if verdict.is_failing else 1), verdict.strikes)
        since = row.endpoint.failing_since
        since = (since if since and is_fresh else now) if strikes > FAILING_FROM else None
        self._keep_endpoint(
            replace(
                row,
                endpoint=replace(row.endpoint, failing_since=since),
                strikes=strikes,
                paused_until=max(row.paused_until, now + verdict.pause),
            )
        )

    async def _change(self, due: DueDelivery, **told: Any) -> bool:
        row = await self._locked_delivery((due.event_id, due.endpoint_id))
        if row.attempts != due.attempt or row.leased_until == _NEVER:
            return False
        self._keep(replace(row, leased_until=_NEVER, **told))
        return True

    async def _free(self, due: DueDelivery) -> None:
        now = self._clock.now()
        for row in self._deliveries():
            behind = row.endpoint_id == due.endpoint_id and row.event.payment_id == due.payment_id
            if behind and row.event.id != due.event_id and row.waits and row.due_at > now:
                self._keep(replace(await self._locked_delivery(row.key), due_at=now))

    async def _give_up(self, endpoint_id: UUID, older: timedelta) -> int:
        now, gave_up = self._clock.now(), 0
        for row in self._deliveries():
            old = row.endpoint_id == endpoint_id and row.queued_at <= now - older
            if old and row.waits and row.leased_until <= now:
                self._keep(replace(await self._locked_delivery(row.key), gave_up_at=now))
                gave_up += 1
        return gave_up

    async def of_payment(self, payment_id: UUID) -> list[EventDelivery]:
        await self._transaction.turn()
        return [self._shown(row) for row in self._newest() if row.event.payment_id == payment_id]

    async def page(self, *, failed: bool, enabled: bool = False, limit: int) -> list[EventDelivery]:
        await self._transaction.turn()
        rows = [row for row in self._newest() if not failed or row.gave_up_at is not None]
        if enabled:
            told = self._enabled()
            rows = [row for row in rows if row.endpoint_id in told]
        return [self._shown(row) for row in rows][:limit]

    async def failed_events(self) -> list[UUID]:
        await self._transaction.turn()
        failed = [row for row in reversed(self._newest()) if row.gave_up_at is not None]
        return list(dict.fromkeys(row.event.id for row in failed))

    async def resend(
        self, event_ids: list[UUID], *, payment_id: UUID | None = None, at_once: bool = False
    ) -> list[UUID]:
        now = self._clock.now()
        found = [
            row
            for row in self._deliveries()
            if row.event.id in event_ids and payment_id in {None, row.event.payment_id}
        ]
        for row in found:
            if at_once:
                endpoint = await self._locked_endpoint(row.endpoint_id)
                assert endpoint is not None
                self._keep_endpoint(replace(endpoint, paused_until=min(endpoint.paused_until, now)))
            self._keep(
                replace(
                    await self._locked_delivery(row.key),
                    delivered_at=None,
                    gave_up_at=None,
                    queued_at=now,
                    due_at=now,
                    refusals=0,
                    first_attempted_at=None,
                )
            )
        return list({row.event.id for row in found})

    async def oldest_waiting(self) -> timedelta:
        await self._transaction.turn()
        enabled = self._enabled()
        waiting = [row.queued_at for row in self._deliveries() if row.waits and row.endpoint_id in enabled]
        return self._clock.now() - min(waiting) if waiting else timedelta()

    async def backlogs(self) -> dict[UUID, Backlog]:
        await self._transaction.turn()
        found: dict[UUID, Backlog] = {}
        for row in self._deliveries():
            if row.delivered_at is None:
                known = found.get(row.endpoint_id, Backlog())
                found[row.endpoint_id] = Backlog(
                    waiting=known.waiting + row.waits, gave_up=known.gave_up + (not row.waits)
                )
        return found

    def _enabled(self) -> set[UUID]:
        return {row.endpoint.id for row in self._endpoints() if row.endpoint.disabled_at is None}

    def _newest(self) -> list[StoredDelivery]:
        """Newest first, and among those of one event the older endpoint's first."""
        ages = {row.endpoint.id: place for place, row in enumerate(self._endpoints())}
        rows = sorted(self._deliveries(), key=lambda row: ages[row.endpoint_id])
        return sorted(rows, key=lambda row: (row.created_at, *row.place), reverse=True)

    def _shown(self, row: StoredDelivery) -> EventDelivery:
        stored = next(known for known in self._endpoints() if known.endpoint.id == row.endpoint_id)
        return EventDelivery(
            event_id=row.event.id,
            endpoint_id=row.endpoint_id,
            order_id=row.order_id,
            type=row.event.type,
            url=stored.endpoint.url,
            created_at=row.created_at,
            attempts=row.attempts,
            last_attempted_at=row.last_attempted_at,
            last_status=row.last_status,
            last_error=row.last_error,
            due_at=max(row.due_at, stored.paused_until)
            if row.waits and stored.endpoint.disabled_at is None
            else None,
            delivered_at=row.delivered_at,
            gave_up_at=row.gave_up_at,
        )


def _goes_first(other: StoredDelivery, due: StoredDelivery, now: datetime) -> bool:
    if other.event.payment_id != due.event.payment_id or not other.waits:
        return False
    return other.place < due.place or other.leased_until > now


class SteadyChance:
    """Chance that always falls the same way."""

    def __init__(self, fraction: float = 0.5) -> None:
        self._fraction, self._made = fraction, 0

    def fraction(self) -> float:
        return self._fraction

    def unguessable(self, length: int) -> bytes:
        self._made += 1
        return self._made.to_bytes(length, "big")


class ScriptedMerchant:
    """A backend that answers as told; without a word it takes everything. ``got`` is what reached it.

    Given the unit of work, it refuses to be told anything while a transaction is open.
    """

    def __init__(self, *, begin: InMemoryUnitOfWork | None = None) -> None:
        self._begin = begin
        self.answers: Callable[[Message], Answer] = lambda _message: Answered(status=200)
        self.got: list[Message] = []
        self.under_way: dict[str, int] = defaultdict(int)
        self.most_under_way: dict[str, int] = defaultdict(int)
        self.held: asyncio.Event | None = None

    @property
    def ids(self) -> list[str]:
        return [message.id for message in self.got]

    async def send(self, message: Message, *, within: float) -> Answer:  # noqa: ARG002 - as the real one
        if self._begin is not None:
            assert not self._begin.is_open_here(), "the shop was told inside a transaction"
        self.got.append(message)
        self.under_way[message.url] += 1
        self.most_under_way[message.url] = max(self.most_under_way[message.url], self.under_way[message.url])
        try:
            if self.held is not None:
                await self.held.wait()
            await asyncio.sleep(0)
            return self.answers(message)
        finally:
            self.under_way[message.url] -= 1
