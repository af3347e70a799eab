from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import Protocol

from domain.evidence import ChargeAnswer, ChargeRefused, NoTransaction, StatusReply
from domain.order import Order


@dataclass(frozen=True, kw_only=True, slots=True)
class Charge:
    """One charge to be made. Every attempt carries the same ``key``, so that it is taken once."""

    key: str
    order: Order
    ordered_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class RefundOrder:
    """One refund to be made. Every attempt carries the same ``key``, so that it is taken once.

    ``transaction`` is what the gateway knows the paid one by; order id and amount are what its answer has to
    be about.
    """

    key: str
    transaction: str
    order_id: str
    gross_amount: int
    amount: int
    reason: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class NotTaken:
    """The gateway certainly did not take this attempt; asking again later is safe.

    ``retry_after`` is in seconds, and None when the gateway could not be reached at all.
    """

    reason: str
    retry_after: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Unanswered:
    """The attempt was sent and its outcome is unknown; the charge may exist."""

    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AlreadyThere:
    """The gateway knows this order id, or this refund's key; what is there, only asking tells."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Declined:
    """The gateway did not do what was asked; ``code`` and ``message`` are its own.

    ``by_bank`` says that it asked the bank, which said no: then it has done nothing under this key before.
    """

    code: str
    message: str
    by_bank: bool = False
    raw: bytes = field(default=b"", repr=False, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class RefundTaken:
    """The gateway accepted the refund of this transaction; nothing in its answer is about anything else."""

    transaction_id: str
    raw: bytes = field(default=b"", repr=False, compare=False)


ChargeOutcome = ChargeAnswer | ChargeRefused | NotTaken | Unanswered | AlreadyThere
RefundOutcome = RefundTaken | Declined | NotTaken | Unanswered | AlreadyThere


class PaymentGateway(Protocol):
    async def charge(self, charge: Charge, *, within: float) -> ChargeOutcome:
        """Make one attempt, given up after ``within`` seconds. Raises nothing for trouble on the way."""
        ...

    async def refund(self, refund: RefundOrder, *, within: float) -> RefundOutcome:
        """Make one attempt, given up after ``within`` seconds. Raises nothing for trouble on the way."""
        ...

    async def cancel(self, transaction: str) -> StatusReply | NoTransaction | Declined:
        """Cancel a pending transaction, and what the gateway holds true of it after: also that it was paid.

        Raises GatewayUnavailable when it does not say; it may be cancelled then, or not.
        """
        ...

    async def expire(self, transaction: str) -> StatusReply | NoTransaction:
        """End a pending transaction whose time is over; else as ``cancel``."""
        ...

    async def status(self, transaction: str) -> StatusReply | NoTransaction:
        """What the gateway holds true of a transaction id, or of an order id where no other is known.

        Raises GatewayUnavailable when it does not say.
        """
        ...


class KeyCheck(Enum):
    ACCEPTED = auto()
    REFUSED = auto()
    UNREACHABLE = auto()


class KeyChecker(Protocol):
    async def check_key(self) -> KeyCheck:
        """Whether the gateway takes our key."""
        ...

    async def seconds_apart(self) -> float | None:
        """How far its clock and ours are apart at least; None when it does not say."""
        ...
