"""Every error as RFC 9457 problem+json; the only table of HTTP statuses."""

from typing import Any, Final

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from domain import errors
from entrypoints.http.address import Address
from entrypoints.http.bodies import InvalidBody, MalformedJson, Path, UnsupportedMediaType
from entrypoints.http.idempotency import REPLAYED, KeyMissing
from entrypoints.http.schemas import PaymentView, payment_view
from entrypoints.http.security import CrossSite, Forbidden, Unauthenticated
from entrypoints.http.untrusted import TooLarge

MEDIA_TYPE: Final = "application/problem+json"
_log: Final = structlog.get_logger()


class FieldError(msgspec.Struct, frozen=True, kw_only=True):
    """One wrong field: its path, the same as a JSON pointer, and what is wrong with it."""

    field: str
    pointer: str
    detail: str


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What went wrong, for people (``title``, ``detail``) and for programs (``code``)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldError] = []
    order_id: str | None = None
    gateway_code: str | None = None
    gateway_message: str | None = None
    payment: PaymentView | None = None


# code -> (status, title)
PROBLEMS: Final[dict[str, tuple[int, str]]] = {
    "malformed-json": (400, "The body is not JSON"),
    "invalid-body": (400, "The request has wrong fields"),
    "idempotency-key-missing": (400, "An Idempotency-Key is needed"),
    "unauthenticated": (401, "A valid bearer token is needed"),
    "forbidden": (403, "The token does not allow this"),
    "unknown-user": (403, "The token's user is unknown"),
    "cross-site": (403, "The call came from another site"),
    "invalid-signature": (403, "The signature is wrong"),
    "not-found": (404, "There is nothing here"),
    "payment-not-found": (404, "There is no such payment"),
    "event-not-found": (404, "There is no such event"),
    "method-not-allowed": (405, "This address does not take that method"),
    "request-timeout": (408, "The request did not arrive in time"),
    "order-id-taken": (409, "The order id is taken"),
    "in-progress": (409, "The same call is still running"),
    "illegal-transition": (409, "The payment's status does not allow this"),
    "body-too-large": (413, "The body is too large"),
    "unsupported-media-type": (415, "The body must be JSON"),
    "amount-out-of-bounds": (422, "The amount is out of bounds"),
    "idempotency-key-reused": (422, "The Idempotency-Key came with other values"),
    "refund-exceeds-payment": (422, "The refund is more than what is left"),
    "too-many-requests": (429, "Too many requests"),
    "internal-error": (500, "Something went wrong here"),
    "gateway-refused": (502, "Midtrans refused"),
    "charge-lost": (502, "The charge cannot be paid any more"),
    "gateway-unavailable": (503, "Midtrans cannot be reached"),
    "too-many-streams": (503, "Too many payments are being followed"),
    "database-unavailable": (503, "The database is away"),
    "outcome-unknown": (504, "The outcome is unknown"),
}

_BY_STATUS: Final = {
    400: "invalid-body",
    401: "unauthenticated",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    408: "request-timeout",
    413: "body-too-large",
    415: "unsupported-media-type",
    429: "too-many-requests",
}


def problem(
    code: str, detail: str, *, headers: dict[str, str] | None = None, **more: Any
) -> Response[Problem]:
    """The answer for a code of the table, with what else the problem tells."""
    status, title = PROBLEMS[code]
    body = Problem(
        type=f"urn:bayar:problem:{code}", title=title, status=status, detail=detail, code=code, **more
    )
    return Response(body, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def answer(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    """The problem for any exception that left a handler."""
    address: Address = request.app.state.address
    return problem_of(error, route=request.scope.get("path_template"), address=address.of(request))


def problem_of(error: Exception, *, route: str | None, address: str | None = None) -> Response[Problem]:
    """The problem for any exception; a fault of ours is logged with the route that it left.

    ``address`` is where the caller reaches us, for the links of a payment that the problem tells.
    """
    match error:
        case errors.UserNotAdded():
            return problem("unknown-user", str(error))
        case errors.BayarError() if error.code in PROBLEMS:
            return _expected(error, address)
        case InvalidBody(errors=found):
            return problem("invalid-body", "Some fields are wrong; see errors.", errors=_listed(found))
        case MalformedJson():
            return problem("malformed-json", f"The body is not usable JSON: {error}.")
        case KeyMissing():
            detail = "Send an Idempotency-Key, a name of its own for each refund; repeated, it is one refund."
            return problem("idempotency-key-missing", detail)
        case UnsupportedMediaType():
            return problem("unsupported-media-type", "Send the body with Content-Type: application/json.")
        case TooLarge():
            return problem("body-too-large", "The body is over 64 KB.", headers={"Connection": "close"})
        case Unauthenticated():
            return problem("unauthenticated", str(error), headers={"WWW-Authenticate": "Bearer"})
        case CrossSite():
            return problem("cross-site", str(error))
        case Forbidden():
            return problem("forbidden", str(error))
        case ValidationException(extra=extra):
            return problem("invalid-body", "Some parameters are wrong; see errors.", errors=_fields(extra))
        case HTTPException(status_code=status, detail=detail) if status in _BY_STATUS:
            return problem(_BY_STATUS[status], detail, headers=dict(error.headers or {}))
    _log.error("request.failed", exc_info=error, route=route)
    return problem("internal-error", "This is our fault and was logged; quote the X-Request-Id header.")


def _expected(error: errors.BayarError, address: str | None) -> Response[Problem]:
    wait = getattr(error, "retry_after", None)
    headers = {"Retry-After": str(wait)} if wait is not None else None
    more: dict[str, Any] = {}
    match error:
        case errors.InvalidPayment(field=field, message=message):
            more["errors"] = _listed({(field,): message})
        case errors.NotANotification(fields=fields):
            more["errors"] = _listed({(name,) if name else (): wrong for name, wrong in fields.items()})
        case errors.GatewayRefused():
            more = {
                "order_id": error.order_id,
                "gateway_code": error.gateway_code,
                "gateway_message": error.gateway_message,
            }
            headers = dict(REPLAYED) if error.replayed else None
        case errors.OutcomeUnknown():
            more["order_id"] = error.order_id
        case errors.IllegalTransition(payment=payment) if payment is not None:
            more = {"order_id": payment.order_id, "payment": payment_view(payment, address=address)}
    return problem(error.code, str(error), headers=headers, **more)


def _listed(found: dict[Path, str]) -> list[FieldError]:
    return [
        FieldError(field=_dotted(path), pointer=_pointer(path), detail=detail)
        for path, detail in found.items()
    ]


def _dotted(path: Path) -> str:
    """``items[0].price``; empty for the body itself."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")


def _pointer(path: Path) -> str:
    """The same as a JSON pointer in a URI fragment's place (RFC 6901)."""
    return "#" + "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)


def _fields(extra: object) -> list[FieldError]:
    """Litestar's list of what was wrong with parameters."""
    told = [e for e in extra if isinstance(e, dict)] if isinstance(extra, list) else []
    return _listed({(str(e.get("key", "")),): str(e.get("message", "")) for e in told})
