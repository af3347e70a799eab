"""Who may see which payment."""

from dataclasses import dataclass
from typing import Final

from domain.errors import PaymentNotFound
from domain.payment import Payment

ANY_PAYMENT = "payments:any"
REFUND = "payments:refund"


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
