"""Midtrans as one merchant sees it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count, islice

from msgspec.structs import replace

from simulator.core.answers import (
    DUPLICATE_ORDER_ID,
    STATUS_CANNOT_CHANGE,
    TRANSACTION_NOT_FOUND,
    Cancelled,
    Charged,
    Denied,
    Expired,
    Found,
    RefundDenied,
    Refunded,
    Refused,
)
from simulator.core.charge_request import ChargeRequest, read_charge_request
from simulator.core.fault_plan import Armed, FaultPlan, occasion
from simulator.core.faults import Fault, Point
from simulator.core.jakarta import JAKARTA
from simulator.core.notification_urls import notification_urls
from simulator.core.qris import bill_number
from simulator.core.refund import Refund, RefundWish
from simulator.core.refund_request import read_refund_request
from simulator.core.refund_rules import why_not_refunded
from simulator.core.transaction import (
    IllegalTransitionError,
    PaidBy,
    PaymentType,
    Settlement,
    Transaction,
    TransactionStatus,
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
        refund_confirmation: timedelta,
        faults: FaultPlan,
    ) -> None:
        self._transactions = transactions
        self._clock = clock
        self._ids = ids
        self._dashboard_url = dashboard_url
        self._notify = notify
        self._refund_confirmation = refund_confirmation
        self._refund_numbers = count(1)
        self._faults = faults
        self._expiries = Schedule[str](clock)
        # Refunds that wait for the bank, as transaction id and refund uuid.
        self._confirmations = Schedule[tuple[str, str]](clock)
        self._late_payments = Schedule[str](clock)
        # Overdue ones that the fault lets live, and until when.
        self._spared: dict[str, datetime] = {}

    def charge(
        self, body: bytes, *, override_url: str | None = None, append_url: str | None = None
    ) -> Charged | Denied | Refused:
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
        if self._strikes(Point.CHARGE, transaction, Fault.DENIED):
            return Denied(self._keep(transaction.denied()))
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

    def review(self, any_id: str) -> Refused:
        """Approve or deny what the fraud check doubts; of these two payment types nothing is."""
        return TRANSACTION_NOT_FOUND if self.find(any_id) is None else STATUS_CANNOT_CHANGE

    def refund(self, any_id: str, body: bytes, *, directly: bool) -> Refunded | RefundDenied | Refused:
        """Accept a refund; the bank confirms it later, which is told once more."""
        wish = read_refund_request(body, new_key=self._ids.uuid)
        if isinstance(wish, Refused):
            return wish
        transaction = self.find(any_id)
        if transaction is None:
            return TRANSACTION_NOT_FOUND
        now = self._clock.now()
        refusal = why_not_refunded(transaction, wish, at=now)
        if refusal is not None:
            return refusal
        if self._strikes(Point.REFUND, transaction, Fault.REFUND_REFUSED):
            # The transaction stays what it was, and nobody is told.
            self._transactions.put(transaction.with_refund_refused(wish.key, now))
            return RefundDenied(transaction, wish.key)
        refund = self._refund(transaction, wish, now)
        self._confirmations.put((transaction.transaction_id, refund.uuid), now + self._refund_confirmation)
        return Refunded(self._keep(transaction.refunded(refund)), refund, directly)

    def pay(self, transaction: Transaction, by: PaidBy, *, issuer: str | None = None) -> Transaction:
        """Pay it from a wallet; raises IllegalTransitionError unless it is pending.

        A qris charge has no deep link and counts as paid by QR in any case. `issuer` names whose
        wallet scans the QR; unless told otherwise it is the acquirer's own.
        """
        if transaction.is_pending and self._strikes(Point.PAYMENT, transaction, Fault.PAID_BY_QR):
            by = PaidBy.QR
        return self._keep(transaction.settled(self._settlement(transaction, by, issuer)))

    def deny(self, transaction: Transaction) -> Transaction:
        """Have the fraud check deny it; raises IllegalTransitionError unless it is pending."""
        return self._keep(transaction.denied())

    def charge_back(self, transaction: Transaction, *, whole: bool) -> Transaction:
        """Take the money back from the merchant; raises IllegalTransitionError unless settled."""
        return self._keep(transaction.charged_back(whole=whole))

    def confirm_refunds_of(self, transaction: Transaction) -> Transaction:
        """Have the bank confirm at once what waits for it."""
        for refund in transaction.refunds:
            if refund.bank_confirmed_at is None:
                self._confirmations.discard((transaction.transaction_id, refund.uuid))
                transaction = self._confirm(transaction, refund.uuid)
        return transaction

    def misbehave(self, transaction: Transaction) -> None:
        """Do what is planned for a transaction that stands where it stands."""
        if transaction.frees_order_id:
            late = self._strikes(Point.UNPAID_END, transaction, Fault.PAID_LATE)
            if late is not None:
                due = self._clock.now() + timedelta(seconds=late.delay)
                self._late_payments.put(transaction.transaction_id, due)
        elif transaction.can_be_refunded and self._strikes(Point.PAYMENT, transaction, Fault.PAID_TWICE):
            twin = replace(
                transaction,
                transaction_id=self._ids.uuid(),
                qr_id=self._qr_id(self._clock.now()),
                refunds=(),
                refused_refunds=(),
                status=TransactionStatus.SETTLEMENT,
                settlement=self._settlement(transaction, PaidBy.QR),
            )
            self._put(twin)  # it is no third payment's cause

    def recent(self, *, order_id: str | None, limit: int) -> list[Transaction]:
        """List transactions as they stand, the newest first."""
        found = list(islice(self._transactions.newest_first(order_id), limit))
        return [self._current(transaction) or transaction for transaction in found]

    def find(self, any_id: str) -> Transaction | None:
        """Look up by transaction id or order id, as it stands at this moment."""
        return self._current(self._transactions.find(any_id))

    def find_by_qr_id(self, qr_id: str) -> Transaction | None:
        return self._current(self._transactions.find_by_qr_id(qr_id))

    def find_by_qr_string(self, text: str) -> Transaction | None:
        """Look up by the text inside a QR code. Goes through all: it is for a person who waits."""
        found = (name for name in self._transactions.ids() if f"0525{bill_number(name)}" in text)
        return self.find(next(found, ""))

    async def expire_overdue(self) -> None:
        """Expire each transaction when its time comes, for ever."""
        while True:
            self.find(await self._expiries.next())

    async def confirm_refunds(self) -> None:
        """Have the bank confirm each refund when its time comes, for ever."""
        while True:
            transaction_id, uuid = await self._confirmations.next()
            transaction = self.find(transaction_id)
            if transaction is not None:
                self._confirm(transaction, uuid)

    async def settle_late(self) -> None:
        """Have late money arrive when its time comes, for ever."""
        while True:
            transaction = self.find(await self._late_payments.next())
            if transaction is not None and transaction.frees_order_id:
                settlement = self._settlement(transaction, PaidBy.DEEPLINK)
                self._keep(transaction.settled_late(settlement))

    def _confirm(self, transaction: Transaction, uuid: str) -> Transaction:
        return self._keep(transaction.with_refund_confirmed(uuid, self._clock.now()))

    def _strikes(self, point: Point, transaction: Transaction, fault: Fault) -> Armed | None:
        return self._faults.take(occasion(point, transaction), fault)

    def _settlement(self, transaction: Transaction, by: PaidBy, issuer: str | None = None) -> Settlement:
        return Settlement(
            settlement_time=self._clock.now(),
            paid_by=PaidBy.QR if transaction.charged_as is PaymentType.QRIS else by,
            issuer=issuer or transaction.acquirer,
            merchant_cross_reference_id=self._ids.uuid(),
        )

    def _qr_id(self, now: datetime) -> str:
        return f"A1{now.astimezone(JAKARTA):%Y%m%d%H%M%S}{self._ids.code(10)}ID"

    def _current(self, transaction: Transaction | None) -> Transaction | None:
        if transaction is None or not transaction.is_overdue(self._clock.now()):
            return transaction
        return transaction if self._is_spared(transaction) else self._keep(transaction.expired())

    def _is_spared(self, transaction: Transaction) -> bool:
        name, now = transaction.transaction_id, self._clock.now()
        if name not in self._spared:
            late = self._strikes(Point.OVERDUE, transaction, Fault.EXPIRED_LATE)
            if late is None:
                return False
            self._spared[name] = now + timedelta(seconds=late.delay)
            self._expiries.put(name, self._spared[name])
        return now < self._spared[name]

    def _keep(self, transaction: Transaction) -> Transaction:
        self._put(transaction)
        self.misbehave(transaction)
        return transaction

    def _put(self, transaction: Transaction) -> None:
        if not transaction.is_pending:
            self._no_longer_expires(transaction)
        for gone in self._transactions.put(transaction):
            self._forget(gone)
        self._notify(transaction)

    def _no_longer_expires(self, transaction: Transaction) -> None:
        self._expiries.discard(transaction.transaction_id)
        self._spared.pop(transaction.transaction_id, None)

    def _forget(self, transaction: Transaction) -> None:
        self._no_longer_expires(transaction)
        self._late_payments.discard(transaction.transaction_id)
        for refund in transaction.refunds:
            self._confirmations.discard((transaction.transaction_id, refund.uuid))

    def _refund(self, transaction: Transaction, wish: RefundWish, now: datetime) -> Refund:
        return Refund(
            number=next(self._refund_numbers),
            uuid=self._ids.uuid(),
            key=wish.key,
            amount=transaction.refundable_amount if wish.amount is None else wish.amount,
            reason=wish.reason,
            created_at=now,
        )

    def _transaction(self, request: ChargeRequest, urls: tuple[str, ...], now: datetime) -> Transaction:
        return Transaction(
            transaction_id=self._ids.uuid(),
            qr_id=self._qr_id(now),
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
