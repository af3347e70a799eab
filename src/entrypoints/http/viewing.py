"""Who may look at one payment: its owner, or whoever holds its checkout token."""

import re
from dataclasses import dataclass
from typing import Any, Final

from litestar import Request

from domain.errors import CheckoutNotFound
from domain.payment import Payment
from domain.usecases.get_payment import GetPayment
from domain.usecases.open_checkout import OpenCheckout
from entrypoints.http.security import Authenticator, Unauthenticated

# What a token may look like; nothing else is worth a question to the database.
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{22,128}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Viewing:
    """Opens payments to those who may see them."""

    auth: Authenticator
    get_payment: GetPayment
    open_checkout: OpenCheckout

    async def by_token(self, token: str) -> Payment:
        """Raises CheckoutNotFound."""
        if not _TOKEN.fullmatch(token):
            raise CheckoutNotFound
        return await self.open_checkout(token)

    async def by_owner_or_token(self, request: Request[Any, Any, Any], order_id: str) -> Payment:
        """The payment, for its owner's token in a header or its checkout token in ``?token=``.

        Raises what GetPayment raises, and Unauthenticated: also for another payment's checkout token, so that
        nobody learns which payments there are.
        """
        token = request.query_params.get("token")
        if token is not None:
            try:
                payment = await self.by_token(token)
            except CheckoutNotFound:
                payment = None
            if payment is not None and payment.order_id == order_id:
                return payment
        try:
            caller = self.auth.caller(request)
        except Unauthenticated:
            if token is None:
                raise
            raise Unauthenticated("The token does not open this payment, or not any more.") from None
        return await self.get_payment(order_id, caller)
