"""Whether a refund can be made."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from simulator.core.answers import (
    DUPLICATE_REFUND,
    INVALID_REFUND_AMOUNT,
    STATUS_CANNOT_CHANGE,
    Refused,
)
from simulator.core.refund import RefundWish
from simulator.core.transaction import Acquirer, Transaction

# docs.midtrans.com/reference/refund-transaction, the windows per payment method; the code for a
# refund after its window is not published.
_WINDOW: Final[Mapping[Acquirer, timedelta]] = {
    Acquirer.GOPAY: timedelta(days=45),
    Acquirer.AIRPAY_SHOPEE: timedelta(days=365),
}
_WINDOW_OFF_US: Final = timedelta(days=7)
# docs.midtrans.com/reference/direct-refund-transaction, "refund_key".
_KEY_MAY_BE_RETRIED: Final = timedelta(days=7)


def why_not_refunded(transaction: Transaction, wish: RefundWish, *, at: datetime) -> Refused | None:
    """Tell why Midtrans refuses before it asks the bank; None when it asks.

    A repeated key is told as such even when nothing is left to refund, so that a merchant who
    lost the first answer learns that it was taken.
    """
    if wish.key in {refund.key for refund in transaction.refunds}:
        return DUPLICATE_REFUND
    first_refused = dict(transaction.refused_refunds).get(wish.key, at)
    if at - first_refused > _KEY_MAY_BE_RETRIED:
        return DUPLICATE_REFUND
    settlement = transaction.settlement
    if settlement is None or not transaction.can_be_refunded:
        return STATUS_CANNOT_CHANGE
    if at - settlement.settlement_time > _window(transaction):
        return STATUS_CANNOT_CHANGE
    amount = transaction.refundable_amount if wish.amount is None else wish.amount
    if not 1 <= amount <= transaction.refundable_amount:
        return INVALID_REFUND_AMOUNT
    if transaction.acquirer is Acquirer.AIRPAY_SHOPEE and amount < transaction.amount:
        # ShopeePay makes no partial refunds.
        return INVALID_REFUND_AMOUNT
    return None


def _window(transaction: Transaction) -> timedelta:
    if transaction.acquirer is Acquirer.GOPAY and transaction.is_off_us:
        return _WINDOW_OFF_US
    return _WINDOW[transaction.acquirer]
