from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from domain.idempotency import Ending, IdempotentCall


@dataclass(frozen=True, kw_only=True, slots=True)
class New:
    """The call is ours: nobody made it before."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Resumed:
    """The call is ours: whoever made it before did not come to an end.

    ``uncharged`` when that one knew for certain that nothing was charged.
    """

    order_id: str
    uncharged: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """The call was made and came to an end."""

    order_id: str
    ending: Ending


@dataclass(frozen=True, kw_only=True, slots=True)
class Running:
    """Somebody else is at it; ``retry_after`` is in seconds."""

    retry_after: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Reused:
    """The key came before with other values."""


Claim = New | Resumed | Ended | Running | Reused


class IdempotencyKeys(Protocol):
    """The Idempotency-Keys, within one open transaction; leases run by the database's clock."""

    async def seen(self, call: IdempotentCall) -> bool:
        """Whether the key was used in the last 72 hours."""
        ...

    async def claim(self, call: IdempotentCall, payment_id: UUID) -> Claim:
        """Take the call for 30 s, if nobody has it. A new one is bound to ``payment_id``.

        Of several at once exactly one gets it; the others wait until that is committed.
        """
        ...

    async def end(self, call: IdempotentCall, ending: Ending) -> None: ...

    async def keep(self, call: IdempotentCall) -> bool:
        """Hold the call for another 30 s; false when somebody else has taken it over."""
        ...

    async def release(self, call: IdempotentCall, *, uncharged: bool) -> None:
        """Let the next call resume at once; ``uncharged`` when certainly nothing was charged so far."""
        ...
