"""Every fault that can strike a cancel: a charge whose QR is lost has to be ended at Midtrans."""

from typing import Final

import pytest

from adapters.midtrans import gateway
from integration.faults import desk
from integration.http.harness import Shop
from simulator.core.faults import FAULTS, Fault, Point

ENDED: Final = frozenset({Fault.MISSING_FIELDS, Fault.UNKNOWN_FIELDS, Fault.UPPERCASE_STATUS})
# An answer about something else is a break, and no word about this one.
BREAKS: Final = {Fault.WRONG_AMOUNT: "amount", Fault.WRONG_ORDER_ID: "order_id"}
NO_WORD: Final = frozenset(
    {
        Fault.ANSWER_LOST,
        Fault.CONNECTION_CLOSED,
        Fault.SLOW_ANSWER,
        Fault.ERROR_500,
        Fault.ERROR_500_TAKEN,
        Fault.BAD_GATEWAY,
        Fault.BAD_GATEWAY_TAKEN,
        Fault.UNAVAILABLE,
        Fault.RATE_LIMITED,
        Fault.UNAUTHORIZED,
        Fault.FRAMEWORK_404,
        Fault.IN_PROCESS,
    }
)


def test_no_fault_is_left_out() -> None:
    told = ENDED | set(BREAKS) | NO_WORD

    assert told == {fault for fault, kind in FAULTS.items() if Point.CANCEL in kind.points}


@pytest.fixture
async def lost(quiet_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop with a charge whose QR was told once, to nobody, and longer ago than its key is known."""
    await desk.arm(quiet_shop, Fault.ANSWER_LOST, on="charge", times=100)
    await desk.create(quiet_shop)
    await desk.disarm(quiet_shop)
    await desk.forget_the_key(quiet_shop)
    monkeypatch.setattr(gateway, "_ATTEMPT", 1.0)
    return quiet_shop


@pytest.mark.parametrize("fault", sorted(ENDED))
async def test_an_odd_answer_is_read_for_what_it_says(lost: Shop, fault: str) -> None:
    await desk.arm(lost, fault, on="cancel")

    answer = await desk.create(lost)

    assert (answer.status_code, answer.json()["code"]) == (502, "charge-lost")
    assert await desk.is_over(lost)
    assert await desk.is_true(lost, "cancel")


@pytest.mark.parametrize("fault", sorted(NO_WORD | set(BREAKS)))
async def test_without_a_word_the_outcome_is_unknown_and_the_next_call_ends_it(
    lost: Shop, fault: Fault
) -> None:
    await desk.arm(lost, fault, on="cancel")

    unknown = await desk.create(lost)
    breaks = [found.reason for found in (await lost.stored(desk.ORDER)).breaks]
    answer = await desk.create(lost)

    assert (unknown.status_code, unknown.json()["code"]) == (504, "outcome-unknown")
    assert breaks == ([BREAKS[fault]] if fault in BREAKS else [])
    assert (answer.status_code, answer.json()["code"]) == (502, "charge-lost")
    assert await desk.is_true(lost, "cancel")
