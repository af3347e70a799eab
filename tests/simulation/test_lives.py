"""A few lives in the made-up world of `make simulate`; a life is the same each time it is lived."""

import pytest

from simulation.life import live
from simulation.quiet import in_quiet


@pytest.mark.parametrize("seed", range(40))
def test_every_promise_is_kept_in_a_life_of_crashes_and_lost_messages(seed: int) -> None:
    with in_quiet():
        outcome = live(seed)

    assert [f"{finding.law}: {finding.what}" for finding in outcome.findings] == []
    assert outcome.steps > 0


def test_a_life_is_the_same_each_time_it_is_lived() -> None:
    with in_quiet():
        once, again = live(3), live(3)

    assert (once.steps, once.payments, once.faults) == (again.steps, again.payments, again.faults)
