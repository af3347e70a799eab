"""Every fault that can strike a charge, and where the payment ends."""

from typing import Final

import pytest

from adapters.midtrans import gateway
from integration.faults import desk
from integration.http.harness import Shop
from simulator.core.faults import FAULTS, Fault, Point

# The call that is struck already brings the payment, sent again where that was needed.
ANSWERED: Final = frozenset(
    {
        Fault.ANSWER_LOST,
        Fault.CONNECTION_CLOSED,
        Fault.SLOW_ANSWER,
        Fault.ERROR_500,
        Fault.ERROR_500_TAKEN,
        Fault.BAD_GATEWAY,
        Fault.BAD_GATEWAY_TAKEN,
        Fault.UNAVAILABLE,
        Fault.IN_PROCESS,
        Fault.WRONG_AMOUNT,
        Fault.WRONG_ORDER_ID,
        Fault.MISSING_FIELDS,
        Fault.UNKNOWN_FIELDS,
        Fault.UPPERCASE_STATUS,
        Fault.QR_V2_MISSING,
        Fault.EXPIRY_MISSPELT,
        Fault.NOTIFICATION_FIRST,
    }
)
# The shop is told what happened: HTTP status, code, and Midtrans's own code.
REFUSED: Final = {
    Fault.RATE_LIMITED: (503, "gateway-unavailable", None),
    Fault.UNAUTHORIZED: (502, "gateway-refused", "401"),
    Fault.CHANNEL_INACTIVE: (502, "gateway-refused", "402"),
    Fault.FRAMEWORK_404: (502, "gateway-refused", "404"),
    Fault.DENIED: (502, "gateway-refused", "202"),
    Fault.DUPLICATE_ORDER_ID: (502, "charge-lost", None),
}
# However long they last, nobody can tell whether the charge was taken.
UNKNOWN: Final = ANSWERED - {
    Fault.SLOW_ANSWER,
    Fault.MISSING_FIELDS,
    Fault.UNKNOWN_FIELDS,
    Fault.UPPERCASE_STATUS,
    Fault.QR_V2_MISSING,
    Fault.EXPIRY_MISSPELT,
    Fault.NOTIFICATION_FIRST,
}
NOT_TAKEN: Final = frozenset(
    {Fault.CONNECTION_CLOSED, Fault.ERROR_500, Fault.BAD_GATEWAY, Fault.UNAVAILABLE, Fault.RATE_LIMITED}
)


def test_no_fault_is_left_out() -> None:
    assert ANSWERED | set(REFUSED) == {f for f, kind in FAULTS.items() if Point.CHARGE in kind.points}


@pytest.mark.parametrize("fault", sorted(ANSWERED))
async def test_one_call_brings_one_charge_and_the_money_is_seen(
    shop: Shop, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "_ATTEMPT", 1.0)
    await desk.arm(shop, fault, on="charge")

    answer = await desk.create(shop)

    assert (answer.status_code, answer.json()["status"]) == (201, "pending"), answer.text
    assert [action["name"] for action in answer.json()["actions"]] == ["qr-code", "deeplink-redirect"]
    assert await desk.is_over(shop)
    assert await desk.is_true(shop, "pending")
    await desk.pay(shop)
    await shop.reaches(desk.ORDER, "settlement")
    assert await desk.is_true(shop, "settlement")


@pytest.mark.parametrize("fault", sorted(UNKNOWN))
async def test_while_it_lasts_the_outcome_is_unknown_and_then_it_is_one_charge(
    quiet_shop: Shop, fault: str
) -> None:
    await desk.arm(quiet_shop, fault, on="charge", times=100)

    unknown = await desk.create(quiet_shop)
    status, taken = await quiet_shop.status_of(desk.ORDER), len(await desk.transactions(quiet_shop))
    await desk.disarm(quiet_shop)
    answer = await desk.create(quiet_shop)

    assert (unknown.status_code, unknown.json()["code"]) == (504, "outcome-unknown")
    assert (status, taken) == ("created", 0 if fault in NOT_TAKEN else 1)
    assert (answer.status_code, answer.json()["status"]) == (201, "pending")
    assert await desk.is_true(quiet_shop, "pending")


async def test_too_many_calls_charge_nothing_until_there_are_fewer(quiet_shop: Shop) -> None:
    await desk.arm(quiet_shop, Fault.RATE_LIMITED, on="charge")

    limited = await desk.create(quiet_shop)
    status = await quiet_shop.status_of(desk.ORDER)
    answer = await desk.create(quiet_shop)

    assert (limited.status_code, limited.json()["code"]) == (503, "gateway-unavailable")
    assert limited.headers["retry-after"].isdigit()
    assert status == "created"
    assert (answer.status_code, answer.json()["status"]) == (201, "pending")
    assert await desk.is_true(quiet_shop, "pending")


@pytest.mark.parametrize("fault", [Fault.UNAUTHORIZED, Fault.CHANNEL_INACTIVE, Fault.FRAMEWORK_404])
async def test_a_refused_charge_is_a_failure_and_stays_one(quiet_shop: Shop, fault: Fault) -> None:
    await desk.arm(quiet_shop, fault, on="charge")

    refused, again = await desk.create(quiet_shop), await desk.create(quiet_shop)

    told = refused.json()
    assert (refused.status_code, told["code"], told["gateway_code"]) == REFUSED[fault]
    assert again.json() == told
    assert await desk.is_true_that_nothing_was_charged(quiet_shop)


async def test_a_denied_charge_ends_as_denied(shop: Shop) -> None:
    await desk.arm(shop, Fault.DENIED)

    refused = await desk.create(shop)

    told = refused.json()
    assert (refused.status_code, told["code"], told["gateway_code"]) == REFUSED[Fault.DENIED]
    assert await desk.is_true(shop, "deny")


async def test_a_charge_that_was_answered_as_a_repeat_is_taken_over_and_ended(quiet_shop: Shop) -> None:
    await desk.arm(quiet_shop, Fault.DUPLICATE_ORDER_ID)

    lost = await desk.create(quiet_shop)

    assert (lost.status_code, lost.json()["code"]) == REFUSED[Fault.DUPLICATE_ORDER_ID][:2]
    assert await desk.is_true(quiet_shop, "cancel")


async def test_the_first_qr_picture_does_where_the_second_is_missing(quiet_shop: Shop) -> None:
    await desk.arm(quiet_shop, Fault.QR_V2_MISSING)

    answer = await desk.create(quiet_shop)

    (qr_code,) = [action for action in answer.json()["actions"] if action["name"] == "qr-code"]
    assert "/v2/gopay/" in qr_code["url"]
