"""The situations of the gateway contract: scripted for the fake, in recorded bytes for the adapter."""

import json
from typing import Any, Final

import httpx

from adapters.midtrans.client import MidtransClient
from adapters.midtrans.gateway import MidtransGateway
from domain.errors import GatewayUnavailable
from domain.evidence import ChargeRefused, ReportedRefund, StatusReply
from domain.ports.gateway import (
    AlreadyThere,
    Charge,
    ChargeOutcome,
    Declined,
    NotTaken,
    RefundTaken,
    Unanswered,
)
from domain.rupiah import PaymentType
from domain.status import Status
from support import recorded
from support.builders import ORDER_ID, SERVER_KEY, a_charge_answer, a_status_reply
from support.fakes import ManualClock, ScriptedGateway

BASE_URL: Final = "https://api.sandbox.midtrans.com"
_MANY: Final = 5


class ScriptedSituation:
    """Tells a ScriptedGateway what to answer."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.gateway = ScriptedGateway(clock=self.clock)

    def takes_charges(self, *, transaction_id: str) -> None:
        async def take(charge: Charge, _within: float) -> ChargeOutcome:
            answer = json.dumps(_charge_body(charge.order.payment_type, transaction_id))
            at = self.clock.now()
            return a_charge_answer(transaction_id=transaction_id, answer=answer, received_at=at)

        self.gateway.answers_charges_with(*[take] * _MANY)

    def denies_charges(self, *, transaction_id: str) -> None:
        denied = a_charge_answer(status=Status.DENY, transaction_id=transaction_id)
        self.gateway.answers_charges_with(denied)

    def refuses_charges(self, *, code: int, message: str) -> None:
        at = self.clock.now()
        self.gateway.answers_charges_with(ChargeRefused(code=str(code), message=message, received_at=at))

    def refuses_as_duplicate(self) -> None:
        self.gateway.answers_charges_with(AlreadyThere())

    def is_out_of_reach(self) -> None:
        self.gateway.answers_charges_with(NotTaken(reason="ConnectError"))
        self.gateway.answers_refunds_with(NotTaken(reason="ConnectError"))
        self._tells_nothing()

    def is_too_busy(self, *, retry_after: int) -> None:
        busy = NotTaken(reason="HTTP 429", retry_after=retry_after)
        self.gateway.answers_charges_with(busy)
        self.gateway.answers_refunds_with(busy)
        self._tells_nothing()

    def loses_its_answers(self) -> None:
        self.gateway.answers_charges_with(Unanswered(reason="ReadError"))
        self.gateway.answers_refunds_with(Unanswered(reason="ReadError"))
        self._tells_nothing()

    def refuses_the_key(self) -> None:
        self._tells_nothing()

    def holds(self, *, transaction_id: str, status: str) -> None:
        body = recorded.status_body(status, transaction_id=transaction_id)
        self._replies(transaction_id, body, None)

    def holds_a_refund(self, *, transaction_id: str, status: str, refunded: int) -> None:
        body = recorded.status_body(status, transaction_id=transaction_id)
        self._replies(transaction_id, body, refunded)

    def _replies(self, transaction_id: str, body: dict[str, Any], refunded: int | None) -> None:
        at = self.clock.now()
        paid = body["transaction_status"] == "settlement"
        reply = a_status_reply(
            transaction_id=transaction_id,
            transaction_status=body["transaction_status"],
            refund_amount=refunded,
            settled_at=at.replace(minute=1, second=30) if paid else None,
            received_at=at,
        )
        for known in (transaction_id, ORDER_ID):
            self.gateway.answers_status_of(known, reply)
            self._ends(known, reply)

    def ends(self, *, transaction_id: str, status: str) -> None:
        ended = a_status_reply(transaction_id=transaction_id, transaction_status=status)
        self._ends(transaction_id, ended)

    def _ends(self, transaction: str, reply: StatusReply | GatewayUnavailable) -> None:
        self.gateway.forgets_ends_of(transaction)
        self.gateway.answers_cancel_of(transaction, reply)
        self.gateway.answers_expire_of(transaction, reply)

    def lists_refunds(self, *refunds: ReportedRefund) -> None:
        total = sum(refund.amount for refund in refunds)
        reply = a_status_reply(transaction_status="partial_refund", refund_amount=total, refunds=refunds)
        self.gateway.answers_status_of("t-1", reply)

    def refuses_to_cancel(self, *, code: int, message: str) -> None:
        self.gateway.answers_cancel_of("t-1", Declined(code=str(code), message=message))

    def takes_refunds(self) -> None:
        self.gateway.answers_refunds_with(RefundTaken(transaction_id="t-1", raw=b'{"transaction_id":"t-1"}'))

    def refuses_refunds(self, *, code: int, message: str) -> None:
        self.gateway.answers_refunds_with(Declined(code=str(code), message=message, raw=message.encode()))

    def asks_the_bank_in_vain(self) -> None:
        denied = Declined(code="202", message="Refund denied by the bank", by_bank=True)
        self.gateway.answers_refunds_with(denied)

    def knows_the_refund(self) -> None:
        self.gateway.answers_refunds_with(AlreadyThere())

    def _tells_nothing(self) -> None:
        for known in ("t-1", ORDER_ID):
            self.gateway.forgets_status_of(known)
            self.gateway.answers_status_of(known, GatewayUnavailable("as told"))
            self._ends(known, GatewayUnavailable("as told"))


class RecordedMidtrans:
    """A MidtransGateway whose HTTP is answered with recorded bodies; ``requests`` is what it sent."""

    def __init__(self, *, notify_url: str | None = None, base_url: str = BASE_URL) -> None:
        self.requests: list[httpx.Request] = []
        self.clock = ManualClock()
        self._charges: dict[str, dict[str, Any]] = {}
        self._charge: httpx.Response | Exception | str = recorded.response(recorded.BROKEN, 500)
        self._held: dict[str, dict[str, Any]] = {}
        self._ended: dict[str, dict[str, Any]] = {}
        self._ended: dict[str, dict[str, Any]] = {}
        self._refund: httpx.Response | None = None
        self._trouble: httpx.Response | Exception | None = None
        client = MidtransClient(
            transport=httpx.MockTransport(self._handle), base_url=base_url, server_key=SERVER_KEY
        )
        self.gateway = MidtransGateway(client=client, clock=self.clock, notify_url=notify_url)

    def answers(self, response: httpx.Response | Exception) -> None:
        """The same answer to everything."""
        self._trouble = response

    def takes_charges(self, *, transaction_id: str) -> None:
        self._charge = transaction_id

    def denies_charges(self, *, transaction_id: str) -> None:
        self._charge = recorded.response(recorded.denied_charge(transaction_id=transaction_id))

    def refuses_charges(self, *, code: int, message: str) -> None:
        self._charge = recorded.response(recorded.error_body(code, message))

    def refuses_as_duplicate(self) -> None:
        self.refuses_charges(code=406, message="order_id has been paid and utilized")

    def is_out_of_reach(self) -> None:
        self.answers(httpx.ConnectError("refused"))

    def is_too_busy(self, *, retry_after: int) -> None:
        headers = {"Retry-After": str(retry_after)}
        self.answers(recorded.response(recorded.TOO_MANY, 429, **headers))

    def loses_its_answers(self) -> None:
        self.answers(httpx.ReadError("reset"))

    def refuses_the_key(self) -> None:
        self.answers(recorded.response(recorded.UNAUTHORIZED, 401))

    def holds(self, *, transaction_id: str, status: str) -> None:
        body = recorded.status_body(status, transaction_id=transaction_id)
        self._held = {transaction_id: body, ORDER_ID: body}

    def ends(self, *, transaction_id: str, status: str) -> None:
        self._ended[transaction_id] = recorded.status_body(status, transaction_id=transaction_id)

    def holds_a_refund(self, *, transaction_id: str, status: str, refunded: int) -> None:
        body = recorded.refunded_body(status, f"{refunded}.00")
        self._held = {transaction_id: body | {"transaction_id": transaction_id}}

    def lists_refunds(self, *refunds: ReportedRefund) -> None:
        total = sum(refund.amount for refund in refunds)
        body = recorded.refunded_body("partial_refund", f"{total}.00", *refunds)
        self._held = {"t-1": body | {"transaction_id": "t-1"}}

    def refuses_to_cancel(self, *, code: int, message: str) -> None:
        self._ended["t-1"] = recorded.error_body(code, message)

    def takes_refunds(self) -> None:
        self._refund = None

    def refuses_refunds(self, *, code: int, message: str) -> None:
        self._refund = recorded.response(recorded.error_body(code, message))

    def asks_the_bank_in_vain(self) -> None:
        self._refund = recorded.response(recorded.denied_refund())

    def knows_the_refund(self) -> None:
        self.refuses_refunds(code=406, message="Duplicate refund ID")

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._trouble or self._routed(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _routed(self, request: httpx.Request) -> httpx.Response | Exception:
        if request.url.path == "/v2/charge":
            return self._charged(request)
        known = request.url.path.removeprefix("/v2/").rpartition("/")[0]
        if request.url.path.endswith("/refund"):
            return self._refund or recorded.response(recorded.refund_answer(json.loads(request.content)))
        if request.url.path.endswith(("/cancel", "/expire")):
            assert request.method == "POST"
            conflict = recorded.error_body(412, "Transaction status cannot be updated.")
            unable = conflict if known in self._held else recorded.NOT_FOUND
            return recorded.response(self._ended.get(known, unable))
        return recorded.response(self._held.get(known, recorded.NOT_FOUND))

    def _charged(self, request: httpx.Request) -> httpx.Response | Exception:
        if not isinstance(self._charge, str):
            return self._charge
        key = request.headers["Idempotency-Key"]
        if key not in self._charges:
            if self._charges:
                return recorded.response(recorded.error_body(406, "Duplicate order ID"))
            payment_type = json.loads(request.content)["payment_type"]
            self._charges[key] = _charge_body(payment_type, self._charge)
        return recorded.response(self._charges[key])


def _charge_body(payment_type: str, transaction_id: str) -> dict[str, Any]:
    if payment_type == PaymentType.QRIS:
        return recorded.qris_charge(transaction_id=transaction_id)
    return recorded.gopay_charge(transaction_id=transaction_id)
