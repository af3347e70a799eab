"""What is known after a run in which every promise was kept."""

from collections import Counter
from datetime import timedelta

from chaos.load import Customer, Order
from chaos.plan import Kill, Target
from chaos.promises import Charge, Facts, Row
from chaos.record import Killed, Record
from support.builders import NOW


def an_order(order_id: str, *, answer: int | None = 201, is_watched: bool = True) -> Order:
    return Order(
        order_id=order_id, amount=1_000, is_watched=is_watched, customer=Customer.PAYS, answer=answer
    )


def good() -> Facts:
    """One that was paid, one that failed, and one whose shop gave up before anybody heard."""
    record = Record()
    record.answered("create", 201)
    record.answered("forged", 403)
    kill = Kill(at=1, target=Target.API, away=0)
    record.killed.append(Killed(kill=kill, at=1.0, recovery=2.0))
    return Facts(
        orders=[an_order("o-1"), an_order("o-2", answer=502), an_order("o-3", answer=None, is_watched=False)],
        rows=[
            Row(order_id="o-1", status="settlement", settled_at=NOW + timedelta(seconds=2)),
            Row(order_id="o-2", status="failure"),
        ],
        charges={"o-1": [Charge(transaction_id="t-1", status="settlement", settled_at=NOW)], "o-2": []},
        promised=Counter({"{}": 2}),
        stored=Counter({"{}": 2}),
        taken_in=[],
        verified="4 entries of 2 payments: all whole.",
        calm_seconds=1.0,
        record=record,
    )
