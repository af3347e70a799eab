"""The ports in memory: fakes that remember, answer as told, or stand still until they are turned.

Everything that the tests rely on here is proven against the real adapters by the same suites
(``support.contracts``).
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from domain import refund_claim
from domain.asking import PROBE, Budget, overspent, pause_after, refilled
from domain.errors import (
    DatabaseUnavailable,
    GatewayUnavailable,
    OrderIdTaken,
    TransactionTaken,
    UnknownUser,
)
from domain.evidence import NoTransaction, StatusReply
from domain.history import Entry
from domain.idempotency import LEASE, LIFE, Ending, IdempotentCall
from domain.notification import stored
from domain.order_id import ALPHABET, OUR_RANDOM_LENGTH, OURS
from domain.payment import Payment
from domain.ports.gateway import (
    Charge,
    ChargeOutcome,
    Declined,
    RefundOrder,
    RefundOutcome,
    Unanswered,
)
from domain.ports.idempotency import Claim, Ended, New, Resumed, Reused, Running
from domain.ports.notifications import (
    DISMISSED,
    DoubtfulNotification,
    ForgedNotification,
    ReceivedNotification,
)
from domain.ports.payments import Place
from domain.schedule import ask_after_change_in, ask_in
from domain.status import Status
from support.fake_merchant import InMemoryDeliveries, InMemoryEndpoints, MerchantState, queue
from support.fake_refunds import InMemoryRefunds, StoredRefund
from support.row_lock import RowLock

START: Final = datetime(2026, 2, 6, 3, 0, tzinfo=UTC)
_DAY: Final = timedelta(days=1)
_REPEATS_A_DAY: Final = 100
_FORGED_A_MINUTE: Final = 200
_FORGED_KEPT: Final = 10_000
_FORGED_KEPT_FOR: Final = timedelta(days=7)
_DUE_LEASE: Final = timedelta(seconds=55)
_ASKED_LATELY: Final = timedelta(seconds=10)
_NEVER: Final = datetime.min.replace(tzinfo=UTC)
_KEY_KEPT_AT_MIDTRANS: Final = timedelta(minutes=4, seconds=-25)


class ManualClock:
    """Stands still until it is advanced; sleeping advances it at once."""

    def __init__(self, start: datetime = START) -> None:
        self._start, self._elapsed = start, 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        self._elapsed += seconds


class CountingIdentifiers:
    """Identifiers of the right form that count from one."""

    def __init__(self) -> None:
        self._uuids, self._order_ids, self._tokens = 0, 0, 0

    def uuid(self) -> UUID:
        self._uuids += 1
        return UUID(int=self._uuids)

    def checkout_token(self) -> str:
        self._tokens += 1
        return f"checkout-token-{self._tokens:017}"

    def order_id(self) -> str:
        self._order_ids += 1
        return OURS + str(self._order_ids).rjust(OUR_RANDOM_LENGTH, ALPHABET[0])


class InMemoryCreateRate:
    """Creates per user in a running minute; counters with the same ``windows`` count together."""

    def __init__(
        self,
        *,
        clock: ManualClock,
        per_minute: int,
        windows: dict[int, tuple[float, int]] | None = None,
    ) -> None:
        self._clock, self._per_minute = clock, per_minute
        self._windows = {} if windows is None else windows

    async def take(self, user_ids: Sequence[int]) -> list[int | None]:
        return [self._take(user_id) for user_id in user_ids]

    def _take(self, user_id: int) -> int | None:
        now = self._clock.monotonic()
        started, created = self._windows.get(user_id, (now, 0))
        if started <= now - 60:
            started, created = now, 0
        self._windows[user_id] = started, created + 1
        if created < self._per_minute:
            return None
        return max(int(-(-(started + 60 - now) // 1)), 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredNotification:
    """A row of the inbox, as both the fake and Postgres keep it."""

    id: UUID
    received_at: datetime
    order_id: str
    transaction_id: str | None
    transaction_status: str
    signature_key: str | None
    body: str
    is_verified: bool
    processed: bool
    error: str | None
    forged: bool
    repeats: int
    attempts: int
    due_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredKey:
    """A row of the Idempotency-Keys."""

    fingerprint: bytes
    payment_id: UUID
    created_at: datetime
    leased_until: datetime
    lease: UUID | None = None
    uncharged: bool = False
    ending: Ending | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredBudget:
    """The one row of what may be asked of Midtrans."""

    tokens: float
    refilled_at: datetime
    failures: int = 0
    paused_until: datetime = _NEVER


@dataclass(slots=True)
class _State:
    """What is committed."""

    users: set[int] = field(default_factory=set)
    last_user: int = 0
    payments: dict[str, Payment] = field(default_factory=dict)
    entries: dict[UUID, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    asked_at: dict[UUID, datetime] = field(default_factory=dict)
    due_at: dict[UUID, datetime | None] = field(default_factory=dict)
    charged_first_at: dict[UUID, datetime] = field(default_factory=dict)
    keys: dict[tuple[int, str], StoredKey] = field(default_factory=dict)
    notifications: dict[UUID, StoredNotification] = field(default_factory=dict)
    budget: StoredBudget | None = None
    refunds: dict[UUID, StoredRefund] = field(default_factory=dict)
    merchant: MerchantState = field(default_factory=MerchantState)


class _Transaction:
    """What one open transaction has changed and locked; ``broken`` once a statement of it failed."""

    def __init__(self, committed: _State, locks: dict[Hashable, RowLock], patience: float) -> None:
        self.committed, self.changed = committed, _State()
        self.broken = False
        self._locks, self._patience = locks, patience
        self._held: dict[Hashable, RowLock] = {}

    async def turn(self) -> None:
        """One statement: others get their turn, and none follows a failed one."""
        assert not self.broken, "a statement of this transaction failed: leave it by the exception"
        await asyncio.sleep(0)

    async def hold(self, key: Hashable) -> None:
        """Lock until the transaction ends."""
        if key in self._held:
            return
        lock = self._locks[key]
        if lock.locked():
            await self._wait_for(lock)
        else:
            await lock.acquire()  # at once, or behind somebody whose turn has come
        self._held[key] = lock

    async def _wait_for(self, lock: RowLock) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await lock.acquire()
        except TimeoutError as late:
            self.broken = True
            raise DatabaseUnavailable from late

    def holds(self, key: Hashable) -> bool:
        return key in self._held

    def is_held_elsewhere(self, key: Hashable) -> bool:
        return key not in self._held and self._locks[key].locked()

    def release(self) -> None:
        for lock in self._held.values():
            lock.release()
        self._held.clear()

    def payment(self, order_id: str) -> Payment | None:
        return self.changed.payments.get(order_id) or self.committed.payments.get(order_id)

    def payments(self) -> Iterable[Payment]:
        return (self.committed.payments | self.changed.payments).values()

    def due_at(self, payment_id: UUID) -> datetime | None:
        return (self.committed.due_at | self.changed.due_at).get(payment_id)

    def payment_of(self, payment_id: UUID) -> Payment | None:
        return next((known for known in self.payments() if known.id == payment_id), None)

    def key(self, name: tuple[int, str]) -> StoredKey | None:
        return self.changed.keys.get(name) or self.committed.keys.get(name)

    def notifications(self) -> list[StoredNotification]:
        rows = self.committed.notifications | self.changed.notifications
        return list(rows.values())

    def commit(self) -> list[Entry]:
        state, changed = self.committed, self.changed
        state.users |= changed.users
        state.payments |= changed.payments
        state.asked_at |= changed.asked_at
        state.due_at |= changed.due_at
        state.budget = changed.budget or state.budget
        state.charged_first_at |= changed.charged_first_at
        state.keys |= changed.keys
        ids = {payment.id for payment in state.payments.values()}
        assert all(key.payment_id in ids for key in changed.keys.values()), "a key without its payment"
        state.notifications |= changed.notifications
        state.refunds |= changed.refunds
        state.merchant.merge(changed.merchant)
        for payment_id, entries in changed.entries.items():
            state.entries[payment_id].extend(entries)
        return [entry for entries in changed.entries.values() for entry in entries]


class InMemoryPayments:
    """The payments of one open transaction."""

    def __init__(self, transaction: _Transaction, clock: ManualClock) -> None:
        self._transaction, self._clock = transaction, clock

    async def add(self, payment: Payment, entries: tuple[Entry, ...]) -> None:
        if not await self.add_all([(payment, entries)]):
            raise OrderIdTaken(payment.order_id)

    async def add_all(self, payments: Sequence[tuple[Payment, tuple[Entry, ...]]]) -> set[UUID]:
        await self._transaction.turn()
        return {payment.id for payment, entries in payments if await self._add(payment, entries)}

    async def _add(self, payment: Payment, entries: tuple[Entry, ...]) -> bool:
        own = self._transaction
        if own.payment(payment.order_id) is None:
            await own.hold(("payment", payment.order_id))
        if own.payment(payment.order_id) is not None:
            return False
        if payment.user_id not in own.committed.users | own.changed.users:
            own.broken = True
            raise UnknownUser(payment.user_id)
        assert all(other.id != payment.id for other in own.payments()), "the row's id is taken"
        now = self._clock.now()
        own.changed.payments[payment.order_id] = replace(payment, charged_at=now, changed_at=now)
        own.changed.charged_first_at[payment.id] = now
        self._due(payment, ask_after_change_in(payment))
        self._record(entries)
        return True

    async def lock(self, order_id: str) -> Payment | None:
        own = self._transaction
        await own.turn()
        if own.payment(order_id) is None:
            return None
        await own.hold(("payment", order_id))
        found = own.payment(order_id)
        return found and replace(found, read_at=self._clock.now())

    async def save(self, payment: Payment, entries: tuple[Entry, ...]) -> None:
        own = self._transaction
        await own.turn()
        assert own.holds(("payment", payment.order_id)), "only a locked payment is saved"
        if payment.transaction_id is not None:
            await own.hold(("transaction", payment.transaction_id))
        if any(
            other.transaction_id == payment.transaction_id is not None and other.id != payment.id
            for other in own.payments()
        ):
            own.broken = True
            raise TransactionTaken(str(payment.transaction_id))
        before = own.payment(payment.order_id)
        assert before is not None
        own.changed.payments[payment.order_id] = replace(
            before,
            status=payment.status,
            earlier_status=None,
            transaction_id=payment.transaction_id,
            charge_answer=payment.charge_answer,
            updated_at=payment.updated_at,
            changed_at=self._clock.now(),
            paid_at=payment.paid_at,
            late=payment.late,
            refunded_amount=payment.refunded_amount,
            breaks=payment.breaks,
            unconfirmed_since=payment.unconfirmed_since,
            attended=payment.attended,
            log_length=payment.log_length,
            log_head=payment.log_head,
        )
        self._due(payment, ask_after_change_in(payment))
        self._record(entries)
        queue(own, self._clock, payment, before.user_id, entries)

    async def save_all(self, changes: Sequence[tuple[Payment, tuple[Entry, ...]]]) -> None:
        for payment, entries in changes:
            await self.save(payment, entries)

    async def lock_free(self, order_ids: Sequence[str]) -> list[Payment]:
        own = self._transaction
        await own.turn()
        free = [
            order_id
            for order_id in dict.fromkeys(order_ids)
            if own.payment(order_id) is not None and not own.is_held_elsewhere(("payment", order_id))
        ]
        for order_id in free:
            await own.hold(("payment", order_id))
        found = (own.payment(order_id) for order_id in free)
        return [replace(payment, read_at=self._clock.now()) for payment in found if payment is not None]

    async def charge_again(self, payment_id: UUID) -> bool:
        own = self._transaction
        await own.turn()
        payment = own.payment_of(payment_id)
        if payment is None:
            return False
        await own.hold(("payment", payment.order_id))
        payment = own.payment_of(payment_id)
        first = (own.committed.charged_first_at | own.changed.charged_first_at)[payment_id]
        is_old = first <= self._clock.now() - _KEY_KEPT_AT_MIDTRANS
        if payment is None or is_old or not payment.status.is_open or self._is_over(payment):
            return False
        self._charged(payment.order_id)
        return True

    async def charge_anew(self, payment_id: UUID) -> bool:
        own = self._transaction
        await own.turn()
        payment = own.payment_of(payment_id)
        if payment is None:
            return False
        await own.hold(("payment", payment.order_id))
        payment = own.payment_of(payment_id)
        first = (own.committed.charged_first_at | own.changed.charged_first_at)[payment_id]
        if payment is None or payment.status is not Status.CREATED or first == _NEVER:
            return False
        if self._is_over(payment):
            return False
        own.changed.charged_first_at[payment_id] = self._clock.now()
        self._charged(payment.order_id)
        return True

    async def never_charge_again(self, payment_id: UUID) -> bool:
        own = self._transaction
        await own.turn()
        payment = own.payment_of(payment_id)
        if payment is None:
            return False
        await own.hold(("payment", payment.order_id))
        before = (own.committed.charged_first_at | own.changed.charged_first_at)[payment_id]
        own.changed.charged_first_at[payment_id] = _NEVER
        return before != _NEVER

    def _is_over(self, payment: Payment) -> bool:
        return payment.expires_at <= self._clock.now()

    def _charged(self, order_id: str) -> None:
        payment = self._transaction.payment(order_id)
        assert payment is not None
        self._transaction.changed.payments[order_id] = replace(payment, charged_at=self._clock.now())

    async def any_due(self) -> bool:
        await self._transaction.turn()
        return any(self._is_due(payment) for payment in self._transaction.payments())

    async def take_due(self, *, limit: int) -> list[str]:
        own, now = self._transaction, self._clock.now()
        assert limit >= 0, "Postgres refuses a negative limit"
        await own.turn()
        due = [
            payment
            for payment in own.payments()
            if self._is_due(payment) and not own.is_held_elsewhere(("payment", payment.order_id))
        ]
        due.sort(key=lambda one: (one.status is not Status.CREATED, own.due_at(one.id) or now))
        for payment in due[:limit]:
            await own.hold(("payment", payment.order_id))
            own.changed.due_at[payment.id] = now + _DUE_LEASE
            own.changed.asked_at[payment.id] = now
        return [payment.order_id for payment in due[:limit]]

    async def put_off(self, payment: Payment, *, at: datetime) -> None:
        await self._transaction.turn()
        await self._transaction.hold(("payment", payment.order_id))
        self._due(payment, ask_in(payment, at))

    def _is_due(self, payment: Payment) -> bool:
        own, now = self._transaction, self._clock.now()
        due_at = own.due_at(payment.id)
        asked_at = (own.committed.asked_at | own.changed.asked_at).get(payment.id)
        return due_at is not None and due_at <= now and (asked_at is None or asked_at <= now - _ASKED_LATELY)

    def _due(self, payment: Payment, wait: timedelta | None) -> None:
        self._transaction.changed.due_at[payment.id] = None if wait is None else self._clock.now() + wait

    async def take_turn(self, payment_id: UUID, *, seconds: int) -> bool:
        own, now = self._transaction, self._clock.now()
        await own.turn()
        found = own.payment_of(payment_id)
        if found is None:
            return False
        await own.hold(("payment", found.order_id))
        asked_at = (own.committed.asked_at | own.changed.asked_at).get(payment_id)
        if asked_at is not None and asked_at > now - timedelta(seconds=seconds):
            return False
        own.changed.asked_at[payment_id] = now
        return True

    def _record(self, entries: tuple[Entry, ...]) -> None:
        own = self._transaction
        for entry in entries:
            known = own.committed.entries[entry.payment_id] + own.changed.entries[entry.payment_id]
            assert entry.seq not in {other.seq for other in known}, "the log has that row already"
            own.changed.entries[entry.payment_id].append(entry)


class InMemoryPaymentReader:
    """Payments as committed."""

    def __init__(self, begin: "InMemoryUnitOfWork") -> None:
        self._begin = begin

    async def find(self, order_id: str) -> Payment | None:
        found = (await self._state()).payments.get(order_id)
        return found and replace(found, read_at=self._begin.now())

    async def find_all(self, order_ids: Sequence[str]) -> list[Payment]:
        payments, now = (await self._state()).payments, self._begin.now()
        return [replace(payments[one], read_at=now) for one in set(order_ids) if one in payments]

    async def page(
        self, *, user_id: int | None, status: Status | None, after: Place | None, limit: int
    ) -> list[Payment]:
        newest_first = sorted(
            (await self._state()).payments.values(),
            key=lambda payment: (payment.created_at, payment.id),
            reverse=True,
        )
        return [
            payment
            for payment in newest_first
            if user_id in {None, payment.user_id}
            and status in {None, payment.status}
            and (after is None or (payment.created_at, payment.id) < (after.created_at, after.id))
        ][:limit]

    async def attention(self, *, limit: int) -> list[Payment]:
        found = [payment for payment in (await self._state()).payments.values() if payment.attention]
        found.sort(key=lambda payment: (payment.updated_at, payment.id), reverse=True)
        return found[:limit]

    async def log(self, payment_id: UUID) -> list[Entry]:
        entries = (await self._state()).entries[payment_id]
        return sorted(entries, key=lambda entry: entry.seq)

    async def _state(self) -> _State:
        await asyncio.sleep(0)
        self._begin.check_reachable()
        return self._begin.state


class InMemoryNotifications:
    """The stored notifications, within one open transaction."""

    def __init__(self, transaction: _Transaction, clock: ManualClock) -> None:
        self._transaction, self._clock = transaction, clock

    async def add(self, notification: ReceivedNotification) -> None:
        await self._transaction.turn()
        self._keep_new(notification)

    async def add_all(self, notifications: Sequence[ReceivedNotification]) -> None:
        for notification in notifications:
            await self.add(notification)

    async def add_repeat(self, notification: ReceivedNotification) -> None:
        await self._transaction.turn()
        since = notification.received_at - _DAY
        same = [
            row
            for row in self._transaction.notifications()
            if row.order_id == notification.order_id
            and row.signature_key == notification.signature_key
            and row.transaction_id == notification.transaction_id
            and row.transaction_status == notification.transaction_status
            and row.received_at > since
        ]
        if len(same) < _REPEATS_A_DAY or any(row.id == notification.id for row in same):
            self._keep_new(notification)
            return
        newest = max(same, key=lambda row: row.received_at)
        (newest,) = await self._locked([newest.id])
        counted = replace(newest, repeats=newest.repeats + 1)
        if not notification.processed and notification.error is None:
            now = self._clock.now()
            counted = replace(counted, processed=False, error=None, attempts=0, due_at=now)
        self._keep(counted)

    async def add_forged(self, notification: ForgedNotification) -> None:
        await self._transaction.turn()
        since = notification.received_at - timedelta(minutes=1)
        forged = [row for row in self._transaction.notifications() if row.forged]
        if sum(row.received_at > since for row in forged) >= _FORGED_A_MINUTE:
            return
        self._keep(
            StoredNotification(
                id=notification.id,
                received_at=notification.received_at,
                order_id=notification.order_id,
                transaction_id=None,
                transaction_status=notification.transaction_status,
                signature_key=None,
                body="",
                is_verified=False,
                processed=False,
                error=None,
                forged=True,
                repeats=0,
                attempts=0,
                due_at=self._clock.now(),
            ),
        )

    async def take_doubtful(self, *, limit: int) -> list[DoubtfulNotification]:
        own, now = self._transaction, self._clock.now()
        await own.turn()
        due = sorted(
            (
                row
                for row in own.notifications()
                if row.is_verified and not row.processed and row.error is None and row.due_at <= now
                if not own.is_held_elsewhere(("notification", row.id))
            ),
            key=lambda row: row.due_at,
        )[:limit]
        taken = []
        for row in due:
            await own.hold(("notification", row.id))
            wait = timedelta(seconds=min(30 * 2**row.attempts, 3600))
            self._keep(replace(row, attempts=row.attempts + 1, due_at=now + wait))
            taken.append(
                DoubtfulNotification(
                    id=row.id,
                    order_id=row.order_id,
                    transaction_id=row.transaction_id,
                    transaction_status=row.transaction_status,
                    refunds=refund_claim.read(stored(row.body)),
                    attempts=row.attempts + 1,
                ),
            )
        return taken

    async def postpone(self, ids: list[UUID]) -> None:
        await self._transaction.turn()
        for row in self._transaction.notifications():
            if row.id in ids:
                wait = timedelta(seconds=min(2**row.attempts, 3600))
                self._keep(replace(row, due_at=self._clock.now() + wait))

    async def mark_processed(self, ids: list[UUID]) -> None:
        for row in await self._locked(ids):
            self._keep(replace(row, processed=True, error=None))

    async def set_aside(self, ids: list[UUID], error: str) -> None:
        for row in await self._locked(ids):
            if not row.processed:
                self._keep(replace(row, error=error))

    async def dismiss(self, ids: list[UUID], note: str) -> list[UUID]:
        rows = [row for row in await self._locked(ids) if not row.processed and row.error is not None]
        for row in rows:
            self._keep(replace(row, processed=True, error=f"{DISMISSED}{note} ({row.error})"))
        return [row.id for row in rows]

    async def replayed(
        self,
        notification_id: UUID,
        *,
        order_id: str,
        transaction_id: str | None,
        processed: bool,
        error: str | None,
    ) -> bool:
        rows = [row for row in await self._locked([notification_id]) if not row.forged]
        for row in rows:
            self._keep(
                replace(
                    row,
                    order_id=order_id,
                    transaction_id=transaction_id,
                    is_verified=True,
                    processed=processed,
                    error=error,
                    attempts=0,
                    due_at=self._clock.now(),
                ),
            )
        return bool(rows)

    def _keep_new(self, notification: ReceivedNotification) -> None:
        own = self._transaction
        if notification.id in own.committed.notifications or notification.id in own.changed.notifications:
            return
        row = StoredNotification(
            id=notification.id,
            received_at=notification.received_at,
            order_id=notification.order_id,
            transaction_id=notification.transaction_id,
            transaction_status=notification.transaction_status,
            signature_key=notification.signature_key,
            body=notification.body,
            is_verified=True,
            processed=notification.processed,
            error=notification.error,
            forged=False,
            repeats=0,
            attempts=0,
            due_at=self._clock.now(),
        )
        self._keep(row)

    def _keep(self, row: StoredNotification) -> None:
        self._transaction.changed.notifications[row.id] = row

    async def _locked(self, ids: list[UUID]) -> list[StoredNotification]:
        own = self._transaction
        await own.turn()
        for known in sorted(ids):
            await own.hold(("notification", known))
        return [row for row in own.notifications() if row.id in ids]


class InMemoryIdempotencyKeys:
    """The Idempotency-Keys, within one open transaction."""

    def __init__(self, transaction: _Transaction, clock: ManualClock) -> None:
        self._transaction, self._clock = transaction, clock

    async def seen(self, call: IdempotentCall) -> bool:
        await self._transaction.turn()
        row = self._transaction.key((call.user_id, call.key))
        return row is not None and not self._is_old(row)

    async def claim(self, call: IdempotentCall, payment_id: UUID) -> Claim:
        own, name, now = self._transaction, (call.user_id, call.key), self._clock.now()
        await own.turn()
        await own.hold(("key", name))
        row = own.key(name)
        if row is None or self._is_old(row):
            own.changed.keys[name] = StoredKey(
                fingerprint=call.fingerprint,
                payment_id=payment_id,
                created_at=now,
                leased_until=now + LEASE,
                lease=call.lease,
            )
            return New()
        if row.fingerprint != call.fingerprint:
            return Reused()
        payment = own.payment_of(row.payment_id)
        assert payment is not None
        if row.ending is not None:
            return Ended(order_id=payment.order_id, ending=row.ending)
        if row.leased_until > now:
            return Running(retry_after=int(-(-(row.leased_until - now).total_seconds() // 1)))
        own.changed.keys[name] = replace(row, lease=call.lease, leased_until=now + LEASE, uncharged=False)
        return Resumed(order_id=payment.order_id, uncharged=row.uncharged)

    async def end(self, call: IdempotentCall, ending: Ending) -> None:
        await self._change(call, ending=ending)

    async def keep(self, call: IdempotentCall) -> bool:
        return await self._change(call, leased_until=self._clock.now() + LEASE)

    async def release(self, call: IdempotentCall, *, uncharged: bool) -> None:
        await self._change(call, leased_until=self._clock.now(), uncharged=uncharged)

    async def _change(self, call: IdempotentCall, **changes: Any) -> bool:
        own, name = self._transaction, (call.user_id, call.key)
        await own.turn()
        await own.hold(("key", name))
        row = own.key(name)
        if row is None or row.ending is not None or row.lease != call.lease:
            return False
        own.changed.keys[name] = replace(row, **changes)
        return True

    def _is_old(self, row: StoredKey) -> bool:
        now = self._clock.now()
        return row.created_at <= now - LIFE and row.leased_until <= now


class InMemoryUsers:
    """The ``users`` table, within one open transaction."""

    def __init__(self, transaction: _Transaction) -> None:
        self._transaction = transaction

    async def exists(self, user_id: int) -> bool:
        await self._transaction.turn()
        return user_id in self._known()

    async def add(self, user_id: int | None = None) -> int:
        own = self._transaction
        await own.turn()
        given = self._next() if user_id is None else user_id
        if given not in self._known():
            await own.hold(("user", given))
            own.changed.users.add(given)
        return given

    async def page(self, *, limit: int) -> list[int]:
        await self._transaction.turn()
        return sorted(self._known())[:limit]

    def _next(self) -> int:
        """Counts on also when the transaction is undone, as a sequence does."""
        self._transaction.committed.last_user += 1
        while self._transaction.committed.last_user in self._known():
            self._transaction.committed.last_user += 1
        return self._transaction.committed.last_user

    def _known(self) -> set[int]:
        return self._transaction.committed.users | self._transaction.changed.users


class InMemoryAskingBudget:
    """What the background work may ask of Midtrans, ``rate`` questions a second."""

    def __init__(self, transaction: _Transaction, clock: ManualClock, rate: float) -> None:
        self._transaction, self._clock, self._rate = transaction, clock, rate

    async def allowance(self) -> int | None:
        return self._read(await self._row()).allowance

    async def spend(self, questions: int) -> None:
        if questions:
            row = await self._row()
            budget, now = self._read(row), self._clock.now()
            paused_until = now + PROBE if budget.is_probing else row.paused_until
            self._keep(replace(row, tokens=budget.tokens - questions, paused_until=paused_until))

    async def overspend(self, questions: int) -> None:
        if questions:
            row = await self._row()
            left = overspent(row.tokens, questions, rate=self._rate, seconds=self._seconds_since(row))
            self._keep(replace(row, tokens=left))

    def _keep(self, row: StoredBudget) -> None:
        self._transaction.changed.budget = replace(row, refilled_at=self._clock.now())

    async def report(self, *, answered: bool) -> None:
        row = await self._row()
        failures = 0 if answered else row.failures + 1
        until = _NEVER if answered else self._clock.now() + pause_after(failures)
        self._transaction.changed.budget = replace(row, failures=failures, paused_until=until)

    async def _row(self) -> StoredBudget:
        await self._transaction.turn()
        await self._transaction.hold("budget")
        known = self._transaction.changed.budget or self._transaction.committed.budget
        return known or StoredBudget(tokens=0, refilled_at=self._clock.now() - timedelta(seconds=1))

    def _seconds_since(self, row: StoredBudget) -> float:
        return (self._clock.now() - row.refilled_at).total_seconds()

    def _read(self, row: StoredBudget) -> Budget:
        tokens = refilled(row.tokens, rate=self._rate, seconds=self._seconds_since(row))
        return Budget(tokens=tokens, failures=row.failures, is_paused=row.paused_until > self._clock.now())


class InMemoryWork:
    """The repositories of one open transaction."""

    def __init__(self, transaction: _Transaction, clock: ManualClock, ask_rate: float = 20.0) -> None:
        self.budget = InMemoryAskingBudget(transaction, clock, ask_rate)
        self.payments = InMemoryPayments(transaction, clock)
        self.notifications = InMemoryNotifications(transaction, clock)
        self.idempotency = InMemoryIdempotencyKeys(transaction, clock)
        self.refunds = InMemoryRefunds(transaction, clock)
        self.users = InMemoryUsers(transaction)
        self.endpoints = InMemoryEndpoints(transaction, clock)
        self.deliveries = InMemoryDeliveries(transaction, clock)


class InMemoryUnitOfWork:
    """Isolated, atomic transactions over one memory; ``recorded`` is every entry that was committed.

    ``is_away`` makes the database unreachable, ``fail_next_commits`` loses it at the last moment, and
    ``lose_next_answers`` right after it: what was committed is there, and nobody hears of it.
    """

    def __init__(
        self,
        *,
        clock: ManualClock,
        users: Iterable[int] = (),
        lock_seconds: float = 2.0,
        ask_rate: float = 20.0,
    ) -> None:
        self._ask_rate = ask_rate
        self.state = _State(users=set(users))
        self.recorded: list[Entry] = []
        self.is_away = False
        self.fail_next_commits = 0
        self.lose_next_answers = 0
        self._clock, self._lock_seconds = clock, lock_seconds
        self._locks: dict[Hashable, RowLock] = defaultdict(RowLock)
        self._open: list[asyncio.Task[object] | None] = []

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[InMemoryWork]:
        self.check_reachable()
        transaction = _Transaction(self.state, self._locks, self._lock_seconds)
        task = asyncio.current_task()
        self._open.append(task)
        try:
            await asyncio.sleep(0)
            yield InMemoryWork(transaction, self._clock, self._ask_rate)
            assert not transaction.broken, "a failed statement was swallowed"
            self._check_commit()
            self.recorded.extend(transaction.commit())
            self._check_answer()
        finally:
            self._open.remove(task)
            transaction.release()

    def now(self) -> datetime:
        """The database's own time."""
        return self._clock.now()

    def is_open_here(self) -> bool:
        """Whether the running task is inside a transaction."""
        return asyncio.current_task() in self._open

    def check_reachable(self) -> None:
        if self.is_away:
            raise DatabaseUnavailable

    def _check_commit(self) -> None:
        self.check_reachable()
        if self.fail_next_commits:
            self.fail_next_commits -= 1
            raise DatabaseUnavailable

    def _check_answer(self) -> None:
        if self.lose_next_answers:
            self.lose_next_answers -= 1
            raise DatabaseUnavailable

    @property
    def notifications(self) -> list[StoredNotification]:
        """The inbox as committed, oldest first."""
        return sorted(self.state.notifications.values(), key=lambda row: row.received_at)


ChargeScript = Callable[[Charge, float], Awaitable[ChargeOutcome]]
RefundScript = Callable[[RefundOrder, float], Awaitable[RefundOutcome]]
StatusScript = (
    StatusReply | NoTransaction | GatewayUnavailable | Callable[[], Awaitable[StatusReply | NoTransaction]]
)
CancelScript = StatusScript | Declined


class ScriptedGateway:
    """Answers as told, in the order told, and remembers what it was asked.

    Given the unit of work, it refuses to be asked while a transaction is open.
    """

    def __init__(self, *, clock: ManualClock, begin: InMemoryUnitOfWork | None = None) -> None:
        self._clock, self._begin = clock, begin
        self._charge_scripts: list[ChargeOutcome | ChargeScript] = []
        self._status_scripts: dict[str, list[StatusScript]] = defaultdict(list)
        self._end_scripts: dict[tuple[str, str], list[CancelScript]] = defaultdict(list)
        self._refund_scripts: list[RefundOutcome | RefundScript] = []
        self.charges: list[Charge] = []
        self.refunds: list[RefundOrder] = []
        self.asked: list[str] = []
        self.cancelled: list[str] = []
        self.expired: list[str] = []

    def answers_charges_with(self, *outcomes: ChargeOutcome | ChargeScript) -> None:
        """One outcome, or one function that makes it, for each of the next attempts."""
        self._charge_scripts.extend(outcomes)

    def answers_status_of(self, transaction: str, *replies: StatusScript) -> None:
        """The replies to the next questions about this id; the last one stays."""
        self._status_scripts[transaction].extend(replies)

    def answers_cancel_of(self, transaction: str, *replies: CancelScript) -> None:
        """The replies to the next wishes to cancel this id; the last one stays."""
        self._end_scripts["cancel", transaction].extend(replies)

    def answers_expire_of(self, transaction: str, *replies: StatusScript) -> None:
        """The replies to the next wishes to expire this id; the last one stays."""
        self._end_scripts["expire", transaction].extend(replies)

    def forgets_ends_of(self, transaction: str) -> None:
        for how in ("cancel", "expire"):
            self._end_scripts.pop((how, transaction), None)

    def answers_refunds_with(self, *outcomes: RefundOutcome | RefundScript) -> None:
        """One outcome, or one function that makes it, for each of the next attempts."""
        self._refund_scripts.extend(outcomes)

    def forgets_status_of(self, transaction: str) -> None:
        self._status_scripts.pop(transaction, None)

    async def charge(self, charge: Charge, *, within: float) -> ChargeOutcome:
        self._check_no_transaction()
        self.charges.append(charge)
        assert self._charge_scripts, "the gateway was not told how to answer this attempt"
        script = self._charge_scripts.pop(0)
        await asyncio.sleep(0)
        return await script(charge, within) if callable(script) else script

    async def status(self, transaction: str) -> StatusReply | NoTransaction:
        self._check_no_transaction()
        self.asked.append(transaction)
        return await self._reply(self._status_scripts[transaction])

    async def refund(self, refund: RefundOrder, *, within: float) -> RefundOutcome:
        self._check_no_transaction()
        self.refunds.append(refund)
        assert self._refund_scripts, "the gateway was not told how to answer this refund"
        script = self._refund_scripts.pop(0)
        await asyncio.sleep(0)
        return await script(refund, within) if callable(script) else script

    async def cancel(self, transaction: str) -> StatusReply | NoTransaction | Declined:
        self._check_no_transaction()
        self.cancelled.append(transaction)
        return await self._reply(self._end_scripts["cancel", transaction])

    async def expire(self, transaction: str) -> StatusReply | NoTransaction:
        self._check_no_transaction()
        self.expired.append(transaction)
        return await self._reply(self._end_scripts["expire", transaction])

    async def _reply(self, scripts: list[Any]) -> Any:
        await asyncio.sleep(0)
        if not scripts:
            return NoTransaction(received_at=self._clock.now())
        reply = scripts.pop(0) if len(scripts) > 1 else scripts[0]
        if isinstance(reply, GatewayUnavailable):
            raise reply
        return await reply() if callable(reply) else reply

    def after(self, seconds: float, outcome: ChargeOutcome) -> ChargeScript:
        """An attempt that takes so long; one that takes longer than it may stays without an answer."""

        async def answer(_charge: Charge, within: float) -> ChargeOutcome:
            await self._clock.sleep(min(seconds, within))
            return outcome if seconds <= within else Unanswered(reason="no answer in time")

        return answer

    def _check_no_transaction(self) -> None:
        if self._begin is not None:
            assert not self._begin.is_open_here(), "Midtrans was asked inside a transaction"
