"""Who may see which payment."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from domain.errors import PaymentNotFound
from domain.payment import Payment

ANY_PAYMENT = "payments:any"
REFUND = "payments:refund"
SHOWN_AFTER_END: Final = timedelta(hours=24)


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """Somebody with a valid token."""

    user_id: int
    scopes: frozenset[str] = frozenset()

    def may_see(self, payment: Payment) -> bool:
        return payment.user_id == self.user_id or ANY_PAYMENT in self.scopes


# Whoever works at the service's own command line; no user has this id.
OPERATOR: Final = Caller(user_id=0, scopes=frozenset({ANY_PAYMENT, REFUND}))


def seen_by(caller: Caller, payment: Payment | None, order_id: str) -> Payment:
    """The payment, if the caller may see it. Raises PaymentNotFound alike for a foreign and an absent one."""
    if payment is None or not caller.may_see(payment):
        raise PaymentNotFound(order_id)
    return payment


def is_shown_to_its_customer(payment: Payment, *, ended_at: datetime | None, now: datetime) -> bool:
    """Whether its checkout token still opens it: until 24 h after its end.

    The end of one that is still open is taken to be when it could last be paid: nobody has to be told of it,
    and a token must not live for ever.
    """
    return now < (ended_at or payment.expires_at) + SHOWN_AFTER_END
