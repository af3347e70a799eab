"""What becomes of a payment when a fault strikes, in the words of docs/simulator.md.

Shown by tests/integration/faults, one test or more for every fault.
"""

from collections.abc import Mapping
from typing import Final

from simulator.core.faults import Fault

_SAME_CHARGE: Final = (
    "Sent again with the same key: one charge, `pending`. While it lasts, 504; the next call brings the same "
    "charge."
)
_NO_CHARGE_YET: Final = (
    "Sent again: one charge, `pending`. While it lasts, 504 and no charge; the next call makes it."
)
_PROVES_NOTHING_LATER: Final = "On a question it proves nothing."
_READ: Final = "Read for what it says: `pending`, then `settlement`."
_SET_ASIDE: Final = (
    "200; kept and set aside. `pending` until the background work has asked Midtrans, then `settlement`."
)
_ABOUT_ANOTHER: Final = (
    "On a charge it is no answer: sent again with the same key, one charge. On a status reply it is a break "
    "for a person; nothing moves, and the next reply brings the truth."
)

OUTCOMES: Final[Mapping[Fault, str]] = {
    Fault.ANSWER_LOST: _SAME_CHARGE,
    Fault.CONNECTION_CLOSED: _NO_CHARGE_YET,
    Fault.SLOW_ANSWER: "Given up after 17 s and sent again with the same key: one charge, `pending`.",
    Fault.ERROR_500: _NO_CHARGE_YET,
    Fault.ERROR_500_TAKEN: _SAME_CHARGE,
    Fault.BAD_GATEWAY: _NO_CHARGE_YET,
    Fault.BAD_GATEWAY_TAKEN: _SAME_CHARGE,
    Fault.UNAVAILABLE: _NO_CHARGE_YET,
    Fault.RATE_LIMITED: "503 with `Retry-After`; `created`, no charge. The next call makes it.",
    Fault.UNAUTHORIZED: f"502 with Midtrans's code 401; `failure`, no charge. {_PROVES_NOTHING_LATER}",
    Fault.CHANNEL_INACTIVE: "502 with Midtrans's code 402; `failure`, no charge.",
    Fault.FRAMEWORK_404: f"502 with Midtrans's code 404; `failure`, no charge. {_PROVES_NOTHING_LATER}",
    Fault.IN_PROCESS: _SAME_CHARGE,
    Fault.WRONG_AMOUNT: _ABOUT_ANOTHER,
    Fault.WRONG_ORDER_ID: _ABOUT_ANOTHER,
    Fault.MISSING_FIELDS: _READ,
    Fault.UNKNOWN_FIELDS: _READ,
    Fault.UPPERCASE_STATUS: _READ,
    Fault.QR_V2_MISSING: "`pending`; the customer sees the picture of `generate-qr-code`.",
    Fault.EXPIRY_MISSPELT: "`pending`; how long a payment may be paid is Bayar's own to know.",
    Fault.DENIED: "502; `deny`.",
    Fault.DUPLICATE_ORDER_ID: (
        "Found by its order id and, since its QR was told to nobody, cancelled there: 502 `charge-lost`, "
        "`cancel`."
    ),
    Fault.NOT_FOUND: "Proves nothing; the payment stays what it was until the next reply brings the truth.",
    Fault.REFUND_REFUSED: (
        "502; the refund is `refused` and its amount free again, the payment stays `settlement`."
    ),
    Fault.NOTIFICATION_FIRST: "Kept as doubtful; `pending` once the answer is here, and then `settlement`.",
    Fault.NOTIFICATION_DUPLICATED: "200 to both; `settlement`, once.",
    Fault.NOTIFICATION_REORDERED: "`settlement`; the older one that comes later changes nothing.",
    Fault.NOTIFICATION_DELAYED: "`pending` until then, and `settlement`.",
    Fault.NOTIFICATION_DROPPED: "`pending` until the background work has asked Midtrans, then `settlement`.",
    Fault.NOTIFICATION_FORGED: (
        "403 each time. `pending` until the background work has asked Midtrans, then `settlement`."
    ),
    Fault.NOTIFICATION_WRONG_AMOUNT: _SET_ASIDE,
    Fault.NOTIFICATION_WRONG_CODE: _SET_ASIDE,
    Fault.FORGED_SETTLEMENT: "403 to the stranger; `pending` until the customer pays.",
    Fault.EXPIRED_LATE: (
        "`pending` while Midtrans says so, then `expire`; money in between is `settlement`, not late. "
        "A minute after its time the background work ends it at Midtrans."
    ),
    Fault.PAID_BY_QR: "`settlement` of the same payment, whose type stays `gopay`.",
    Fault.PAID_LATE: "`expire`, and once Midtrans has confirmed it `settlement` with `late: true`.",
    Fault.PAID_TWICE: "`settlement`, and a break `paid_twice` that names the second transaction.",
}
