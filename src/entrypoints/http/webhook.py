"""Where Midtrans notifies: public, without session or CORS, and never a 500 or a redirect."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec
import structlog
from litestar import Response, post
from litestar.exceptions import HTTPException
from litestar.types import Receive, Scope, Send

from domain import notification
from domain.errors import BayarError, DatabaseUnavailable, NotANotification
from domain.ports.clock import Clock
from domain.usecases.judging import Outcome
from domain.usecases.receive_notification import Delivery, ReceiveNotification
from entrypoints.http.openapi import NotifyOperation, answer, problems
from entrypoints.http.problems import MEDIA_TYPE, Problem, problem, problem_of
from entrypoints.http.schemas import Ok
from entrypoints.http.untrusted import Malformed, TooLarge, chunks, decode, read_chunks
from entrypoints.settings import WEBHOOK_PATH
from entrypoints.telemetry.metrics import WEBHOOKS

_log: Final = structlog.get_logger()


class Webhook:
    """The notification's own ASGI application: it comes before routing, sessions, CORS and all the rest.

    Midtrans sends a whole shop's notifications at once when it can, so nothing is done for one that is not
    needed for it.
    """

    def __init__(
        self, *, clock: Callable[[], Clock], receive_notification: Callable[[], ReceiveNotification]
    ) -> None:
        self._clock, self._receive_notification = clock, receive_notification

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._answer(receive)
        headers = [(b"content-type", answer.media_type), (b"content-length", b"%d" % len(answer.body))]
        headers += [(name.lower().encode(), value.encode()) for name, value in answer.headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body, "more_body": False})

    async def _answer(self, receive: Receive) -> "Answer":
        try:
            return await self._received(await read_chunks(chunks(receive)))
        except (BayarError, HTTPException, TooLarge) as trouble:
            return Answer.of(problem_of(trouble, route=WEBHOOK_PATH))
        except Exception:  # noqa: BLE001 - it is logged
            # Anything but a success makes Midtrans send it again, and a 500 only once: 503 has most tries.
            _log.exception("webhook.not_stored")
            return Answer.of(problem_of(DatabaseUnavailable(), route=WEBHOOK_PATH))

    async def _received(self, body: bytes) -> "Answer":
        try:
            delivery = read_delivery(body, at=self._clock().now())
        except Malformed as wrong:
            WEBHOOKS.labels("malformed").inc()
            return Answer.of(problem("malformed-json", f"The body is not usable JSON: {wrong}."))
        except NotANotification as wrong:
            WEBHOOKS.labels("malformed").inc()
            return Answer.of(problem_of(wrong, route=WEBHOOK_PATH))
        try:
            outcome, unexpected = await self._receive_notification()(delivery)
        except Exception:
            WEBHOOKS.labels("not stored").inc()
            raise
        WEBHOOKS.labels(outcome).inc()
        _tell(delivery, outcome, unexpected)
        if outcome is Outcome.FORGED:
            detail = "The signature does not go with this server key."
            return Answer.of(problem("invalid-signature", detail))
        return _OK


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What goes out."""

    status: int
    body: bytes
    media_type: bytes
    headers: Mapping[str, str]

    @classmethod
    def of(cls, told: Response[Problem]) -> "Answer":
        return cls(
            status=told.status_code or 500,
            body=msgspec.json.encode(told.content),
            media_type=MEDIA_TYPE.encode(),
            headers=told.headers,
        )


_OK: Final = Answer(
    status=200, body=msgspec.json.encode(Ok(status="ok")), media_type=b"application/json", headers={}
)


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
async def documented() -> dict[str, str]:
    """Answered with 200 only after the notification and what it changed are on disk.

    A repeated or older one, one of an unknown order and one that contradicts what is stored are 200 too:
    to send them again would not help. Neither a redirect nor a 500 is ever answered, as Midtrans then gives
    up early; after a 503 it sends the notification again.
    """
    # For the API document, and for 405 to other methods: the envelope has given every POST to Webhook.
    raise NotImplementedError


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
