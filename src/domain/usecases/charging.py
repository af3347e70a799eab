"""How long a charge is attempted, and when its outcome has to be called unknown."""

from typing import Final

from domain.evidence import ChargeAnswer, ChargeRefused
from domain.ports.clock import Clock
from domain.ports.gateway import AlreadyThere, Charge, ChargeOutcome, NotTaken, PaymentGateway, Unanswered

DEADLINE: Final = 25.0
_LEAST: Final = 1.0
_PAUSES: Final = (0.0, 0.3, 0.7, 1.5, 3.0, 5.0, 5.0)


async def charge_until_answered(
    gateway: PaymentGateway, clock: Clock, charge: Charge, *, since: float, may_exist: bool = False
) -> ChargeOutcome:
    """Send the charge until Midtrans says what became of it, for at most 25 s.

    They count from ``since``, when it was looked at last whether it may be sent: a machine that stood still
    meanwhile sends nothing any more.

    Every attempt carries the same key, so a repeat after a lost answer brings that answer. Once one attempt
    may have been taken, a later refusal proves nothing about it: only an answer to the charge does.
    ``may_exist`` says that one of an earlier call may have been. Nothing is sent after the order's life.
    """
    left = (charge.ordered_at + charge.order.life - clock.now()).total_seconds()
    end = min(since + DEADLINE, clock.monotonic() + left)
    unanswered = Unanswered(reason="an earlier attempt") if may_exist else None
    outcome: ChargeOutcome | None = None
    for attempt, pause in enumerate(_PAUSES, start=1):
        if end - clock.monotonic() < pause + _LEAST:
            break
        await clock.sleep(pause)
        if end - clock.monotonic() < _LEAST:
            break
        outcome = await gateway.charge(charge, within=end - clock.monotonic())
        match outcome:
            case ChargeAnswer():
                return outcome
            case ChargeRefused():
                return unanswered or outcome
            case AlreadyThere():
                return outcome
            case NotTaken(retry_after=seconds):
                if unanswered is None and (attempt > 1 or seconds is not None):
                    return outcome
            case Unanswered():
                unanswered = outcome
    return unanswered or outcome or Unanswered(reason="no time was left")
