"""A few lives in the made-up world of `make simulate`; a life is the same each time it is lived."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
LIVES: Final = 40


def simulated(*arguments: str) -> str:
    """What the program tells; in a process of its own, for it brings an event loop of its own."""
    done = subprocess.run(  # noqa: S603 - a fixed command, no shell
        [sys.executable, "-m", "simulation", *arguments],
        env=os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT / 'tests'}"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_promise_is_kept_in_lives_of_crashes_and_lost_messages() -> None:
    told = json.loads(simulated("--seeds", str(LIVES), "--jobs", "2", "--json"))

    assert told["lives"] == LIVES
    assert told["findings"] == []


def test_a_life_is_the_same_each_time_it_is_lived() -> None:
    assert simulated("--seed", "3") == simulated("--seed", "3")
