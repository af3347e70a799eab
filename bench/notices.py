"""What Midtrans posts when a payment was paid."""

import hashlib
import json

from fill import SERVER_KEY


def settlement(order_id: str, *, amount: int, transaction: str) -> bytes:
    """The body of a signed notification."""
    signed = f"{order_id}200{amount}.00{SERVER_KEY}"
    return json.dumps({
        "transaction_time": "2026-01-01 10:00:00", "transaction_status": "settlement", "transaction_id": transaction,
        "status_message": "midtrans payment notification", "status_code": "200",
        "signature_key": hashlib.sha512(signed.encode()).hexdigest(), "settlement_time": "2026-01-01 10:00:05",
        "payment_type": "gopay", "order_id": order_id, "merchant_id": "G123456789", "gross_amount": f"{amount}.00",
        "fraud_status": "accept", "currency": "IDR",
    }).encode()  # fmt: skip
