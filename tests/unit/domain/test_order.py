from datetime import timedelta

import pytest

from domain.errors import AmountOutOfBounds, InvalidPayment
from domain.order import Customer, Defaults, Item
from domain.rupiah import PaymentType
from domain.status import Status
from support.builders import NOW, an_id, an_order, wanted

DEFAULTS = Defaults(amount=25_000, payment_type=PaymentType.QRIS, life=timedelta(minutes=30))
TWO_ITEMS = (Item(name="Kopi", price=12_000, quantity=2), Item(name="Diskon", price=-4_000, quantity=1))


def test_what_the_shop_leaves_out_is_the_default() -> None:
    order = wanted().order(DEFAULTS, generated_id="byr-1")

    assert (order.order_id, order.gross_amount) == ("byr-1", 25_000)
    assert (order.payment_type, order.life) == (PaymentType.QRIS, timedelta(minutes=30))
    assert (order.callback_url, order.customer, order.items) == (None, None, ())
    assert order.metadata == {}


def test_what_the_shop_names_stands() -> None:
    customer = Customer(first_name="Siti")

    order = wanted(
        user_id=7,
        order_id="order-9",
        gross_amount=20_000,
        payment_type=PaymentType.GOPAY,
        life=timedelta(minutes=5),
        callback_url="https://shop.example/back",
        customer=customer,
        items=TWO_ITEMS,
        metadata={"cart": "17"},
    ).order(DEFAULTS, generated_id="byr-1")

    assert (order.user_id, order.order_id, order.gross_amount) == (7, "order-9", 20_000)
    assert (order.payment_type, order.life) == (PaymentType.GOPAY, timedelta(minutes=5))
    assert (order.callback_url, order.customer) == ("https://shop.example/back", customer)
    assert (order.items, order.metadata) == (TWO_ITEMS, {"cart": "17"})


def test_items_without_an_amount_are_charged_by_their_sum() -> None:
    assert wanted(items=TWO_ITEMS).order(DEFAULTS, generated_id="byr-1").gross_amount == 20_000


@pytest.mark.parametrize("amount", [19_999, 20_001, 25_000])
def test_an_amount_that_is_not_the_items_sum_is_refused(amount: int) -> None:
    with pytest.raises(InvalidPayment, match="add up to 20000") as refused:
        wanted(gross_amount=amount, items=TWO_ITEMS).order(DEFAULTS, generated_id="byr-1")

    assert refused.value.field == "gross_amount"


@pytest.mark.parametrize("order_id", ["", "byr-mine", "webhook", "a/b", "x" * 51])
def test_an_order_id_that_no_shop_may_choose_is_refused(order_id: str) -> None:
    with pytest.raises(InvalidPayment) as refused:
        wanted(order_id=order_id).order(DEFAULTS, generated_id="byr-1")

    assert refused.value.field == "order_id"


@pytest.mark.parametrize(
    ("payment_type", "amount"),
    [
        (PaymentType.GOPAY, 1),
        (PaymentType.GOPAY, 20_000_000),
        (PaymentType.QRIS, 1),
        (PaymentType.QRIS, 10_000_000),
    ],
)
def test_amounts_up_to_the_bounds_are_taken(payment_type: PaymentType, amount: int) -> None:
    order = wanted(payment_type=payment_type, gross_amount=amount).order(DEFAULTS, generated_id="byr-1")

    assert order.gross_amount == amount


@pytest.mark.parametrize(
    ("payment_type", "amount"),
    [
        (PaymentType.GOPAY, 0),
        (PaymentType.GOPAY, -1),
        (PaymentType.GOPAY, 20_000_001),
        (PaymentType.QRIS, 0),
        (PaymentType.QRIS, 10_000_001),
        (None, 10_000_001),
    ],
)
def test_amounts_beyond_the_bounds_are_refused(payment_type: PaymentType | None, amount: int) -> None:
    with pytest.raises(AmountOutOfBounds, match=str(amount)):
        wanted(payment_type=payment_type, gross_amount=amount).order(DEFAULTS, generated_id="byr-1")


def test_items_that_cancel_each_other_out_are_refused() -> None:
    items = (Item(name="Kopi", price=4_000, quantity=1), TWO_ITEMS[1])

    with pytest.raises(AmountOutOfBounds):
        wanted(items=items).order(DEFAULTS, generated_id="byr-1")


def test_a_default_amount_is_bound_like_any_other() -> None:
    defaults = Defaults(amount=15_000_000, payment_type=PaymentType.QRIS, life=timedelta(minutes=1))

    with pytest.raises(AmountOutOfBounds):
        wanted().order(defaults, generated_id="byr-1")


def test_the_payment_of_an_order_is_created_and_ends_after_its_life() -> None:
    order = an_order(life=timedelta(minutes=5), metadata={"cart": "17"}, callback_url="app://back")

    payment = order.payment(an_id("one"), at=NOW, checkout_token="secret")

    assert payment.checkout_token == "secret"
    assert payment.status is Status.CREATED
    assert (payment.created_at, payment.updated_at) == (NOW, NOW)
    assert payment.expires_at == NOW + timedelta(minutes=5)
    assert (payment.metadata, payment.callback_url) == ({"cart": "17"}, "app://back")
    assert (payment.transaction_id, payment.paid_at, payment.charge_answer) == (None, None, None)
    assert (payment.late, payment.refunded_amount, payment.breaks) == (False, 0, ())
