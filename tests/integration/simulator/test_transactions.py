from os import urandom

from msgspec.structs import replace

from simulator.core.transactions import Transactions
from support.simulator_desk import Desk, a_desk, a_transaction


def test_the_oldest_finished_one_leaves_first() -> None:
    transactions = Transactions(limit=3)
    for number in (1, 2, 3):
        transactions.put(a_transaction(number))
    transactions.put(a_transaction(3).cancelled())
    transactions.put(a_transaction(2).cancelled())

    gone = transactions.put(a_transaction(4))

    assert [transaction.transaction_id for transaction in gone] == ["t-3"]
    assert transactions.find("t-3") is None
    assert transactions.find("o-3") is None
    assert transactions.find_by_qr_id("q-3") is None
    assert all(transactions.find(f"t-{number}") for number in (1, 2, 4))


def test_when_none_is_finished_the_oldest_leaves() -> None:
    transactions = Transactions(limit=2)
    for number in (1, 2):
        transactions.put(a_transaction(number))

    gone = transactions.put(a_transaction(3))

    assert [transaction.transaction_id for transaction in gone] == ["t-1"]


def test_the_newest_of_an_order_stays_when_an_older_one_leaves() -> None:
    transactions = Transactions(limit=2)
    transactions.put(a_transaction(1, "o").cancelled())
    transactions.put(a_transaction(2, "o"))

    transactions.put(a_transaction(3))

    newest = transactions.find("o")
    assert newest is not None
    assert newest.transaction_id == "t-2"


def test_nothing_is_left_behind_by_those_that_left() -> None:
    transactions = Transactions(limit=10)
    for number in range(1_000):
        transactions.put(a_transaction(number))
        transactions.put(a_transaction(number).expired())

    kept = (
        transactions._by_id,
        transactions._of_order,
        transactions._by_qr_id,
        transactions._pending,
        transactions._finished,
    )
    assert [len(index) for index in kept] == [10, 10, 10, 0, 10]
    assert transactions._bytes == sum(map(len, transactions._by_id.values()))


def test_together_they_take_only_so_much_memory() -> None:
    transactions = Transactions(limit=1_000, most_bytes=10_000)
    for number in range(100):
        transactions.put(replace(a_transaction(number), metadata=urandom(1_000)))

    assert 7 <= len(transactions._by_id) <= 9
    assert transactions.find("t-99") is not None
    assert transactions._bytes <= 10_000


async def test_the_simulator_keeps_no_more_than_it_was_told() -> None:
    async with a_desk(most_transactions=2) as desk:
        for order_id in ("o-1", "o-2"):
            await desk.charge(order_id)
        await desk.post("/v2/o-2/cancel")
        await desk.charge("o-3")

        assert await codes(desk) == ["201", "404", "201"]


async def codes(desk: Desk) -> list[str]:
    return [(await desk.status(f"o-{number}"))["status_code"] for number in (1, 2, 3)]
