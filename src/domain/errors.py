"""Everything that can go wrong in Bayar's own words; the edge gives each its HTTP status.

BayarError
├── PaymentNotFound        also the answer about another user's payment
├── InvalidPayment         the order contradicts itself (a wrong item sum, say)
├── AmountOutOfBounds      outside what the payment type takes
├── OrderIdTaken
├── KeyReused              an Idempotency-Key that came with other values before
├── InProgress             the same call is being answered just now
├── IllegalTransition      the payment's status does not allow it
├── UnknownUser            a valid token of somebody who is not in ``users``
├── UserNotAdded           the ``users`` table demands more than an id
├── TooManyRequests
├── TransactionTaken       a transaction id that already belongs to another payment
├── UserNotFound           somebody named a user who is not in ``users``
├── EndpointNotFound
├── SecretOfSettings       the settings say what this endpoint's secret is
├── EventNotFound          nobody is to be told of such an event
├── GatewayTrouble
│   ├── GatewayRefused     Midtrans said no; nothing will be paid
│   │   └── ChargeLost     there was a charge whose QR cannot be had any more; nothing will be paid
│   ├── GatewayUnavailable nothing was taken; trying again is safe
│   └── OutcomeUnknown     a charge may exist; never charge anew, ask
└── DatabaseUnavailable
"""

from typing import ClassVar


class BayarError(Exception):
    """Base of all expected trouble; ``code`` is the slug that answers carry."""

    code: ClassVar[str]


class PaymentNotFound(BayarError):
    code = "payment-not-found"

    def __init__(self, order_id: str) -> None:
        super().__init__(f"There is no payment {order_id}.")
        self.order_id = order_id


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
            "This Idempotency-Key came with other values before; a new payment needs a key of its own.",
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

    def __init__(self, order_id: str, status: str, asked: str) -> None:
        super().__init__(f"Payment {order_id} is {status}, so it cannot {asked}.")


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


class GatewayUnavailable(GatewayTrouble):
    code = "gateway-unavailable"

    def __init__(self, reason: str, retry_after: int = 5) -> None:
        super().__init__(
            f"Midtrans cannot be reached ({reason}); nothing was charged, try again.",
        )
        self.reason = reason
        self.retry_after = retry_after


class OutcomeUnknown(GatewayTrouble):
    code = "outcome-unknown"

    def __init__(self, order_id: str) -> None:
        super().__init__(
            f"Midtrans did not say whether payment {order_id} was charged; "
            "do not charge anew, ask for its status.",
        )
        self.order_id = order_id


class DatabaseUnavailable(BayarError):
    code = "database-unavailable"
    retry_after = 2

    def __init__(
        self, reason: str = "The database is away or too busy; nothing was lost, try again."
    ) -> None:
        super().__init__(reason)
