"""What Midtrans's replies mean for a payment."""

from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import quote

from adapters.midtrans.client import CONNECT_SECONDS, READ_SECONDS, Lost, MidtransClient, NotSent
from adapters.midtrans.wire import LARGEST_REQUEST, Answer, charge_body
from domain import jakarta
from domain.errors import GatewayUnavailable
from domain.evidence import ChargeAnswer, ChargeRefused, NoTransaction, StatusReply
from domain.ports.clock import Clock
from domain.ports.gateway import AlreadyThere, Charge, ChargeOutcome, KeyCheck, NotTaken, Unanswered
from domain.rupiah import parse_gross_amount
from domain.status import Status

_ATTEMPT: Final = CONNECT_SECONDS + READ_SECONDS
_TOO_MANY: Final = 429
_SERVER_TROUBLE: Final = 500
_IN_PROCESS: Final = 202
_NOT_FOUND: Final = 404
_UNAUTHORIZED: Final = 401
# Not refusals of a charge: 407 says that it has expired, and 408 and 409
# leave open what became of it (docs.midtrans.com, "Status codes 4xx").
_UNCLEAR: Final = frozenset({407, 408, 409})
_DUPLICATE: Final = 406
_NOT_PENDING: Final = 412
_ID_LENGTH: Final = 64
# Neither an order id that a shop may choose nor one that we make.
_NOBODYS_ORDER: Final = "byr-key-check"


class MidtransGateway:
    """Midtrans's Core API for ``gopay`` and ``qris``.

    ``notify_url``, where given, is sent with each charge and replaces the dashboard's notification address.
    """

    def __init__(self, *, client: MidtransClient, clock: Clock, notify_url: str | None) -> None:
        self._client, self._clock, self._notify_url = client, clock, notify_url

    async def charge(self, charge: Charge, *, within: float) -> ChargeOutcome:
        body = charge_body(charge)
        if len(body) > LARGEST_REQUEST:
            return ChargeRefused(
                code="413",
                message=f"the charge is over Midtrans's {LARGEST_REQUEST} bytes; send fewer items",
                received_at=self._clock.now(),
            )
        headers = {"Content-Type": "application/json", "Idempotency-Key": charge.key}
        if self._notify_url:
            headers["X-Override-Notification"] = self._notify_url
        reply = await self._client.send(
            "POST", "/v2/charge", content=body, headers=headers, within=min(within, _ATTEMPT)
        )
        match reply:
            case NotSent(reason=reason):
                return NotTaken(reason=reason)
            case Lost(reason=reason):
                return Unanswered(reason=reason)
        return self._charged(charge, Answer(reply))

    def _charged(self, charge: Charge, answer: Answer) -> ChargeOutcome:
        code, at = answer.code, self._clock.now()
        if answer.http_status == _IN_PROCESS or code >= _SERVER_TROUBLE or code in _UNCLEAR:
            return Unanswered(reason=answer.message)
        if code == _DUPLICATE:
            return AlreadyThere()
        if code == _TOO_MANY:
            return NotTaken(reason=answer.message, retry_after=_retry_after(answer))
        if code >= 300:  # noqa: PLR2004 - a redirect is a wrong address, a 4xx a refusal
            return ChargeRefused(code=str(code), message=answer.message, received_at=at, raw=answer.raw)
        transaction_id = answer.text("transaction_id", _ID_LENGTH)
        taken = {
            (201, "pending"): Status.PENDING,
            (202, "deny"): Status.DENY,
        }.get((answer.body_code or 0, (answer.text("transaction_status") or "").lower()))
        if transaction_id is None or taken is None or not _echoes(answer, charge):
            return Unanswered(reason=f"an answer that does not fit the charge ({answer.message})")
        return ChargeAnswer(
            status=taken,
            transaction_id=transaction_id,
            answer=answer.json,
            message=answer.message,
            received_at=at,
            raw=answer.raw,
        )

    async def status(self, transaction: str) -> StatusReply | NoTransaction:
        if not transaction.strip("."):  # as a path it would lead elsewhere
            return NoTransaction(received_at=self._clock.now())
        return self._replied(await self._send("GET", transaction, "status"))

    async def cancel(self, transaction: str) -> StatusReply | NoTransaction:
        return await self._end(transaction, "cancel")

    async def expire(self, transaction: str) -> StatusReply | NoTransaction:
        return await self._end(transaction, "expire")

    async def _end(self, transaction: str, how: str) -> StatusReply | NoTransaction:
        answer = await self._send("POST", transaction, how)
        if answer.code == _NOT_PENDING:
            return await self.status(transaction)
        return self._replied(answer)

    def _replied(self, answer: Answer) -> StatusReply | NoTransaction:
        at = self._clock.now()
        if answer.body_code == _NOT_FOUND:
            return NoTransaction(received_at=at, raw=answer.raw)
        order_id, amount = answer.text("order_id", _ID_LENGTH), answer.text("gross_amount")
        transaction_id = answer.text("transaction_id", _ID_LENGTH)
        status = answer.text("transaction_status")
        if not (answer.body_code and order_id and amount and transaction_id and status):
            raise GatewayUnavailable(f"code {answer.code}, {answer.message}")
        refunded = answer.text("refund_amount")
        return StatusReply(
            order_id=order_id,
            status_code=str(answer.body_code),
            gross_amount=amount,
            transaction_status=status,
            transaction_id=transaction_id,
            fraud_status=answer.text("fraud_status"),
            currency=answer.text("currency"),
            settled_at=jakarta.parse(answer.text("settlement_time")),
            refund_amount=parse_gross_amount(refunded) if refunded else None,
            received_at=at,
            raw=answer.raw,
        )

    async def check_key(self) -> KeyCheck:
        """An unknown order is answered 404 with a good server key and 401 with a bad one."""
        try:
            answer = await self._send("GET", _NOBODYS_ORDER, "status")
        except GatewayUnavailable:
            return KeyCheck.UNREACHABLE
        if answer.code == _UNAUTHORIZED:
            return KeyCheck.REFUSED
        spoke = answer.body_code is not None and answer.body_code < _SERVER_TROUBLE
        return KeyCheck.ACCEPTED if spoke else KeyCheck.UNREACHABLE

    async def seconds_apart(self) -> float | None:
        """By the Date header, which knows whole seconds and was written between our looks at the clock."""
        before = self._clock.now()
        try:
            answer = await self._send("GET", _NOBODYS_ORDER, "status")
            told = parsedate_to_datetime(answer.headers.get("date", ""))
        except (GatewayUnavailable, ValueError):
            return None
        theirs = told if told.tzinfo else told.replace(tzinfo=UTC)
        ahead = (before - theirs).total_seconds() - 1.0
        behind = (theirs - self._clock.now()).total_seconds()
        return max(ahead, behind, 0.0)

    async def _send(self, method: str, transaction: str, what: str) -> Answer:
        path = f"/v2/{quote(transaction, safe='')}/{what}"
        reply = await self._client.send(method, path, within=_ATTEMPT)
        if isinstance(reply, NotSent | Lost):
            raise GatewayUnavailable(reply.reason)
        return Answer(reply)


def _echoes(answer: Answer, charge: Charge) -> bool:
    """Whether the answer is about our order and amount; another one proves nothing about the charge."""
    return (
        answer.text("order_id") == charge.order.order_id
        and parse_gross_amount(answer.text("gross_amount") or "") == charge.order.gross_amount
        and answer.text("currency") in {None, "IDR"}
    )


def _retry_after(answer: Answer) -> int:
    told = answer.headers.get("retry-after", "")
    return min(max(int(told[:6]), 1), 60) if told.isascii() and told.isdigit() else 5
