"""Midtrans's times: GMT+7 without an offset (docs.midtrans.com, HTTP notification)."""

import re
from datetime import UTC, datetime, timedelta, timezone

_GMT7 = timezone(timedelta(hours=7))
_SHAPE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
_FORMAT = "%Y-%m-%d %H:%M:%S"


def parse(text: object) -> datetime | None:
    """The instant in UTC, or None when this is not one of Midtrans's times."""
    if not isinstance(text, str) or not _SHAPE.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=_GMT7).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def with_offset(instant: datetime) -> str:
    """The form that ``custom_expiry.order_time`` takes: ``2026-02-06 10:00:00 +0700``."""
    return instant.astimezone(_GMT7).strftime(f"{_FORMAT} %z")
