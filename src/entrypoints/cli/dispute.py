"""One payment's evidence as a file to hand to Midtrans in a dispute."""

import json
from typing import Any, Final

from domain.chain import Chain, contradiction_in, fault_in, row_of
from domain.history import EVIDENCE, Entry
from domain.payment import Payment
from entrypoints.cli.plain import plain_entry

_HOW: Final = (
    "Each entry's digest is sha256 over the digest of the entry before it and the JSON, with sorted keys and "
    "no blanks, of [1, payment id, seq, at, what, source, status, detail]. An entry's detail names, as "
    "evidence, the sha256 of the very bytes that Midtrans sent; they are shown here without signature_key."
)


def dispute_file(payment: Payment, log: list[Entry], view: dict[str, Any]) -> dict[str, Any]:
    """Everything that is known about a payment and from where; never a signature."""
    chain = Chain(
        row=row_of(payment),
        payment_id=payment.id,
        length=payment.log_length,
        head=payment.log_head,
        entries=tuple(log),
    )
    return {
        "payment_id": str(payment.id),
        "payment": view,
        "log_is_whole": fault_in(chain) is None,
        "payment_is_as_logged": contradiction_in(chain) is None,
        "how_to_check": _HOW,
        "timeline": [
            {
                **plain_entry(entry),
                **({"midtrans_sent": _shown(entry.raw)} if EVIDENCE in entry.detail else {}),
            }
            for entry in log
        ],
    }


def _shown(raw: bytes) -> Any:
    """The JSON that Midtrans sent, or its text where it is none."""
    try:
        return _without_signature(json.loads(raw))
    except (ValueError, RecursionError):
        return raw.decode(errors="replace")


def _without_signature(value: Any) -> Any:
    match value:
        case dict():
            return {
                name: "(withheld)" if name == "signature_key" else _without_signature(within)
                for name, within in value.items()
            }
        case list():
            return [_without_signature(within) for within in value]
    return value
