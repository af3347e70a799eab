"""What is told about the work, beside the work: log lines and metrics around the ports."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

import structlog

from domain.errors import GatewayUnavailable
from domain.evidence import ChargeAnswer, ChargeRefused, NoTransaction, StatusReply
from domain.history import BREAK, Entry
from domain.ports.clock import Clock
from domain.ports.gateway import (
    AlreadyThere,
    Charge,
    ChargeOutcome,
    Declined,
    NotTaken,
    PaymentGateway,
    RefundOrder,
    RefundOutcome,
    RefundTaken,
    Unanswered,
)
from entrypoints.telemetry.metrics import BREAKS, CHANGES, GATEWAY, REFUNDS

_log: Final = structlog.get_logger()
_REFUND: Final = "refund "

T = TypeVar("T")


def tell_changes(entries: Sequence[Entry]) -> None:
    """One log line and one count per committed change of a payment."""
    for entry in entries:
        for name in entry.detail:
            if name.startswith(BREAK):
                BREAKS.labels(name.removeprefix(BREAK)).inc()
        CHANGES.labels(entry.status, entry.what, entry.source).inc()
        if entry.what.startswith(_REFUND):
            REFUNDS.labels(entry.what.removeprefix(_REFUND)).inc()
        _log.info(
            "payment.changed",
            payment_id=str(entry.payment_id),
            seq=entry.seq,
            what=entry.what,
            status=entry.status,
            source=entry.source,
            **{f"detail_{name}": value for name, value in entry.detail.items()},
        )


class ObservedGateway:
    """A gateway whose calls are timed and counted by outcome."""

    def __init__(self, *, gateway: PaymentGateway, clock: Clock) -> None:
        self._gateway, self._clock = gateway, clock

    async def charge(self, charge: Charge, *, within: float) -> ChargeOutcome:
        started = self._clock.monotonic()
        outcome = await self._gateway.charge(charge, within=within)
        word, reason = _said(outcome)
        self._tell("charge", word, started)
        if reason is not None:
            order_id = charge.order.order_id
            _log.warning("gateway.charge_failed", order_id=order_id, outcome=word, reason=reason)
        return outcome

    async def refund(self, refund: RefundOrder, *, within: float) -> RefundOutcome:
        started = self._clock.monotonic()
        outcome = await self._gateway.refund(refund, within=within)
        word, reason = _said(outcome)
        self._tell("refund", word, started)
        if reason is not None:
            told = {"order_id": refund.order_id, "refund": refund.key, "outcome": word}
            _log.warning("gateway.refund_failed", **told, reason=reason)
        return outcome

    async def cancel(self, transaction: str) -> StatusReply | NoTransaction | Declined:
        return await self._asked("cancel", transaction, self._gateway.cancel)

    async def expire(self, transaction: str) -> StatusReply | NoTransaction:
        return await self._asked("expire", transaction, self._gateway.expire)

    async def status(self, transaction: str) -> StatusReply | NoTransaction:
        return await self._asked("status", transaction, self._gateway.status)

    async def _asked(
        self,
        call: str,
        transaction: str,
        ask: Callable[[str], Awaitable[T]],
    ) -> T:
        started = self._clock.monotonic()
        try:
            reply = await ask(transaction)
        except GatewayUnavailable as away:
            self._tell(call, "unavailable", started)
            _log.warning(f"gateway.{call}_failed", transaction=transaction, reason=away.reason)
            raise
        if isinstance(reply, Declined):
            self._tell(call, "refused", started)
            reason = f"{reply.code} {reply.message}"
            _log.warning(f"gateway.{call}_failed", transaction=transaction, reason=reason)
            return reply
        self._tell(call, "found" if isinstance(reply, StatusReply) else "unknown", started)
        return reply

    def _tell(self, call: str, outcome: str, started: float) -> None:
        GATEWAY.labels(call, outcome).observe(self._clock.monotonic() - started)


def _said(outcome: ChargeOutcome | RefundOutcome) -> tuple[str, str | None]:
    """An outcome in a word, and why when it is not what was asked for."""
    match outcome:
        case ChargeAnswer(status=status):
            return str(status), None
        case RefundTaken():
            return "accepted", None
        case ChargeRefused(code=code, message=message) | Declined(code=code, message=message):
            return "refused", f"{code} {message}"
        case AlreadyThere():
            return "already there", "Midtrans knows this order id or refund key"
        case NotTaken(reason=reason):
            return "not taken", reason
        case Unanswered(reason=reason):
            return "unanswered", reason
