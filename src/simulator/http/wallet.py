"""The simulator's own wallet: what a deep link opens, and a scanned QR code."""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.exceptions import ClientException, NotFoundException
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from litestar.status_codes import HTTP_200_OK, HTTP_303_SEE_OTHER, HTTP_409_CONFLICT

from simulator.core.merchant import Merchant
from simulator.core.midtrans import Midtrans
from simulator.core.transaction import IllegalTransitionError, PaidBy, PaymentType, Transaction
from simulator.http.forms import is_form
from simulator.http.markup import Markup, Part, tag
from simulator.http.page import badge, lasting, page, rupiah, until
from simulator.http.respond import json_response
from simulator.ports import Clock

_SECONDS_TO_ASK_AGAIN: Final = 5
# Any bank's or wallet's app pays a QRIS code; how their names are told is theirs.
_OTHER_HOUSES: Final = ("dana", "ovo", "bca", "Mandiri")
# The last part of a QR picture's address, or of a wallet's.
_ID_IN_ADDRESS: Final = re.compile(
    r"/(?:v2/\w+|v4/qris(?:/gopay)?|wallet)/([^/?#]+)(?:/qr-code)?(?:[?#].*)?$"
)


class _Payment(msgspec.Struct, kw_only=True):
    """How a customer pays, and from whose wallet where it is not the acquirer's own."""

    by: PaidBy = PaidBy.DEEPLINK
    issuer: Annotated[str, msgspec.Meta(max_length=50)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wallet:
    """A customer's telephone."""

    midtrans: Midtrans
    merchant: Merchant
    clock: Clock

    def find(self, transaction_id: str) -> Transaction:
        transaction = self.midtrans.find(transaction_id)
        if transaction is None:
            raise NotFoundException
        return transaction

    def find_by_qr(self, scanned: str) -> Transaction | None:
        """Read a QR code's text, or its picture's address as Midtrans's own simulator does."""
        if address := _ID_IN_ADDRESS.search(scanned):
            return self.midtrans.find(address[1]) or self.midtrans.find_by_qr_id(address[1])
        return self.midtrans.find_by_qr_string(scanned)


@get("/")
async def scan(wallet: NamedDependency[Wallet], qr: FromQuery[str] = "") -> Response[Any]:
    """Ask for a QR code, and open the transaction that it stands for."""
    transaction = wallet.find_by_qr(qr.strip()) if qr.strip() else None
    if transaction is not None:
        return Redirect(f"/wallet/{transaction.transaction_id}?by=qr", status_code=HTTP_303_SEE_OTHER)
    field = tag("input", id="qr", name="qr", value=qr, required=True, autocomplete="off")
    return page(
        "Scan a QR code",
        tag("p", "Simulated wallet", class_="eyebrow"),
        tag("h1", "Scan a QR code"),
        tag("p", "No transaction has this code.", class_="notice", role="alert") if qr else None,
        tag(
            "form",
            tag("label", "The code's text, or the address of its picture", for_="qr"),
            field,
            tag("button", "Open"),
            action="/wallet",
        ),
        kind="wallet",
    )


@get("/{transaction_id:str}")
async def show(
    transaction_id: FromPath[str],
    wallet: NamedDependency[Wallet],
    by: FromQuery[str | None] = None,
    wait: FromQuery[str | None] = None,
    declined: FromQuery[str | None] = None,
) -> Response[str]:
    transaction = wallet.find(transaction_id)
    is_waiting = transaction.is_pending and wait is not None
    return page(
        f"Pay {wallet.merchant.name}",
        tag("p", "Simulated wallet", class_="eyebrow"),
        tag("h1", wallet.merchant.name),
        tag("p", rupiah(transaction.amount), class_="amount"),
        tag("p", badge(transaction), role="status"),
        tag(
            "dl",
            tag("dt", "Order"),
            tag("dd", transaction.order_id),
            tag("dt", "Pay before"),
            tag("dd", until(transaction)),
            _time_left(transaction, wallet.clock) if transaction.is_pending else None,
        ),
        _declined() if transaction.is_pending and declined is not None else None,
        _controls(transaction, by=by, is_waiting=is_waiting),
        tag("footer", "No money moves."),
        kind="wallet",
        again_in=_SECONDS_TO_ASK_AGAIN if is_waiting else None,
    )


@post("/{transaction_id:str}/pay")
async def pay(
    transaction_id: FromPath[str], request: Request[Any, Any, Any], wallet: NamedDependency[Wallet]
) -> Response[Any]:
    """Pay `by` deep link (the default) or QR; a form is led back to the page, others get JSON."""
    payment = await _read_payment(request)
    transaction = wallet.find(transaction_id)
    status = HTTP_200_OK
    try:
        transaction = wallet.midtrans.pay(transaction, payment.by, issuer=payment.issuer or None)
    except IllegalTransitionError:
        status = HTTP_409_CONFLICT
    return await _answer(request, transaction, status)


@post("/{transaction_id:str}/decline")
async def decline(
    transaction_id: FromPath[str], request: Request[Any, Any, Any], wallet: NamedDependency[Wallet]
) -> Response[Any]:
    """Let the wallet say no, as for a wrong PIN or an empty purse.

    Midtrans tells nobody, and the transaction stays pending; docs.midtrans.com, Technical FAQ.
    """
    transaction = wallet.find(transaction_id)
    status = HTTP_200_OK if transaction.is_pending else HTTP_409_CONFLICT
    return await _answer(request, transaction, status, query="?declined=1")


def wallet_routes(wallet: Wallet) -> Router:
    """Gather the page and its buttons; they need no key."""
    return Router(
        "/wallet",
        route_handlers=[scan, show, pay, decline],
        dependencies={"wallet": Provide(lambda: wallet, sync_to_thread=False)},
    )


async def _answer(
    request: Request[Any, Any, Any], transaction: Transaction, status: int, *, query: str = ""
) -> Response[Any]:
    if await is_form(request):
        path = f"/wallet/{transaction.transaction_id}{query}"
        return Redirect(path, status_code=HTTP_303_SEE_OTHER)
    body = {
        "transaction_id": transaction.transaction_id,
        "order_id": transaction.order_id,
        "payment_type": transaction.payment_type,
        "transaction_status": transaction.status,
    }
    return json_response(body, status)


async def _read_payment(request: Request[Any, Any, Any]) -> _Payment:
    try:
        if await is_form(request):
            return msgspec.convert(dict(await request.form()), _Payment)
        return msgspec.json.decode((await request.body()) or b"{}", type=_Payment)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise ClientException from error


def _time_left(transaction: Transaction, clock: Clock) -> Part:
    return [tag("dt", "Time left"), tag("dd", lasting(transaction.expiry_time - clock.now()))]


def _declined() -> Markup:
    return tag(
        "p",
        "Your wallet declined. Nothing was paid and the shop is not told; you can try again.",
        class_="notice",
        role="alert",
    )


def _controls(transaction: Transaction, *, by: str | None, is_waiting: bool) -> Part:
    address = f"/wallet/{transaction.transaction_id}"
    if not transaction.is_pending:
        return _back(transaction)
    if is_waiting:
        return [
            tag("p", "Waiting. This page asks again by itself.", class_="notice"),
            tag("a", "Decide now", href=address, class_="button"),
        ]
    is_scanned = by == PaidBy.QR or transaction.charged_as is PaymentType.QRIS
    buttons = [tag("button", "Pay", name="by", value=PaidBy.QR if is_scanned else PaidBy.DEEPLINK)]
    if is_scanned:
        buttons.insert(0, _whose_wallet(transaction))
    else:
        by_qr = tag("button", "Pay as if by scanning the QR code", name="by", value=PaidBy.QR, class_="quiet")
        buttons.append(by_qr)
    return [
        tag("form", buttons, method="post", action=f"{address}/pay"),
        tag(
            "form",
            tag("button", "Decline", name="why", value="declined", class_="quiet"),
            method="post",
            action=f"{address}/decline",
        ),
        tag("a", "Decide later", href=f"{address}?wait=1", class_="button quiet"),
    ]


def _whose_wallet(transaction: Transaction) -> Markup:
    own = tag("option", f"{transaction.acquirer}, whose code it is", value="")
    others = [tag("option", name, value=name) for name in _OTHER_HOUSES]
    return tag(
        "div",
        tag("label", "Pay from the app of", for_="issuer"),
        tag("select", own, others, id="issuer", name="issuer"),
    )


def _back(transaction: Transaction) -> Markup | None:
    """Lead back to the shop, as docs.midtrans.com/reference/gopay-1 says of callback_url."""
    url = transaction.callback_url
    if url is None:
        return None
    result = "failure" if transaction.settlement is None else "success"
    query = urlencode({"order_id": transaction.order_id, "result": result})
    link = f"{url}{'&' if '?' in url else '?'}{query}"
    return tag("a", "Back to the shop", href=link, class_="button quiet", rel="noreferrer")
