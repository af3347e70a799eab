"""What Midtrans's replies mean for a payment."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import quote

from adapters.midtrans.client import CONNECT_SECONDS, READ_SECONDS, Lost, MidtransClient, NotSent
from adapters.midtrans.wire import LARGEST_REQUEST, Answer, charge_body, refund_body
from domain import jakarta
from domain.errors import GatewayUnavailable
from domain.evidence import ChargeAnswer, ChargeRefused, NoTransaction, ReportedRefund, StatusReply
from domain.ports.clock import Clock
from domain.ports.gateway import (
    AlreadyThere,
    Charge,
    ChargeOutcome,
    Declined,
    KeyCheck,
    NotTaken,
    RefundOrder,
    RefundOutcome,
    RefundTaken,
    Unanswered,
)
from domain.rupiah import parse_gross_amount
from domain.status import REFUNDS, Status

_ATTEMPT: Final = CONNECT_SECONDS + READ_SECONDS
_TOO_MANY: Final = 429
_SERVER_TROUBLE: Final = 500
_IN_PROCESS: Final = 202
_DONE: Final = 200
# The body's code for a refund that the bank refused; as an HTTP status it means something else.
_DENIED: Final = 202
_NOT_FOUND: Final = 404
_UNAUTHORIZED: Final = 401
# No refusals: 407 says that a charge has expired, and 408 and 409
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
        at = self._clock.now()
        undone = _undone(answer)
        if isinstance(undone, Declined):
            told = undone.message
            return ChargeRefused(code=undone.code, message=told, received_at=at, raw=answer.raw)
        if undone is not None:
            return undone
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

    async def cancel(self, transaction: str) -> StatusReply | NoTransaction | Declined:
        answer = await self._send("POST", transaction, "cancel")
        unclear = _UNCLEAR | {_NOT_FOUND, _DUPLICATE, _TOO_MANY, _NOT_PENDING}
        if 400 <= answer.code < _SERVER_TROUBLE and answer.code not in unclear:  # noqa: PLR2004 - a 4xx
            return Declined(code=str(answer.code), message=answer.message, raw=answer.raw)
        return await self._ended(transaction, answer)

    async def expire(self, transaction: str) -> StatusReply | NoTransaction:
        return await self._ended(transaction, await self._send("POST", transaction, "expire"))

    async def _ended(self, transaction: str, answer: Answer) -> StatusReply | NoTransaction:
        if answer.code == _NOT_PENDING:
            return await self.status(transaction)
        return self._replied(answer)

    async def refund(self, refund: RefundOrder, *, within: float) -> RefundOutcome:
        # Under the same Idempotency-Key a lost answer comes again for five minutes, and a second attempt
        # does not run beside the first; what makes it one refund is the refund_key.
        headers = {"Content-Type": "application/json", "Idempotency-Key": refund.key}
        reply = await self._client.send(
            "POST",
            _path(refund.transaction, "refund"),
            content=refund_body(refund),
            headers=headers,
            within=min(within, _ATTEMPT),
        )
        match reply:
            case NotSent(reason=reason):
                return NotTaken(reason=reason)
            case Lost(reason=reason):
                return Unanswered(reason=reason)
        return _refunded(refund, Answer(reply))

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
            # One sample of the documentation spells it otherwise.
            expires_at=jakarta.parse(answer.text("expiry_time") or answer.text("expire_time")),
            refund_amount=parse_gross_amount(refunded) if refunded else None,
            refunds=tuple(_reported(answer, at)),
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
        except (GatewayUnavailable, ValueError, OverflowError):
            return None
        theirs = told if told.tzinfo else told.replace(tzinfo=UTC)
        ahead = (before - theirs).total_seconds() - 1.0
        behind = (theirs - self._clock.now()).total_seconds()
        return max(ahead, behind, 0.0)

    async def _send(self, method: str, transaction: str, what: str) -> Answer:
        reply = await self._client.send(method, _path(transaction, what), within=_ATTEMPT)
        if isinstance(reply, NotSent | Lost):
            raise GatewayUnavailable(reply.reason)
        return Answer(reply)


def _path(transaction: str, what: str) -> str:
    return f"/v2/{quote(transaction, safe='')}/{what}"


def _undone(answer: Answer) -> Declined | NotTaken | Unanswered | AlreadyThere | None:
    """What an answer to a charge or a refund says but for success and the bank's own no; None for these."""
    code = answer.code
    if answer.http_status == _IN_PROCESS or code >= _SERVER_TROUBLE or code in _UNCLEAR:
        return Unanswered(reason=answer.message)
    if code == _DUPLICATE:
        return AlreadyThere()
    if code == _TOO_MANY:
        return NotTaken(reason=answer.message, retry_after=_retry_after(answer))
    if code >= 300:  # noqa: PLR2004 - a redirect is a wrong address, a 4xx a refusal
        return Declined(code=str(code), message=answer.message, raw=answer.raw)
    return None


def _refunded(refund: RefundOrder, answer: Answer) -> RefundOutcome:
    undone = _undone(answer)
    if isinstance(undone, Declined) and answer.body_code is None:
        # Not Midtrans's word but of something before it: a refusal is final, and the next try may be taken.
        return Unanswered(reason=answer.message)
    if undone is not None:
        return undone
    status = (answer.text("transaction_status") or "").lower()
    if status and _is_about(refund, answer):
        if answer.body_code == _DENIED:
            return Declined(code=str(_DENIED), message=answer.message, by_bank=True, raw=answer.raw)
        transaction_id = _refunded_transaction(refund, answer)
        if answer.body_code == _DONE and status in REFUNDS and transaction_id is not None:
            return RefundTaken(transaction_id=transaction_id, raw=answer.raw)
    return Unanswered(reason=f"an answer that does not fit the refund ({answer.message})")


def _refunded_transaction(refund: RefundOrder, answer: Answer) -> str | None:
    """The transaction of an acceptance; None for one that does not echo the order and the amounts."""
    # Its own amount on one page of the documentation, the sum of all on another.
    told = parse_gross_amount(answer.text("refund_amount") or f"{refund.amount}")
    echoed = answer.text("order_id") is not None and answer.text("gross_amount") is not None
    if not echoed or told is None or told < refund.amount:
        return None
    by_order_id = refund.transaction == refund.order_id
    return answer.text("transaction_id", _ID_LENGTH) if by_order_id else refund.transaction


def _is_about(refund: RefundOrder, answer: Answer) -> bool:
    """Whether nothing in the answer says that it is about another refund, transaction or order."""
    amount = answer.text("gross_amount")
    by_order_id = refund.transaction == refund.order_id
    return (
        answer.text("order_id") in {None, refund.order_id}
        and (by_order_id or answer.text("transaction_id") in {None, refund.transaction})
        and answer.text("refund_key") in {None, refund.key}
        and (amount is None or parse_gross_amount(amount) == refund.gross_amount)
        and answer.text("currency") in {None, "IDR"}
    )


def _reported(answer: Answer, at: datetime) -> Iterator[ReportedRefund]:
    """The refunds that a status reply lists; the bank's word is there once it has come."""
    for told in answer.objects("refunds"):
        key, amount = told.text("refund_key"), parse_gross_amount(told.text("refund_amount") or "")
        if key is not None and amount is not None:
            confirmed = told.text("bank_confirmed_at")
            confirmed_at = jakarta.parse(confirmed) or at if confirmed else None
            yield ReportedRefund(key=key, amount=amount, confirmed_at=confirmed_at)


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
