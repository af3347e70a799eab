"""The refund use cases over the fakes, and a paid payment to refund."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from domain.access import Caller
from domain.evidence import ReportedRefund, StatusReply
from domain.history import Entry, Source
from domain.idempotency import IdempotentCall
from domain.payment import Payment
from domain.ports.gateway import Declined, RefundTaken, Unanswered
from domain.refund import Refund
from domain.status import Status
from domain.usecases.confirm_notifications import ConfirmNotifications
from domain.usecases.get_payment import GetPayment
from domain.usecases.list_refunds import ListRefunds
from domain.usecases.refund_payment import Refunded, RefundPayment, RefundWish
from domain.usecases.repeat_refunds import RepeatRefunds
from domain.usecases.send_refund import SendRefund
from support.builders import NOW, a_status_reply, given
from support.fakes import (
    CountingIdentifiers,
    InMemoryPaymentReader,
    InMemoryUnitOfWork,
    ManualClock,
    ScriptedGateway,
)
from support.log import is_intact

OWNER: Final = Caller(user_id=1)
TAKEN: Final = RefundTaken(transaction_id="t-1")
DENIED: Final = Declined(code="202", message="Refund denied by the bank", by_bank=True)
TOO_LATE: Final = Declined(code="412", message="Merchant cannot modify the status of the transaction")
LOST: Final = Unanswered(reason="ReadError")


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Everything that has to do with refunds, over one memory."""

    clock: ManualClock
    begin: InMemoryUnitOfWork
    gateway: ScriptedGateway
    reader: InMemoryPaymentReader
    refund_payment: RefundPayment
    repeat: RepeatRefunds
    confirm: ConfirmNotifications
    list_refunds: ListRefunds

    async def paid(self, **changes: Any) -> Payment:
        """A paid payment, ``order-1`` of 10,000 rupiah as ``t-1``."""
        return await given(
            self.begin, **{"status": Status.SETTLEMENT, "transaction_id": "t-1", "paid_at": NOW} | changes
        )

    async def refund(
        self,
        amount: int | None = None,
        *,
        key: str = "one",
        values: bytes | None = None,
        source: Source = Source.SHOP,
        **wish: Any,
    ) -> Refunded:
        """The owner asks for a refund; the same amount under the same key is the same call."""
        user = 0 if source is Source.OPERATOR else 1
        named = str(amount).encode() if values is None else values
        call = IdempotentCall(user_id=user, key=key, fingerprint=named)
        wished = RefundWish(amount=amount, **wish)
        return await self.refund_payment("order-1", OWNER, wished, call, source=source)

    async def payment(self) -> Payment:
        found = await self.reader.find("order-1")
        assert found is not None
        assert is_intact(await self.reader.log(found.id), found)
        return found

    async def refunds(self) -> list[Refund]:
        return await self.list_refunds("order-1", OWNER)

    async def only_refund(self) -> Refund:
        (found,) = await self.refunds()
        return found

    async def log(self) -> list[Entry]:
        return await self.reader.log((await self.payment()).id)

    async def told(self) -> list[tuple[str, str]]:
        """What the log says happened after the payment was created, and from which evidence."""
        return [(entry.what, entry.source) for entry in await self.log()][1:]


def a_desk(
    clock: ManualClock, begin: InMemoryUnitOfWork, gateway: ScriptedGateway, reader: InMemoryPaymentReader
) -> Desk:
    get = GetPayment(begin=begin, reader=reader, any_user=False)
    send = SendRefund(begin=begin, gateway=gateway, clock=clock)
    return Desk(
        clock=clock,
        begin=begin,
        gateway=gateway,
        reader=reader,
        refund_payment=RefundPayment(begin=begin, get=get, send=send, clock=clock, ids=CountingIdentifiers()),
        repeat=RepeatRefunds(begin=begin, reader=reader, send=send, clock=clock),
        confirm=ConfirmNotifications(begin=begin, reader=reader, gateway=gateway, clock=clock),
        list_refunds=ListRefunds(begin=begin, get=get),
    )


def key_of(number: int = 1) -> str:
    """The refund_key of the first, second, … refund that was asked for."""
    return str(UUID(int=number))


def listing(
    *keys: str, amount: int = 4_000, confirmed_at: datetime | None = None, **changes: Any
) -> StatusReply:
    """Midtrans's status of ``t-1`` with these refunds in it."""
    refunds = tuple(ReportedRefund(key=key, amount=amount, confirmed_at=confirmed_at) for key in keys)
    told: dict[str, Any] = {"transaction_status": "partial_refund", "refund_amount": amount * len(keys)}
    return a_status_reply(**told | {"refunds": refunds} | changes)
