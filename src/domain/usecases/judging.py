"""Decide what a proven notification does, in the transaction that keeps it."""

from dataclasses import dataclass
from enum import StrEnum

from domain.decide import Decision, decide
from domain.evidence import Notification
from domain.payment import Payment
from domain.ports.work import Work


class Outcome(StrEnum):
    """What became of a notification."""

    APPLIED = "applied"
    KNOWN = "known"
    DOUBTFUL = "doubtful"
    SET_ASIDE = "set aside"
    UNKNOWN_ORDER = "unknown order"
    FAILED = "failed"
    FORGED = "forged"


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """An outcome, and why in a few words."""

    outcome: Outcome
    why: str

    @property
    def processed(self) -> bool:
        return self.outcome in {Outcome.APPLIED, Outcome.KNOWN}

    @property
    def error(self) -> str | None:
        """Why it is set aside until somebody replays it; None while it is to do, and once it is done."""
        return self.why if self.outcome in {Outcome.SET_ASIDE, Outcome.UNKNOWN_ORDER} else None


def ruled(payment: Payment, said: Notification, *, confirm_always: bool) -> tuple[Verdict, Decision]:
    """What the notification does to this payment, and what follows; nothing is saved yet."""
    decision = decide(payment, said)
    if decision.set_aside:
        return Verdict(outcome=Outcome.SET_ASIDE, why=decision.set_aside), decision
    if decision.doubts or (decision.changed and confirm_always):
        doubts = "; ".join(decision.doubts) or "every notification is confirmed first"
        return Verdict(outcome=Outcome.DOUBTFUL, why=doubts), decision
    status = decision.payment.status
    if not decision.changed:
        known = f"it tells nothing new; the payment is {status}"
        return Verdict(outcome=Outcome.KNOWN, why=known), decision
    return Verdict(outcome=Outcome.APPLIED, why=f"the payment is {status} now"), decision


async def judge(work: Work, said: Notification, *, confirm_always: bool) -> Verdict:
    """What the notification does to its payment, which is saved if it moves; keeping it is the caller's."""
    payment = await work.payments.lock(said.order_id)
    if payment is None:
        return Verdict(outcome=Outcome.UNKNOWN_ORDER, why=f"there is no payment {said.order_id}")
    verdict, decision = ruled(payment, said, confirm_always=confirm_always)
    if verdict.outcome is Outcome.APPLIED:
        await work.payments.save(decision.payment, decision.entries)
    return verdict
