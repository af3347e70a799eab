"""The body of a notification."""

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec.structs import replace

from simulator.core.disturbed import disturbed
from simulator.core.faults import Fault
from simulator.core.merchant import Merchant
from simulator.core.report import report
from simulator.core.transaction import Transaction, TransactionStatus

# docs.midtrans.com/docs/https-notification-webhooks. Expired is 202 here and 407 in the status
# answer, each with its own valid signature.
_STATUS_CODE: Final[Mapping[TransactionStatus, str]] = {
    TransactionStatus.PENDING: "201",
    TransactionStatus.SETTLEMENT: "200",
    TransactionStatus.DENY: "202",
    TransactionStatus.EXPIRE: "202",
    TransactionStatus.CANCEL: "202",
    TransactionStatus.REFUND: "200",
    TransactionStatus.PARTIAL_REFUND: "200",
    TransactionStatus.CHARGEBACK: "200",
    TransactionStatus.PARTIAL_CHARGEBACK: "200",
}


def notification_body(
    transaction: Transaction, fault: Fault | None = None, *, merchant: Merchant, server_key: str
) -> bytes:
    """Write what Midtrans posts about a transaction in this state, or what a fault makes of it.

    The keys go from Z to A, as in the notifications that merchants have seen.
    """
    status_code = _STATUS_CODE[transaction.status]
    if fault is Fault.NOTIFICATION_WRONG_CODE:
        status_code = _STATUS_CODE[TransactionStatus.PENDING]
    elif fault is Fault.NOTIFICATION_WRONG_AMOUNT:
        transaction = replace(transaction, amount=transaction.amount + 1)
    elif fault in {Fault.NOTIFICATION_FORGED, Fault.FORGED_SETTLEMENT}:
        server_key = "a key that a stranger made up"
    fields = report(
        transaction,
        status_code=status_code,
        status_message="midtrans payment notification",
        merchant=merchant,
        server_key=server_key,
    )
    if refund := transaction.latest_refund:
        fields["refund_key"] = refund.key
    if customer := transaction.customer:
        details = {
            "phone": customer.phone,
            "full_name": customer.full_name,
            "email": customer.email,
        }
        fields["customer_details"] = {name: text for name, text in details.items() if text}
    if fault is not None:
        fields = disturbed(fields, fault)
    return msgspec.json.encode(dict(sorted(fields.items(), reverse=True)))
