"""A payment: one order of a shop, charged at most once at Midtrans."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from domain import actions, jakarta
from domain.actions import Action
from domain.status import Status

# How long an unpaid charge lives unless Midtrans is told otherwise (its "Custom Expiry Object").
DEFAULT_LIFE: Final = timedelta(minutes=15)


# What a person has to look at besides breaks: the shop may have given up an order whose money came later.
LATE: Final = "late"
# The reason of the break when a charge is there after the shop was told that there is none.
AFTER_FAILURE: Final = "charge_after_failure"
# The reason of the break when Midtrans does not know the transaction of a payment that should be over.
MISSING_THERE: Final = "missing_there"
# And when Midtrans lastingly says less than a notification did.
NOT_CONFIRMED: Final = "not_confirmed"


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Break:
    """A disagreement between Midtrans and us that a person has to look at."""

    reason: str
    subject: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Payment:
    """The payment as stored. Amounts are rupiah, times are UTC.

    ``charge_answer`` is Midtrans's own JSON, kept whole: the QR and the deep link are told once, in the
    answer to the charge, and never again. ``checkout_token`` opens the customer's page; payments of before
    have none. ``earlier_status`` is an earlier service's word for its status, where it is none of ours, until
    the payment changes here. ``charged_at`` is when the charge was sent last, ``changed_at`` when the payment
    changed here last, and ``read_at`` when it was read, all by the database's clock (``updated_at`` is by a
    process's). These four make no two payments different. ``unconfirmed_since``
    is when a notification alone moved the payment, until Midtrans says the same when asked. ``attended`` is
    what an operator has looked at. ``log_length`` and ``log_head`` are the end of its evidence log.
    """

    id: UUID
    user_id: int
    order_id: str
    gross_amount: int
    payment_type: str
    status: Status
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    earlier_status: str | None = field(default=None, compare=False)
    charged_at: datetime | None = field(default=None, compare=False)
    changed_at: datetime | None = field(default=None, compare=False)
    read_at: datetime | None = field(default=None, compare=False)
    paid_at: datetime | None = None
    late: bool = False
    refunded_amount: int = 0
    transaction_id: str | None = None
    charge_answer: str | None = None
    callback_url: str | None = None
    checkout_token: str | None = field(default=None, repr=False)
    metadata: Mapping[str, str] = field(default_factory=dict)
    breaks: tuple[Break, ...] = ()
    unconfirmed_since: datetime | None = None
    attended: tuple[Break, ...] = ()
    log_length: int = 0
    log_head: bytes = b""

    @property
    def actions(self) -> tuple[Action, ...]:
        """What a client may use: the QR picture and, where there is one, the deep link."""
        told = self._charge_answer().get("actions")
        return actions.offered(told) if isinstance(told, list) else ()

    @property
    def qr_string(self) -> str | None:
        """The text to draw as a QR, where Midtrans gave one (for ``qris``)."""
        text = self._charge_answer().get("qr_string")
        return text if isinstance(text, str) and text else None

    @property
    def attention(self) -> tuple[Break, ...]:
        """What needs a person and had none yet: breaks, and late money that is still here."""
        late = (Break(reason=LATE, subject=self.transaction_id or ""),) if self._holds_late_money else ()
        return tuple(found for found in (*late, *self.breaks) if found not in self.attended)

    @property
    def _holds_late_money(self) -> bool:
        return self.late and self.status in {Status.SETTLEMENT, Status.PARTIAL_REFUND}

    def _charge_answer(self) -> dict[str, Any]:
        return read_answer(self.charge_answer)


def read_answer(charge_answer: str | None) -> dict[str, Any]:
    """Midtrans's answer as a JSON object; an empty one where an earlier service kept something else."""
    if charge_answer is None:
        return {}
    answer = json.loads(charge_answer)
    return answer if isinstance(answer, dict) else {}


def expiry_of(answer: Mapping[str, Any], created_at: datetime) -> datetime:
    """When a payment ends whose row does not say: by the answer to its charge, else Midtrans's default."""
    told = answer.get("expiry_time") or answer.get("expire_time")
    return jakarta.parse(told) or created_at + DEFAULT_LIFE
