from dataclasses import dataclass, field, replace

from domain.errors import DatabaseUnavailable
from domain.evidence import Notification
from domain.ports.identifiers import Identifiers
from domain.ports.notifications import ForgedNotification, ReceivedNotification
from domain.ports.work import UnitOfWork, Work
from domain.signature import ServerKeys, Signer
from domain.usecases.judging import Outcome, judge

_FORGED_TEXT = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """A notification as it was delivered; nothing of it is proven yet. ``body`` is its JSON text."""

    notification: Notification
    signature_key: str = field(repr=False)
    body: str = field(repr=False)


class ReceiveNotification:
    """Store a notification and what it changes in one durable commit.

    Every outcome but FORGED may be answered with success: Midtrans need not tell it again.
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

    async def __call__(self, delivery: Delivery) -> tuple[Outcome, Exception | None]:
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
            await self._keep_forged(said)
            return Outcome.FORGED, None
        said = replace(said, previous_key=signer is Signer.PREVIOUS)
        kept = ReceivedNotification(
            id=self._ids.uuid(),
            received_at=said.received_at,
            order_id=said.order_id,
            transaction_id=said.transaction_id,
            transaction_status=said.transaction_status,
            signature_key=delivery.signature_key,
            body=delivery.body,
            processed=False,
        )
        try:
            async with self._begin() as work:
                return await self._apply(work, said, kept), None
        except DatabaseUnavailable:
            raise
        except Exception as unexpected:  # noqa: BLE001 - proven money news is kept, whatever our own fault
            async with self._begin() as work:
                await work.notifications.add(kept)
            return Outcome.FAILED, unexpected

    async def _apply(self, work: Work, said: Notification, kept: ReceivedNotification) -> Outcome:
        verdict = await judge(work, said, confirm_always=self._confirm_always)
        kept = replace(kept, processed=verdict.processed, error=verdict.error)
        if verdict.outcome is Outcome.APPLIED:
            await work.notifications.add(kept)
        else:
            await work.notifications.add_repeat(kept)
        return verdict.outcome

    async def _keep_forged(self, said: Notification) -> None:
        forged = ForgedNotification(
            id=self._ids.uuid(),
            received_at=said.received_at,
            order_id=said.order_id[:_FORGED_TEXT],
            status_code=said.status_code[:_FORGED_TEXT],
            gross_amount=said.gross_amount[:_FORGED_TEXT],
            transaction_status=said.transaction_status[:_FORGED_TEXT],
        )
        async with self._begin() as work:
            await work.notifications.add_forged(forged)
