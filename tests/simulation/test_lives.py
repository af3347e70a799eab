"""A thousand lives with everything that may go wrong, and some with a crash at every single step."""

import pytest

from simulation.life import Outcome, live
from simulation.many import live_many
from simulation.quiet import in_quiet
from simulation.report import replay
from simulation.virtual_loop import NEVER

LIVES = 1_000
AT_A_TIME = 100
# Lives in which nothing else goes wrong, and lives in which all else does.
CRASHED = [*((seed, False) for seed in range(6)), (2, True), (7, True), (18, True)]


def told(outcome: Outcome) -> str:
    """The findings of a life, and how to live it again."""
    found = "\n".join(f"  {finding.law}: {finding.what}" for finding in outcome.findings)
    return f"seed {outcome.seed} broke\n{found}\nreplay it with: {replay(outcome.seed)}"


@pytest.mark.parametrize("first", range(0, LIVES, AT_A_TIME))
def test_every_promise_is_kept_in_every_life(first: int) -> None:
    tally = live_many(range(first, first + AT_A_TIME), jobs=1)

    broken = [f"{law}: {what} ({replay(seed)})" for seed, law, what in tally.findings]
    assert not broken, "\n".join(broken)
    assert tally.payments["settlement"] > 0
    assert tally.faults.total() > AT_A_TIME


@pytest.mark.parametrize(("seed", "faulty"), CRASHED)
def test_a_crash_after_any_single_step_breaks_no_promise(seed: int, *, faulty: bool) -> None:
    """Every await of every use case that this life goes through is once the last thing that a process did."""
    with in_quiet():
        whole = live(seed, faulty=faulty, crash_at=NEVER)
        assert whole.findings == (), told(whole)
        for step in range(1, whole.stormy + 1):
            outcome = live(seed, faulty=faulty, crash_at=step)
            assert outcome.findings == (), f"crash after step {step}: {told(outcome)}"
