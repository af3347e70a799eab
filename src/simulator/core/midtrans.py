"""Midtrans as one merchant sees it."""

from collections.abc import Callable
from datetime import datetime

from simulator.core.answers import (
    DUPLICATE_ORDER_ID,
    STATUS_CANNOT_CHANGE,
    TRANSACTION_NOT_FOUND,
    Cancelled,
    Charged,
    Expired,
    Found,
    Refused,
)
from simulator.core.charge_request import ChargeRequest, read_charge_request
from simulator.core.jakarta import JAKARTA
from simulator.core.notification_urls import notification_urls
from simulator.core.transaction import (
    IllegalTransitionError,
    PaidBy,
    PaymentType,
    Settlement,
    Transaction,
)
from simulator.core.transactions import Transactions
from simulator.ports import Clock, Identifiers
from simulator.schedule import Schedule


class Midtrans:
    """Takes commands, keeps the transactions, and tells of every change.

    A transaction whose time is up is expired before anyone sees it, whether or not the
    background task was faster. Nothing here waits, so commands never interleave.
    """

    def __init__(
        self,
        *,
        transactions: Transactions,
        clock: Clock,
        ids: Identifiers,
        dashboard_url: str | None,
        notify: Callable[[Transaction], None],
    ) -> None:
        self._transactions = transactions
        self._clock = clock
        self._ids = ids
        self._dashboard_url = dashboard_url
        self._notify = notify
        self._expiries = Schedule[str](clock)

    def charge(
        self, body: bytes, *, override_url: str | None = None, append_url: str | None = None
    ) -> Charged | Refused:
        """Take a charge with the body and the two notification headers that it came with."""
        now = self._clock.now().replace(microsecond=0)
        request = read_charge_request(body, at=now)
        if isinstance(request, Refused):
            return request
        earlier = self.find(request.order_id)
        if earlier is not None and not earlier.frees_order_id:
            return DUPLICATE_ORDER_ID
        urls = notification_urls(self._dashboard_url, override=override_url, append=append_url)
        transaction = self._transaction(request, urls, now)
        self._expiries.put(transaction.transaction_id, transaction.expiry_time)
        return Charged(self._keep(transaction))

    def status(self, any_id: str) -> Found | Refused:
        transaction = self.find(any_id)
        return TRANSACTION_NOT_FOUND if transaction is None else Found(transaction)

    def cancel(self, any_id: str) -> Cancelled | Refused:
        transaction = self.find(any_id)
        if transaction is None:
            return TRANSACTION_NOT_FOUND
        try:
            return Cancelled(self._keep(transaction.cancelled()))
        except IllegalTransitionError:
            return STATUS_CANNOT_CHANGE

    def expire(self, any_id: str) -> Expired | Refused:
        transaction = self.find(any_id)
        if transaction is None:
            return TRANSACTION_NOT_FOUND
        try:
            return Expired(self._keep(transaction.expired()))
        except IllegalTransitionError:
            return STATUS_CANNOT_CHANGE

    def pay(self, transaction: Transaction, by: PaidBy) -> Transaction:
        """Pay it from a wallet; raises IllegalTransitionError unless it is pending.

        A qris charge has no deep link and counts as paid by QR in any case.
        """
        settlement = Settlement(
            settlement_time=self._clock.now(),
            paid_by=PaidBy.QR if transaction.charged_as is PaymentType.QRIS else by,
            merchant_cross_reference_id=self._ids.uuid(),
        )
        return self._keep(transaction.settled(settlement))

    def find(self, any_id: str) -> Transaction | None:
        """Look up by transaction id or order id, as it stands at this moment."""
        return self._current(self._transactions.find(any_id))

    def find_by_qr_id(self, qr_id: str) -> Transaction | None:
        return self._current(self._transactions.find_by_qr_id(qr_id))

    async def expire_overdue(self) -> None:
        """Expire each transaction when its time comes, for ever."""
        while True:
            self.find(await self._expiries.next())

    def _current(self, transaction: Transaction | None) -> Transaction | None:
        if transaction is None or not transaction.is_overdue(self._clock.now()):
            return transaction
        return self._keep(transaction.expired())

    def _keep(self, transaction: Transaction) -> Transaction:
        if not transaction.is_pending:
            self._expiries.discard(transaction.transaction_id)
        for gone in self._transactions.put(transaction):
            self._expiries.discard(gone.transaction_id)
        self._notify(transaction)
        return transaction

    def _transaction(self, request: ChargeRequest, urls: tuple[str, ...], now: datetime) -> Transaction:
        return Transaction(
            transaction_id=self._ids.uuid(),
            qr_id=f"A1{now.astimezone(JAKARTA):%Y%m%d%H%M%S}{self._ids.code(10)}ID",
            order_id=request.order_id,
            amount=request.amount,
            charged_as=request.payment_type,
            acquirer=request.acquirer,
            transaction_time=now,
            expiry_time=request.expiry_time,
            callback_url=request.callback_url,
            custom_fields=request.custom_fields,
            metadata=request.metadata,
            customer=request.customer,
            notification_urls=urls,
        )
