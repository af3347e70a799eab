"""What status answers and notifications both tell about a transaction."""

import msgspec

from simulator.core.jakarta import jakarta_time
from simulator.core.merchant import Merchant
from simulator.core.refund import Refund
from simulator.core.signature import signature_key
from simulator.core.transaction import Acquirer, PaidBy, PaymentType, Transaction, TransactionStatus


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
    is_denied = transaction.status is TransactionStatus.DENY
    by_qr = settlement is not None and settlement.paid_by is PaidBy.QR
    via_gopay = transaction.acquirer is Acquirer.GOPAY
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
        # The simulated wallet belongs to whoever made the QR code.
        "transaction_type": "on-us" if by_qr else None,
        "issuer": transaction.acquirer if by_qr else None,
        "acquirer": transaction.acquirer if transaction.payment_type is PaymentType.QRIS else None,
        "merchant_cross_reference_id": (
            settlement.merchant_cross_reference_id if settlement and by_qr and via_gopay else None
        ),
        "payment_option_type": "GOPAY_WALLET" if settlement and not by_qr else None,
        # GoPay's code for suspected fraud; docs.midtrans.com/reference/deployment.
        "channel_response_code": "4060" if is_denied else None,
        "channel_response_message": "Transaction is suspected of fraud" if is_denied else None,
        # All refunds together here, each by itself below.
        "refund_amount": f"{transaction.refunded_amount}.00" if transaction.refunds else None,
        "refunds": [_refund(refund) for refund in transaction.refunds] or None,
        "custom_field1": transaction.custom_fields[0],
        "custom_field2": transaction.custom_fields[1],
        "custom_field3": transaction.custom_fields[2],
        "metadata": transaction.metadata and msgspec.Raw(transaction.metadata),
    }
    return {name: value for name, value in fields.items() if value is not None}


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
