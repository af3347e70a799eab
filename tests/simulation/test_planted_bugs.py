"""What lives find: each bug here is planted, and a promise has to break within some hundred of them."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

import pytest

from adapters.midtrans.gateway import MidtransGateway
from domain import decide, schedule, status
from domain.delivery import Answered, Delivered
from domain.evidence import ChargeRefused
from domain.ports.gateway import Charge, ChargeOutcome, Unanswered
from domain.status import Status
from domain.usecases import charge_payment, send_refund
from domain.usecases.charge_payment import ChargePayment
from domain.usecases.deliver_events import DeliverEvents
from domain.usecases.receive_notification import Outcome, ReceiveNotification
from domain.usecases.refund_payment import RefundPayment
from domain.usecases.send_refund import Meaning
from simulation import database
from simulation.database import SimulatedDatabase
from simulation.law import Law
from simulation.life import live
from simulation.quiet import in_quiet
from simulation.virtual_loop import OTHERS_FIRST
from support.fakes import InMemoryAskingBudget, InMemoryIdempotencyKeys, InMemoryPayments

MOST: Final = 600
Plant = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Bug:
    """A way to break the service, and the promises of which one must be seen to break."""

    plant: Plant
    breaks: frozenset[Law]


BUGS: Final[dict[str, Bug]] = {}


def breaking(*laws: Law) -> Callable[[Plant], Plant]:
    """Name a bug by its function."""

    def named(plant: Plant) -> Plant:
        BUGS[plant.__name__.replace("_", " ")] = Bug(plant, frozenset(laws))
        return plant

    return named


@breaking(Law.ONLY_UP, Law.AGREES, Law.PAID_AT_ONCE)
def the_status_that_came_last_wins(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(decide, "_beats", lambda *_: True)


@breaking(Law.PAID_AT_ONCE)
def paid_at_is_written_with_every_change(patch: pytest.MonkeyPatch) -> None:
    believe = decide._believe

    def again(payment: Any, claim: Any, *rest: Any) -> decide.Decision:
        decision = believe(payment, claim, *rest)
        paid_at = decide._paid_at(claim) or decision.payment.paid_at
        return replace(decision, payment=replace(decision.payment, paid_at=paid_at))

    patch.setattr(decide, "_believe", again)


@breaking(Law.PENDING_WITH_TRANSACTION, Law.END_BY_MIDTRANS, Law.PAID_BY_MONEY, Law.AGREES)
def the_amount_is_not_compared(patch: pytest.MonkeyPatch) -> None:
    class Whatever:
        def __ne__(self, other: object) -> bool:
            return False

    patch.setattr(decide, "parse_gross_amount", lambda _: Whatever())


@breaking(Law.NO_OPEN_TRANSACTION)
def a_transaction_is_held_across_the_charge(patch: pytest.MonkeyPatch) -> None:
    attempt = ChargePayment._attempt

    async def held(self: Any, *given: Any, **named: Any) -> Any:
        async with self._begin():
            return await attempt(self, *given, **named)

    patch.setattr(ChargePayment, "_attempt", held)


@breaking(Law.RECEIPT_AFTER_COMMIT)
def a_notification_is_answered_before_its_commit(patch: pytest.MonkeyPatch) -> None:
    receive = ReceiveNotification.__call__

    async def at_once(self: Any, delivery: Any) -> Any:
        self.storing = asyncio.create_task(receive(self, delivery))
        return Outcome.APPLIED, None

    patch.setattr(ReceiveNotification, "__call__", at_once)


@breaking(Law.BREAK_IS_REAL, Law.NOTHING_FOR_503)
def a_timeout_is_taken_for_a_failure(patch: pytest.MonkeyPatch) -> None:
    charge_ = MidtransGateway.charge

    async def sure(self: MidtransGateway, charge: Charge, *, within: float) -> ChargeOutcome:
        outcome = await charge_(self, charge, within=within)
        if isinstance(outcome, Unanswered):
            return ChargeRefused(code="504", message=outcome.reason, received_at=charge.ordered_at)
        return outcome

    patch.setattr(MidtransGateway, "charge", sure)


@breaking(Law.ONE_KEY)
def a_charge_is_sent_again_with_a_new_key(patch: pytest.MonkeyPatch) -> None:
    until_answered = charge_payment.charge_until_answered

    async def anew(gateway: Any, clock: Any, charge: Charge, **named: Any) -> ChargeOutcome:
        other = replace(charge, key=f"{charge.key[:-4]}{clock.monotonic() % 10_000:04.0f}")
        return await until_answered(gateway, clock, other, **named)

    patch.setattr(charge_payment, "charge_until_answered", anew)


@breaking(Law.PAID_BY_MONEY, Law.AGREES)
def a_settlement_with_code_201_is_believed(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(status.NOTIFIED, Status.SETTLEMENT, frozenset({"200", "201"}))


@breaking(Law.ASKED_SPARINGLY)
def two_workers_take_the_same_payment(patch: pytest.MonkeyPatch) -> None:
    async def take_due(self: InMemoryPayments, *, limit: int) -> list[str]:
        await self._transaction.turn()
        due = [payment.order_id for payment in self._transaction.payments() if self._is_due(payment)]
        return due[:limit]

    patch.setattr(database._Payments, "take_due", take_due)


@breaking(Law.LATE_ONCE)
def late_money_is_not_marked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(decide, "_had_ended", lambda _: False)


@breaking(Law.DOUBT_FIRST)
def nothing_is_doubted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(decide, "_doubts", lambda *_: ())


@breaking(Law.BREAK_IS_REAL)
def a_404_counts_at_once(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(decide, "NO_TRANSACTION_AFTER", timedelta(seconds=20))


@breaking(Law.BUDGET)
def the_budget_is_not_kept(patch: pytest.MonkeyPatch) -> None:
    async def allowance(_: InMemoryAskingBudget) -> int:
        return 100

    patch.setattr(InMemoryAskingBudget, "allowance", allowance)


@breaking(Law.ASKED_SPARINGLY)
def reading_the_status_asks_every_time(patch: pytest.MonkeyPatch) -> None:
    async def take_turn(*_: Any, **__: Any) -> bool:
        return True

    patch.setattr(InMemoryPayments, "take_turn", take_turn)


@breaking(Law.ORPHANS, Law.ENDS, Law.AGREES)
def nobody_asks_about_an_orphan(patch: pytest.MonkeyPatch) -> None:
    moments = schedule._moments

    def none(payment: Any, *times: Any) -> Iterator[Any]:
        return iter(()) if payment.status is Status.CREATED else moments(payment, *times)

    patch.setattr(schedule, "_moments", none)


@breaking(Law.SAYS_REPLAYED, Law.ONE_OUTCOME)
def how_a_call_ended_is_not_kept(patch: pytest.MonkeyPatch) -> None:
    async def end(*_: Any) -> None:
        pass

    patch.setattr(InMemoryIdempotencyKeys, "end", end)


@breaking(Law.REFUNDS_RESERVED, Law.NO_FAULT)
def refunds_do_not_wait_for_the_payments_lock(patch: pytest.MonkeyPatch) -> None:
    new = RefundPayment._new

    async def unlocked(self: Any, work: Any, payment: Any, wish: Any, call: Any) -> Any:
        work.payments._transaction.release()
        refund = await new(self, work, payment, wish, call)
        await work.payments.lock(payment.order_id)
        return refund

    patch.setattr(RefundPayment, "_new", unlocked)


@breaking(Law.TOLD_OF_ALL)
def an_event_counts_as_delivered_before_it_is_sent(patch: pytest.MonkeyPatch) -> None:
    deliver = DeliverEvents._deliver

    async def settled_first(self: Any, due: Any, taken_at: float) -> None:
        await self._settle(due, Answered(status=200), Delivered())
        await deliver(self, due, taken_at)

    patch.setattr(DeliverEvents, "_deliver", settled_first)


@breaking(Law.TOLD_OF_ALL)
def the_event_is_written_after_the_commit(patch: pytest.MonkeyPatch) -> None:
    """As with a queue beside the database: what a killed process had not put there is lost."""
    commit = SimulatedDatabase._commit

    def apart(self: SimulatedDatabase, transaction: Any) -> None:
        changed, known = transaction.changed.merchant.deliveries, self.state.merchant.deliveries
        fresh = {key: changed.pop(key) for key in list(changed) if key not in known}

        async def put() -> None:
            await OTHERS_FIRST
            known.update(fresh)
            self._ring()

        commit(self, transaction)
        asyncio.create_task(put())  # noqa: RUF006 - the loop knows it by its owner

    patch.setattr(SimulatedDatabase, "_commit", apart)


@breaking(Law.REFUNDS_AGREE, Law.REFUND_ONCE, Law.BREAK_IS_REAL)
def a_refund_without_an_answer_counts_as_refused(patch: pytest.MonkeyPatch) -> None:
    means = send_refund.meaning

    def sure(outcome: Any, *, may_exist: bool) -> Meaning:
        return Meaning.NOT_SENT if isinstance(outcome, Unanswered) else means(outcome, may_exist=may_exist)

    patch.setattr(send_refund, "meaning", sure)


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bug = BUGS[name]
    bug.plant(monkeypatch)

    with in_quiet():
        found = next((found for seed in range(MOST) if (found := live(seed).findings)), ())

    assert {finding.law for finding in found} & bug.breaks, found
