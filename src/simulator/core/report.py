"""What status answers and notifications both tell about a transaction."""

from typing import Final

import msgspec

from simulator.core.jakarta import jakarta_time
from simulator.core.merchant import Merchant
from simulator.core.refund import Refund
from simulator.core.signature import signature_key
from simulator.core.transaction import Acquirer, PaidBy, PaymentType, Transaction, TransactionStatus

# docs.midtrans.com/reference/get-transaction-status, "payment_option_type".
_TELLING_THE_WALLET: Final = frozenset(
    {TransactionStatus.SETTLEMENT, TransactionStatus.PARTIAL_REFUND, TransactionStatus.REFUND}
)


def report(
    transaction: Transaction,
    *,
    status_code: str,
    status_message: str,
    merchant: Merchant,
    server_key: str,
) -> dict[str, object]:
    """Tell everything, in the key order of a status answer; what is null is left out.

    Source: docs.midtrans.com/reference/get-transaction-status. The signature covers this very
    status code.
    """
    settlement = transaction.settlement
    scan = settlement if settlement is not None and settlement.paid_by is PaidBy.QR else None
    fields: dict[str, object] = {
        "transaction_time": jakarta_time(transaction.transaction_time),
        "gross_amount": transaction.gross_amount,
        "currency": "IDR",
        "order_id": transaction.order_id,
        "payment_type": transaction.payment_type,
        "signature_key": signature_key(
            order_id=transaction.order_id,
            status_code=status_code,
            gross_amount=transaction.gross_amount,
            server_key=server_key,
        ),
        "status_code": status_code,
        "transaction_id": transaction.transaction_id,
        "transaction_status": transaction.status,
        "fraud_status": transaction.fraud_status,
        "settlement_time": settlement and jakarta_time(settlement.settlement_time),
        "expiry_time": jakarta_time(transaction.expiry_time),
        "status_message": status_message,
        "merchant_id": merchant.id,
        "transaction_type": _transaction_type(transaction),
        "issuer": scan and scan.issuer,
        "acquirer": transaction.acquirer if transaction.payment_type is PaymentType.QRIS else None,
        # Seen only where a wallet of the acquirer's own paid.
        "merchant_cross_reference_id": (
            scan.merchant_cross_reference_id
            if scan and transaction.acquirer is Acquirer.GOPAY and not transaction.is_off_us
            else None
        ),
        "payment_option_type": "GOPAY_WALLET"
        if transaction.status in _TELLING_THE_WALLET and not scan
        else None,
        **why_denied(transaction),
        **_shopees_own(transaction),
        # All refunds together here, each by itself below.
        "refund_amount": f"{transaction.refunded_amount}.00" if transaction.refunds else None,
        "refunds": [_refund(refund) for refund in transaction.refunds] or None,
        "custom_field1": transaction.custom_fields[0],
        "custom_field2": transaction.custom_fields[1],
        "custom_field3": transaction.custom_fields[2],
        "metadata": transaction.metadata and msgspec.Raw(transaction.metadata),
    }
    return {name: value for name, value in fields.items() if value is not None}


def why_denied(transaction: Transaction) -> dict[str, object]:
    """Tell GoPay's code for suspected fraud; docs.midtrans.com/reference/deployment."""
    if transaction.status is not TransactionStatus.DENY:
        return {}
    return {
        "channel_response_code": "4060",
        "channel_response_message": "Transaction is suspected of fraud",
    }


def _transaction_type(transaction: Transaction) -> str | None:
    if transaction.settlement is None:
        # As merchants have seen it before anybody has paid.
        return "off-us" if transaction.acquirer is Acquirer.AIRPAY_SHOPEE else None
    if transaction.paid_by is not PaidBy.QR:
        return None
    return "off-us" if transaction.is_off_us else "on-us"


def _shopees_own(transaction: Transaction) -> dict[str, object]:
    if transaction.acquirer is not Acquirer.AIRPAY_SHOPEE:
        return {}
    number = transaction.settlement and str(int(transaction.qr_id.encode().hex(), 16))[:18]
    return {"shopeepay_reference_number": number, "reference_id": transaction.qr_id}


def _refund(refund: Refund) -> dict[str, object]:
    confirmed_at = refund.bank_confirmed_at
    fields: dict[str, object] = {
        "refund_chargeback_id": refund.number,
        "refund_chargeback_uuid": refund.uuid,
        "refund_amount": f"{refund.amount}.00",
        "created_at": jakarta_time(refund.created_at),
        "reason": refund.reason,
        "refund_key": refund.key,
        "refund_method": confirmed_at and "online",
        "bank_confirmed_at": confirmed_at and jakarta_time(confirmed_at),
    }
    return {name: value for name, value in fields.items() if value is not None}
