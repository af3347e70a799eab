"""What a transaction takes; bench/simulator.py measures a hundred thousand in a running simulator."""

import asyncio
import gc
import tracemalloc
from datetime import timedelta
from typing import Final

import msgspec

from simulator.core.answers import Answer
from simulator.core.fault_plan import FaultPlan
from simulator.core.idempotency import IdempotencyKeys
from simulator.core.midtrans import Midtrans
from simulator.core.transaction import PaidBy
from simulator.core.transactions import Transactions
from simulator.notifications.courier import Courier
from simulator.system import RandomIdentifiers
from support.simulator_desk import ManualClock, a_charge, everything_due

HOW_MANY: Final = 1_000
# A hundred thousand of them, and the 65 MB that a simulator takes before it knows any.
MOST: Final = (280 - 65) * 1_000_000 / 100_000


async def test_a_refunded_one_with_its_keys_and_a_waiting_repeat_takes_little() -> None:
    clock, faults = ManualClock(), FaultPlan()

    async def refuse(_url: str, _body: bytes) -> int:
        return 503

    courier = Courier(
        send=refuse, write=lambda _, __: b"", faults=faults, clock=clock, time_scale=1, limit=HOW_MANY
    )
    midtrans = Midtrans(
        transactions=Transactions(HOW_MANY),
        clock=clock,
        ids=RandomIdentifiers(),
        dashboard_url="http://localhost:8080/api/payments/webhook",
        notify=courier.notify,
        refund_confirmation=timedelta(seconds=30),
        faults=faults,
    )
    keys = IdempotencyKeys(clock, HOW_MANY)
    delivering = asyncio.create_task(courier.deliver())

    async def refunded(number: int) -> None:
        order_id = f"order-{number:030}"

        async def charge() -> Answer:
            details = {"order_id": order_id, "gross_amount": 25_000}
            customer = {"first_name": "Budi", "last_name": "Utomo", "email": f"budi.{number}@shop.example"}
            charge = a_charge(transaction_details=details, customer_details=customer)
            return midtrans.charge(msgspec.json.encode(charge))

        await keys.once(f"key-{number:032}", charge)
        transaction = midtrans.find(order_id)
        assert transaction is not None
        midtrans.pay(transaction, PaidBy.DEEPLINK)
        midtrans.refund(order_id, b'{"reason":"the goods were broken"}', directly=False)
        transaction = midtrans.find(order_id)
        assert transaction is not None
        midtrans.confirm_refunds_of(transaction)

    gc.collect()
    tracemalloc.start()
    for number in range(HOW_MANY):
        await refunded(number)
        if number % 100 == 0:
            await everything_due()
    await everything_due()
    gc.collect()
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    delivering.cancel()

    assert courier._number >= HOW_MANY
    assert taken / HOW_MANY < MOST, f"{taken / HOW_MANY:.0f} bytes each"
