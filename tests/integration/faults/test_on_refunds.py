"""Every fault that can strike a refund, and where the refund and the payment end."""

from typing import Final

import pytest

from adapters.midtrans import gateway
from integration.faults import desk
from integration.http.harness import Shop
from integration.http.refunding import (
    REPLAYED,
    arm,
    at_midtrans,
    has_intact_log,
    listed,
    paid,
    pass_time,
    refund,
    repeat,
)
from simulator.core.faults import FAULTS, Fault, Point

READ: Final = frozenset({Fault.MISSING_FIELDS, Fault.UNKNOWN_FIELDS, Fault.UPPERCASE_STATUS})
# Carried out or not, nobody can tell: the background work repeats it with the same key.
TAKEN: Final = frozenset(
    {
        Fault.ANSWER_LOST,
        Fault.SLOW_ANSWER,
        Fault.ERROR_500_TAKEN,
        Fault.BAD_GATEWAY_TAKEN,
        Fault.IN_PROCESS,
        Fault.WRONG_AMOUNT,
        Fault.WRONG_ORDER_ID,
    }
)
NOT_TAKEN: Final = frozenset(
    {
        Fault.CONNECTION_CLOSED,
        Fault.ERROR_500,
        Fault.BAD_GATEWAY,
        Fault.UNAVAILABLE,
        Fault.FRAMEWORK_404,
    }
)
NO_WORD: Final = TAKEN | NOT_TAKEN
# Midtrans's own code; no money went back, and the amount is free again.
REFUSED: Final = {Fault.REFUND_REFUSED: "202", Fault.UNAUTHORIZED: "401"}
NOT_SENT: Final = frozenset({Fault.RATE_LIMITED})


def test_no_fault_is_left_out() -> None:
    told = READ | NO_WORD | set(REFUSED) | NOT_SENT

    assert told == {fault for fault, kind in FAULTS.items() if Point.REFUND in kind.points}


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "_ATTEMPT", 1.0)


@pytest.fixture
async def sold(quiet_shop: Shop) -> Shop:
    """A shop with a paid payment, which has to ask about everything."""
    await paid(quiet_shop)
    return quiet_shop


async def is_refunded_once(shop: Shop, amount: int, status: str) -> bool:
    """Whether both sides have this one refund, it counts once, and the log is whole."""
    (here,), (there,), payment = await listed(shop), await at_midtrans(shop), await shop.stored(desk.ORDER)
    return (
        (here["status"], here["amount"], here["refund_key"]) == ("accepted", amount, there["refund_key"])
        and there["refund_amount"] == f"{amount}.00"
        and (payment.status, payment.refunded_amount, payment.breaks) == (status, amount, ())
        and await has_intact_log(shop)
    )


@pytest.mark.parametrize("fault", sorted(READ))
async def test_an_odd_answer_is_read_for_what_it_says(sold: Shop, fault: str) -> None:
    await arm(sold, fault)

    answer = await refund(sold)

    assert (answer.status_code, answer.json()["status"]) == (201, "accepted")
    assert await desk.is_over(sold)
    assert await is_refunded_once(sold, 10_000, "refund")


@pytest.mark.parametrize("minutes", [0, 6])
@pytest.mark.parametrize("fault", sorted(NO_WORD))
async def test_without_a_word_it_is_repeated_with_its_key_and_is_one(
    sold: Shop, fault: Fault, minutes: int
) -> None:
    """Within five minutes Midtrans gives the lost answer again; later it says that it has that key."""
    await arm(sold, fault)

    unknown = await refund(sold, amount=4_000)
    (meanwhile,), taken = await listed(sold), len(await at_midtrans(sold))
    too_much = await refund(sold, "two", amount=6_001)
    await desk.let_pass(sold, minutes * 60)
    repeated = await repeat(sold)

    assert (unknown.status_code, unknown.json()["code"]) == (504, "outcome-unknown")
    assert (meanwhile["status"], taken) == ("requested", 1 if fault in TAKEN else 0)
    assert too_much.json()["code"] == "refund-exceeds-payment"
    assert repeated == 1
    assert await is_refunded_once(sold, 4_000, "partial_refund")


@pytest.mark.parametrize("fault", sorted(NO_WORD))
async def test_the_same_call_later_brings_the_same_refund(sold: Shop, fault: str) -> None:
    await arm(sold, fault)

    unknown = await refund(sold)
    await pass_time(sold, 60)
    answer = await refund(sold)

    assert unknown.status_code == 504
    assert (answer.status_code, answer.json()["status"]) == (201, "accepted")
    assert await is_refunded_once(sold, 10_000, "refund")


@pytest.mark.parametrize("fault", sorted(NO_WORD | NOT_SENT | {Fault.UNAUTHORIZED}))
async def test_what_strikes_the_repeats_too_frees_no_amount_until_the_truth_is_known(
    sold: Shop, fault: str
) -> None:
    await arm(sold, Fault.ANSWER_LOST)
    await refund(sold, amount=4_000)
    await arm(sold, fault, times=2)

    for _ in range(2):
        await desk.let_pass(sold, 360)
        await repeat(sold)
    too_much = await refund(sold, "two", amount=6_001)
    await desk.let_pass(sold, 360)
    await repeat(sold)

    assert too_much.json()["code"] == "refund-exceeds-payment"
    assert await is_refunded_once(sold, 4_000, "partial_refund")


@pytest.mark.parametrize("fault", sorted(REFUSED))
async def test_a_refused_refund_gives_its_amount_back(sold: Shop, fault: Fault) -> None:
    await arm(sold, fault)

    refused, again = await refund(sold), await refund(sold)
    payment, taken = await sold.stored(desk.ORDER), await at_midtrans(sold)
    other = await refund(sold, "two")

    told = refused.json()
    assert (refused.status_code, told["code"], told["gateway_code"]) == (
        502,
        "gateway-refused",
        REFUSED[fault],
    )
    assert (again.status_code, again.headers[REPLAYED], again.json()) == (502, "true", told)
    assert (payment.status, payment.refunded_amount, taken) == ("settlement", 0, [])
    assert other.status_code == 201
    assert [one["status"] for one in await listed(sold)] == ["refused", "accepted"]
    assert await has_intact_log(sold)


async def test_the_bank_s_own_words_are_passed_on(sold: Shop) -> None:
    await arm(sold, Fault.REFUND_REFUSED)

    assert (await refund(sold)).json()["gateway_message"] == "Refund denied by the bank"


async def test_under_too_many_calls_nothing_is_refunded_until_there_are_fewer(sold: Shop) -> None:
    await arm(sold, Fault.RATE_LIMITED)

    limited = await refund(sold)
    repeated, taken = await repeat(sold), await at_midtrans(sold)
    answer = await refund(sold)

    assert (limited.status_code, limited.json()["code"]) == (503, "gateway-unavailable")
    assert limited.headers["retry-after"].isdigit()
    assert (repeated, taken) == (0, [])
    assert (answer.status_code, REPLAYED in answer.headers) == (201, False)
    assert await is_refunded_once(sold, 10_000, "refund")
