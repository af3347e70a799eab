from collections.abc import Sequence
from dataclasses import dataclass, replace

from domain import history
from domain.errors import (
    InProgress,
    KeyReused,
    OrderIdTaken,
    PaymentNotFound,
    TooManyRequests,
    UnknownUser,
)
from domain.idempotency import IdempotentCall, Refused
from domain.order import Defaults, Order, Wanted
from domain.payment import Payment
from domain.ports.clock import Clock
from domain.ports.create_rate import CreateRate
from domain.ports.idempotency import Claim, Ended, New, Resumed, Running
from domain.ports.identifiers import Identifiers
from domain.ports.payments import PaymentReader
from domain.ports.work import UnitOfWork, Work
from domain.usecases.charge_payment import ChargePayment
from domain.usecases.together import Together, in_one_commit

# So many are added in one commit; there is a second at the same time only while the first keeps so many
# waiting. More than so many at once are refused.
_MOST, _LANES, _CROWD, _WAITING = 32, 2, 16, 2000


@dataclass(frozen=True, kw_only=True, slots=True)
class Created:
    """``replayed`` says that an earlier call with the same Idempotency-Key had made the payment."""

    payment: Payment
    replayed: bool = False


class CreatePayment:
    """Create a payment and charge it at Midtrans, once; once per Idempotency-Key, where one is given.

    The row, and with it the key, is committed before Midtrans is asked, so that a crash leaves something to
    go on with, and no transaction is open meanwhile. Those that arrive at the same time share a commit.
    """

    def __init__(
        self,
        *,
        begin: UnitOfWork,
        reader: PaymentReader,
        charge: ChargePayment,
        rate: CreateRate,
        clock: Clock,
        ids: Identifiers,
        defaults: Defaults,
        auto_create_users: bool,
    ) -> None:
        self._begin, self._reader, self._charge = begin, reader, charge
        self._clock, self._ids = clock, ids
        self._defaults, self._auto_create_users = defaults, auto_create_users
        self._add = Together(self._add_all, most=_MOST, lanes=_LANES, waiting=_WAITING, crowd=_CROWD)
        self._take = Together(rate.take, most=_MOST, lanes=1, waiting=_WAITING)

    async def __call__(self, wanted: Wanted, call: IdempotentCall | None = None) -> Created:
        """The payment, pending as a rule.

        Raises InvalidPayment, AmountOutOfBounds, TooManyRequests, UnknownUser, UserNotAdded, OrderIdTaken,
        KeyReused and InProgress before anything is stored, and what ChargePayment raises after.
        """
        order = wanted.order(self._defaults, generated_id=self._ids.order_id())
        await self._count(order, call)
        now = self._clock.now().replace(microsecond=0)
        payment = order.payment(self._ids.uuid(), at=now, checkout_token=self._ids.checkout_token())
        call = replace(call, lease=payment.id) if call is not None else None
        since = self._clock.monotonic()
        match await self._start(payment, call):
            case New():
                return Created(payment=await self._charge.first(payment, order, call, since=since))
            case Resumed(order_id=order_id, uncharged=uncharged) if call is not None:
                found = await self._found(order_id)
                # The earlier call may have answered, though another had its lease by then.
                is_charged = found.charge_answer is not None
                charged = await self._charge.again(found, order, call, uncharged=uncharged)
                return Created(payment=charged, replayed=is_charged)
            case Ended(order_id=order_id, ending=Refused() as refused):
                error = refused.error(order_id)
                error.replayed = True
                raise error
            case Ended(order_id=order_id):
                return Created(payment=await self._found(order_id), replayed=True)
            case Running(retry_after=seconds):
                raise InProgress(seconds)
        raise KeyReused

    async def _count(self, order: Order, call: IdempotentCall | None) -> None:
        """Repeats of a call do not count as creates."""
        if call is not None:
            async with self._begin() as work:
                if await work.idempotency.seen(call):
                    return
        if wait := await self._take(order.user_id):
            raise TooManyRequests(wait)

    async def _start(self, payment: Payment, call: IdempotentCall | None) -> Claim:
        # A key's claim may have to wait for another's, and a group must not.
        if call is None and await self._add(payment):
            return New()
        try:
            async with self._begin() as work:
                return await _add(work, payment, call)
        except UnknownUser:
            if not self._auto_create_users:
                raise
        async with self._begin() as work:
            await work.users.add(payment.user_id)
            return await _add(work, payment, call)

    async def _add_all(self, group: Sequence[Payment]) -> Sequence[bool | None]:
        """Whether each was added; one that was not is to be added alone, and that tells why."""
        return await in_one_commit(self._begin, _add_in, group)

    async def _found(self, order_id: str) -> Payment:
        payment = await self._reader.find(order_id)
        if payment is None:
            raise PaymentNotFound(order_id)
        return payment


async def _add(work: Work, payment: Payment, call: IdempotentCall | None) -> Claim:
    """Add the payment, unless the call was made before; then nothing is added."""
    if call is not None:
        claim = await work.idempotency.claim(call, payment.id)
        if not isinstance(claim, New):
            return claim
    payment, entries = history.opened(payment)
    try:
        await work.payments.add(payment, entries)
    except OrderIdTaken:
        there = await work.payments.lock(payment.order_id)
        # Ours, where the group's commit was made and its answer lost.
        if there is None or there.id != payment.id:
            raise
    return New()


async def _add_in(work: Work, group: Sequence[Payment]) -> list[bool]:
    added = await work.payments.add_all([history.opened(payment) for payment in group])
    return [payment.id in added for payment in group]
