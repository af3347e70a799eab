"""A payment that an earlier service left behind, pending as far as its row says."""

from datetime import timedelta
from typing import Final

from domain.payment import Payment
from domain.status import Status
from simulation.database import SimulatedDatabase
from simulation.fate import Fate
from simulation.midtrans import Midtrans, Transaction
from support.builders import an_id
from support.fakes import START

_ORDER_ID: Final = "old-1"
_AMOUNT: Final = 12_500


def adopt(database: SimulatedDatabase, midtrans: Midtrans, fate: Fate) -> Transaction:
    """Its row, without a log and due at once, as the migrations leave it; and what Midtrans holds of it."""
    life = fate.one_of((60.0, 900.0))
    transaction = midtrans.make_elsewhere(_ORDER_ID, _AMOUNT, life=life)
    payment = Payment(
        id=an_id(_ORDER_ID),
        user_id=1,
        order_id=_ORDER_ID,
        gross_amount=_AMOUNT,
        payment_type="gopay",
        status=Status.PENDING,
        created_at=START,
        updated_at=START,
        expires_at=START + timedelta(seconds=life),
        charged_at=START,
        transaction_id=transaction.id if fate.chance(0.8) else None,
    )
    database.state.payments[_ORDER_ID] = payment
    database.state.due_at[payment.id] = database.state.charged_first_at[payment.id] = START
    return transaction
