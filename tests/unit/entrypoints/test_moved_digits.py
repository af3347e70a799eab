"""A genuine signature over other readings of the same text: nobody is paid by digits that were moved."""

import re
from itertools import product
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.order_id import may_exist
from domain.status import Status
from support.builders import signed
from unit.entrypoints.harness import Service, a_notification_body, a_service

CODES: Final = ("200", "201", "202", "407")
AMOUNT: Final = re.compile(r"[1-9][0-9]{0,6}\.00")


def readings(text: str, *, code_length: int | None = None) -> set[tuple[str, str, str]]:
    """Every way to cut a signed text into three parts."""
    cuts = range(1, len(text))
    return {
        (text[:one], text[one:two], text[two:])
        for one, two in product(cuts, cuts)
        if one < two and code_length in {None, two - one}
    }


async def service_with(*orders: tuple[str, int]) -> Service:
    service = a_service()
    for order_id, amount in orders:
        await service.given(order_id=order_id, gross_amount=amount)
    return service


def victims(genuine: tuple[str, str, str]) -> list[tuple[str, int]]:
    """The payments that another reading could be about."""
    others = readings("".join(genuine), code_length=3) - {genuine}
    return [
        (order_id, int(amount.partition(".")[0]))
        for order_id, _, amount in others
        if AMOUNT.fullmatch(amount) and may_exist(order_id)
    ]


async def nobody_is_paid(order_id: str, amount: int, code: str, others: set[tuple[str, str, str]]) -> None:
    """Post other readings of one genuine notification, with its signature, to whom they are then about."""
    genuine = (order_id, code, f"{amount}.00")
    signature = signed(*genuine)
    service = await service_with((order_id, amount), *victims(genuine))
    for other_id, other_code, other_amount in others - {genuine}:
        answer = await service.notify(
            order_id=other_id,
            status_code=other_code,
            gross_amount=other_amount,
            transaction_id=f"t-{other_id}",
            signature_key=signature,
        )
        assert answer.status_code in {200, 400}

    assert {payment.status for payment in service.begin.state.payments.values()} == {Status.PENDING}


@pytest.mark.parametrize(
    ("order_id", "amount"),
    [("x2001", 500), ("x", 1_200_500), ("shop-1202", 500), ("A200", 1), ("A", 2001)],
)
async def test_digits_moved_between_the_parts_pay_nobody(order_id: str, amount: int) -> None:
    genuine = (order_id, "200", f"{amount}.00")

    assert victims(genuine)
    await nobody_is_paid(*(order_id, amount, "200"), readings("".join(genuine)))


@settings(max_examples=25)
@given(
    st.from_regex(r"[A-Za-z][0-9]{0,3}(200|201|202|407)[0-9]{0,3}", fullmatch=True),
    st.integers(1, 9_999_999),
    st.sampled_from(CODES),
)
async def test_no_order_id_and_amount_make_it_otherwise(order_id: str, amount: int, code: str) -> None:
    text = f"{order_id}{code}{amount}.00"

    await nobody_is_paid(order_id, amount, code, readings(text, code_length=3))


async def test_the_genuine_one_with_a_second_reading_waits_for_midtrans_s_word() -> None:
    service = await service_with(("x2001", 500), ("x", 1_200_500))

    answer = await service.notify(
        order_id="x2001", status_code="200", gross_amount="500.00", transaction_id="t-x2001"
    )

    assert answer.status_code == 200
    (event,) = service.begin.notifications
    assert (event.is_verified, event.processed, event.error) == (True, False, None)
    assert service.stored("x2001").status is Status.PENDING


@pytest.mark.parametrize("part", ["order_id", "status_code", "gross_amount"])
@pytest.mark.parametrize("odd", ["{} ", " {}", "{}\u200b", "+{}", "{}.0", "0{}", "{}e0", "{}\t", "\uff10{}"])
async def test_a_signature_is_good_for_the_very_text_alone(part: str, odd: str) -> None:
    service = await service_with(("order-1", 10_000))
    genuine = a_notification_body()

    answer = await service.notify(
        **{part: odd.format(genuine[part]), "signature_key": genuine["signature_key"]}
    )

    assert answer.status_code == 403
    assert service.stored().status is Status.PENDING
