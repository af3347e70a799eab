"""Commands to the simulator itself: faults, and what customers, banks and time do.

Each answers JSON to a program and leads a browser's form back to its page.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, Router, delete, get, post
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from litestar.status_codes import (
    HTTP_200_OK,
    HTTP_201_CREATED,
    HTTP_303_SEE_OTHER,
    HTTP_400_BAD_REQUEST,
    HTTP_404_NOT_FOUND,
    HTTP_409_CONFLICT,
)

from simulator.adjustable_clock import AdjustableClock
from simulator.core.answers import Refused
from simulator.core.fault_plan import Armed, FaultPlan
from simulator.core.faults import FAULTS, Fault, Point
from simulator.core.midtrans import Midtrans
from simulator.core.transaction import IllegalTransitionError, PaidBy, Transaction
from simulator.http.forms import is_form
from simulator.http.respond import json_response
from simulator.notifications.courier import Courier

PREFIX: Final = "/simulator"
# The field of a form that says which order its page was showing.
SHOWING: Final = "showing"
_MOST_LISTED: Final = 1_000


class _Body(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What a command may say."""


class Trigger(_Body):
    fault: Fault
    times: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 1
    order_id: str | None = None
    transaction_id: str | None = None
    on: Point | None = None
    seconds: Annotated[float, msgspec.Meta(ge=0, le=86_400)] | None = None


class Move(_Body):
    """How a payment is made and from whose wallet, and how much is charged back; other moves need nothing."""

    by: PaidBy = PaidBy.DEEPLINK
    issuer: Annotated[str, msgspec.Meta(min_length=1, max_length=50)] | None = None
    whole: bool = True


class Nothing(_Body, forbid_unknown_fields=False):
    """No more than the command itself."""


class PutForward(_Body):
    seconds: Annotated[float, msgspec.Meta(ge=0, le=365 * 86_400)]


Command = TypeVar("Command", bound=_Body)
Done = tuple[object, int]


class CommandRefusedError(Exception):
    """A command that cannot be carried out; the text says why."""

    def __init__(self, why: str, status: int = HTTP_400_BAD_REQUEST) -> None:
        super().__init__(why)
        self.why = why
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Controls:
    """Everything that commands reach."""

    midtrans: Midtrans
    courier: Courier
    faults: FaultPlan
    clock: AdjustableClock

    def find(self, any_id: str) -> Transaction:
        transaction = self.midtrans.find(any_id)
        if transaction is None:
            raise CommandRefusedError(f"There is no transaction {any_id}.", HTTP_404_NOT_FOUND)
        return transaction


@get("/faults")
async def list_faults(controls: NamedDependency[Controls]) -> Response[bytes]:
    """Every fault there is, and those that wait for their occasion."""
    faults = [
        {
            "name": fault,
            "description": kind.description,
            "on": kind.points,
            "seconds": kind.seconds,
        }
        for fault, kind in FAULTS.items()
    ]
    return json_response(
        {"faults": faults, "armed": [_armed(one) for one in controls.faults.armed]}, HTTP_200_OK
    )


@post("/faults")
async def trigger(request: Request[Any, Any, Any], controls: NamedDependency[Controls]) -> Response[Any]:
    """Have a fault strike the next occasions, or those of one transaction."""

    def work(command: Trigger) -> Done:
        armed = _checked(command)
        if not controls.faults.arm(armed):
            raise CommandRefusedError("Too many faults wait already; reset them first.", HTTP_409_CONFLICT)
        # What the fault waits for may have happened already.
        named = controls.midtrans.find(command.transaction_id or command.order_id or "")
        if named is not None:
            controls.midtrans.misbehave(named)
        return _armed(armed), HTTP_201_CREATED

    return await _obey(request, Trigger, work)


@delete("/faults", status_code=HTTP_200_OK)
async def reset(controls: NamedDependency[Controls]) -> Response[bytes]:
    """Forget every fault that waits, and post the notifications that were held back."""
    return json_response(*_reset(controls))


@post("/faults/reset")
async def reset_by_form(
    request: Request[Any, Any, Any], controls: NamedDependency[Controls]
) -> Response[Any]:
    return await _obey(request, Nothing, lambda _: _reset(controls))


@get("/transactions")
async def list_transactions(
    controls: NamedDependency[Controls], order_id: FromQuery[str | None] = None
) -> Response[bytes]:
    """The latest thousand, newest first."""
    found = controls.midtrans.recent(order_id=order_id, limit=_MOST_LISTED)
    return json_response({"transactions": [_transaction(one) for one in found]}, HTTP_200_OK)


@get("/transactions/{any_id:str}")
async def show_transaction(any_id: FromPath[str], controls: NamedDependency[Controls]) -> Response[bytes]:
    return json_response(_transaction(controls.find(any_id)), HTTP_200_OK)


@get("/orders/{order_id:str}")
async def show_order(order_id: FromPath[str], controls: NamedDependency[Controls]) -> Response[bytes]:
    """How many transactions an order has; zero is an answer."""
    found = controls.midtrans.recent(order_id=order_id, limit=_MOST_LISTED)
    body = {
        "order_id": order_id,
        "charges": len(found),
        "transactions": [_transaction(one) for one in found],
    }
    return json_response(body, HTTP_200_OK)


@post("/transactions/{any_id:str}/{act:str}")
async def act(
    any_id: FromPath[str],
    act: FromPath[str],
    request: Request[Any, Any, Any],
    controls: NamedDependency[Controls],
) -> Response[Any]:
    """Move a transaction: pay, decline, deny, expire, chargeback, confirm-refunds."""

    def work(command: Move) -> Done:
        transaction = controls.find(any_id)
        return _transaction(_moved(controls.midtrans, transaction, act, command)), HTTP_200_OK

    return await _obey(request, Move, work)


@post("/clock")
async def put_forward(request: Request[Any, Any, Any], controls: NamedDependency[Controls]) -> Response[Any]:
    """Let time pass at once: expiries, repeats and confirmations that are then due happen."""

    def work(command: PutForward) -> Done:
        controls.clock.put_forward(timedelta(seconds=command.seconds))
        return {"now": controls.clock.now()}, HTTP_200_OK

    return await _obey(request, PutForward, work)


def control_routes(controls: Controls) -> Router:
    """Gather the commands; they need no key, and no other website's pages can give them."""
    return Router(
        PREFIX,
        route_handlers=[
            list_faults,
            trigger,
            reset,
            reset_by_form,
            list_transactions,
            show_transaction,
            show_order,
            act,
            put_forward,
        ],
        guards=[refuse_other_sites],
        exception_handlers={
            CommandRefusedError: lambda _, error: json_response({"error": error.why}, error.status),
            HTTPException: lambda _, error: json_response({"error": error.detail}, error.status_code),
        },
        dependencies={"controls": Provide(lambda: controls, sync_to_thread=False)},
    )


async def refuse_other_sites(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """A browser says where a request comes from; a program says nothing."""
    if connection.headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
        raise PermissionDeniedException("Another website may not do this.")


async def _obey(
    request: Request[Any, Any, Any], kind: type[Command], work: Callable[[Command], Done]
) -> Response[Any]:
    """Carry a command out. A form is led back to its page, which shows what became of it."""
    form = dict(await request.form()) if await is_form(request) else None
    showing = {"order_id": form.pop(SHOWING, "")} if form is not None else {}
    try:
        command = _read_json(await request.body(), kind) if form is None else _read_form(form, kind)
        body, status = work(command)
    except CommandRefusedError as refused:
        body, status = {"error": refused.why}, refused.status
        showing["refused"] = refused.why
    except IllegalTransitionError as illegal:
        why = f"{illegal}.".capitalize()
        body, status = {"error": why}, HTTP_409_CONFLICT
        showing["refused"] = why
    if form is None:
        return json_response(body, status)
    query = urlencode({name: text for name, text in showing.items() if text})
    return Redirect(f"/?{query}" if query else "/", status_code=HTTP_303_SEE_OTHER)


def _read_form(form: Mapping[str, object], kind: type[Command]) -> Command:
    # Text throughout, and empty where nothing was chosen.
    given = {name: text for name, text in form.items() if text}
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise CommandRefusedError(f"{error}.") from error


def _read_json(body: bytes, kind: type[Command]) -> Command:
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise CommandRefusedError(f"{error}.") from error


def _checked(command: Trigger) -> Armed:
    kind = FAULTS[command.fault]
    if command.on is not None and command.on not in kind.points:
        points = ", ".join(kind.points)
        raise CommandRefusedError(f"{command.fault} strikes on {points}, not on {command.on}.")
    if command.seconds is not None and kind.seconds is None:
        raise CommandRefusedError(f"{command.fault} takes no seconds.")
    return Armed(
        fault=command.fault,
        times=command.times,
        order_id=command.order_id,
        transaction_id=command.transaction_id,
        on=command.on,
        seconds=command.seconds,
    )


def _moved(midtrans: Midtrans, transaction: Transaction, act: str, command: Move) -> Transaction:
    match act:
        case "pay":
            return midtrans.pay(transaction, command.by, issuer=command.issuer)
        case "decline":
            # A wallet that says no tells nobody; the transaction stays as it was.
            return transaction
        case "deny":
            return midtrans.deny(transaction)
        case "expire":
            answer = midtrans.expire(transaction.transaction_id)
            if isinstance(answer, Refused):
                raise CommandRefusedError(f"{answer.status_message}.", HTTP_409_CONFLICT)
            return answer.transaction
        case "chargeback":
            return midtrans.charge_back(transaction, whole=command.whole)
        case "confirm-refunds":
            return midtrans.confirm_refunds_of(transaction)
        case _:
            raise CommandRefusedError(f"Nobody can {act} a transaction.", HTTP_404_NOT_FOUND)


def _reset(controls: Controls) -> Done:
    controls.faults.reset()
    controls.courier.let_go()
    return {"armed": []}, HTTP_200_OK


def _armed(armed: Armed) -> Mapping[str, object]:
    return {
        "fault": armed.fault,
        "times": armed.times,
        "order_id": armed.order_id,
        "transaction_id": armed.transaction_id,
        "on": armed.on,
        "seconds": armed.delay if FAULTS[armed.fault].seconds is not None else None,
    }


def _transaction(transaction: Transaction) -> Mapping[str, object]:
    settlement = transaction.settlement
    return {
        "transaction_id": transaction.transaction_id,
        "order_id": transaction.order_id,
        "transaction_status": transaction.status,
        "payment_type": transaction.payment_type,
        "gross_amount": transaction.amount,
        "refunded_amount": transaction.refunded_amount,
        "transaction_time": transaction.transaction_time,
        "expiry_time": transaction.expiry_time,
        "settlement_time": settlement and settlement.settlement_time,
        "wallet": f"/wallet/{transaction.transaction_id}",
    }
