"""Everything that can go wrong in Bayar's own words; the edge gives each its HTTP status.

BayarError
├── PaymentNotFound        also the answer about another user's payment
├── CheckoutNotFound       a checkout token that opens nothing, or nothing any more
├── InvalidPayment         the order contradicts itself (a wrong item sum, say)
├── AmountOutOfBounds      outside what the payment type takes
├── OrderIdTaken
├── KeyReused              an Idempotency-Key that came with other values before
├── InProgress             the same call is being answered just now
├── IllegalTransition      the payment's status does not allow it
├── NothingToAttend        nothing about the payment needs a person
├── RefundExceedsPayment   more than is left to give back
├── UnknownUser            a valid token of somebody who is not in ``users``
├── UserNotAdded           the ``users`` table demands more than an id
├── TooManyRequests
├── TooManyStreams         as many follow payments here as this process takes
├── NotANotification       lacks what every notification of Midtrans has
├── NotificationNotFound
├── NotReplayable          a stored notification that nothing proves
├── NothingToDismiss       a notification that is not there, or not set aside
├── TransactionTaken       a transaction id that already belongs to another payment
├── UserNotFound           somebody named a user who is not in ``users``
├── EndpointNotFound
├── SecretOfSettings       the settings say what this endpoint's secret is
├── EventNotFound          nobody is to be told of such an event
├── GatewayTrouble
│   ├── GatewayRefused     Midtrans said no; nothing will be paid
│   │   ├── ChargeLost     there was a charge whose QR cannot be had any more; nothing will be paid
│   │   └── RefundRefused  no money goes back by this refund
│   ├── GatewayUnavailable nothing was taken; trying again is safe
│   │   └── RefundNotSent
│   └── OutcomeUnknown     a charge may exist; never charge anew, ask
│       ├── CancelUnknown
│       └── RefundUnknown  it is repeated until Midtrans says; never refund anew
└── DatabaseUnavailable
"""

from collections.abc import Mapping
from typing import ClassVar, Final

from domain.payment import Payment


class BayarError(Exception):
    """Base of all expected trouble; ``code`` is the slug that answers carry."""

    code: ClassVar[str]


class PaymentNotFound(BayarError):
    code = "payment-not-found"

    def __init__(self, order_id: str) -> None:
        super().__init__(f"There is no payment {order_id}.")
        self.order_id = order_id


class CheckoutNotFound(BayarError):
    code = "not-found"

    def __init__(self) -> None:
        super().__init__("This checkout token opens no payment, or not any more.")


class InvalidPayment(BayarError):
    code = "invalid-body"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


class AmountOutOfBounds(BayarError):
    code = "amount-out-of-bounds"

    def __init__(self, amount: int, payment_type: str, most: int) -> None:
        super().__init__(
            f"{payment_type} takes 1 to {most} rupiah, not {amount}; charge an amount within these bounds.",
        )


class OrderIdTaken(BayarError):
    code = "order-id-taken"

    def __init__(self, order_id: str) -> None:
        super().__init__(
            f"The order id {order_id} is taken; choose another, or name none to be given one.",
        )


class KeyReused(BayarError):
    code = "idempotency-key-reused"

    def __init__(self) -> None:
        super().__init__(
            "This Idempotency-Key came with other values before; a new call needs a key of its own.",
        )


class InProgress(BayarError):
    code = "in-progress"

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            "The first call with this Idempotency-Key is not answered yet; repeat it in a moment.",
        )
        self.retry_after = retry_after


class IllegalTransition(BayarError):
    code = "illegal-transition"

    def __init__(self, order_id: str, status: str, asked: str, payment: Payment | None = None) -> None:
        super().__init__(f"Payment {order_id} is {status}, so it cannot {asked}.")
        self.payment = payment


class RefundExceedsPayment(BayarError):
    code = "refund-exceeds-payment"

    def __init__(self, order_id: str, amount: int, left: int) -> None:
        some = f"{amount} rupiah are too much: at most {left} of payment {order_id} can be refunded now"
        none = f"Nothing of payment {order_id} is left to refund"
        counted = "what went back already and what is being refunded are counted"
        super().__init__(f"{some if left else none}; {counted}.")


class NothingToAttend(BayarError):
    code = "nothing-to-attend"

    def __init__(self, order_id: str) -> None:
        super().__init__(f"Nothing about payment {order_id} needs a person.")


class UnknownUser(BayarError):
    code = "unknown-user"

    def __init__(self, user_id: int) -> None:
        super().__init__(
            f"The token is valid, but user {user_id} is not in the users table; "
            "add the user, or set BAYAR_AUTO_CREATE_USERS=true.",
        )


class UserNotAdded(BayarError):
    code = "user-not-added"

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The users table does not take a user with an id alone ({reason}); "
            "add the user where the rest of its data is known.",
        )


class TooManyRequests(BayarError):
    code = "too-many-requests"

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Too many payments in a minute; try again in {retry_after} seconds.")
        self.retry_after = retry_after


class NotANotification(BayarError):
    code = "invalid-body"

    def __init__(self, fields: Mapping[str, str]) -> None:
        """``fields`` has what is wrong by field; the empty name is the whole body's."""
        self.fields = fields
        self.what = "; ".join(f"{name} {wrong}".lstrip() for name, wrong in fields.items())
        super().__init__(f"This is not a notification: {self.what}.")


class NotificationNotFound(BayarError):
    code = "notification-not-found"

    def __init__(self, notification_id: object) -> None:
        super().__init__(f"There is no notification {notification_id}.")


class NotReplayable(BayarError):
    code = "not-replayable"

    def __init__(self, notification_id: object, why: str) -> None:
        super().__init__(f"Notification {notification_id} cannot be replayed, for {why}.")
        self.why = why


class NothingToDismiss(BayarError):
    code = "nothing-to-dismiss"

    def __init__(self, notification_id: object) -> None:
        super().__init__(f"No notification {notification_id} is set aside, so there is nothing to dismiss.")


class TooManyStreams(BayarError):
    code = "too-many-streams"
    retry_after = 5

    def __init__(self) -> None:
        super().__init__(
            "Too many payments are being followed here at once; ask for the status, or try again."
        )


class TransactionTaken(BayarError):
    code = "transaction-taken"

    def __init__(self, transaction_id: str) -> None:
        super().__init__(f"Transaction {transaction_id} belongs to another payment.")
        self.transaction_id = transaction_id


class UserNotFound(BayarError):
    code = "user-not-found"

    def __init__(self, user_id: int) -> None:
        super().__init__(f"There is no user {user_id}; bayar users list shows them.")


class EndpointNotFound(BayarError):
    code = "endpoint-not-found"

    def __init__(self, endpoint_id: object) -> None:
        super().__init__(f"There is no endpoint {endpoint_id}; bayar endpoints list shows them.")


class SecretOfSettings(BayarError):
    code = "secret-of-settings"

    def __init__(self) -> None:
        super().__init__(
            "The settings name this endpoint: set another BAYAR_MERCHANT_SECRET and restart, "
            "and the one before signs for a day more.",
        )


class EventNotFound(BayarError):
    code = "event-not-found"

    def __init__(self, event_id: object) -> None:
        super().__init__(f"There is no event {event_id} that an endpoint was to be told.")


class GatewayTrouble(BayarError):
    """Midtrans did not do what was asked, or did not say."""


class GatewayRefused(GatewayTrouble):
    code = "gateway-refused"

    def __init__(self, order_id: str, gateway_code: str, gateway_message: str) -> None:
        super().__init__(self._told(gateway_code, gateway_message))
        self.order_id = order_id
        self.gateway_code = gateway_code
        self.gateway_message = gateway_message
        self.replayed = False

    def _told(self, gateway_code: str, gateway_message: str) -> str:
        return f"Midtrans refused with code {gateway_code}: {gateway_message}"


class ChargeLost(GatewayRefused):
    code = "charge-lost"

    def _told(self, gateway_code: str, gateway_message: str) -> str:
        return (
            "The answer to the charge was lost and its QR cannot be had any more, so the charge was ended at "
            f"Midtrans ({gateway_code}: {gateway_message}); create a new payment."
        )


class RefundRefused(GatewayRefused):
    def _told(self, gateway_code: str, gateway_message: str) -> str:
        told = f"Midtrans refused the refund with code {gateway_code}: {gateway_message}"
        return f"{told.rstrip('.')}. {_REFUND_TERMS}" if gateway_code in _ABOUT_TERMS else told


# docs.midtrans.com/reference/refund-transaction (2026-04), and the codes that may mean one of these terms.
_ABOUT_TERMS: Final = frozenset({"202", "402", "403", "410", "412", "414"})
_REFUND_TERMS: Final = (
    "Midtrans refunds QRIS within 45 days (7 days if it was paid from another provider's app), a GoPay deep "
    "link within 45 days, other GoPay within 180 days; the merchant balance there has to cover the refund, "
    "and refunds have to be activated for the account."
)


class GatewayUnavailable(GatewayTrouble):
    code = "gateway-unavailable"

    def __init__(self, reason: str, retry_after: int = 5) -> None:
        super().__init__(self._told(reason))
        self.reason = reason
        self.retry_after = retry_after

    def _told(self, reason: str) -> str:
        return f"Midtrans cannot be reached ({reason}); nothing was charged, try again."


class RefundNotSent(GatewayUnavailable):
    def _told(self, reason: str) -> str:
        return (
            f"Midtrans cannot be reached ({reason}); nothing was refunded and nothing will be by itself: "
            "repeat the call with the same Idempotency-Key."
        )


class OutcomeUnknown(GatewayTrouble):
    code = "outcome-unknown"

    def __init__(self, order_id: str) -> None:
        super().__init__(self._told(order_id))
        self.order_id = order_id

    def _told(self, order_id: str) -> str:
        return (
            f"Midtrans did not say whether payment {order_id} was charged; "
            "do not charge anew, ask for its status."
        )


class CancelUnknown(OutcomeUnknown):
    def _told(self, order_id: str) -> str:
        return f"Midtrans did not say whether payment {order_id} was cancelled; ask for its status."


class RefundUnknown(OutcomeUnknown):
    def _told(self, order_id: str) -> str:
        return (
            f"Midtrans did not say whether it took the refund of payment {order_id}; the refund is repeated "
            "until it does, so do not refund anew: look at the payment's refunds."
        )


class DatabaseUnavailable(BayarError):
    code = "database-unavailable"
    retry_after = 2

    def __init__(
        self, reason: str = "The database is away or too busy; nothing was lost, try again."
    ) -> None:
        super().__init__(reason)
