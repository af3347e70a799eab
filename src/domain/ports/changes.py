from collections.abc import Mapping
from typing import Protocol
from uuid import UUID

from domain.payment import Payment


class PaymentChanges(Protocol):
    async def since(self, seen: Mapping[UUID, int]) -> list[Payment]:
        """Those payments, as committed, whose log is longer than it was seen; one question for all of them.

        ``seen`` is the length of each payment's log by the payment's id. Raises DatabaseUnavailable.
        """
        ...
