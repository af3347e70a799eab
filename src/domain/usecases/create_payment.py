from domain import history
from domain.errors import (
    DatabaseUnavailable,
    GatewayRefused,
    GatewayUnavailable,
    OutcomeUnknown,
    TooManyRequests,
    UnknownUser,
)
from domain.evidence import ChargeAnswer, ChargeRefused
from domain.order import Defaults, Order, Wanted
from domain.payment import Payment
from domain.ports.clock import Clock
from domain.ports.create_rate import CreateRate
from domain.ports.gateway import Charge, NotTaken, PaymentGateway, Unanswered
from domain.ports.identifiers import Identifiers
from domain.ports.work import UnitOfWork
from domain.status import Status
from domain.usecases.applying import apply
from domain.usecases.charging import charge_until_answered


class CreatePayment:
    """Create a payment and charge it at Midtrans, once.

    The row is committed before Midtrans is asked, so that a crash leaves something to ask about, and no
    transaction is open meanwhile.
    """

    def __init__(
        self,
        *,
        begin: UnitOfWork,
        gateway: PaymentGateway,
        rate: CreateRate,
        clock: Clock,
        ids: Identifiers,
        defaults: Defaults,
        auto_create_users: bool,
    ) -> None:
        self._begin, self._gateway, self._rate = begin, gateway, rate
        self._clock, self._ids = clock, ids
        self._defaults, self._auto_create_users = defaults, auto_create_users

    async def __call__(self, wanted: Wanted) -> Payment:
        """The pending payment.

        Raises InvalidPayment, AmountOutOfBounds, TooManyRequests, UnknownUser and OrderIdTaken before
        anything is stored; GatewayRefused (the payment is ``failure`` or ``deny``), GatewayUnavailable
        (it stays ``created``, nothing was charged) and OutcomeUnknown (it stays ``created``) after.
        """
        order = wanted.order(self._defaults, generated_id=self._ids.order_id())
        if wait := await self._rate.take(order.user_id):
            raise TooManyRequests(wait)
        payment = await self._store(order)
        charge = Charge(key=str(payment.id), order=order, ordered_at=payment.created_at)
        match await charge_until_answered(self._gateway, self._clock, charge):
            case ChargeAnswer() | ChargeRefused() as evidence:
                return await self._answered(payment, evidence)
            case NotTaken(reason=reason, retry_after=seconds):
                raise GatewayUnavailable(reason, seconds or 5)
            case Unanswered():
                raise OutcomeUnknown(order.order_id)

    async def _store(self, order: Order) -> Payment:
        now = self._clock.now().replace(microsecond=0)
        payment, entries = history.opened(order.payment(self._ids.uuid(), at=now))
        try:
            async with self._begin() as work:
                await work.payments.add(payment, entries)
        except UnknownUser:
            if not self._auto_create_users:
                raise
            async with self._begin() as work:
                await work.users.add(order.user_id)
                await work.payments.add(payment, entries)
        return payment

    async def _answered(self, payment: Payment, evidence: ChargeAnswer | ChargeRefused) -> Payment:
        order_id = payment.order_id
        try:
            payment = await apply(self._begin, order_id, (evidence,), at=evidence.received_at)
        except DatabaseUnavailable as away:
            # The charge exists and its answer is lost to us: only asking Midtrans can tell.
            raise OutcomeUnknown(order_id) from away
        match evidence:
            case ChargeRefused(code=code, message=message) if payment.status is Status.FAILURE:
                raise GatewayRefused(order_id, code, message)
            case ChargeAnswer(message=message) if payment.status is Status.DENY:
                raise GatewayRefused(order_id, "202", message)
            case ChargeAnswer() if payment.transaction_id is not None:
                return payment
        # What Midtrans said does not go with what is known of the payment by now.
        raise OutcomeUnknown(order_id)
