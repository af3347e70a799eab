"""Processes that outlive their parent would keep its port for ever."""

import multiprocessing
import os
from pathlib import Path

import pytest

from entrypoints import supervisor


@pytest.mark.parametrize(("parent_lives", "is_done"), [(True, True), (False, False)])
def test_a_child_whose_parent_died_before_it_could_watch_it_does_nothing(
    tmp_path: Path, *, parent_lives: bool, is_done: bool
) -> None:
    done = tmp_path / "done"
    parent = os.getpid() if parent_lives else os.getpid() + 1

    child = multiprocessing.get_context("fork").Process(target=supervisor._child, args=(done.touch, parent))
    child.start()
    child.join(30)

    assert (child.exitcode, done.exists()) == (0, is_done)
