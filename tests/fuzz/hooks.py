"""What schemathesis cannot know by itself: Midtrans's signature, and that somebody has to pay."""

from http import HTTPStatus
from itertools import count
from typing import Any, Final

import httpx
import schemathesis

from support.builders import signed

_SIGNED: Final = ("order_id", "status_code", "gross_amount")
_turns: Final = count()
_orders: Final[list[tuple[str, int]]] = []


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: dict[str, Any]) -> None:
    match _operation(case):
        case "receiveNotification":
            _sign(case.body)
        case "refundPayment" if _orders and case.meta is not None and case.meta.generation.mode.is_positive:
            case.path_parameters["order_id"], _ = _some_order()


@schemathesis.hook
def after_call(_context: Any, case: Any, response: Any) -> None:
    """Two of three payments are paid as soon as they are there, so that there is something to refund."""
    if _operation(case) != "createPayment" or response.status_code != HTTPStatus.CREATED:
        return
    payment = response.json()
    _orders.append((payment["order_id"], payment["gross_amount"]))
    deeplinks = [action["url"] for action in payment["actions"] if action["name"] == "deeplink-redirect"]
    if deeplinks and next(_turns) % 3:
        httpx.post(f"{deeplinks[0]}/pay", trust_env=False)


def _operation(case: Any) -> str:
    return str(case.operation.definition.raw.get("operationId"))


def _some_order() -> tuple[str, int]:
    return _orders[next(_turns) % len(_orders)]


def _sign(body: Any) -> None:
    """Two of three notifications are signed, every other one of them about a payment that is there."""
    turn = next(_turns) % 3
    if turn == 0 or not isinstance(body, dict):
        return
    if turn == 1 and _orders:
        order_id, amount = _some_order()
        body |= {"order_id": order_id, "gross_amount": f"{amount}.00"}
    if all(isinstance(body.get(name), str) for name in _SIGNED):
        body["signature_key"] = signed(*(body[name] for name in _SIGNED))
