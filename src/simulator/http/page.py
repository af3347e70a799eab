"""What all pages for people have in common."""

from datetime import timedelta
from importlib.resources import files
from typing import Final

from litestar import MediaType, Response, get

from simulator.core.jakarta import jakarta_time
from simulator.core.transaction import Transaction, TransactionStatus
from simulator.http.markup import Markup, Part, joined, tag

STYLE_PATH: Final = "/simulator/style.css"
_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_STYLE: Final = files("simulator.http").joinpath("style.css").read_bytes()

WORDS: Final = {
    TransactionStatus.PENDING: "Waiting for payment",
    TransactionStatus.SETTLEMENT: "Paid",
    TransactionStatus.DENY: "Denied",
    TransactionStatus.EXPIRE: "Expired",
    TransactionStatus.CANCEL: "Cancelled by the merchant",
    TransactionStatus.REFUND: "Refunded",
    TransactionStatus.PARTIAL_REFUND: "Partly refunded",
    TransactionStatus.CHARGEBACK: "Charged back",
    TransactionStatus.PARTIAL_CHARGEBACK: "Partly charged back",
}


@get(STYLE_PATH)
async def style() -> Response[bytes]:
    return Response(_STYLE, media_type="text/css; charset=utf-8", headers={"Cache-Control": "no-cache"})


def page(
    title: str, *main: Part, header: Part = None, kind: str, again_in: int | None = None
) -> Response[str]:
    """Answer with a page that loads nothing but its style and runs nothing.

    `kind` chooses the layout; `again_in` is after how many seconds a browser asks again.
    """
    html = tag(
        "html",
        tag(
            "head",
            tag("meta", charset="utf-8"),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", name="robots", content="noindex"),
            tag("meta", name="color-scheme", content="light dark"),
            tag("title", title),
            tag("link", rel="stylesheet", href=STYLE_PATH),
        ),
        tag("body", header, tag("main", *main), class_=kind),
        lang="en",
    )
    headers = _HEADERS if again_in is None else {**_HEADERS, "Refresh": str(again_in)}
    return Response(joined(Markup("<!doctype html>"), html), media_type=MediaType.HTML, headers=headers)


def navigation(here: str) -> Markup:
    places = (("/", "Transactions and faults"), ("/wire", "Wire log"))
    links = [
        tag("a", name, href=path, aria_current="page" if path == here else None) for path, name in places
    ]
    return tag("header", tag("strong", "Midtrans look-alike"), tag("nav", links, aria_label="Pages"))


def rupiah(amount: int) -> str:
    return f"Rp{amount:,}".replace(",", ".")


def badge(transaction: Transaction) -> Markup:
    return tag("span", WORDS[transaction.status], class_=f"badge {transaction.status}")


def until(transaction: Transaction) -> str:
    return f"{jakarta_time(transaction.expiry_time)} WIB"


def lasting(left: timedelta) -> str:
    """Say how long that is, to the second."""
    seconds = max(0, int(left.total_seconds()))
    hours, minutes = seconds // 3600, seconds // 60 % 60
    parts = [f"{hours} h" if hours else "", f"{minutes} min" if seconds >= 60 else "", f"{seconds % 60} s"]  # noqa: PLR2004
    return " ".join(part for part in parts if part)
