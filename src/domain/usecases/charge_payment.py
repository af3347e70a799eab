from collections.abc import Iterable
from dataclasses import replace
from enum import Enum, auto
from typing import Final

from domain.decide import decide
from domain.errors import DatabaseUnavailable, GatewayUnavailable, InProgress, OutcomeUnknown
from domain.evidence import ChargeAnswer, ChargeRefused, Evidence, NoTransaction
from domain.history import REFUSED_CODE, REFUSED_MESSAGE, Entry, Source
from domain.idempotency import Ending, IdempotentCall, Refused, ending_of
from domain.order import Order
from domain.payment import Payment, read_answer
from domain.ports.clock import Clock
from domain.ports.gateway import AlreadyThere, Charge, NotTaken, PaymentGateway, Unanswered
from domain.ports.payments import PaymentReader
from domain.ports.work import UnitOfWork, Work
from domain.rupiah import PaymentType
from domain.status import Status
from domain.usecases.applying import ApplyEvidence, told_by
from domain.usecases.charging import charge_until_answered

# What a refusal says whose own words are not known any more.
_DENIED: Final = ("202", "Midtrans denied the charge")
_NO_WORDS: Final = ("404", "Midtrans has no charge for it that could be paid")


class _There(Enum):
    """What Midtrans has under an order id; what came just now it may not tell yet."""

    SOMETHING = auto()
    NOTHING_YET = auto()
    NOTHING = auto()


class ChargePayment:
    """Bring a stored payment's charge to an end: make it, or find out what became of it. Never a second one.

    Raises GatewayRefused (also as ChargeLost) when it ended without a charge, GatewayUnavailable when
    nothing was charged and OutcomeUnknown when nobody can tell. After the last two, and after a crash, the
    next call with the same Idempotency-Key goes on from here.
    """

    def __init__(
        self, *, begin: UnitOfWork, reader: PaymentReader, gateway: PaymentGateway, clock: Clock
    ) -> None:
        self._begin, self._reader, self._gateway, self._clock = begin, reader, gateway, clock
        self._apply = ApplyEvidence(begin)

    async def first(
        self, payment: Payment, order: Order, call: IdempotentCall | None, *, since: float
    ) -> Payment:
        """Charge a payment that nobody tried to charge before; ``since`` is when the call began."""
        return await self._attempt(payment, order, call, since=since, may_exist=False)

    async def again(
        self, payment: Payment, order: Order, call: IdempotentCall, *, uncharged: bool
    ) -> Payment:
        """Go on where an earlier call stopped; ``uncharged`` if that was certainly before a charge."""
        if payment.charge_answer is not None or not payment.status.is_open:
            return await self._settle(payment, None, call)
        if not self._is_over(payment):
            since = self._clock.monotonic()
            async with self._begin() as work:
                same_key_still_works = await work.payments.charge_again(payment.id)
            if same_key_still_works:
                return await self._attempt(payment, order, call, since=since, may_exist=not uncharged)
        payment, there = await self._take_over(payment, call)
        is_open = payment.status is Status.CREATED and not self._is_over(payment)
        if there is _There.SOMETHING or not is_open:
            return await self._settle(payment, None, call)
        since = self._clock.monotonic()
        async with self._begin() as work:
            may_charge = await work.payments.charge_anew(payment.id)
            await _keep(work, call)
        if not may_charge:
            return await self._settle(payment, None, call)
        may_exist = not (uncharged or there is _There.NOTHING)
        return await self._attempt(payment, order, call, since=since, may_exist=may_exist)

    def _is_over(self, payment: Payment) -> bool:
        return self._clock.now() >= payment.expires_at

    async def _attempt(
        self, payment: Payment, order: Order, call: IdempotentCall | None, *, since: float, may_exist: bool
    ) -> Payment:
        # What is sent again has to be what was sent, also when a default has changed since.
        order = replace(
            order,
            order_id=payment.order_id,
            gross_amount=payment.gross_amount,
            payment_type=PaymentType(payment.payment_type),
            life=payment.expires_at - payment.created_at,
        )
        charge = Charge(key=str(payment.id), order=order, ordered_at=payment.created_at)
        match await charge_until_answered(
            self._gateway, self._clock, charge, since=since, may_exist=may_exist
        ):
            case ChargeAnswer() | ChargeRefused() as evidence:
                return await self._settle(payment, evidence, call)
            case AlreadyThere():
                payment, _ = await self._take_over(payment, call)
                return await self._settle(payment, None, call)
            case NotTaken(reason=reason, retry_after=seconds):
                await self._release(call, uncharged=True)
                raise GatewayUnavailable(reason, seconds or 5)
            case Unanswered():
                await self._release(call)
                raise OutcomeUnknown(payment.order_id)

    async def _take_over(self, payment: Payment, call: IdempotentCall | None) -> tuple[Payment, _There]:
        """Whatever Midtrans has under our order id is this payment's, unless it is about another amount.

        The QR of a pending one was told once, to whom it was lost, so nobody could pay it: it is cancelled
        there. That there is none ends a payment only when its life is over: until then it can be charged.
        """
        order_id = payment.order_id
        try:
            async with self._begin() as work:
                await _keep(work, call)
            evidence = await self._gateway.status(order_id)
            if isinstance(evidence, NoTransaction) and not self._is_over(payment):
                is_certain = decide(payment, evidence).changed
                return payment, _There.NOTHING if is_certain else _There.NOTHING_YET
            payment = await self._apply(order_id, (evidence,), at=self._clock.now())
            if payment.status is Status.PENDING and payment.charge_answer is None:
                async with self._begin() as work:
                    await work.payments.never_charge_again(payment.id)
                    await _keep(work, call)
                evidence = told_by(await self._gateway.cancel(payment.transaction_id or order_id))
                payment = await self._apply(order_id, (evidence,), at=self._clock.now())
        except (GatewayUnavailable, DatabaseUnavailable) as away:
            await self._release(call)
            raise OutcomeUnknown(order_id) from away
        return payment, _There.SOMETHING

    async def _settle(
        self, payment: Payment, evidence: Evidence | None, call: IdempotentCall | None
    ) -> Payment:
        """Store the evidence and how the call ended in one commit, and end the call so."""
        ending: Ending | None = None
        said: tuple[str, str] | None = None

        async def end(work: Work, after: Payment) -> None:
            nonlocal ending
            words = said if said and after.status is Status.FAILURE else _words(evidence, after)
            ending = ending_of(after, *words)
            if call is not None and ending is not None:
                await work.idempotency.end(call, ending)
            elif call is not None:
                await work.idempotency.release(call, uncharged=False)

        order_id = payment.order_id
        known = () if evidence is None else (evidence,)
        is_charged = False
        try:
            if evidence is None:
                # Another call stored it, also just now, and may have answered though its lease was lost.
                payment = await self._reader.find(order_id) or payment
                is_charged = payment.charge_answer is not None
                if payment.status is Status.FAILURE:
                    said = _refusal(await self._reader.log(payment.id))
            payment = await self._apply(order_id, known, at=self._clock.now(), then=end)
        except DatabaseUnavailable as away:
            # What Midtrans said is lost to us: only asking it again can tell.
            raise OutcomeUnknown(order_id) from away
        if ending is None:
            raise OutcomeUnknown(order_id)
        if isinstance(ending, Refused):
            error = ending.error(order_id)
            error.replayed = said is not None or is_charged
            raise error
        return payment

    async def _release(self, call: IdempotentCall | None, *, uncharged: bool = False) -> None:
        """Let the next call go on at once; if that cannot be written, the lease runs out by itself."""
        if call is None:
            return
        try:
            async with self._begin() as work:
                await work.idempotency.release(call, uncharged=uncharged)
        except DatabaseUnavailable:
            return


async def _keep(work: Work, call: IdempotentCall | None) -> None:
    """Asking, cancelling and charging anew each take long. Raises InProgress when the lease was lost."""
    if call is not None and not await work.idempotency.keep(call):
        raise InProgress(1)


def _refusal(log: Iterable[Entry]) -> tuple[str, str] | None:
    """Midtrans's code and words for the refusal that another call stored and may have been answered with."""
    refused = [one.detail for one in log if one.source == Source.CHARGE and REFUSED_CODE in one.detail]
    return (str(refused[-1][REFUSED_CODE]), str(refused[-1][REFUSED_MESSAGE])) if refused else None


def _words(evidence: Evidence | None, payment: Payment) -> tuple[str, str]:
    """Midtrans's code and words for a refusal, where the evidence has them."""
    match evidence:
        case ChargeRefused(code=code, message=message):
            return code, message
        case ChargeAnswer(message=message):
            return "202", message
    if payment.status is not Status.DENY:
        return _NO_WORDS
    code, message = _DENIED
    told = read_answer(payment.charge_answer).get("status_message")
    return code, told if isinstance(told, str) and told else message
