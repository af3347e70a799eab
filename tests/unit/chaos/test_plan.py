from itertools import pairwise

from chaos.plan import Target, kills, misbehaviours
from simulator.core.faults import FAULTS


def test_a_seed_is_one_plan_and_another_seed_another() -> None:
    assert kills(7, 60) == kills(7, 60)
    assert misbehaviours(7, 60) == misbehaviours(7, 60)
    assert kills(7, 60) != kills(8, 60)
    assert misbehaviours(7, 60) != misbehaviours(8, 60)


def test_in_a_minute_everything_is_killed() -> None:
    for seed in range(50):
        found = kills(seed, 60)

        assert {kill.target for kill in found} == set(Target)
        assert all(0 < kill.at < 60 for kill in found)
        assert all(earlier.at < later.at for earlier, later in pairwise(found))


def test_every_fault_is_one_that_the_simulator_takes() -> None:
    for planned in misbehaviours(1, 600):
        kind = FAULTS[planned.command["fault"]]
        assert planned.command.get("on", kind.points[0]) in kind.points
        assert kind.seconds is not None or "seconds" not in planned.command
