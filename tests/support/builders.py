"""The smallest valid objects of the domain; a test overrides what it is about."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

from domain import history
from domain.evidence import ChargeAnswer, Notification, RefundAccepted, StatusReply
from domain.history import Entry
from domain.order import Defaults, Order, Wanted
from domain.payment import Payment
from domain.ports.gateway import Charge, RefundOrder
from domain.ports.notifications import ForgedNotification, ReceivedNotification
from domain.ports.work import UnitOfWork
from domain.refund import Refund
from domain.rupiah import PaymentType
from domain.status import Status
from domain.usecases.receive_notification import Delivery
from support import recorded

# 10:00 in Jakarta.
NOW: Final = datetime(2026, 2, 6, 3, 0, tzinfo=UTC)
MINUTE: Final = timedelta(minutes=1)
SERVER_KEY: Final = "SB-Mid-server-test"
ORDER_ID: Final = "order-1"
USER_ID: Final = 1
DEFAULTS: Final = Defaults(amount=10_000, payment_type=PaymentType.GOPAY, life=timedelta(minutes=15))


def an_id(name: str) -> UUID:
    """The same uuid for the same name."""
    return uuid5(NAMESPACE_URL, name)


def a_payment(**changes: Any) -> Payment:
    """A GoPay payment of 10,000 rupiah, created at 10:00 in Jakarta; its log has one entry.

    Say ``log_length=0`` for one that an earlier service made.
    """
    return an_opened_payment(**changes)[0]


def an_opened_payment(**changes: Any) -> tuple[Payment, tuple[Entry, ...]]:
    """A payment with the first entry of its log."""
    given: dict[str, Any] = {
        "id": an_id(changes.get("order_id", ORDER_ID)),
        "user_id": USER_ID,
        "order_id": ORDER_ID,
        "gross_amount": 10_000,
        "payment_type": "gopay",
        "status": Status.CREATED,
        "created_at": NOW,
        "updated_at": changes.get("created_at", NOW),
        "expires_at": changes.get("created_at", NOW) + timedelta(minutes=15),
    }
    payment = Payment(**given | changes)
    if "log_length" in changes:
        return payment, ()
    return history.opened(payment)


async def given(begin: UnitOfWork, **changes: Any) -> Payment:
    """A payment in the state that a test starts from, stored, and its user with it."""
    wished = a_payment(**changes)
    created = replace(
        wished,
        status=Status.CREATED,
        updated_at=wished.created_at,
        paid_at=None,
        late=False,
        refunded_amount=0,
        transaction_id=None,
        charge_answer=None,
        breaks=(),
        unconfirmed_since=None,
        attended=(),
        log_length=0,
        log_head=b"",
    )
    adopted = changes.get("log_length") == 0
    payment, entries = (created, ()) if adopted else history.opened(created)
    async with begin() as work:
        await work.users.add(payment.user_id)
        await work.payments.add(payment, entries)
        wished = replace(wished, log_length=payment.log_length, log_head=payment.log_head)
        if wished != payment:
            await work.payments.lock(payment.order_id)
            await work.payments.save(wished, ())
    return wished


def a_charge_answer(**changes: Any) -> ChargeAnswer:
    """Midtrans took the charge as transaction ``t-1``, or denied it."""
    transaction_id = changes.get("transaction_id", "t-1")
    body = recorded.gopay_charge(transaction_id=transaction_id)
    told: dict[str, Any] = {
        "status": Status.PENDING,
        "transaction_id": transaction_id,
        "answer": json.dumps(body),
        "received_at": NOW + timedelta(seconds=1),
    }
    return ChargeAnswer(**told | changes)


def a_notification(**changes: Any) -> Notification:
    """A settlement of transaction ``t-1``; another status comes with the code that belongs to it."""
    status = changes.get("transaction_status", "settlement")
    said: dict[str, Any] = {
        "order_id": ORDER_ID,
        "status_code": recorded.NOTIFIED_CODES.get(status.lower(), "200"),
        "gross_amount": "10000.00",
        "transaction_status": status,
        "transaction_id": "t-1",
        "fraud_status": "accept",
        "currency": "IDR",
        "received_at": NOW + MINUTE,
    }
    return Notification(**said | changes)


def a_status_reply(**changes: Any) -> StatusReply:
    """A settlement of transaction ``t-1``; another status comes with the code that belongs to it."""
    status = changes.get("transaction_status", "settlement")
    said: dict[str, Any] = {
        "order_id": ORDER_ID,
        "status_code": recorded.REPLIED_CODES.get(status.lower(), "200"),
        "gross_amount": "10000.00",
        "transaction_status": status,
        "transaction_id": "t-1",
        "fraud_status": "accept",
        "currency": "IDR",
        "received_at": NOW + MINUTE,
    }
    return StatusReply(**said | changes)


def signed(order_id: str, status_code: str, gross_amount: str, key: str = SERVER_KEY) -> str:
    """Midtrans's signature, made here by the letter of its documentation."""
    return hashlib.sha512((order_id + status_code + gross_amount + key).encode()).hexdigest()


def a_delivery(key: str = SERVER_KEY, **changes: Any) -> Delivery:
    """A notification as delivered, signed with ``key``."""
    said = a_notification(**changes)
    signature = signed(said.order_id, said.status_code, said.gross_amount, key)
    body = {
        "order_id": said.order_id,
        "status_code": said.status_code,
        "gross_amount": said.gross_amount,
        "transaction_status": said.transaction_status,
        "transaction_id": said.transaction_id,
        "signature_key": signature,
    }
    return Delivery(notification=said, signature_key=signature, body=json.dumps(body))


def a_received(name: str = "event", **changes: Any) -> ReceivedNotification:
    """A notification as kept, still to do; ``name`` makes its id."""
    kept: dict[str, Any] = {
        "id": an_id(name),
        "received_at": NOW,
        "order_id": ORDER_ID,
        "transaction_id": "t-1",
        "transaction_status": "settlement",
        "signature_key": "5" * 128,
        "processed": False,
    } | changes
    body = {"order_id": kept["order_id"], "transaction_status": kept["transaction_status"]}
    return ReceivedNotification(**{"body": json.dumps(body)} | kept)


def a_forged(name: str = "forged", **changes: Any) -> ForgedNotification:
    kept: dict[str, Any] = {
        "id": an_id(name),
        "received_at": NOW,
        "order_id": ORDER_ID,
        "status_code": "200",
        "gross_amount": "10000.00",
        "transaction_status": "settlement",
    }
    return ForgedNotification(**kept | changes)


def wanted(**changes: Any) -> Wanted:
    """A create call that names nothing."""
    return Wanted(**{"user_id": USER_ID} | changes)


def an_order(**changes: Any) -> Order:
    """A complete order of 10,000 rupiah by GoPay."""
    return wanted(**{"order_id": ORDER_ID} | changes).order(DEFAULTS, generated_id="unused")


def a_charge(**changes: Any) -> Charge:
    """The charge of an order; ``key`` and ``ordered_at`` are the charge's own, the rest the order's."""
    own: dict[str, Any] = {"key": str(an_id(ORDER_ID)), "ordered_at": NOW}
    own |= {name: changes.pop(name) for name in own.keys() & changes.keys()}
    return Charge(order=an_order(**changes), **own)


def a_refund(name: str = "refund", **changes: Any) -> Refund:
    """A refund of 4,000 rupiah of ``order-1``, just asked for; ``name`` makes its id and its key."""
    asked: dict[str, Any] = {
        "id": an_id(name),
        "payment_id": an_id(ORDER_ID),
        "user_id": USER_ID,
        "key": name,
        "fingerprint": b"values",
        "transaction": "t-1",
        "amount": 4_000,
        "created_at": NOW,
    }
    return Refund(**asked | changes)


def a_refund_order(**changes: Any) -> RefundOrder:
    """A refund of 4,000 rupiah of transaction ``t-1`` as the gateway gets it."""
    asked: dict[str, Any] = {
        "key": "refund-1",
        "transaction": "t-1",
        "order_id": ORDER_ID,
        "gross_amount": 10_000,
        "amount": 4_000,
        "reason": None,
    }
    return RefundOrder(**asked | changes)


def a_refund_accepted(**changes: Any) -> RefundAccepted:
    """Midtrans took a refund of 4,000 rupiah, the first of transaction ``t-1``."""
    said: dict[str, Any] = {
        "refund_id": an_id("refund"),
        "amount": 4_000,
        "total": changes.get("amount", 4_000),
        "transaction_id": "t-1",
        "received_at": NOW + MINUTE,
    }
    return RefundAccepted(**said | changes)
