from domain.access import is_shown_to_its_customer
from domain.errors import CheckoutNotFound
from domain.payment import Payment
from domain.ports.checkouts import Checkouts
from domain.ports.clock import Clock


class OpenCheckout:
    """The payment that a checkout token opens, for as long as it does."""

    def __init__(self, *, checkouts: Checkouts, clock: Clock) -> None:
        self._checkouts, self._clock = checkouts, clock

    async def __call__(self, token: str) -> Payment:
        """Raises CheckoutNotFound alike for a token that nobody made and for one that has had its time."""
        found = await self._checkouts.find(token)
        if found is None or not is_shown_to_its_customer(
            found.payment, ended_at=found.ended_at, now=self._clock.now()
        ):
            raise CheckoutNotFound
        return found.payment
