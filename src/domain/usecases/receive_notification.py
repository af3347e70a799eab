from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from uuid import UUID

from domain.errors import DatabaseUnavailable
from domain.evidence import Notification
from domain.history import Entry
from domain.ports.identifiers import Identifiers
from domain.ports.notifications import ForgedNotification, ReceivedNotification
from domain.ports.work import UnitOfWork, Work
from domain.signature import ServerKeys, Signer
from domain.usecases.judging import Outcome, Verdict, judge, ruled
from domain.usecases.together import Together, TooManyWait, in_one_commit

_FORGED_TEXT = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """A notification as it was delivered; nothing of it is proven yet. ``body`` is its JSON text."""

    notification: Notification
    signature_key: str = field(repr=False)
    body: str = field(repr=False)


Told = tuple[Outcome, Exception | None]
# So many are stored in one commit. The larger the groups, the less each costs: there is a second commit at
# the same time only while the first keeps so many waiting. More than so many at once are refused.
_MOST, _LANES, _CROWD, _WAITING = 64, 2, 16, 2000
_FORGED_WAITING = 256


@dataclass(frozen=True, kw_only=True, slots=True)
class _Proven:
    """A notification whose signature is right, and what it will be kept as."""

    id: UUID
    said: Notification
    signature_key: str = field(repr=False)
    body: str = field(repr=False)

    def kept(self, verdict: Verdict | None = None) -> ReceivedNotification:
        """With what was decided about it; without, it is still to do."""
        said = self.said
        return ReceivedNotification(
            id=self.id,
            received_at=said.received_at,
            order_id=said.order_id,
            transaction_id=said.transaction_id,
            transaction_status=said.transaction_status,
            signature_key=self.signature_key,
            body=self.body,
            processed=verdict is not None and verdict.processed,
            error=verdict.error if verdict is not None else None,
        )


class ReceiveNotification:
    """Store a notification and what it changes in one durable commit.

    Those that arrive at the same time share a commit. Every outcome but FORGED may be answered with success:
    Midtrans need not tell it again.
    """

    def __init__(
        self,
        *,
        begin: UnitOfWork,
        ids: Identifiers,
        keys: ServerKeys,
        confirm_always: bool,
    ) -> None:
        self._begin, self._ids = begin, ids
        self._keys, self._confirm_always = keys, confirm_always
        self._together = Together(self._store, most=_MOST, lanes=_LANES, waiting=_WAITING, crowd=_CROWD)
        # In one lane, so that a flood of forged ones leaves the database to the genuine ones.
        self._forged = Together(self._keep_forged, most=_MOST, lanes=1, waiting=_FORGED_WAITING)

    async def __call__(self, delivery: Delivery) -> Told:
        """The outcome and, when applying failed unexpectedly, why: the notification is kept for the worker.

        Raises DatabaseUnavailable when nothing could be stored.
        """
        said = delivery.notification
        signer = self._keys.signer(
            order_id=said.order_id,
            status_code=said.status_code,
            gross_amount=said.gross_amount,
            signature_key=delivery.signature_key,
        )
        if signer is None:
            with suppress(TooManyWait):  # past the cap they are not kept anyway
                await self._forged(said)
            return Outcome.FORGED, None
        proven = _Proven(
            id=self._ids.uuid(),
            said=replace(said, previous_key=signer is Signer.PREVIOUS, raw=delivery.body.encode()),
            signature_key=delivery.signature_key,
            body=delivery.body,
        )
        outcome = await self._together(proven)
        return (outcome, None) if outcome is not None else await self._alone(proven)

    async def _store(self, group: Sequence[_Proven]) -> Sequence[Outcome | None]:
        """Store a group in one commit; None for each that has to be stored alone.

        That is one whose payment is unknown or in another's hands, and the whole group when one fails.
        """
        return await in_one_commit(self._begin, self._store_in, group)

    async def _store_in(self, work: Work, group: Sequence[_Proven]) -> Sequence[Outcome | None]:
        orders = list(dict.fromkeys(one.said.order_id for one in group))
        payments = {known.order_id: known for known in await work.payments.lock_free(orders)}
        entries: dict[str, tuple[Entry, ...]] = {}
        outcomes: list[Outcome | None] = []
        applied, repeats = [], []
        for one in group:
            order_id = one.said.order_id
            if order_id not in payments:
                outcomes.append(None)
                continue
            verdict, decision = ruled(payments[order_id], one.said, confirm_always=self._confirm_always)
            if verdict.outcome is Outcome.APPLIED:
                payments[order_id] = decision.payment
                entries[order_id] = entries.get(order_id, ()) + decision.entries
                applied.append(one.kept(verdict))
            else:
                repeats.append(one.kept(verdict))
            outcomes.append(verdict.outcome)
        if entries:
            await work.payments.save_all([(payments[order_id], own) for order_id, own in entries.items()])
            await work.notifications.add_all(applied)
        for kept in repeats:
            await work.notifications.add_repeat(kept)
        return outcomes

    async def _alone(self, one: _Proven) -> Told:
        try:
            async with self._begin() as work:
                return await self._apply(work, one), None
        except DatabaseUnavailable:
            raise
        except Exception as unexpected:  # noqa: BLE001 - proven money news is kept, whatever our own fault
            async with self._begin() as work:
                await work.notifications.add(one.kept())
            return Outcome.FAILED, unexpected

    async def _apply(self, work: Work, one: _Proven) -> Outcome:
        verdict = await judge(work, one.said, confirm_always=self._confirm_always)
        if verdict.outcome is Outcome.APPLIED:
            await work.notifications.add(one.kept(verdict))
        else:
            await work.notifications.add_repeat(one.kept(verdict))
        return verdict.outcome

    async def _keep_forged(self, group: Sequence[Notification]) -> Sequence[None]:
        async with self._begin() as work:
            for said in group:
                forged = ForgedNotification(
                    id=self._ids.uuid(),
                    received_at=said.received_at,
                    order_id=said.order_id[:_FORGED_TEXT],
                    status_code=said.status_code[:_FORGED_TEXT],
                    gross_amount=said.gross_amount[:_FORGED_TEXT],
                    transaction_status=said.transaction_status[:_FORGED_TEXT],
                )
                await work.notifications.add_forged(forged)
        return [None] * len(group)
