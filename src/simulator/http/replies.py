"""Midtrans's answers as JSON objects, key by key."""

from collections.abc import Mapping
from typing import Final, assert_never

from simulator.core.answers import (
    Answer,
    Cancelled,
    Charged,
    Denied,
    Expired,
    Found,
    InProcess,
    RefundDenied,
    Refunded,
    Refused,
)
from simulator.core.jakarta import jakarta_time
from simulator.core.merchant import Merchant
from simulator.core.qris import qr_string
from simulator.core.report import report, why_denied
from simulator.core.transaction import PaymentType, Transaction, TransactionStatus

Reply = tuple[int, dict[str, object]]

# docs.midtrans.com/reference/get-transaction-status; 407 for an expired one is not an error.
_STATUS_CODE: Final[Mapping[TransactionStatus, str]] = {
    TransactionStatus.PENDING: "201",
    TransactionStatus.SETTLEMENT: "200",
    TransactionStatus.DENY: "202",
    TransactionStatus.EXPIRE: "407",
    TransactionStatus.CANCEL: "200",
    TransactionStatus.REFUND: "200",
    TransactionStatus.PARTIAL_REFUND: "200",
    TransactionStatus.CHARGEBACK: "200",
    TransactionStatus.PARTIAL_CHARGEBACK: "200",
}
_NAME: Final[Mapping[PaymentType, str]] = {PaymentType.GOPAY: "GoPay", PaymentType.QRIS: "QRIS"}


class Replies:
    """Writes answers for one merchant's server key; links in them start with `public_url`."""

    def __init__(self, *, merchant: Merchant, server_key: str, public_url: str) -> None:
        self._merchant = merchant
        self._server_key = server_key
        self._public_url = public_url

    def write(self, answer: Answer, *, request_id: str) -> Reply:
        """Return the HTTP status and the body; refusals quote the request id for support."""
        match answer:
            case Charged(transaction):
                return 200, self._charged(transaction)
            case Denied(transaction):
                denied = f"{_NAME[transaction.charged_as]} transaction is denied"
                return 200, self._changed(transaction, "202", denied) | why_denied(transaction)
            case Found(transaction):
                return 200, report(
                    transaction,
                    status_code=_STATUS_CODE[transaction.status],
                    status_message="Success, transaction is found",
                    merchant=self._merchant,
                    server_key=self._server_key,
                )
            case Cancelled(transaction):
                return 200, self._changed(transaction, "200", "Success, transaction is canceled")
            case Expired(transaction):
                return 200, self._changed(transaction, "407", "Success, transaction has expired")
            case Refunded():
                return 200, _refunded(answer)
            case RefundDenied(transaction, key):
                return 200, _refund_denied(transaction, key)
            case InProcess():
                return 202, {
                    "status_code": "202",
                    "status_message": "The request is still in process",
                    "id": request_id,
                }
            case Refused():
                return answer.http_status, _refused(answer, request_id)
            case _:
                assert_never(answer)

    def _charged(self, transaction: Transaction) -> dict[str, object]:
        transaction_id = transaction.transaction_id
        body = self._changed(transaction, "201", f"{_NAME[transaction.charged_as]} transaction is created")
        if transaction.charged_as is PaymentType.QRIS:
            body["actions"] = [
                self._action("generate-qr-code", f"/v2/qris/{transaction_id}/qr-code"),
                self._action("generate-qr-code-v2", f"/v4/qris/{transaction.qr_id}/qr-code"),
            ]
            body["qr_string"] = qr_string(transaction, self._merchant)
            body["acquirer"] = transaction.acquirer
        else:
            cancel = self._action("cancel", f"/v2/{transaction_id}/cancel", method="POST")
            body["actions"] = [
                self._action("generate-qr-code", f"/v2/gopay/{transaction_id}/qr-code"),
                self._action("generate-qr-code-v2", f"/v4/qris/gopay/{transaction.qr_id}/qr-code"),
                self._action("deeplink-redirect", f"/wallet/{transaction_id}"),
                self._action("get-status", f"/v2/{transaction_id}/status"),
                cancel | {"fields": []},
            ]
        body["expiry_time"] = jakarta_time(transaction.expiry_time)
        return body

    def _changed(self, transaction: Transaction, status_code: str, status_message: str) -> dict[str, object]:
        return {
            "status_code": status_code,
            "status_message": status_message,
            "transaction_id": transaction.transaction_id,
            "order_id": transaction.order_id,
            "merchant_id": self._merchant.id,
            "gross_amount": transaction.gross_amount,
            "currency": "IDR",
            "payment_type": transaction.payment_type,
            "transaction_time": jakarta_time(transaction.transaction_time),
            "transaction_status": transaction.status,
            "fraud_status": transaction.fraud_status,
        }

    def _action(self, name: str, path: str, *, method: str = "GET") -> dict[str, object]:
        return {"name": name, "method": method, "url": f"{self._public_url}{path}"}


def _refunded(answer: Refunded) -> dict[str, object]:
    message = "Success, refund request is approved" + (" by the bank" if answer.directly else "")
    body = _refund_reply(answer.transaction, "200", message)
    return body | {
        "refund_chargeback_id": answer.refund.number,
        "refund_chargeback_uuid": answer.refund.uuid,
        # This refund's alone; status answers and notifications tell the sum.
        "refund_amount": f"{answer.refund.amount}.00",
        "refund_key": answer.refund.key,
    }


def _refund_denied(transaction: Transaction, key: str) -> dict[str, object]:
    body = _refund_reply(transaction, "202", "Refund denied by the bank")
    return body | {"refund_amount": "0.00", "refund_key": key}


def _refund_reply(transaction: Transaction, status_code: str, status_message: str) -> dict[str, object]:
    settlement = transaction.settlement
    body: dict[str, object] = {
        "status_code": status_code,
        "status_message": status_message,
        "transaction_id": transaction.transaction_id,
        "order_id": transaction.order_id,
        "gross_amount": transaction.gross_amount,
        "currency": "IDR",
        "payment_type": transaction.payment_type,
        "transaction_time": jakarta_time(transaction.transaction_time),
    }
    if settlement is not None:
        body["settlement_time"] = jakarta_time(settlement.settlement_time)
    return body | {"transaction_status": transaction.status}


def _refused(refused: Refused, request_id: str) -> dict[str, object]:
    body: dict[str, object] = {
        "status_code": str(refused.status_code),
        "status_message": refused.status_message,
        "id": request_id,
    }
    if refused.validation_messages:
        body["validation_messages"] = refused.validation_messages
    return body
