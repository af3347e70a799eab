"""Processes that outlive their parent, or that it forgets, would keep its port for ever."""

import multiprocessing
import os
import signal
from multiprocessing.context import ForkProcess
from pathlib import Path
from time import sleep

import pytest

from entrypoints import supervisor


def in_a_process(*, target: object, arguments: tuple[object, ...]) -> int | None:
    """Its exit status; None if it does not end."""
    process = multiprocessing.get_context("fork").Process(target=target, args=arguments)  # type: ignore[arg-type]
    process.start()
    process.join(30)
    status = process.exitcode
    process.kill()
    return status


@pytest.mark.parametrize(("parent_lives", "is_done"), [(True, True), (False, False)])
def test_a_child_whose_parent_died_before_it_could_watch_it_does_nothing(
    tmp_path: Path, *, parent_lives: bool, is_done: bool
) -> None:
    done = tmp_path / "done"
    parent = os.getpid() if parent_lives else os.getpid() + 1

    assert in_a_process(target=supervisor._child, arguments=(done.touch, parent)) == 0
    assert done.exists() is is_done


def told_to_end_while_it_replaces_a_child(died: Path) -> None:
    """The signal comes after the new child is there and before its parent has written it down."""
    start, starts = ForkProcess.start, 0

    def start_and_be_told(process: ForkProcess) -> None:
        nonlocal starts
        start(process)
        starts += 1
        if starts == 2:
            signal.raise_signal(signal.SIGTERM)

    def die_once() -> None:
        if died.exists():
            sleep(600)
        died.touch()

    ForkProcess.start = start_and_be_told  # type: ignore[method-assign]
    supervisor._YOUNG_SECONDS = 0.0  # type: ignore[misc]
    supervisor.supervise(die_once, workers=1, on_death=lambda _: None)


def test_a_child_that_is_just_being_started_is_told_to_end_too(tmp_path: Path) -> None:
    assert in_a_process(target=told_to_end_while_it_replaces_a_child, arguments=(tmp_path / "died",)) == 0
