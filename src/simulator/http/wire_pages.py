"""The wire log, for people and for programs."""

from dataclasses import dataclass
from itertools import islice
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED, HTTP_303_SEE_OTHER

from simulator.core.jakarta import jakarta_time
from simulator.core.wire_log import Direction, Exchange, Wanted, WireLog, order_id_of
from simulator.http.control import refuse_other_sites
from simulator.http.forms import is_form
from simulator.http.markup import Markup, Part, tag
from simulator.http.page import navigation, page
from simulator.http.respond import json_response
from simulator.notifications.courier import Courier

_MOST_SHOWN: Final = 200
_STATUSES: Final = {"": "any", "2": "2xx", "3": "3xx", "4": "4xx", "5": "5xx", "none": "no answer"}
_DIRECTIONS: Final = {"": "both", "in": "in, from the shop", "out": "out, to the shop"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """The log, and who can send from it again."""

    log: WireLog
    courier: Courier


@get("/wire")
async def wire_page(
    wire: NamedDependency[Wire],
    order_id: FromQuery[str] = "",
    direction: FromQuery[str] = "",
    path: FromQuery[str] = "",
    status: FromQuery[str] = "",
) -> Response[str]:
    wanted = _wanted(order_id, direction, path, status)
    found = list(islice(wire.log.newest_first(wanted), _MOST_SHOWN))
    chosen = {"order_id": order_id, "direction": direction, "path": path, "status": status}
    shown = urlencode({name: text for name, text in chosen.items() if text})
    return page(
        "Wire log",
        tag(
            "section",
            tag("h1", "Wire log"),
            tag(
                "form",
                _field("Order or transaction id", "order_id", order_id),
                _choice("Direction", "direction", direction, _DIRECTIONS),
                _field("Part of the address", "path", path),
                _choice("Answer", "status", status, _STATUSES),
                tag("button", "Show"),
                action="/wire",
                class_="fields",
            ),
            class_="card",
        ),
        tag(
            "section",
            tag("ul", (_entry(number, exchange, shown) for number, exchange in found), class_="list")
            if found
            else tag("p", "Nothing like that." if shown else "Nothing yet.", class_="soft"),
            class_="card",
            aria_label="Exchanges, newest first",
        ),
        header=navigation("/wire"),
        kind="desk",
    )


@get("/simulator/log")
async def wire_log(
    wire: NamedDependency[Wire],
    order_id: FromQuery[str] = "",
    direction: FromQuery[str] = "",
    path: FromQuery[str] = "",
    status: FromQuery[str] = "",
) -> Response[bytes]:
    wanted = _wanted(order_id, direction, path, status)
    found = islice(wire.log.newest_first(wanted), _MOST_SHOWN)
    return json_response({"exchanges": [_as_json(number, one) for number, one in found]}, HTTP_200_OK)


@post("/simulator/log/{number:int}/send-again", guards=[refuse_other_sites])
async def send_again(
    number: FromPath[int], request: Request[Any, Any, Any], wire: NamedDependency[Wire]
) -> Response[Any]:
    """Post the notification once more, byte for byte."""
    exchange = wire.log.find(number)
    if exchange is None or exchange.direction is not Direction.OUT:
        raise NotFoundException
    wire.courier.send_again(url=exchange.url, body=exchange.request)
    if await is_form(request):
        shown = parse_qsl(str((await request.form()).get("shown", "")))
        return Redirect(f"/wire?{urlencode(shown)}" if shown else "/wire", status_code=HTTP_303_SEE_OTHER)
    told = {"url": exchange.url, "order_id": order_id_of(exchange.request)}
    return json_response(told, HTTP_202_ACCEPTED)


def wire_pages(wire: Wire) -> Router:
    return Router(
        "/",
        route_handlers=[wire_page, wire_log, send_again],
        dependencies={"wire": Provide(lambda: wire, sync_to_thread=False)},
    )


def _wanted(order_id: str, direction: str, path: str, status: str) -> Wanted:
    return Wanted(
        any_id=order_id.strip() or None,
        direction=Direction(direction) if direction in set(Direction) else None,
        path=path.strip() or None,
        status=status.strip() or None,
    )


def _as_json(number: int, exchange: Exchange) -> dict[str, object]:
    return {
        "number": number,
        "at": exchange.at,
        "direction": exchange.direction,
        "method": exchange.method,
        "url": exchange.url,
        "headers": dict(exchange.headers),
        "request": exchange.request.decode(errors="replace"),
        "status": exchange.status,
        "response": exchange.response.decode(errors="replace"),
        "outcome": exchange.outcome,
        "seconds": exchange.took.total_seconds(),
    }


def _entry(number: int, exchange: Exchange, shown: str) -> Markup:
    is_out = exchange.direction is Direction.OUT
    milliseconds = round(exchange.took.total_seconds() * 1000)
    return tag(
        "li",
        tag(
            "div",
            tag("span", "out" if is_out else "in", class_="badge"),
            tag("strong", f"{exchange.method} {exchange.url}"),
            _answer_badge(exchange),
            tag("span", f"{jakarta_time(exchange.at)} WIB · {milliseconds} ms", class_="soft end"),
            class_="row",
        ),
        tag("p", exchange.outcome, class_="soft") if exchange.outcome else None,
        tag(
            "div",
            tag(
                "details",
                tag("summary", _summary(exchange)),
                tag(
                    "div",
                    _body("Request", exchange.headers, exchange.request),
                    _body("Answer", (), exchange.response),
                    class_="bodies",
                ),
            ),
            _send_again(number, shown) if is_out else None,
            class_="exchange",
        ),
    )


def _send_again(number: int, shown: str) -> Markup:
    return tag(
        "form",
        tag("input", type="hidden", name="shown", value=shown) if shown else None,
        tag("button", "Send again", name="number", value=str(number), class_="quiet"),
        method="post",
        action=f"/simulator/log/{number}/send-again",
    )


def _answer_badge(exchange: Exchange) -> Markup:
    if exchange.status is None:
        return tag("span", "no answer", class_="badge bad")
    is_good = exchange.status < 300  # noqa: PLR2004 - the 2xx class
    return tag("span", str(exchange.status), class_=f"badge {'ok' if is_good else 'bad'}")


def _summary(exchange: Exchange) -> str:
    """Tell in one line what the bodies are about."""
    about = exchange.request if exchange.direction is Direction.OUT else exchange.response
    try:
        fields = msgspec.json.decode(about, type=dict[str, object])
    except (msgspec.DecodeError, ValueError, RecursionError):
        return "Bodies"
    words = [fields.get(name) for name in ("order_id", "transaction_status", "status_code", "status_message")]
    return " · ".join(word for word in words if isinstance(word, str)) or "Bodies"


def _body(title: str, headers: tuple[tuple[str, str], ...], body: bytes) -> Markup:
    head = "".join(f"{name}: {value}\n" for name, value in headers)
    return tag(
        "div",
        tag("span", title, class_="soft"),
        tag("pre", f"{head}\n" if head else None, _pretty(body) or "(empty)", tabindex="0"),
    )


def _pretty(body: bytes) -> str:
    try:
        # Checked first: formatting alone lets nonsense pass.
        msgspec.json.decode(body, type=msgspec.Raw)
        return msgspec.json.format(body, indent=2).decode()
    except (msgspec.DecodeError, ValueError, RecursionError):
        return body.decode(errors="replace")


def _field(label: str, name: str, value: str) -> Markup:
    field = tag("input", id=name, name=name, value=value, autocomplete="off")
    return tag("div", tag("label", label, for_=name), field)


def _choice(label: str, name: str, chosen: str, choices: dict[str, str]) -> Markup:
    options: Part = [
        tag("option", text, value=value, selected=value == chosen) for value, text in choices.items()
    ]
    return tag("div", tag("label", label, for_=name), tag("select", options, id=name, name=name))
