"""What faults do to a body."""

from collections.abc import Callable, Mapping
from typing import Final

from simulator.core.faults import Fault

Fields = Mapping[str, object]

# What the documentation's samples do not all have; merchants must do without.
_OPTIONAL: Final = frozenset(
    {
        "acquirer",
        "currency",
        "customer_details",
        "expiry_time",
        "fraud_status",
        "issuer",
        "merchant_cross_reference_id",
        "merchant_id",
        "payment_option_type",
        "refund_chargeback_uuid",
        "settlement_time",
        "status_message",
        "transaction_type",
    }
)


def disturbed(fields: Fields, fault: Fault) -> dict[str, object]:
    """Return the fields as this fault leaves them; a signature among them is not touched."""
    return dict(_CHANGES[fault](fields)) if fault in _CHANGES else dict(fields)


def one_rupiah_more(gross_amount: str) -> str:
    return f"{int(gross_amount.partition('.')[0]) + 1}.00"


def _with_wrong_amount(fields: Fields) -> Fields:
    amount = fields.get("gross_amount")
    if not isinstance(amount, str):
        return fields
    return {**fields, "gross_amount": one_rupiah_more(amount)}


def _with_wrong_order_id(fields: Fields) -> Fields:
    if "order_id" not in fields:
        return fields
    return {**fields, "order_id": "somebody-elses-order"}


def _without_optional_fields(fields: Fields) -> Fields:
    return {name: value for name, value in fields.items() if name not in _OPTIONAL}


def _with_unknown_fields(fields: Fields) -> Fields:
    news: Fields = {
        "x_new_text": "unheard of",
        "x_new_number": 1.5,
        "x_new_object": {"deep": [{"deeper": None}]},
        "x_new_list": [],
    }
    return {**news, **fields}


def _with_uppercase_status(fields: Fields) -> Fields:
    status = fields.get("transaction_status")
    if not isinstance(status, str):
        return fields
    return {**fields, "transaction_status": status.upper()}


def _without_qr_v2(fields: Fields) -> Fields:
    actions = fields.get("actions")
    if not isinstance(actions, list):
        return fields
    return {**fields, "actions": [one for one in actions if one.get("name") != "generate-qr-code-v2"]}


def _with_expiry_misspelt(fields: Fields) -> Fields:
    return {"expire_time" if name == "expiry_time" else name: value for name, value in fields.items()}


_CHANGES: Final[Mapping[Fault, Callable[[Fields], Fields]]] = {
    Fault.WRONG_AMOUNT: _with_wrong_amount,
    Fault.WRONG_ORDER_ID: _with_wrong_order_id,
    Fault.MISSING_FIELDS: _without_optional_fields,
    Fault.UNKNOWN_FIELDS: _with_unknown_fields,
    Fault.UPPERCASE_STATUS: _with_uppercase_status,
    Fault.QR_V2_MISSING: _without_qr_v2,
    Fault.EXPIRY_MISSPELT: _with_expiry_misspelt,
}
DISTURBING: Final = tuple(_CHANGES)
