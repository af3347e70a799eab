"""The database of a world: the fake of the unit tests, with everything that a network does to it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from domain.errors import DatabaseUnavailable
from domain.history import Entry
from domain.payment import Payment
from simulation.due import when_due
from simulation.fate import Fault
from simulation.virtual_loop import OTHERS_FIRST, OwnedTask, Owner
from simulation.world import World
from support.fakes import InMemoryPayments, InMemoryUnitOfWork, InMemoryWork, StoredNotification, _Transaction

# ``lock_timeout`` and ``idle_in_transaction_session_timeout`` of ``adapters.postgres.work``.
LOCK_SECONDS: Final = 2.0
IDLE_SECONDS: Final = 30.0
_ENDED: Final = -1


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """A payment before and after one commit, and the log rows of it; ``purpose`` is what it was done for."""

    before: Payment | None
    after: Payment
    entries: tuple[Entry, ...]
    purpose: str


class Bell(Protocol):
    """Somebody who waits for something to do."""

    def set(self, due: float | None) -> None:
        """There will be something to do at ``due``, by what is known now."""
        ...


class SimulatedTransaction(_Transaction):
    """``epoch`` is how often the database had gone away when it began."""

    def __init__(self, database: "SimulatedDatabase", task: asyncio.Task[object] | None) -> None:
        super().__init__(database.state, database.locks, database.lock_seconds)
        self.database, self.epoch = database, database.epoch
        self.owner = task.owner if isinstance(task, OwnedTask) else None
        self.purpose = task.purpose if isinstance(task, OwnedTask) else ""
        self.taken: tuple[str, ...] = ()

    async def turn(self) -> None:
        assert not self.broken, "a statement of this transaction failed: leave it by the exception"
        fate = self.database.world.fate
        await OTHERS_FIRST
        if fate.strikes(Fault.DATABASE_SLOW):
            await asyncio.sleep(fate.between(0.05, 3.0))
        if fate.strikes(Fault.STATEMENT_LOST) or not self.is_connected:
            self.broken = True
            raise DatabaseUnavailable

    @property
    def is_connected(self) -> bool:
        return self.epoch == self.database.epoch and not self.database.is_away


class _Payments(InMemoryPayments):
    """Tells its transaction what was taken, so that it is known once that is committed."""

    def __init__(self, transaction: SimulatedTransaction) -> None:
        super().__init__(transaction, transaction.database.clock)
        self._own = transaction

    async def take_due(self, *, limit: int) -> list[str]:
        taken = await super().take_due(limit=limit)
        self._own.taken += tuple(taken)
        return taken


class SimulatedDatabase(InMemoryUnitOfWork):
    """Connections break, statements take long, commits are lost, or done without an answer.

    ``on_commit`` hear of every change of a payment, ``on_inbox`` of every new notification, ``on_take`` of
    what was taken to be asked about, each once it is committed. ``bells`` are rung after every commit, by the
    chore that waits.
    """

    def __init__(
        self,
        world: World,
        *,
        users: tuple[int, ...] = (),
        ask_rate: float = 20.0,
        lock_seconds: float = LOCK_SECONDS,
    ) -> None:
        super().__init__(clock=world.clock, users=users, lock_seconds=lock_seconds, ask_rate=ask_rate)  # type: ignore[arg-type]
        self.world, self.clock, self.locks, self.ask_rate = world, self._clock, self._locks, ask_rate
        self.lock_seconds = lock_seconds
        self.epoch = 0
        self.on_commit: list[Callable[[Change], None]] = []
        self.on_inbox: list[Callable[[StoredNotification], None]] = []
        self.on_take: list[Callable[[tuple[str, ...]], None]] = []
        self.bells: dict[str, dict[Bell, None]] = {}
        self._transactions: dict[SimulatedTransaction, None] = {}

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[InMemoryWork]:
        fate = self.world.fate
        self.check_reachable()
        task = asyncio.current_task()
        transaction = SimulatedTransaction(self, task)
        self._open.append(task)
        self._transactions[transaction] = None
        try:
            work = InMemoryWork(transaction, self.clock, self.ask_rate)
            work.payments = _Payments(transaction)
            yield work
            assert not transaction.broken, "a failed statement was swallowed"
            await OTHERS_FIRST
            if not transaction.is_connected or fate.strikes(Fault.COMMIT_LOST):
                raise DatabaseUnavailable
            self._commit(transaction)
            transaction.release()
            if fate.strikes(Fault.COMMIT_UNANSWERED):
                raise DatabaseUnavailable
            await OTHERS_FIRST
        finally:
            self._open.remove(task)
            del self._transactions[transaction]
            transaction.release()

    def goes_away(self) -> None:
        self.is_away = True
        self.epoch += 1

    def comes_back(self) -> None:
        self.is_away = False
        self._ring()

    def end_transactions_of(self, owner: Owner) -> None:
        """What an owner left open is rolled back; it hears of that at its next statement."""
        for transaction in self._transactions:
            if transaction.owner is owner:
                transaction.epoch = _ENDED
                transaction.release()

    def _commit(self, transaction: SimulatedTransaction) -> None:
        changed, state = transaction.changed, self.state
        before = {order_id: state.payments.get(order_id) for order_id in changed.payments}
        fresh = [row for known, row in changed.notifications.items() if known not in state.notifications]
        self.recorded.extend(transaction.commit())
        for order_id, earlier in before.items():
            payment = state.payments[order_id]
            entries = tuple(changed.entries.get(payment.id, ()))
            change = Change(before=earlier, after=payment, entries=entries, purpose=transaction.purpose)
            for committed in self.on_commit:
                committed(change)
        for row in fresh:
            for received in self.on_inbox:
                received(row)
        if transaction.taken:
            for took in self.on_take:
                took(transaction.taken)
        if changed.due_at or changed.notifications or changed.budget or changed.asked_at:
            self._ring()

    def _ring(self) -> None:
        for chore, bells in self.bells.items():
            if bells:
                due = when_due(chore, self)
                for bell in bells:
                    bell.set(due)
