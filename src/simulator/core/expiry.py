"""When a transaction expires."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from simulator.core.fields import Fields
from simulator.core.transaction import Acquirer, PaymentType

DEFAULT_EXPIRY: Final = timedelta(minutes=15)

# docs.midtrans.com/reference/custom-expiry-object and /reference/charge-transactions-1.
_SHORTEST: Final = timedelta(seconds=20)
_UNITS: Final[Mapping[str, timedelta]] = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
}
_LONGEST: Final = timedelta(days=180)
_LONGEST_GOPAY: Final = timedelta(days=7)
_LONGEST_AIRPAY_SHOPEE: Final = timedelta(days=5)


def longest_expiry(payment_type: PaymentType, acquirer: Acquirer) -> timedelta:
    """Tell how long a transaction may live; longer wishes are trimmed, not refused."""
    if payment_type is PaymentType.GOPAY:
        return _LONGEST_GOPAY
    return _LONGEST_AIRPAY_SHOPEE if acquirer is Acquirer.AIRPAY_SHOPEE else _LONGEST


def read_expiry_time(charge: Fields, *, at: datetime) -> datetime:
    """Read when a charge that arrives at that time wants to expire, untrimmed."""
    if not charge.has("custom_expiry"):
        return at + DEFAULT_EXPIRY
    custom = charge.section("custom_expiry")
    order_time = _read_order_time(custom, at=at)
    duration = custom.number("expiry_duration", required=True)
    unit = _UNITS.get(custom.text("unit") or "minute")
    if unit is None:
        custom.complain("unit", "is invalid")
    if duration is None or unit is None:
        return at + DEFAULT_EXPIRY
    # Cut before multiplying, to stay within what a datetime can hold.
    life = min(max(duration, 0), _LONGEST // unit) * unit
    expiry_time = min(order_time, at + _LONGEST) + life
    if life < _SHORTEST or expiry_time <= at:
        charge.complain("custom_expiry", "is below minimum threshold")
    return expiry_time


def _read_order_time(custom: Fields, *, at: datetime) -> datetime:
    text = custom.text("order_time")
    if text is None:
        return at
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S %z")
    except ValueError:
        custom.complain("order_time", "is invalid")
        return at
