"""The simulator's own wallet: what a deep link opens."""

from collections.abc import Mapping
from html import escape
from importlib.resources import files
from string import Template
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from litestar import MediaType, Request, Response, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.enums import RequestEncodingType
from litestar.exceptions import ClientException, NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect
from litestar.status_codes import HTTP_200_OK, HTTP_303_SEE_OTHER, HTTP_409_CONFLICT

from simulator.core.jakarta import jakarta_time
from simulator.core.merchant import Merchant
from simulator.core.midtrans import Midtrans
from simulator.core.transaction import (
    IllegalTransitionError,
    PaidBy,
    PaymentType,
    Transaction,
    TransactionStatus,
)
from simulator.http.respond import json_response

_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}
_STATUS: Final[Mapping[TransactionStatus, str]] = {
    TransactionStatus.PENDING: "Waiting for payment",
    TransactionStatus.SETTLEMENT: "Paid",
    TransactionStatus.EXPIRE: "Expired",
    TransactionStatus.CANCEL: "Cancelled by the merchant",
}


class WalletPage:
    """What a customer sees of one transaction; loads nothing from anywhere else."""

    def __init__(self, merchant: Merchant) -> None:
        self._merchant = merchant
        self._page = Template(files("simulator.http").joinpath("wallet.html").read_text("utf-8"))

    def show(self, transaction: Transaction) -> str:
        return self._page.substitute(
            merchant=escape(self._merchant.name),
            amount=f"Rp{transaction.amount:,}".replace(",", "."),
            status=_STATUS[transaction.status],
            order_id=escape(transaction.order_id),
            expiry_time=jakarta_time(transaction.expiry_time),
            controls=_pay(transaction) if transaction.is_pending else _back(transaction),
        )


@get("/{transaction_id:str}")
async def wallet(
    transaction_id: FromPath[str],
    midtrans: NamedDependency[Midtrans],
    page: NamedDependency[WalletPage],
) -> Response[str]:
    transaction = _find(midtrans, transaction_id)
    return Response(page.show(transaction), media_type=MediaType.HTML, headers=_HEADERS)


@post("/{transaction_id:str}/pay")
async def pay(
    transaction_id: FromPath[str],
    request: Request[Any, Any, Any],
    midtrans: NamedDependency[Midtrans],
) -> Response[Any]:
    """Pay `by` deep link (the default) or QR; a form is led back to the page, others get JSON."""
    is_form = request.content_type[0] == RequestEncodingType.URL_ENCODED
    fields = await request.form() if is_form else _read_json(await request.body())
    by = _read_by(str(fields.get("by", PaidBy.DEEPLINK)))
    transaction = _find(midtrans, transaction_id)
    status = HTTP_200_OK
    try:
        transaction = midtrans.pay(transaction, by)
    except IllegalTransitionError:
        status = HTTP_409_CONFLICT
    if is_form:
        page = f"/wallet/{transaction.transaction_id}"
        return Redirect(page, status_code=HTTP_303_SEE_OTHER)
    body = {
        "transaction_id": transaction.transaction_id,
        "order_id": transaction.order_id,
        "payment_type": transaction.payment_type,
        "transaction_status": transaction.status,
    }
    return json_response(body, status)


def wallet_routes(*, midtrans: Midtrans, merchant: Merchant) -> Router:
    """Gather the page and its button; neither needs a key."""
    page = WalletPage(merchant)
    return Router(
        "/wallet",
        route_handlers=[wallet, pay],
        dependencies={
            "midtrans": Provide(lambda: midtrans, sync_to_thread=False),
            "page": Provide(lambda: page, sync_to_thread=False),
        },
    )


def _find(midtrans: Midtrans, transaction_id: str) -> Transaction:
    transaction = midtrans.find(transaction_id)
    if transaction is None:
        raise NotFoundException
    return transaction


def _read_json(body: bytes) -> Mapping[str, object]:
    try:
        return msgspec.json.decode(body or b"{}", type=dict[str, object])
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise ClientException from error


def _read_by(text: str) -> PaidBy:
    try:
        return PaidBy(text)
    except ValueError as error:
        raise ClientException from error


def _pay(transaction: Transaction) -> str:
    buttons = '<button name="by" value="qr">Pay</button>'
    if transaction.charged_as is PaymentType.GOPAY:
        buttons = (
            '<button name="by" value="deeplink">Pay</button>'
            '<button name="by" value="qr" class="other">Pay as if by scanning the QR code</button>'
        )
    return f'<form method="post" action="/wallet/{transaction.transaction_id}/pay">{buttons}</form>'


def _back(transaction: Transaction) -> str:
    """Lead back to the shop, as docs.midtrans.com/reference/gopay-1 says of callback_url."""
    if transaction.callback_url is None:
        return ""
    result = "success" if transaction.status is TransactionStatus.SETTLEMENT else "failure"
    query = urlencode({"order_id": transaction.order_id, "result": result})
    url = transaction.callback_url
    link = f"{url}{'&' if '?' in url else '?'}{query}"
    return f'<a class="back" href="{escape(link)}" rel="noreferrer">Back to the shop</a>'
