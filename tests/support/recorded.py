"""Midtrans's bodies in the shapes that its documentation and public captures show."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import httpx

from domain.evidence import ReportedRefund

NOTIFIED_CODES: Final = {
    "pending": "201",
    "deny": "202",
    "expire": "202",
    "cancel": "202",
    "settlement": "200",
    "partial_refund": "200",
    "refund": "200",
    "partial_chargeback": "200",
    "chargeback": "200",
}
REPLIED_CODES: Final = NOTIFIED_CODES | {"expire": "407", "cancel": "200"}

TRANSACTION_ID: Final = "e48447d1-cfa9-4b02-b163-2e915d4417ac"
ERROR_ID: Final = "b3d7e8f5-1a2b-4c3d-8e9f-0a1b2c3d4e5f"
QR_STRING: Final = "00020101021226620014COM.GO-JEK.WWW0118936009143000000000520454995303360540510000"
API: Final = "https://api.sandbox.midtrans.com"

# Answers that are no JSON, or not Midtrans's own.
TOO_MANY: Final = {"message": "API rate limit exceeded"}
BAD_PATH: Final = {
    "timestamp": "2026-02-06T03:00:00.000+0000",
    "status": 404,
    "error": "Not Found",
    "path": "/v2/a/b/status",
}
BAD_GATEWAY: Final = "<html><head><title>502 Bad Gateway</title></head></html>"


def gopay_charge(**changes: Any) -> dict[str, Any]:
    """POST /v2/charge, gopay: HTTP 200, body 201."""
    transaction_id = changes.get("transaction_id", TRANSACTION_ID)
    qr = f"{API}/v2/gopay/{transaction_id}/qr-code"
    return {
        "status_code": "201",
        "status_message": "GoPay transaction is created",
        "transaction_id": transaction_id,
        "order_id": "order-1",
        "merchant_id": "G123456789",
        "gross_amount": "10000.00",
        "currency": "IDR",
        "payment_type": "gopay",
        "transaction_time": "2026-02-06 10:00:00",
        "transaction_status": "pending",
        "fraud_status": "accept",
        "actions": [
            {"name": "generate-qr-code", "method": "GET", "url": qr},
            {
                "name": "generate-qr-code-v2",
                "method": "GET",
                "url": f"{API}//v4/qris/gopay/A120260206100000ID/qr-code",
            },
            {
                "name": "deeplink-redirect",
                "method": "GET",
                "url": "gojek://gopay/merchanttransfer?tref=1&amount=10000&activity=GP:RR",
            },
            {
                "name": "get-status",
                "method": "GET",
                "url": f"{API}/v2/{transaction_id}/status",
            },
            {
                "name": "cancel",
                "method": "POST",
                "url": f"{API}/v2/{transaction_id}/cancel",
                "fields": [],
            },
        ],
        "expiry_time": "2026-02-06 10:15:00",
    } | changes


def qris_charge(**changes: Any) -> dict[str, Any]:
    """POST /v2/charge, qris: no deep link, but the text of the QR."""
    transaction_id = changes.get("transaction_id", TRANSACTION_ID)
    return {
        "status_code": "201",
        "status_message": "QRIS transaction is created",
        "transaction_id": transaction_id,
        "order_id": "order-1",
        "merchant_id": "G123456789",
        "gross_amount": "10000.00",
        "currency": "IDR",
        "payment_type": "qris",
        "transaction_time": "2026-02-06 10:00:00",
        "transaction_status": "pending",
        "fraud_status": "accept",
        "actions": [
            {
                "name": "generate-qr-code",
                "method": "GET",
                "url": f"{API}/v2/qris/{transaction_id}/qr-code",
            },
            {
                "name": "generate-qr-code-v2",
                "method": "GET",
                "url": f"{API}/v4/qris/A120260206100000ID/qr-code",
            },
        ],
        "qr_string": QR_STRING,
        "acquirer": "gopay",
        "expiry_time": "2026-02-06 10:15:00",
    } | changes


def denied_charge(**changes: Any) -> dict[str, Any]:
    """POST /v2/charge, denied: HTTP 200, body 202."""
    return {
        "status_code": "202",
        "status_message": "GoPay transaction is denied",
        "transaction_id": TRANSACTION_ID,
        "order_id": "order-1",
        "gross_amount": "10000.00",
        "payment_type": "gopay",
        "transaction_time": "2026-02-06 10:00:00",
        "transaction_status": "deny",
        "fraud_status": "accept",
        "channel_response_code": "4060",
        "channel_response_message": "Suspected fraud",
    } | changes


def status_body(status: str = "settlement", **changes: Any) -> dict[str, Any]:
    """GET /v2/{id}/status of a known transaction: HTTP 200 always."""
    body: dict[str, Any] = {
        "transaction_time": "2026-02-06 10:00:00",
        "gross_amount": "10000.00",
        "currency": "IDR",
        "order_id": "order-1",
        "payment_type": "qris",
        "signature_key": "5" * 128,
        "status_code": REPLIED_CODES[status],
        "transaction_id": TRANSACTION_ID,
        "transaction_status": status,
        "fraud_status": "accept",
        "expiry_time": "2026-02-06 10:15:00",
        "status_message": "Success, transaction is found",
        "merchant_id": "G123456789",
    }
    if status == "settlement":
        body |= {
            "settlement_time": "2026-02-06 10:01:30",
            "transaction_type": "on-us",
            "issuer": "gopay",
            "acquirer": "gopay",
            "metadata": {},
        }
    return body | changes


def refunded_body(status: str, refund_amount: str, *refunds: ReportedRefund) -> dict[str, Any]:
    """GET status after refunds: the amount on top is their sum; without refunds it is one of ``refund-1``."""
    listed = [
        _refund(number, refund.key, f"{refund.amount}.00", refund)
        for number, refund in enumerate(refunds, start=1)
    ]
    return status_body(
        status,
        settlement_time="2026-02-06 10:01:30",
        refund_amount=refund_amount,
        refunds=listed or [_refund(1, "refund-1", refund_amount)],
    )


def _refund(number: int, key: str, amount: str, told: ReportedRefund | None = None) -> dict[str, Any]:
    refund: dict[str, Any] = {
        "refund_chargeback_id": number,
        "refund_amount": amount,
        "created_at": "2026-02-07 09:00:00",
        "reason": "out of stock",
        "refund_key": key,
    }
    if told and told.confirmed_at:
        jakarta = told.confirmed_at + timedelta(hours=7)
        refund |= {"refund_method": "online", "bank_confirmed_at": f"{jakarta:%Y-%m-%d %H:%M:%S}"}
    return refund


def refund_answer(asked: Mapping[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """POST /v2/{id}/refund, accepted: HTTP 200, body 200; the amount is this refund's alone."""
    asked = asked or {"refund_key": "refund-1", "amount": 4_000}
    return {
        "status_code": "200",
        "status_message": "Success, refund request is approved",
        "transaction_id": "t-1",
        "order_id": "order-1",
        "gross_amount": "10000.00",
        "currency": "IDR",
        "payment_type": "gopay",
        "transaction_time": "2026-02-06 10:00:00",
        "settlement_time": "2026-02-06 10:01:30",
        "transaction_status": "refund" if asked["amount"] == 10_000 else "partial_refund",
        "refund_chargeback_id": 47594,
        "refund_amount": f"{asked['amount']}.00",
        "refund_key": asked["refund_key"],
    } | changes


def denied_refund(**changes: Any) -> dict[str, Any]:
    """POST /v2/{id}/refund, refused by the bank: HTTP 200, body 202."""
    return {
        "status_code": "202",
        "status_message": "Refund denied by the bank",
        "transaction_id": "t-1",
        "order_id": "order-1",
        "gross_amount": "10000.00",
        "payment_type": "gopay",
        "transaction_time": "2026-02-06 10:00:00",
        "transaction_status": "settlement",
        "refund_amount": "0.00",
    } | changes


def error_body(code: int, message: str, **more: Any) -> dict[str, Any]:
    """Every error's base shape; most come under HTTP 200."""
    return {"status_code": str(code), "status_message": message, "id": ERROR_ID} | more


NOT_FOUND: Final = error_body(404, "Transaction doesn't exist.")
UNAUTHORIZED: Final = error_body(401, "Unknown Merchant server_key/id")
BROKEN: Final = error_body(500, "Sorry. Our system is recovering from unexpected issues. Please retry.")


def response(body: object, http: int = 200, **headers: str) -> httpx.Response:
    """The body as Midtrans sends it: JSON, or a text or bytes as they are."""
    content = body if isinstance(body, bytes | str) else json.dumps(body)
    return httpx.Response(http, content=content, headers=headers)
