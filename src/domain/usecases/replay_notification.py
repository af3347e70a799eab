from dataclasses import replace
from uuid import UUID

from domain import notification
from domain.errors import (
    BayarError,
    DatabaseUnavailable,
    NotANotification,
    NotificationNotFound,
    NotReplayable,
)
from domain.evidence import Notification
from domain.ports.clock import Clock
from domain.ports.notification_reader import NotificationReader, WholeNotification
from domain.ports.work import UnitOfWork, Work
from domain.signature import ServerKeys, Signer
from domain.usecases.judging import Outcome, Verdict, judge


class ReplayNotification:
    """Look at a stored notification again, as if it came just now.

    Nothing that was kept about it counts: its signature is checked again, over the texts in its own body.
    """

    def __init__(
        self,
        *,
        begin: UnitOfWork,
        reader: NotificationReader,
        keys: ServerKeys,
        clock: Clock,
        confirm_always: bool,
    ) -> None:
        self._begin, self._reader, self._keys = begin, reader, keys
        self._clock, self._confirm_always = clock, confirm_always

    async def __call__(self, notification_id: UUID) -> Verdict:
        """What became of it this time, committed with what it changed; a doubtful one is due to be confirmed.

        Raises NotificationNotFound, NotReplayable for one that nothing proves, and DatabaseUnavailable.
        """
        found = await self._reader.find(notification_id)
        if found is None:
            raise NotificationNotFound(notification_id)
        said = self._proven(found)
        try:
            async with self._begin() as work:
                verdict = await judge(work, said, confirm_always=self._confirm_always)
                await _keep(work, notification_id, said, verdict)
        except (DatabaseUnavailable, NotificationNotFound):
            raise
        except Exception as unexpected:  # noqa: BLE001 - as at its delivery: the background work asks Midtrans
            why = str(unexpected) if isinstance(unexpected, BayarError) else type(unexpected).__name__
            verdict = Verdict(outcome=Outcome.FAILED, why=why)
            async with self._begin() as work:
                await _keep(work, notification_id, said, verdict)
        return verdict

    def _proven(self, found: WholeNotification) -> Notification:
        """What it says, if its signature goes with one of our keys."""
        if found.kept.forged:
            raise NotReplayable(found.kept.id, "it was kept as forged, without its signature")
        body = notification.stored(found.body)
        if isinstance(body, dict):
            # An earlier service may have kept the signature in its column only.
            body = {"signature_key": found.signature_key} | body
        try:
            said, signature_key = notification.read(body, at=self._clock.now())
        except NotANotification as wrong:
            raise NotReplayable(found.kept.id, f"its body is not one of Midtrans's: {wrong.what}") from wrong
        signer = self._keys.signer(
            order_id=said.order_id,
            status_code=said.status_code,
            gross_amount=said.gross_amount,
            signature_key=signature_key,
        )
        if signer is None:
            raise NotReplayable(found.kept.id, "its signature does not go with our server key")
        return replace(
            said,
            previous_key=signer is Signer.PREVIOUS,
            # The money came when it told so, or else when it came; its log entry is of now.
            settled_at=said.settled_at or found.kept.received_at,
        )


async def _keep(work: Work, notification_id: UUID, said: Notification, verdict: Verdict) -> None:
    """After the payment's lock, as at a delivery: the other way round the two would wait for each other."""
    kept = await work.notifications.replayed(
        notification_id,
        order_id=said.order_id,
        transaction_id=said.transaction_id,
        processed=verdict.processed,
        error=verdict.error,
    )
    if not kept:
        raise NotificationNotFound(notification_id)
