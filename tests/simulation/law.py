"""The promises that every life is held to, in the words of the report and of docs/reliability.md."""

from enum import StrEnum


class Law(StrEnum):
    """A finding is one of these that was broken."""

    # What a payment is
    ONLY_UP = "a status only moves up in rank"
    PAID_BY_MONEY = "paid only by money for this order and amount"
    END_BY_MIDTRANS = "an unpaid end only on Midtrans's word"
    PENDING_WITH_TRANSACTION = "pending only with a transaction"
    PAID_AT_ONCE = "paid_at is written once, when the money comes"
    LATE_ONCE = "late is written once, for money after an unpaid end"
    REFUNDS_WITHIN = "refunds never exceed what was paid"
    ORDER_IS_FIXED = "what was ordered never changes"
    DOUBT_FIRST = "what is doubtful moves nothing before Midtrans is asked"
    # What is kept
    CHANGE_IS_LOGGED = "every change is a row of the log"
    LOG_IS_WHOLE = "the log is unbroken and its evidence is there"
    RECEIPT_AFTER_COMMIT = "a notification is answered 200 only once it is stored"
    INBOX_IS_DONE = "every notification is dealt with in the end"
    FORGED_IS_NOTHING = "a forged notification moves nothing"
    # Charging
    ROW_BEFORE_CHARGE = "the payment is stored before it is charged"
    ONE_KEY = "every attempt of a charge carries the payment's own key"
    ONE_CHARGE = "a payment is charged at most once"
    ONLY_CREATE_CHARGES = "nothing but a create charges"
    NOT_AFTER_THE_END = "nothing is charged after the payment's end"
    ANEW_ONLY_WITHOUT = "charged anew only where Midtrans has nothing"
    NO_OPEN_TRANSACTION = "no transaction is open while Midtrans is asked"
    # What a shop is told
    TOLD_EXISTS = "every payment that a shop was told of exists"
    PAYABLE = "a pending payment is answered 201 only with its QR"
    CHARGED_FOR_201 = "201 only with a charge"
    NOTHING_FOR_503 = "gateway-unavailable only when nothing was charged"
    ONE_OUTCOME = "a key's first outcome is its outcome"
    ONE_PAYMENT = "a key is one payment"
    OTHER_VALUES = "a key that is used for other values is refused"
    SAYS_REPLAYED = "a replay says that it is one"
    # Refunds
    REFUND_BEFORE_ASKING = "a refund is stored before Midtrans is asked, and its key is its own"
    REFUNDS_RESERVED = "what is refunded and being refunded never exceeds the payment"
    REFUND_ONCE = "a refund is made once, and said to be made only if it is"
    REFUNDS_AGREE = "refunds agree with Midtrans in the end"
    # What the shop's endpoint is told
    TOLD_OF_ALL = "the endpoint is told of every change"
    TOLD_IN_ORDER = "it is told of a payment's changes in their order, each in the same words"
    TOLD_WHAT_IS = "it is told only what is stored"
    # Asking
    ASKED_SPARINGLY = "a payment is asked about once in ten seconds"
    BUDGET = "the budget of questions is kept"
    ORPHANS = "an orphan is asked about within a minute"
    DOUBTS = "a doubtful notification is asked about within ten seconds"
    # In the end
    AGREES = "the payment agrees with Midtrans"
    BREAK_IS_REAL = "a break only where the world disagrees"
    ENDS = "every payment comes to an end"
    COMES_TO_REST = "the work comes to rest"
    NO_FAULT = "no fault of our own"
    SIMULATION = "the simulation itself"
