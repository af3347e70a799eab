"""Where Midtrans notifies: public, without session or CORS, and never a 500 or a redirect."""

from datetime import datetime
from typing import Any, Final

import structlog
from litestar import Request, Response, post

from domain import notification
from domain.errors import BayarError, DatabaseUnavailable, NotANotification
from domain.ports.clock import Clock
from domain.usecases.judging import Outcome
from domain.usecases.receive_notification import Delivery, ReceiveNotification
from entrypoints.http.injected import Injected
from entrypoints.http.openapi import NotifyOperation, answer, problems
from entrypoints.http.problems import problem
from entrypoints.http.schemas import Ok
from entrypoints.http.untrusted import Malformed, decode, read_body
from entrypoints.settings import WEBHOOK_PATH
from entrypoints.telemetry.metrics import WEBHOOKS

_log: Final = structlog.get_logger()


@post(
    WEBHOOK_PATH,
    operation_id="receiveNotification",
    operation_class=NotifyOperation,
    summary="Take a notification of Midtrans",
    status_code=200,
    tags=["midtrans"],
    responses={
        200: answer(Ok, "It is on disk, with whatever it changed."),
        **problems(
            "malformed-json",
            "invalid-body",
            "invalid-signature",
            "request-timeout",
            "body-too-large",
            "database-unavailable",
            unexpected=False,
        ),
    },
)
async def receive(
    request: Request[Any, Any, Any],
    clock: Injected[Clock],
    receive_notification: Injected[ReceiveNotification],
) -> Response[Any]:
    """Answered with 200 only after the notification and what it changed are on disk.

    A repeated or older one, one of an unknown order and one that contradicts what is stored are 200 too:
    to send them again would not help. Neither a redirect nor a 500 is ever answered, as Midtrans then gives
    up early; after a 503 it sends the notification again.
    """
    body = await read_body(request)
    try:
        delivery = read_delivery(body, at=clock.now())
    except Malformed as wrong:
        WEBHOOKS.labels("malformed").inc()
        return problem("malformed-json", f"The body is not usable JSON: {wrong}.")
    except NotANotification as wrong:
        WEBHOOKS.labels("malformed").inc()
        return problem("invalid-body", str(wrong))
    try:
        outcome, unexpected = await receive_notification(delivery)
    except BayarError:
        WEBHOOKS.labels("not stored").inc()
        raise
    except Exception as trouble:
        # Anything but a success makes Midtrans send it again, and a 500 only once: 503 has the most tries.
        WEBHOOKS.labels("not stored").inc()
        _log.exception("webhook.not_stored", order_id=delivery.notification.order_id)
        raise DatabaseUnavailable from trouble
    WEBHOOKS.labels(outcome).inc()
    _tell(delivery, outcome, unexpected)
    if outcome is Outcome.FORGED:
        return problem("invalid-signature", "The signature does not go with this server key.")
    return Response({"status": "ok"})


def _tell(delivery: Delivery, outcome: Outcome, unexpected: Exception | None) -> None:
    said = delivery.notification
    told = {"order_id": said.order_id, "claims": said.transaction_status, "outcome": outcome}
    if unexpected is not None:
        _log.error("webhook.failed", exc_info=unexpected, **told)
    elif outcome in {Outcome.APPLIED, Outcome.KNOWN}:
        _log.info("webhook.received", **told)
    else:
        _log.warning("webhook.received", **told)


def read_delivery(body: bytes, *, at: datetime) -> Delivery:
    """The notification in a body. Raises Malformed and NotANotification."""
    said, signature_key = notification.read(decode(body), at=at)
    return Delivery(notification=said, signature_key=signature_key, body=body.decode())
