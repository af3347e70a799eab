"""Midtrans's way of writing times."""

from datetime import datetime, timedelta, timezone

JAKARTA = timezone(timedelta(hours=7))


def jakarta_time(moment: datetime) -> str:
    """Write a moment as Midtrans does: GMT+7, without saying so.

    Source: docs.midtrans.com/reference/gopay-1, transaction_time.
    """
    return moment.astimezone(JAKARTA).strftime("%Y-%m-%d %H:%M:%S")
