"""Every fault that strikes neither a call nor a notification: what customers, money and time do."""

from typing import Final

from integration.faults import desk
from integration.http.harness import Shop
from simulator.core.faults import FAULTS, Fault, Point

TURNS: Final = frozenset({Point.OVERDUE, Point.PAYMENT, Point.UNPAID_END})


def test_no_fault_is_left_out() -> None:
    told = {Fault.EXPIRED_LATE, Fault.PAID_BY_QR, Fault.PAID_LATE, Fault.PAID_TWICE}

    assert told == {fault for fault, kind in FAULTS.items() if TURNS & set(kind.points)}


async def test_a_payment_by_qr_is_the_same_payment(shop: Shop) -> None:
    await desk.create(shop)
    await desk.arm(shop, Fault.PAID_BY_QR)

    await desk.pay(shop)
    await shop.reaches(desk.ORDER, "settlement")

    assert (await desk.transactions(shop))[0]["payment_type"] == "qris"
    assert (await shop.stored(desk.ORDER)).payment_type == "gopay"
    assert await desk.is_true(shop, "settlement")


async def test_money_after_an_unpaid_end_is_settled_and_late(shop: Shop) -> None:
    await desk.create(shop)
    await desk.arm(shop, Fault.PAID_LATE, seconds=30)
    await desk.let_pass(shop, 4 * desk.QUARTER_OF_AN_HOUR)
    await shop.reaches(desk.ORDER, "expire")

    await desk.let_pass(shop, 30)
    await shop.has_events(1)
    before = await shop.status_of(desk.ORDER)
    await desk.reconcile(shop)

    assert before == "expire"
    assert (await shop.stored(desk.ORDER)).late
    assert await desk.is_true(shop, "settlement")


async def test_money_after_the_time_but_before_an_end_is_not_late(shop: Shop) -> None:
    await desk.create(shop)
    await desk.arm(shop, Fault.EXPIRED_LATE)
    await desk.let_pass(shop, 4 * desk.QUARTER_OF_AN_HOUR)

    assert await desk.ask(shop)
    assert await desk.is_true(shop, "pending")
    await desk.pay(shop)
    await shop.reaches(desk.ORDER, "settlement")

    assert not (await shop.stored(desk.ORDER)).late
    assert await desk.is_true(shop, "settlement")


async def test_what_expires_later_than_it_should_expires_here_when_it_does_there(shop: Shop) -> None:
    await desk.create(shop)
    await desk.arm(shop, Fault.EXPIRED_LATE)
    await desk.let_pass(shop, 4 * desk.QUARTER_OF_AN_HOUR)
    await desk.ask(shop)
    meanwhile = await shop.status_of(desk.ORDER)

    await desk.let_pass(shop, 90)
    await shop.reaches(desk.ORDER, "expire")

    assert meanwhile == "pending"
    assert await desk.is_true(shop, "expire")


async def test_a_second_payment_of_an_order_is_a_break_for_a_person(shop: Shop) -> None:
    await desk.create(shop)
    await desk.arm(shop, Fault.PAID_TWICE)

    await desk.pay(shop)
    await shop.has_events(2)
    await desk.reconcile(shop)

    payment = await shop.stored(desk.ORDER)
    both = sorted(transaction["transaction_id"] for transaction in await desk.transactions(shop))
    assert (payment.status, payment.transaction_id) == ("settlement", both[0])
    assert [(found.reason, found.subject) for found in payment.breaks] == [("paid_twice", both[1])]
