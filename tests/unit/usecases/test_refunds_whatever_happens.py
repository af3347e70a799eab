"""Whatever goes wrong on the way: in the end Bayar and Midtrans have the same refunds, each of them once."""

import asyncio
from enum import Enum, auto
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from domain.errors import BayarError, GatewayUnavailable, RefundRefused
from domain.evidence import NoTransaction, ReportedRefund, StatusReply
from domain.ports.gateway import (
    AlreadyThere,
    Declined,
    NotTaken,
    RefundOrder,
    RefundOutcome,
    Unanswered,
)
from domain.refund import RefundStatus
from support.builders import a_status_reply
from support.fakes import InMemoryPaymentReader, InMemoryUnitOfWork, ManualClock, ScriptedGateway
from unit.usecases.refunding import DENIED, LOST, TAKEN, TOO_LATE, Desk, a_desk

GROSS: Final = 10_000
WRONG_KEY: Final = Declined(code="401", message="Unknown Merchant server_key/id")


class Fate(Enum):
    """What happens to one call of Midtrans."""

    WELL = auto()
    ANSWER_LOST = auto()
    NEVER_ARRIVED = auto()
    OUT_OF_REACH = auto()
    BANK_SAYS_NO = auto()
    BANK_SAYS_NO_UNHEARD = auto()
    WRONG_KEY = auto()
    DATABASE_LOST = auto()
    PROCESS_DIES = auto()


class Midtrans(ScriptedGateway):
    """Keeps refunds by their key and never more than was paid; each call meets the next fate."""

    def __init__(self, *, clock: ManualClock, begin: InMemoryUnitOfWork, fates: list[Fate]) -> None:
        super().__init__(clock=clock, begin=begin)
        self.taken: dict[str, int] = {}
        self._fates, self._memory = fates, begin

    async def refund(self, refund: RefundOrder, *, within: float) -> RefundOutcome:  # noqa: ARG002 - the port's
        self._check_no_transaction()
        await asyncio.sleep(0)
        fate = self._fates.pop(0) if self._fates else Fate.WELL
        if fate is Fate.OUT_OF_REACH:
            return NotTaken(reason="ConnectError")
        if fate is Fate.NEVER_ARRIVED:
            return LOST
        if fate is Fate.WRONG_KEY:
            return WRONG_KEY
        answer = self._answer(refund, bank=fate not in {Fate.BANK_SAYS_NO, Fate.BANK_SAYS_NO_UNHEARD})
        if fate is Fate.DATABASE_LOST:
            self._memory.fail_next_commits = 1
        if fate is Fate.PROCESS_DIES:
            raise asyncio.CancelledError
        lost = fate in {Fate.ANSWER_LOST, Fate.BANK_SAYS_NO_UNHEARD}
        return Unanswered(reason="ReadError") if lost else answer

    def _answer(self, refund: RefundOrder, *, bank: bool) -> RefundOutcome:
        if refund.key in self.taken:
            return AlreadyThere()
        if sum(self.taken.values()) + refund.amount > GROSS:
            return TOO_LATE
        if not bank:
            return DENIED
        self.taken[refund.key] = refund.amount
        return TAKEN

    async def status(self, transaction: str) -> StatusReply | NoTransaction:
        self._check_no_transaction()
        self.asked.append(transaction)
        await asyncio.sleep(0)
        fate = self._fates.pop(0) if self._fates else Fate.WELL
        if fate is not Fate.WELL:
            raise GatewayUnavailable("ReadError")
        total = sum(self.taken.values())
        back = "refund" if total == GROSS else "partial_refund"
        return a_status_reply(
            transaction_status=back if total else "settlement",
            refund_amount=total or None,
            refunds=tuple(ReportedRefund(key=key, amount=amount) for key, amount in self.taken.items()),
        )


ASKED: Final = st.tuples(st.just("ask"), st.integers(1, 4), st.sampled_from([None, 3_000, 4_000, 10_000]))
STEPS: Final = st.lists(
    ASKED | st.tuples(st.just("wait"), st.sampled_from([1, 6, 31, 120, 4_000]), st.none()), max_size=8
)


async def ask(desk: Desk, key: int, amount: int | None) -> None:
    """A shop's call; one key always stands for the same values."""
    try:
        await desk.refund(amount, key=f"key-{key}-{amount}")
    except (BayarError, asyncio.CancelledError):
        pass
    finally:
        desk.begin.fail_next_commits = 0


async def work(desk: Desk) -> None:
    """A round of the background work."""
    try:
        await desk.repeat(limit=10)
    except (BayarError, asyncio.CancelledError):
        pass
    finally:
        desk.begin.fail_next_commits = 0


@given(STEPS, st.lists(st.sampled_from(list(Fate)), max_size=12))
async def test_in_the_end_both_have_the_same_refunds(
    steps: list[tuple[str, int, int | None]], fates: list[Fate]
) -> None:
    clock = ManualClock()
    begin = InMemoryUnitOfWork(clock=clock, users=[1], lock_seconds=0.05)
    midtrans = Midtrans(clock=clock, begin=begin, fates=fates)
    desk = a_desk(clock, begin, midtrans, InMemoryPaymentReader(begin))
    await desk.paid()

    for what, number, amount in steps:
        if what == "ask":
            await ask(desk, number, amount)
        else:
            clock.advance(number)
            await work(desk)
        counting = {RefundStatus.REQUESTED, RefundStatus.ACCEPTED}
        reserved = sum(refund.amount for refund in await desk.refunds() if refund.status in counting)
        assert reserved <= GROSS
    fates.clear()
    for _ in range(3):
        clock.advance(4_000)
        await work(desk)

    refunds, payment = await desk.refunds(), await desk.payment()
    accepted = {str(r.id): r.amount for r in refunds if r.status is RefundStatus.ACCEPTED}
    assert accepted == midtrans.taken
    assert payment.refunded_amount == sum(midtrans.taken.values()) <= GROSS
    assert payment.breaks == ()


@given(st.lists(st.sampled_from([None, 3_000, 4_000, 10_000]), min_size=2, max_size=6), st.data())
async def test_at_the_same_instant_too(amounts: list[int | None], data: st.DataObject) -> None:
    fates = data.draw(
        st.lists(st.sampled_from([Fate.WELL, Fate.ANSWER_LOST, Fate.NEVER_ARRIVED]), max_size=6)
    )
    clock = ManualClock()
    begin = InMemoryUnitOfWork(clock=clock, users=[1])
    midtrans = Midtrans(clock=clock, begin=begin, fates=fates)
    desk = a_desk(clock, begin, midtrans, InMemoryPaymentReader(begin))
    await desk.paid()

    await asyncio.gather(*(ask(desk, number, amount) for number, amount in enumerate(amounts)))
    fates.clear()
    for _ in range(3):
        clock.advance(4_000)
        await work(desk)

    accepted = {str(r.id): r.amount for r in await desk.refunds() if r.status is RefundStatus.ACCEPTED}
    assert accepted == midtrans.taken
    assert sum(accepted.values()) <= GROSS
    assert (await desk.payment()).refunded_amount == sum(accepted.values())


async def test_a_key_that_was_refused_stays_refused() -> None:
    clock = ManualClock()
    begin = InMemoryUnitOfWork(clock=clock, users=[1])
    midtrans = Midtrans(clock=clock, begin=begin, fates=[Fate.BANK_SAYS_NO])
    desk = a_desk(clock, begin, midtrans, InMemoryPaymentReader(begin))
    await desk.paid()

    ended = await asyncio.gather(desk.refund(), desk.refund(), return_exceptions=True)
    again = await asyncio.gather(desk.refund(), return_exceptions=True)

    assert any(isinstance(one, RefundRefused) for one in ended)
    assert isinstance(again[0], RefundRefused)
    assert midtrans.taken == {}
