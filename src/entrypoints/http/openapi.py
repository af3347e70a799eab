"""The API document: what handlers' types say, and what they cannot say."""

from collections.abc import Mapping
from importlib.metadata import version
from inspect import cleandoc
from typing import Any, ClassVar, Final

import msgspec
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Components, Example, Operation, SecurityScheme

from domain.history import Source
from domain.refund import RefundStatus
from domain.rupiah import MOST, PaymentType
from domain.status import Status
from entrypoints.http.delivery_views import STATES, DeliveryList
from entrypoints.http.problems import MEDIA_TYPE, PROBLEMS, Problem, problem
from entrypoints.http.schemas import (
    CreateBody,
    EventList,
    NotificationBody,
    Ok,
    PaymentList,
    PaymentView,
    Ready,
    RefundBody,
    RefundList,
    RefundView,
)

VERSION: Final = version("bayar")
BEARER: Final[list[dict[str, list[str]]]] = [{"bearer": []}]
CHECKOUT_TOKEN: Final[list[dict[str, list[str]]]] = [{"checkoutToken": []}]
METRICS_BEARER: Final[list[dict[str, list[str]]]] = [{}, {"metricsBearer": []}]

_PAGE: Final = "text/html"
_HEADERS: Final = {
    "X-Request-Id": "On every answer: what the log calls the request; the one that you sent, else a new one.",
    "Retry-After": "In how many seconds to try again.",
    "WWW-Authenticate": "Always `Bearer`.",
    "Location": "Where Midtrans keeps the picture.",
    "Cache-Control": "Always `no-store`.",
    "Idempotent-Replayed": "`true` when the first call with this `Idempotency-Key` had ended so before.",
}
_HEADERS_OF: Final = {
    "302": ("Location",),
    "401": ("WWW-Authenticate",),
    "429": ("Retry-After",),
    "503": ("Retry-After",),
}
_REPLAYED: Final = ("201", "502")
_KEY: Final[dict[str, Any]] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Your name for this call, in quotes or bare. Repeating the call with the same key and "
    "values gives the first outcome again, and never a second charge. It is yours alone, and kept 72 hours.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    "example": "cart-1001-attempt-1",
}
_REFUND_KEY: Final[dict[str, Any]] = _KEY | {
    "required": True,
    "description": "Your name for this refund, in quotes or bare. Repeating the call with the same key and "
    "values gives the first outcome again, and never a second refund. It is yours alone, and kept as long as "
    "the refund.",
    "example": "return-1001-1",
}
_LAST_EVENT_ID: Final[dict[str, Any]] = {
    "name": "Last-Event-ID",
    "in": "header",
    "required": False,
    "description": "The `id` of the last event that you got; browsers send it by themselves.",
    "schema": {"type": "string"},
    "example": "2",
}
# What to do about each problem.
_ADVICE: Final = {
    "malformed-json": "Mend the body; `detail` says where it stops being JSON.",
    "invalid-body": "Mend each field that `errors` lists.",
    "unauthenticated": "Send `Authorization: Bearer` and a token signed for this service, still valid.",
    "forbidden": "Get a token with the scope that `detail` names.",
    "unknown-user": "Add the user that the token's `sub` names, or set `BAYAR_AUTO_CREATE_USERS`.",
    "cross-site": "A token in a cookie is taken from this service's own pages only; send it as a header.",
    "invalid-signature": "It is not from Midtrans, or `MIDTRANS_SERVER_KEY` is another account's.",
    "not-found": "Look at the address again.",
    "method-not-allowed": "Look at which methods this address takes.",
    "event-not-found": "Look at the payment's deliveries: it may be another payment's, or nobody was told.",
    "payment-not-found": "It does not exist, or it is another user's: the answer is the same.",
    "request-timeout": "Send the whole body within 10 seconds.",
    "order-id-taken": "Ask for that payment's status, or choose another order id.",
    "in-progress": "Repeat the call after `Retry-After`.",
    "illegal-transition": "Look at the payment's status first; where an act came too late, `payment` has it.",
    "body-too-large": "Send 64 KB at most.",
    "unsupported-media-type": "Send `Content-Type: application/json`.",
    "amount-out-of-bounds": f"Charge 1 to {MOST[PaymentType.GOPAY]:,} rupiah with `gopay`, "
    f"1 to {MOST[PaymentType.QRIS]:,} with `qris`.",
    "idempotency-key-missing": "Send an `Idempotency-Key`: a name of its own for each refund.",
    "idempotency-key-reused": "Use a key of its own for every new payment and every new refund.",
    "refund-exceeds-payment": "Refund at most what is left: `gross_amount` less `refunded_amount` and less "
    "what is being refunded.",
    "too-many-requests": "Wait for as long as `Retry-After` says.",
    "internal-error": "It was logged: tell the operator what `X-Request-Id` says.",
    "gateway-refused": "What was asked for is not done: nothing will be paid, nothing was cancelled, nothing "
    "goes back. `gateway_code` and `gateway_message` are Midtrans's own.",
    "charge-lost": "Nothing will be paid. Create a new payment, with a new `Idempotency-Key`.",
    "too-many-streams": "Ask for the status instead, or try again after `Retry-After`.",
    "gateway-unavailable": "Nothing was charged or refunded. Try again after `Retry-After`.",
    "database-unavailable": "Try again after `Retry-After`.",
    "outcome-unknown": "The charge or the refund may exist. Repeat the call with the same "
    "`Idempotency-Key`, or ask for the status, or the refunds, of `order_id`.",
}
_PROBLEM_FIELDS: Final = {
    "type": "`urn:bayar:problem:` and the code.",
    "title": "The problem in a few words, the same each time.",
    "status": "The HTTP status, again.",
    "detail": "What went wrong this time, for people.",
    "code": "The problem's name, for programs.",
    "errors": "Every wrong field; there for `invalid-body` only.",
    "order_id": "The payment that it is about; there for `gateway-refused`, `charge-lost`, "
    "`outcome-unknown`, and wherever `payment` is.",
    "payment": "The payment as it is now; there for `illegal-transition` when something was asked of it.",
    "gateway_code": "Midtrans's own code; there for `gateway-refused` and `charge-lost`.",
    "gateway_message": "Midtrans's own words; there for `gateway-refused` and `charge-lost`.",
    "field": "Where the field is, as in `items[0].price`.",
    "pointer": "The same as a JSON pointer, as in `#/items/0/price`.",
}
_STATUSES: Final = {
    Status.CREATED: "Stored here; Midtrans has not said yet that it took the charge.",
    Status.FAILURE: "Midtrans has no such charge, and nothing will be paid.",
    Status.PENDING: "The customer may pay.",
    Status.DENY: "Midtrans denied it.",
    Status.EXPIRE: "It was not paid in time.",
    Status.CANCEL: "It was cancelled before it was paid.",
    Status.SETTLEMENT: "It is paid.",
    Status.PARTIAL_REFUND: "It was paid, and some of it went back.",
    Status.REFUND: "It was paid, and all of it went back.",
    Status.PARTIAL_CHARGEBACK: "It was paid, and the customer's bank took some of it back.",
    Status.CHARGEBACK: "It was paid, and the customer's bank took it back.",
}

_SOURCES: Final = {
    Source.SHOP: "A call of the shop.",
    Source.OPERATOR: "A person: something was done, or looked at.",
    Source.CHARGE: "Midtrans's answer to the charge.",
    Source.REFUND: "Midtrans's answer to a refund.",
    Source.NOTIFICATION: "A notification of Midtrans, its signature proven.",
    Source.STATUS_REPLY: "Midtrans's own word, when it was asked.",
    Source.ADOPTION: "The state in which an earlier service left it.",
}
_REFUND_STATUSES: Final = {
    RefundStatus.REQUESTED: "Midtrans may have it; nobody knows yet, and it is repeated until Midtrans says.",
    RefundStatus.ACCEPTED: "Midtrans has taken it.",
    RefundStatus.REFUSED: "Midtrans refused it; no money goes back by it.",
    RefundStatus.NOT_SENT: "Midtrans could not be reached; the same call, made again, sends it.",
}


def answer(kind: type[Any] | None, description: str) -> ResponseSpec:
    """An answer that the handler's return type does not tell."""
    return ResponseSpec(kind, generate_examples=False, description=description)


def page_answer(description: str) -> ResponseSpec:
    """An answer for people's eyes."""
    return ResponseSpec(str, generate_examples=False, media_type=_PAGE, description=description)


def problems(*codes: str, unexpected: bool = True) -> dict[int, ResponseSpec]:
    """The error answers of an operation, by HTTP status, each with its codes.

    ``unexpected`` is for the operations that may answer 500: all but the webhook.
    """
    by_status: dict[int, list[str]] = {}
    for code in (*codes, *(["internal-error"] if unexpected else [])):
        by_status.setdefault(PROBLEMS[code][0], []).append(code)
    return {
        status: ResponseSpec(
            data_container=Problem,
            generate_examples=False,
            media_type=MEDIA_TYPE,
            description="; ".join(f"`{code}`: {PROBLEMS[code][1]}" for code in found) + ".",
            examples=[Example(id=code) for code in found],
        )
        for status, found in sorted(by_status.items())
    }


class Documented(Operation):
    """An operation with the headers of its answers, its problems by name, and the body it reads itself."""

    body: ClassVar[dict[str, Any] | None] = None
    key: ClassVar[dict[str, Any] | None] = None
    resumable: ClassVar[bool] = False

    def to_schema(self) -> dict[str, Any]:
        said = super().to_schema()
        if self.body is not None:
            said["requestBody"] = self.body
        for parameter in said.get("parameters", ()):
            parameter["schema"] = _never_null(parameter["schema"])
        if self.key is not None:
            said.setdefault("parameters", []).append(self.key)
        if self.resumable:
            said.setdefault("parameters", []).append(_LAST_EVENT_ID)
        # Litestar tells of its own 400 wherever there is a parameter; ours are all listed by hand.
        said["responses"] = {
            status: _answered(status, response, replayed=self.key is not None and status in _REPLAYED)
            for status, response in said["responses"].items()
            if status < "400" or {MEDIA_TYPE, _PAGE} & response["content"].keys()
        }
        return said


def _optional_body(schema: str) -> dict[str, Any]:
    return {
        "description": "No body at all is an empty object; an empty one that says it is JSON is refused.",
        "required": False,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
    }


class CreateOperation(Documented):
    key: ClassVar = _KEY
    body: ClassVar = _optional_body("CreateBody")


class RefundOperation(Documented):
    key: ClassVar = _REFUND_KEY
    body: ClassVar = _optional_body("RefundBody")


class StreamOperation(Documented):
    resumable: ClassVar = True


class NotifyOperation(Documented):
    body: ClassVar = {
        "description": "A JSON object of at most 64 KB, whatever its content type says.",
        "required": True,
        "content": {"*/*": {"schema": {"$ref": "#/components/schemas/NotificationBody"}}},
    }


class _Components(Components):
    """Litestar replaces the schemas with those that it found; msgspec's say more, and are of all bodies."""

    def to_schema(self) -> dict[str, Any]:
        return {**super().to_schema(), "schemas": _schemas(), "headers": _headers(), "examples": _examples()}


def components() -> Components:
    """The schemas of every body, every problem by its code, and how callers prove who they are."""
    return _Components(
        security_schemes={
            "bearer": SecurityScheme(
                type="http",
                scheme="bearer",
                bearer_format="JWT",
                description="A signed token with `exp` and, as `sub`, a user's id, as in "
                "`TOKEN=$(bayar token --user 1)`. Where `AUTH_COOKIE` names a cookie, it may come in that.",
            ),
            "checkoutToken": SecurityScheme(
                type="apiKey",
                name="token",
                security_scheme_in="query",
                description="The last part of `checkout_url`. It opens that one payment, to look at only, "
                "until 24 hours after its end.",
            ),
            "metricsBearer": SecurityScheme(
                type="http",
                scheme="bearer",
                description="The token that `BAYAR_METRICS_TOKEN` sets; none is needed where it is unset.",
            ),
        },
    )


def _answered(status: str, response: dict[str, Any], *, replayed: bool) -> dict[str, Any]:
    content = response.get("content", {})
    codes = list(content.get(MEDIA_TYPE, {}).get("examples", ()))
    names = (
        *map(str.title, response.get("headers", ())),
        *_HEADERS_OF.get(status, ()),
        *(["Retry-After"] if "in-progress" in codes else []),
        *(["Idempotent-Replayed"] if replayed else []),
        "X-Request-Id",
    )
    for code in codes:
        content[MEDIA_TYPE]["examples"][code] = {"$ref": f"#/components/examples/{code}"}
    return {**response, "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names}}


def _headers() -> dict[str, Any]:
    return {name: {"description": text, "schema": {"type": "string"}} for name, text in _HEADERS.items()}


def _examples() -> dict[str, Any]:
    return {
        code: {
            "summary": title,
            "value": msgspec.to_builtins(problem(code, _ADVICE.get(code, f"{title}.")).content),
        }
        for code, (_, title) in PROBLEMS.items()
    }


def _schemas() -> dict[str, Any]:
    requests = [CreateBody, RefundBody, NotificationBody]
    answers = [PaymentView, PaymentList, EventList, DeliveryList, RefundView, RefundList, Ok, Ready, Problem]
    bodies = [*requests, *answers]
    _, found = msgspec.json.schema_components(bodies, ref_template="#/components/schemas/{name}")
    found["Problem"]["properties"]["code"]["enum"] = list(PROBLEMS)
    for name, description, texts in (
        ("Status", "Of two things that are true of a payment, the later one here is its status.", _STATUSES),
        ("Source", "What told of a change.", _SOURCES),
        ("RefundStatus", "What became of a refund.", _REFUND_STATUSES),
        ("DeliveryState", "Whether an endpoint has an event.", STATES),
    ):
        found[name] |= _words(description, texts)
    found["PaymentType"] |= {"type": "string", "description": "How a payment is paid."}
    for name in ("Problem", "FieldError"):
        fields = found[name]["properties"]
        fields |= {
            field: {**_never_null(said), "description": _PROBLEM_FIELDS[field]}
            for field, said in fields.items()
        }
    for schema in found.values():
        schema["description"] = cleandoc(schema["description"])
        fields = schema.get("properties", {})
        fields |= {name: _lifted(field, found) for name, field in fields.items()}
    return found


def _words(description: str, texts: Mapping[Any, str]) -> dict[str, Any]:
    """A string that is one of these words, each with what it means."""
    told = {word.value: text for word, text in texts.items()}
    return {
        "type": "string",
        "description": description,
        "enum": list(told),
        "x-enumDescriptions": told,
    }


def _lifted(field: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """What stands inside ``X | None`` said of the field itself; a body within says what it is itself."""
    lifted = {key: value for key, value in field.items() if key != "default"}
    match field:
        case {"anyOf": [dict(kind), {"type": "null"}]}:
            inside = {key: kind.pop(key) for key in ("description", "examples") if key in kind}
            within = kind.get("$ref") or kind.get("items", {}).get("$ref", "")
            of_body = schemas.get(within.rpartition("/")[2], {}).get("description")
            return {"description": of_body, **inside, **lifted}
    return lifted


def _never_null(schema: dict[str, Any]) -> dict[str, Any]:
    """For what is left out rather than null: parameters, and the fields of problems."""
    match schema:
        case {"oneOf": [dict(kind), {"type": "null"}], **rest} | {
            "anyOf": [dict(kind), {"type": "null"}],
            **rest,
        }:
            return {**kind, **rest}
    return schema
