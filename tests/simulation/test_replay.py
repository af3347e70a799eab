"""The same seed is the same life, on every machine and in every process."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from simulation.life import live
from simulation.quiet import in_quiet

TESTS = Path(__file__).parents[1]
SEEDS = range(40)
DIGEST = """
from simulation.test_replay import digest
print(digest())
"""


def digest() -> str:
    """Of the traces of some lives, with all that was drawn in them."""
    with in_quiet():
        lives = [live(seed, traced=True) for seed in SEEDS]
    text = "\n".join(line for life in lives for line in (*life.trace, repr(sorted(life.faults.items()))))
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_life_is_the_same_again_also_where_sets_and_dicts_are_ordered_otherwise() -> None:
    path = os.pathsep.join([str(TESTS.parent / "src"), str(TESTS)])
    digests = {digest()}
    for hash_seed in ("1", "2"):
        environment = os.environ | {"PYTHONPATH": path, "PYTHONHASHSEED": hash_seed}
        told = subprocess.run(  # noqa: S603 - this very interpreter
            [sys.executable, "-c", DIGEST], env=environment, capture_output=True, text=True, check=True
        )
        digests.add(told.stdout.strip())

    assert len(digests) == 1


def test_a_trace_tells_nothing_that_would_not_have_happened_without_it() -> None:
    with in_quiet():
        for seed in SEEDS:
            traced, silent = live(seed, traced=True), live(seed)
            assert (traced.steps, traced.faults, traced.payments) == (
                silent.steps,
                silent.faults,
                silent.payments,
            )
            assert traced.trace
            assert not silent.trace
