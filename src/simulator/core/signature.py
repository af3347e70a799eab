"""The signature inside notifications and status answers."""

import hashlib


def signature_key(*, order_id: str, status_code: str, gross_amount: str, server_key: str) -> str:
    """Sign as Midtrans does: the four texts joined without separators, SHA-512, lower-case hex.

    Source: docs.midtrans.com/docs/https-notification-webhooks, "Verifying Notification
    Authenticity".
    """
    signed = f"{order_id}{status_code}{gross_amount}{server_key}"
    return hashlib.sha512(signed.encode()).hexdigest()
