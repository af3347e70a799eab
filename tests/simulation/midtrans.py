"""Midtrans as a model: what it holds, what it answers, and of what it tells. Nothing waits in here.

Codes and rules: docs.midtrans.com, as the look-alike in ``src/simulator`` keeps them; one contract suite
holds for both (``support.contracts.core_api``).
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any, Final

from adapters.midtrans.client import Reply
from support.recorded import NOTIFIED_CODES, REPLIED_CODES

# The world begins at 10:00 in Jakarta; its times are seconds since then.
_BEGIN: Final = datetime(2026, 2, 6, 10, 0)  # noqa: DTZ001 - Midtrans writes its times without an offset
_KEY_KEPT: Final = 300.0
_UNPAID_ENDS: Final = frozenset({"deny", "expire", "cancel"})
_REFUNDABLE: Final = frozenset({"settlement", "partial_refund"})
_API: Final = "https://api.midtrans.com"

Fields = dict[str, Any]


class Maker(Enum):
    """Whose charge a transaction is."""

    BAYAR = auto()
    ANOTHER_SYSTEM = auto()
    MIDTRANS = auto()


@dataclass(slots=True)
class State:
    """What a transaction is at one moment."""

    since: float
    status: str
    settled_at: float | None = None
    refunded: int = 0


@dataclass(slots=True)
class Refund:
    """What went back of a transaction under one key; the bank's word comes later."""

    key: str
    amount: int
    made_at: float
    confirmed_at: float | None = None


@dataclass(slots=True, eq=False)
class Transaction:
    """``states`` are all that it was, the last one is what it is."""

    id: str
    order_id: str
    amount: int
    payment_type: str
    expires_at: float
    maker: Maker
    key: str | None
    states: list[State] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    # When a notification of each status was last received.
    received: dict[str, float] = field(default_factory=dict)

    @property
    def made_at(self) -> float:
        return self.states[0].since

    @property
    def now(self) -> State:
        return self.states[-1]

    @property
    def status(self) -> str:
        return self.now.status

    @property
    def frees_order_id(self) -> bool:
        return self.status in _UNPAID_ENDS

    def was(self, status: str) -> bool:
        return any(state.status == status for state in self.states)


class Midtrans:
    """``on_change`` hear of every transaction that is new or has changed."""

    def __init__(self, *, time: Callable[[], float], server_key: str) -> None:
        self._time, self.server_key = time, server_key
        self.on_change: list[Callable[[Transaction], None]] = []
        self.transactions: dict[str, Transaction] = {}
        self._by_order: dict[str, list[Transaction]] = {}
        self._answers: dict[str, tuple[float, Reply]] = {}

    def of_order(self, order_id: str) -> list[Transaction]:
        """All transactions of an order id, the oldest first."""
        return self._by_order.get(order_id, [])

    # The Core API.

    def remembered(self, key: str | None) -> Reply | None:
        """The answer to an earlier success with this key."""
        until, reply = self._answers.get(key or "", (0.0, None))
        return reply if self._time() < until else None

    def charge(self, content: bytes, key: str | None, *, denied: bool = False) -> Reply:
        if (earlier := self.remembered(key)) is not None:
            return earlier
        body = json.loads(content)
        order_id = body["transaction_details"]["order_id"]
        if any(not transaction.frees_order_id for transaction in self.of_order(order_id)[-1:]):
            return refusal(406, "The request could not be completed due to a conflict")
        expires_at = self._expires_at(body.get("custom_expiry"))
        if expires_at <= self._time():
            return refusal(400, "One or more parameters in the payload is invalid.", http=400)
        transaction = self._make(
            order_id,
            body["transaction_details"]["gross_amount"],
            body["payment_type"],
            expires_at=expires_at,
            key=key,
            status="deny" if denied else "pending",
        )
        reply = _ok(self._charged(transaction))
        self._remember(key, reply)
        return reply

    def status_of(self, any_id: str, *, age: float = 0.0) -> Reply:
        """GET status, as it was ``age`` seconds ago."""
        at = self._time() - age
        transaction = self.find(any_id, at=at)
        if transaction is None:
            return NOT_FOUND
        state = next(state for state in reversed(transaction.states) if state.since <= at)
        code = REPLIED_CODES[state.status]
        return _ok(self._report(transaction, state, code, "Success, transaction is found", at=at))

    def cancel(self, any_id: str) -> Reply:
        return self._end(any_id, "cancel", "200", "Success, transaction is canceled")

    def expire(self, any_id: str) -> Reply:
        return self._end(any_id, "expire", "407", "Success, transaction has expired")

    def refund(self, any_id: str, content: bytes, key: str | None, *, refused: bool = False) -> Reply:
        """Give money back under the body's ``refund_key``, unless the bank refuses."""
        if (earlier := self.remembered(key)) is not None:
            return earlier
        transaction = self.find(any_id)
        if transaction is None:
            return NOT_FOUND
        wish = json.loads(content)
        left = transaction.amount - transaction.now.refunded
        amount = wish.get("amount", left)
        if any(refund.key == wish["refund_key"] for refund in transaction.refunds):
            return refusal(406, "Duplicate refund ID")
        if transaction.status not in _REFUNDABLE:
            return refusal(412, "Merchant cannot modify the status of the transaction")
        if not 1 <= amount <= left:
            return refusal(414, "Refund request is rejected due to invalid amount")
        told = {"refund_key": wish["refund_key"], "refund_amount": "0.00" if refused else f"{amount}.00"}
        if refused:
            body = self._body(transaction, transaction.now, "202", "Refund denied by the bank")
        else:
            self.give_back(transaction, amount, key=wish["refund_key"])
            body = self._body(transaction, transaction.now, "200", "Success, refund request is approved")
        reply = _ok(body | told)
        self._remember(key, reply)
        return reply

    def find(self, any_id: str, *, at: float | None = None) -> Transaction | None:
        """By transaction id, or the newest of an order id, as it was at that time."""
        moment = self._time() if at is None else at
        known = self.transactions.get(any_id)
        found = [known] if known else self.of_order(any_id)
        return next((one for one in reversed(found) if one.made_at <= moment), None)

    # What happens by itself, and what people do elsewhere.

    def make_elsewhere(self, order_id: str, amount: int, *, life: float) -> Transaction:
        """Another system of the same merchant charges an order id."""
        return self._make(
            order_id, amount, "gopay", expires_at=self._time() + life, maker=Maker.ANOTHER_SYSTEM
        )

    def pay_twice(self, transaction: Transaction) -> Transaction:
        """A second transaction for the same order comes up, paid."""
        at = self._time()
        twin = self._make(
            transaction.order_id,
            transaction.amount,
            "qris",
            expires_at=transaction.expires_at,
            maker=Maker.MIDTRANS,
            tell=False,
        )
        self._change(twin, State(since=at, status="settlement", settled_at=at))
        return twin

    def pay(self, transaction: Transaction, *, late: bool = False) -> bool:
        """Whether the money was taken: from a pending one, or late from one that ended unpaid."""
        if transaction.status != "pending" and not (late and transaction.frees_order_id):
            return False
        at = self._time()
        self._change(transaction, State(since=at, status="settlement", settled_at=at))
        return True

    def give_back(self, transaction: Transaction, amount: int, *, key: str) -> bool:
        """Whether so much could still be given back."""
        now, at = transaction.now, self._time()
        total = now.refunded + amount
        if now.status not in _REFUNDABLE or total > transaction.amount:
            return False
        transaction.refunds.append(Refund(key=key, amount=amount, made_at=at))
        status = "refund" if total == transaction.amount else "partial_refund"
        self._change(transaction, State(since=at, status=status, settled_at=now.settled_at, refunded=total))
        return True

    def confirm(self, transaction: Transaction, refund: Refund) -> None:
        """The bank's word on a refund, of which is notified once more."""
        refund.confirmed_at = self._time()
        self._tell(transaction)

    def move(self, transaction: Transaction, status: str) -> bool:
        """Whether a transaction took this change: an end or a chargeback."""
        now = transaction.now
        fits = {
            "expire": now.status == "pending",
            "deny": now.status == "pending",
            "cancel": now.status == "pending",
            "partial_chargeback": now.status == "settlement",
            "chargeback": now.status in {"settlement", "partial_chargeback"},
        }
        if not fits[status]:
            return False
        self._change(
            transaction,
            State(since=self._time(), status=status, settled_at=now.settled_at, refunded=now.refunded),
        )
        return True

    def notification(self, transaction: Transaction, *, cut: bool = False, **changes: Any) -> bytes:
        """What it posts about a transaction as it is; ``cut`` leaves out what old ones do not have."""
        state = transaction.now
        code = changes.pop("status_code", NOTIFIED_CODES[state.status])
        at = self._time()
        fields = self._report(transaction, state, code, "midtrans payment notification", at=at) | changes
        if cut:
            for optional in ("settlement_time", "fraud_status", "currency"):
                fields.pop(optional, None)
        return json.dumps(fields).encode()

    # Inside.

    def _make(
        self,
        order_id: str,
        amount: int,
        payment_type: str,
        *,
        expires_at: float,
        key: str | None = None,
        maker: Maker = Maker.BAYAR,
        status: str = "pending",
        tell: bool = True,
    ) -> Transaction:
        transaction = Transaction(
            id=f"t-{len(self.transactions) + 1}",
            order_id=order_id,
            amount=amount,
            payment_type=payment_type,
            expires_at=expires_at,
            maker=maker,
            key=key,
            states=[State(since=self._time(), status=status)],
        )
        self.transactions[transaction.id] = transaction
        self._by_order.setdefault(order_id, []).append(transaction)
        if tell:
            self._tell(transaction)
        return transaction

    def _remember(self, key: str | None, reply: Reply) -> None:
        if key is not None:
            self._answers[key] = self._time() + _KEY_KEPT, reply

    def _end(self, any_id: str, status: str, code: str, message: str) -> Reply:
        transaction = self.find(any_id)
        if transaction is None:
            return NOT_FOUND
        if not self.move(transaction, status):
            return refusal(412, "Merchant cannot modify the status of the transaction")
        return _ok(self._body(transaction, transaction.now, code, message))

    def _change(self, transaction: Transaction, state: State) -> None:
        transaction.states.append(state)
        self._tell(transaction)

    def _tell(self, transaction: Transaction) -> None:
        for hear in self.on_change:
            hear(transaction)

    def _expires_at(self, custom: Fields | None) -> float:
        if custom is None:
            return self._time() + 15 * 60
        ordered = datetime.fromisoformat(custom["order_time"][:19])
        return (ordered - _BEGIN).total_seconds() + 60.0 * float(custom["expiry_duration"])

    def _charged(self, transaction: Transaction) -> Fields:
        state = transaction.now
        name = "GoPay" if transaction.payment_type == "gopay" else "QRIS"
        if state.status == "deny":
            return self._body(transaction, state, "202", f"{name} transaction is denied")
        body = self._body(transaction, state, "201", f"{name} transaction is created")
        picture = f"{_API}/v2/{transaction.payment_type}/{transaction.id}/qr-code"
        body["actions"] = [{"name": "generate-qr-code", "method": "GET", "url": picture}]
        if transaction.payment_type == "qris":
            body["qr_string"] = f"00020101021226620014COM.GO-JEK.WWW{transaction.id}6304ABCD"
            body["acquirer"] = "gopay"
        else:
            deeplink = f"gojek://gopay/merchanttransfer?tref={transaction.id}"
            body["actions"].append({"name": "deeplink-redirect", "method": "GET", "url": deeplink})
        return body | {"expiry_time": _jakarta(transaction.expires_at)}

    def _report(
        self, transaction: Transaction, state: State, code: str, message: str, *, at: float
    ) -> Fields:
        body = self._body(transaction, state, code, message)
        amount = body["gross_amount"]
        body["signature_key"] = sign(transaction.order_id, code, amount, self.server_key)
        body["expiry_time"] = _jakarta(transaction.expires_at)
        if state.settled_at is not None:
            body["settlement_time"] = _jakarta(state.settled_at)
        if state.refunded:
            body["refund_amount"] = f"{state.refunded}.00"
            body["refunds"] = [_listed(one, at) for one in transaction.refunds if one.made_at <= at]
        return body

    def _body(self, transaction: Transaction, state: State, code: str, message: str) -> Fields:
        return {
            "status_code": code,
            "status_message": message,
            "transaction_id": transaction.id,
            "order_id": transaction.order_id,
            "merchant_id": "G123456789",
            "gross_amount": f"{transaction.amount}.00",
            "currency": "IDR",
            "payment_type": transaction.payment_type,
            "transaction_time": _jakarta(transaction.made_at),
            "transaction_status": state.status,
            "fraud_status": "accept",
        }


def sign(order_id: str, code: str, amount: str, server_key: str) -> str:
    """docs.midtrans.com, HTTP notification: SHA512(order_id+status_code+gross_amount+ServerKey)."""
    return hashlib.sha512(f"{order_id}{code}{amount}{server_key}".encode()).hexdigest()


def refusal(code: int, message: str, *, http: int = 200) -> Reply:
    """Most refusals come under HTTP 200, with their code in the body."""
    body = {"status_code": str(code), "status_message": message, "id": "b3d7e8f5-1a2b-4c3d-8e9f-0a1b2c3d4e5f"}
    return Reply(status=http, headers={}, body=json.dumps(body).encode())


NOT_FOUND: Final = refusal(404, "Transaction doesn't exist.")
WRONG_KEY: Final = refusal(401, "Unknown Merchant server_key/id", http=401)
BROKEN: Final = refusal(500, "Sorry. Our system is recovering from unexpected issues.", http=500)
IN_PROCESS: Final = refusal(202, "The request is still in process", http=202)
TOO_MANY: Final = Reply(status=429, headers={}, body=b'{"message": "API rate limit exceeded"}')
NOT_ACTIVATED: Final = refusal(402, "Payment channel is not activated.")


def _listed(refund: Refund, at: float) -> Fields:
    told = {"refund_key": refund.key, "refund_amount": f"{refund.amount}.00", "reason": "as asked"}
    if refund.confirmed_at is not None and refund.confirmed_at <= at:
        told |= {"refund_method": "online", "bank_confirmed_at": _jakarta(refund.confirmed_at)}
    return told


def _ok(fields: Fields) -> Reply:
    return Reply(status=200, headers={}, body=json.dumps(fields).encode())


def _jakarta(time: float) -> str:
    return (_BEGIN + timedelta(seconds=time)).isoformat(" ", "seconds")
