"""The body of a notification."""

from collections.abc import Mapping
from typing import Final

import msgspec

from simulator.core.merchant import Merchant
from simulator.core.report import report
from simulator.core.transaction import Transaction, TransactionStatus

# docs.midtrans.com/docs/https-notification-webhooks. Expired is 202 here and 407 in the status
# answer, each with its own valid signature.
_STATUS_CODE: Final[Mapping[TransactionStatus, str]] = {
    TransactionStatus.PENDING: "201",
    TransactionStatus.SETTLEMENT: "200",
    TransactionStatus.EXPIRE: "202",
    TransactionStatus.CANCEL: "202",
}


def notification_body(transaction: Transaction, *, merchant: Merchant, server_key: str) -> bytes:
    """Write what Midtrans posts about a transaction in this state.

    The keys go from Z to A, as in the notifications that merchants have seen.
    """
    fields = report(
        transaction,
        status_code=_STATUS_CODE[transaction.status],
        status_message="midtrans payment notification",
        merchant=merchant,
        server_key=server_key,
    )
    if customer := transaction.customer:
        details = {
            "phone": customer.phone,
            "full_name": customer.full_name,
            "email": customer.email,
        }
        fields["customer_details"] = {name: text for name, text in details.items() if text}
    return msgspec.json.encode(dict(sorted(fields.items(), reverse=True)))
