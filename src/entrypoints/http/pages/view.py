"""What the checkout page shows of a payment."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain.payment import Payment
from domain.status import Status
from entrypoints.http import links
from entrypoints.http.pages.words import State, Words, rupiah
from entrypoints.http.qr import QrCode, drawing

_DEEPLINK: Final = "deeplink-redirect"
_UNPAID_ENDS: Final = {State.EXPIRED, State.CANCELLED, State.DENIED}
_STATES: Final = {
    Status.CREATED: State.STARTING,
    Status.FAILURE: State.FAILED,
    Status.PENDING: State.WAITING,
    Status.DENY: State.DENIED,
    Status.EXPIRE: State.EXPIRED,
    Status.CANCEL: State.CANCELLED,
    Status.SETTLEMENT: State.PAID,
    Status.PARTIAL_REFUND: State.PARTLY_REFUNDED,
    Status.REFUND: State.REFUNDED,
    Status.PARTIAL_CHARGEBACK: State.PARTLY_CHARGED_BACK,
    Status.CHARGEBACK: State.CHARGED_BACK,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckoutView:
    """A payment in a customer's words. ``qr_drawing`` is markup of our own making; all else is text."""

    state: State
    is_open: bool
    title: str
    sentence: str
    comfort: str
    merchant: str
    amount: str
    order_id: str
    pay_before: str
    paid_at: str | None
    now: int
    expires: int
    version: int
    app_link: str | None
    qr_drawing: str | None
    qr_picture: str | None
    qr_name: str
    back: str | None


def checkout_view(
    payment: Payment, *, words: Words, merchant: str, qr_code: QrCode, now: datetime
) -> CheckoutView:
    """What the customer sees at this moment."""
    is_payable = payment.status is Status.PENDING and now < payment.expires_at
    drawn = drawing(payment) if is_payable else None
    picture = qr_code.picture(payment) if is_payable and drawn is None else None
    app_link = _app_link(payment) if is_payable else None
    state = _STATES[payment.status]
    if payment.status is Status.PENDING and not is_payable:
        state = State.OVERDUE
    elif is_payable and not (drawn or picture or app_link):
        state = State.UNPAYABLE
    elif payment.status is Status.SETTLEMENT and payment.late:
        state = State.LATE
    named = {
        "merchant": merchant,
        "amount": rupiah(payment.gross_amount),
        # How much went back may not be known yet.
        "refunded": rupiah(payment.refunded_amount) if payment.refunded_amount else words.some,
    }
    title, sentence = words.states[state]
    return CheckoutView(
        state=state,
        is_open=payment.status.is_open,
        title=title,
        sentence=sentence.format(**named),
        comfort=words.no_money.format(**named) if state in _UNPAID_ENDS else "",
        merchant=merchant,
        amount=named["amount"],
        order_id=payment.order_id,
        pay_before=words.time(payment.expires_at),
        paid_at=words.time(payment.paid_at) if payment.paid_at else None,
        now=_milliseconds(now),
        expires=_milliseconds(payment.expires_at),
        version=payment.log_length,
        app_link=app_link,
        qr_drawing=drawn.markup if drawn else None,
        qr_picture=picture,
        qr_name=words.picture.format(**named),
        back=links.safe(payment.callback_url),
    )


def _app_link(payment: Payment) -> str | None:
    return next((links.safe(action.url) for action in payment.actions if action.name == _DEEPLINK), None)


def _milliseconds(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)
