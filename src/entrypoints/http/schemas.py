"""What goes over the wire: request and response shapes, and how they meet the domain."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal, cast
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from domain import order_id as order_ids
from domain.errors import InvalidPayment
from domain.history import Entry, Source
from domain.order import Customer, Item, Wanted
from domain.payment import Payment
from domain.ports.payments import Place
from domain.refund import Refund, RefundStatus
from domain.rupiah import MOST, MOST_OF_ANY, PaymentType
from domain.status import Status
from domain.usecases.list_payments import Page
from domain.usecases.refund_payment import RefundWish
from entrypoints.http.address import checkout_url
from entrypoints.http.described import described as _is
from entrypoints.http.links import what_is_wrong

_METADATA_KEYS: Final = 20
_METADATA_BYTES: Final = 4096
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_AMOUNT: Final = (
    f"Whole rupiah, 1 to {MOST[PaymentType.GOPAY]:,} (``qris``: {MOST[PaymentType.QRIS]:,}). "
    "Default: the sum of the items, else ``BAYAR_DEFAULT_AMOUNT``."
)
_METADATA: Final = "Your own data, returned as given; at most 4 KB of JSON."
_CODES: Final = (
    "Has to agree with the status: 201 pending; 200 settlement, refunds and chargebacks; "
    "202 cancel and deny; 202 or 407 expire."
)
_UUID: Final = "e48447d1-cfa9-4b02-b163-2e915d4417ac"
_REFUND_KEY: Final = "01a214a3-3252-75dd-88dc-1b290d6b94fe"
_QR_EXAMPLE: Final = f"https://api.midtrans.com/v2/qris/{_UUID}/qr-code"

Text = Annotated[str, Meta(max_length=255)]
Rupiah = Annotated[int, Meta(ge=-1_000_000_000, le=1_000_000_000)]


class CustomerBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who pays; passed on to Midtrans, and kept only where Midtrans repeats it in a notification."""

    first_name: Annotated[Text, _is("First name.")] | None = None
    last_name: Annotated[Text, _is("Last name.")] | None = None
    email: Annotated[Text, _is("E-mail address.")] | None = None
    phone: Annotated[Text, _is("Telephone number.")] | None = None


class ItemBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is bought; price times quantity, summed over all items, is the amount."""

    id: Annotated[Text, _is("Your own id of it.")] | None = None
    name: Annotated[str, Meta(min_length=1, max_length=255), _is("What the customer knows it by.")]
    price: Annotated[Rupiah, _is("Of one of them, in whole rupiah; negative for a discount.")]
    quantity: Annotated[int, Meta(ge=1, le=1_000_000), _is("How many.")]


class CreateBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A payment to create. Everything is optional; a field that is not listed here is refused.

    Amounts are JSON integers: neither ``"1000"`` nor ``1000.0`` is one.
    """

    # ``Annotated`` stays inside ``X | None``: strict decoding looks into the X of a plain ``X | None``.
    gross_amount: Annotated[int, _is(_AMOUNT, 25_000, minimum=1, maximum=MOST_OF_ANY)] | None = None
    payment_type: (
        Annotated[PaymentType, _is("How the customer pays. Default: ``BAYAR_PAYMENT_TYPE``.", "qris")] | None
    ) = None
    order_id: (
        Annotated[str, _is(f"Your own order id: {order_ids.RULE}. Default: one is made.", maxLength=50)]
        | None
    ) = None
    callback_url: (
        Annotated[str, _is("Where the customer may go back to: http(s) or an app's scheme.", maxLength=255)]
        | None
    ) = None
    expiry_minutes: (
        Annotated[
            int, Meta(ge=1, le=10_080), _is("How long it can be paid. Default: ``BAYAR_EXPIRY_MINUTES``.")
        ]
        | None
    ) = None
    customer: CustomerBody | None = None
    items: list[ItemBody] | None = None
    metadata: (
        Annotated[dict[str, str], _is(_METADATA, {"cart": "42"}, maxProperties=_METADATA_KEYS)] | None
    ) = None

    def wanted(self, user_id: int) -> Wanted:
        """The same in the domain's words."""
        return Wanted(
            user_id=user_id,
            order_id=self.order_id,
            gross_amount=self.gross_amount,
            payment_type=self.payment_type,
            life=timedelta(minutes=self.expiry_minutes) if self.expiry_minutes else None,
            callback_url=self.callback_url,
            customer=msgspec.convert(self.customer, Customer, from_attributes=True)
            if self.customer
            else None,
            items=tuple(msgspec.convert(item, Item, from_attributes=True) for item in self.items or ()),
            metadata=self.metadata or {},
        )


def _check_order_id(order_id: str) -> None:
    if not order_ids.may_be_chosen(order_id):
        raise InvalidPayment("order_id", f"must be {order_ids.RULE}")


def _check_metadata(metadata: dict[str, str]) -> None:
    if len(metadata) > _METADATA_KEYS or len(msgspec.json.encode(metadata)) > _METADATA_BYTES:
        raise InvalidPayment("metadata", f"is over {_METADATA_KEYS} keys or {_METADATA_BYTES} bytes")


def _check_callback(url: str) -> None:
    if len(url) > 255:  # noqa: PLR2004 - what Midtrans takes
        raise InvalidPayment("callback_url", "is over 255 characters")
    if wrong := what_is_wrong(url):
        raise InvalidPayment("callback_url", wrong)


CREATE_RULES: Final[Mapping[str, Callable[[Any], None]]] = {
    "order_id": _check_order_id,
    "callback_url": _check_callback,
    "metadata": _check_metadata,
}


class RefundBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A refund to make. Without an amount everything that is left goes back."""

    amount: (
        Annotated[int, Meta(ge=1), _is("Whole rupiah to give back. Default: all that is left.", 4_000)] | None
    ) = None
    reason: (
        Annotated[str, Meta(max_length=255), _is("Why; GoPay shows it to the customer.", "Out of stock")]
        | None
    ) = None

    def wish(self) -> RefundWish:
        """The same in the domain's words."""
        return RefundWish(amount=self.amount, reason=self.reason)


class NotificationBody(Struct, frozen=True, kw_only=True):
    """What a notification must have, as text. Midtrans sends more, which is kept.

    For the API document only: the webhook reads its body by hand, as what it does not need may be odd.
    """

    order_id: Annotated[
        str, Meta(min_length=1, max_length=64), _is("The payment's order id.", "INV-2026-0042")
    ]
    status_code: Annotated[str, Meta(min_length=1, max_length=16), _is(_CODES, "200")]
    gross_amount: Annotated[
        str,
        Meta(min_length=1, max_length=32),
        _is("The stored amount, in rupiah with two decimals.", "25000.00"),
    ]
    signature_key: Annotated[
        str,
        Meta(min_length=1, max_length=255),
        _is(
            "SHA-512 in hex of order_id, status_code, gross_amount and the server key, joined.",
            "(128 hex digits)",
        ),
    ]
    transaction_status: Annotated[
        str, Meta(min_length=1, max_length=32), _is("The status that Midtrans claims.", "settlement")
    ]
    transaction_id: Annotated[str, _is("Midtrans's own id of the charge.")] | None = None
    fraud_status: Annotated[str, _is("A settlement counts with ``accept`` or without this.")] | None = None
    currency: Annotated[str, _is("``IDR``, where it is told.")] | None = None
    settlement_time: Annotated[str, _is("When the money came, in Jakarta's time.")] | None = None


class Ok(Struct, frozen=True, kw_only=True):
    """All is well."""

    status: Annotated[Literal["ok"], _is("Always this word.", "ok")]


class Ready(Struct, frozen=True, kw_only=True):
    """The service can do its work; whether the background work keeps up is told beside it."""

    status: Annotated[Literal["ok"], _is("Always this word.", "ok")]
    background_work: Annotated[
        Literal["ok", "behind"], _is("``behind`` when something has been due for over two minutes.", "ok")
    ]
    behind_seconds: Annotated[int, _is("How long what waits longest has been due.", 0)]


class ActionView(Struct, frozen=True, kw_only=True):
    """What a client may do. Find an action by its name; its place in the list means nothing."""

    name: Annotated[
        str, _is("``qr-code``, a picture to scan, or ``deeplink-redirect``, a link for a phone.", "qr-code")
    ]
    method: Annotated[str, _is("The HTTP method to use.", "GET")]
    url: Annotated[str, _is("Where the picture is, or where the link goes.", _QR_EXAMPLE)]


class PaymentView(Struct, frozen=True, kw_only=True):
    """A payment. Amounts are whole rupiah as JSON integers; times are UTC, as RFC 3339 writes them."""

    order_id: Annotated[str, _is("Names the payment, here and at Midtrans.", "INV-2026-0042")]
    status: Annotated[Status, _is("Where the payment stands.", "pending")]
    late: Annotated[
        bool, _is("Money came after the payment had ended unpaid: look before you deliver.", example=False)
    ]
    gross_amount: Annotated[int, _is("Rupiah to pay; compare it with your own order.", 25_000)]
    refunded_amount: Annotated[int, _is("Rupiah of it that went back.", 0)]
    currency: Annotated[str, _is("Always ``IDR``.", "IDR")]
    payment_type: Annotated[str, _is("``gopay`` or ``qris``.", "qris")]
    transaction_id: Annotated[str | None, _is("Midtrans's own id of the charge; null while unknown.", _UUID)]
    actions: Annotated[
        list[ActionView], _is("What the customer may use to pay; empty while nothing is charged.")
    ]
    qr_string: Annotated[
        str | None, _is("The text of the QR, to draw it; null where Midtrans gave none.", "000201010212...")
    ]
    checkout_url: Annotated[
        str | None,
        _is(
            "A page to send the customer to; null for a payment of an earlier release.",
            "https://pay.example/checkout/(32 letters)",
        ),
    ]
    metadata: Annotated[dict[str, str], _is("Your own data, as given.", {"cart": "42"})]
    created_at: Annotated[datetime, Meta(tz=True), _is("When it was asked for.", "2026-02-06T03:00:00Z")]
    updated_at: Annotated[datetime, Meta(tz=True), _is("When it last changed.", "2026-02-06T03:00:01Z")]
    expires_at: Annotated[
        datetime,
        Meta(tz=True),
        _is("Until when it can be paid. Only the status tells that it expired.", "2026-02-06T03:15:00Z"),
    ]
    paid_at: (
        Annotated[
            datetime,
            Meta(tz=True),
            _is("When the money came; null until then, and never changed after.", None),
        ]
        | None
    )
    refreshed: Annotated[
        bool | UnsetType,
        _is("Only in the answer to getPaymentStatus: false when Midtrans had to be asked and could not be."),
    ] = UNSET


class PaymentList(Struct, frozen=True, kw_only=True):
    """One page of payments."""

    items: Annotated[list[PaymentView], _is("The payments, newest first.")]
    next_cursor: Annotated[str | None, _is("The ``cursor`` of the next page; null after the last.", None)]


class EventView(Struct, frozen=True, kw_only=True):
    """One change of a payment, as its evidence log has it; a later one never edits it."""

    seq: Annotated[int, _is("Its place in the log, counted from 1.", 2)]
    at: Annotated[datetime, Meta(tz=True), _is("When it was recorded.", "2026-02-06T03:00:01Z")]
    what: Annotated[
        str, _is("The status that was reached, or what else changed, in a few words.", "settlement")
    ]
    source: Annotated[Source, _is("Where the evidence came from.", "notification")]
    status: Annotated[Status, _is("Where the payment stood afterwards.", "settlement")]
    detail: Annotated[
        dict[str, str | int | bool | None],
        _is("What else is known of the change; which names are there depends on it.", {"from": "pending"}),
    ]
    digest: Annotated[
        str,
        _is(
            "SHA-256 in hex over this entry and the digest before it, which chains the log.",
            "(64 hex digits)",
        ),
    ]


class EventList(Struct, frozen=True, kw_only=True):
    """A payment's timeline."""

    items: Annotated[list[EventView], _is("The changes, oldest first.")]
    next_cursor: Annotated[str | None, _is("Always null: a timeline comes whole.", None)]


class RefundView(Struct, frozen=True, kw_only=True):
    """A refund. Amounts are whole rupiah as JSON integers; times are UTC, as RFC 3339 writes them."""

    refund_key: Annotated[UUID, _is("Names the refund, here and at Midtrans.", _REFUND_KEY)]
    order_id: Annotated[str, _is("The payment that it is of.", "INV-2026-0042")]
    transaction_id: Annotated[str, _is("What Midtrans knows the refunded charge by.", _UUID)]
    amount: Annotated[int, _is("Rupiah that go back.", 4_000)]
    currency: Annotated[str, _is("Always ``IDR``.", "IDR")]
    reason: Annotated[str | None, _is("Why, as given; null where it was not.", "Out of stock")]
    status: Annotated[RefundStatus, _is("Where the refund stands.", "accepted")]
    gateway_code: Annotated[str | None, _is("Midtrans's own code for a refusal; null without one.", None)]
    gateway_message: Annotated[str | None, _is("Midtrans's own words for it; null without one.", None)]
    created_at: Annotated[datetime, Meta(tz=True), _is("When it was asked for.", "2026-02-06T04:00:00Z")]
    accepted_at: (
        Annotated[
            datetime,
            Meta(tz=True),
            _is("When Midtrans was known to have accepted it; null until then.", "2026-02-06T04:00:01Z"),
        ]
        | None
    )
    confirmed_at: (
        Annotated[
            datetime,
            Meta(tz=True),
            _is("When the bank confirmed it, about a day later; null until then.", None),
        ]
        | None
    )


class RefundList(Struct, frozen=True, kw_only=True):
    """All refunds of a payment."""

    items: Annotated[list[RefundView], _is("The refunds, oldest first.")]
    next_cursor: Annotated[str | None, _is("Always null: all of them are here.", None)]


def refund_view(refund: Refund, order_id: str) -> RefundView:
    return RefundView(
        refund_key=refund.id,
        order_id=order_id,
        transaction_id=refund.transaction,
        amount=refund.amount,
        currency="IDR",
        reason=refund.reason,
        status=refund.status,
        gateway_code=refund.gateway_code,
        gateway_message=refund.gateway_message,
        created_at=refund.created_at,
        accepted_at=refund.accepted_at,
        confirmed_at=refund.confirmed_at,
    )


def payment_view(
    payment: Payment, *, address: str | None = None, refreshed: bool | UnsetType = UNSET
) -> PaymentView:
    """The payment as answers show it; ``address`` is where its checkout page is reached."""
    return PaymentView(
        order_id=payment.order_id,
        status=payment.status,
        late=payment.late,
        gross_amount=payment.gross_amount,
        refunded_amount=payment.refunded_amount,
        currency="IDR",
        payment_type=payment.payment_type,
        transaction_id=payment.transaction_id,
        actions=[ActionView(name=a.name, method=a.method, url=a.url) for a in payment.actions],
        qr_string=payment.qr_string,
        checkout_url=checkout_url(payment, address) if address else None,
        metadata=dict(payment.metadata),
        created_at=payment.created_at,
        updated_at=payment.updated_at,
        expires_at=payment.expires_at,
        paid_at=payment.paid_at,
        refreshed=refreshed,
    )


def payment_list(page: Page, *, address: str) -> PaymentList:
    return PaymentList(
        items=[payment_view(payment, address=address) for payment in page.payments],
        next_cursor=_cursor(page.next) if page.next else None,
    )


def event_view(entry: Entry) -> EventView:
    """As it is in the log: one that somebody edited there may have another word than the schema tells."""
    return EventView(
        seq=entry.seq,
        at=entry.recorded_at,
        what=entry.what,
        source=cast("Source", entry.source),
        status=cast("Status", entry.status),
        detail=dict(entry.detail),
        digest=entry.digest.hex(),
    )


def event_list(entries: list[Entry]) -> EventList:
    return EventList(items=[event_view(entry) for entry in entries], next_cursor=None)


def _cursor(place: Place) -> str:
    microseconds = (place.created_at - _EPOCH) // timedelta(microseconds=1)
    return f"{microseconds}-{place.id.hex}"


def place_of(cursor: str) -> Place:
    """Where a page starts. Raises InvalidPayment for anything that we did not hand out."""
    found = re.fullmatch(r"([0-9]{1,17})-([0-9a-f]{32})", cursor)
    if found is None:
        raise InvalidPayment("cursor", "is not one that this service handed out")
    created_at = _EPOCH + timedelta(microseconds=int(found[1]))
    return Place(created_at=created_at, id=UUID(hex=found[2]))
