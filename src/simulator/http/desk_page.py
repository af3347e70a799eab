"""The page with the transactions, and the faults to press."""

from typing import Final

from litestar import Response, Router, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromQuery

from simulator.core.fault_plan import Armed
from simulator.core.faults import FAULTS, Fault, Point
from simulator.core.jakarta import jakarta_time
from simulator.core.transaction import PaymentType, Transaction, TransactionStatus
from simulator.http.control import SHOWING, Controls
from simulator.http.markup import Markup, Part, tag
from simulator.http.page import badge, navigation, page, rupiah

_MOST_SHOWN: Final = 50
_TURNS: Final = frozenset({Point.OVERDUE, Point.PAYMENT, Point.UNPAID_END})


def _group_of(points: tuple[Point, ...]) -> str:
    if set(points) <= _TURNS:
        return "Customers, money and time"
    return "Notifications" if set(points) <= {Point.NOTIFICATION} else "Calls and their answers"


_GROUPS: Final = {
    name: [fault for fault, kind in FAULTS.items() if _group_of(kind.points) == name]
    for name in dict.fromkeys(_group_of(kind.points) for kind in FAULTS.values())
}


@get("/")
async def desk(
    controls: NamedDependency[Controls], order_id: FromQuery[str] = "", refused: FromQuery[str] = ""
) -> Response[str]:
    wanted = order_id.strip()
    found = controls.midtrans.recent(order_id=wanted or None, limit=_MOST_SHOWN)
    return page(
        "Midtrans look-alike",
        tag("p", f"Not done: {refused}", class_="notice", role="alert") if refused else None,
        _transactions(found, wanted),
        _faults(controls.faults.armed, wanted),
        _all_faults(wanted),
        header=navigation("/"),
        kind="desk",
    )


def desk_page(controls: Controls) -> Router:
    return Router(
        "/",
        route_handlers=[desk],
        dependencies={"controls": Provide(lambda: controls, sync_to_thread=False)},
    )


def _faults(armed: tuple[Armed, ...], order_id: str) -> Markup:
    names = [
        tag("optgroup", [tag("option", fault, value=fault) for fault in faults], label=group)
        for group, faults in _GROUPS.items()
    ]
    points = [tag("option", "wherever it can", value="")]
    points += [tag("option", point, value=point) for point in Point]
    return tag(
        "section",
        tag("h2", "Misbehave"),
        tag(
            "form",
            _labelled("Fault", "fault", tag("select", names, id="fault", name="fault")),
            _labelled("Times", "times", _number("times", "1", least="1")),
            _labelled("On", "on", tag("select", points, id="on", name="on")),
            _labelled(
                "Order id, or any",
                "for-order",
                tag("input", id="for-order", name="order_id", value=order_id, autocomplete="off"),
            ),
            _labelled("Seconds, or its own", "seconds", _number("seconds", "", least="0")),
            _showing(order_id),
            tag("button", "Trigger"),
            method="post",
            action="/simulator/faults",
            class_="fields",
        ),
        _waiting(armed, order_id),
        class_="card",
    )


def _showing(order_id: str) -> Markup | None:
    return tag("input", type="hidden", name=SHOWING, value=order_id) if order_id else None


def _waiting(armed: tuple[Armed, ...], order_id: str) -> Part:
    if not armed:
        return tag("p", "No fault is waiting.", class_="soft")
    return [
        tag("ul", (tag("li", _told(one)) for one in armed), class_="list"),
        tag(
            "form",
            _showing(order_id),
            tag("button", "Disarm all", name="all", value="1", class_="quiet"),
            method="post",
            action="/simulator/faults/reset",
        ),
    ]


def _told(armed: Armed) -> Markup:
    narrowed = [
        f"on {armed.on}" if armed.on else "",
        f"for order {armed.order_id}" if armed.order_id else "",
        f"for transaction {armed.transaction_id}" if armed.transaction_id else "",
        f"{armed.delay:g} s" if FAULTS[armed.fault].seconds is not None else "",
    ]
    return tag(
        "div",
        tag("strong", armed.fault),
        tag("span", "once" if armed.times == 1 else f"{armed.times} times", class_="badge pending"),
        tag("span", " · ".join(part for part in narrowed if part), class_="soft break"),
        class_="row",
    )


def _transactions(found: list[Transaction], order_id: str) -> Markup:
    return tag(
        "section",
        tag("h1", "Transactions"),
        tag(
            "form",
            _labelled("Order id", "order-id", tag("input", id="order-id", name="order_id", value=order_id)),
            tag("button", "Show", class_="quiet"),
            action="/",
            class_="search",
        ),
        tag("p", tag("a", "Open the wallet by a QR code", href="/wallet")),
        tag("ul", (_transaction(one, order_id) for one in found), class_="list")
        if found
        else tag("p", "None yet.", class_="soft"),
        class_="card",
    )


def _transaction(transaction: Transaction, showing: str) -> Markup:
    transaction_id = transaction.transaction_id
    return tag(
        "li",
        tag(
            "div",
            tag("strong", transaction.order_id),
            badge(transaction),
            tag("span", rupiah(transaction.amount)),
            tag("span", transaction.payment_type, class_="soft"),
            tag("span", f"{jakarta_time(transaction.transaction_time)} WIB", class_="soft end"),
            class_="row",
        ),
        tag("code", transaction_id, class_="soft break"),
        tag(
            "div",
            tag("a", "Wallet", href=f"/wallet/{transaction_id}"),
            tag("a", "On the wire", href=f"/wire?order_id={transaction_id}"),
            [_button(transaction_id, showing, *one) for one in _moves(transaction)],
            class_="row",
        ),
    )


def _moves(transaction: Transaction) -> list[tuple[str, str, str, str]]:
    """List the buttons that make sense now: text, act, and its one field."""
    moves = []
    if transaction.is_pending and transaction.charged_as is PaymentType.GOPAY:
        moves.append(("Pay by deep link", "pay", "by", "deeplink"))
    if transaction.is_pending:
        moves.append(("Pay by QR", "pay", "by", "qr"))
        moves.append(("Expire", "expire", "", ""))
        moves.append(("Deny", "deny", "", ""))
    if any(refund.bank_confirmed_at is None for refund in transaction.refunds):
        moves.append(("Confirm refunds", "confirm-refunds", "", ""))
    if transaction.status in {TransactionStatus.SETTLEMENT, TransactionStatus.PARTIAL_CHARGEBACK}:
        moves.append(("Charge back", "chargeback", "whole", "true"))
    return moves


def _button(transaction_id: str, showing: str, text: str, act: str, name: str, value: str) -> Markup:
    return tag(
        "form",
        tag("input", type="hidden", name=name, value=value) if name else None,
        _showing(showing),
        tag("button", text, class_="quiet"),
        method="post",
        action=f"/simulator/transactions/{transaction_id}/{act}",
    )


def _all_faults(showing: str) -> Markup:
    return tag(
        "section",
        tag("h2", "Every fault, to be pressed"),
        tag("p", "Pressed, it strikes the next occasion, once.", class_="soft"),
        [_group(name, faults, showing) for name, faults in _GROUPS.items()],
        class_="card",
    )


def _group(name: str, faults: list[Fault], showing: str) -> Markup:
    rows = ((tag("dt", _press(fault, showing)), tag("dd", FAULTS[fault].description)) for fault in faults)
    return tag(
        "details", tag("summary", f"{name} ({len(faults)})"), tag("dl", *rows, class_="faults"), open=True
    )


def _press(fault: Fault, showing: str) -> Markup:
    button = tag("button", fault, name="fault", value=fault, class_="quiet")
    return tag("form", _showing(showing), button, method="post", action="/simulator/faults")


def _labelled(label: str, field_id: str, field: Markup) -> Markup:
    return tag("div", tag("label", label, for_=field_id), field)


def _number(name: str, value: str, *, least: str) -> Markup:
    return tag("input", id=name, name=name, value=value, type="number", min=least, inputmode="numeric")
