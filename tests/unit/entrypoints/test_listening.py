"""How many streams a process takes: never so many that nothing else finds an open file."""

import resource

import pytest

from entrypoints import listening
from entrypoints.listening import streams_allowed


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """The limit of open files, soft and hard, as the system has it."""
    limits = {"soft": 1024, "hard": 1024}

    def lift(_kind: int, wanted: tuple[int, int]) -> None:
        if max(wanted) > limits["hard"]:
            raise ValueError("not allowed to raise maximum limit")
        limits["soft"] = wanted[0]

    monkeypatch.setattr(resource, "getrlimit", lambda _kind: (limits["soft"], limits["hard"]))
    monkeypatch.setattr(resource, "setrlimit", lift)
    assert listening.resource is resource
    return limits


@pytest.mark.parametrize(
    ("hard", "allowed"), [(524_288, 5000), (10_000, 5000), (4096, 2048), (1024, 512), (256, 128)]
)
def test_half_of_the_open_files_stay_for_everything_else(
    limits: dict[str, int], hard: int, allowed: int
) -> None:
    limits["hard"] = hard

    assert streams_allowed(5000) == allowed
    assert limits["soft"] == hard


def test_a_limit_that_cannot_be_raised_is_what_it_is(
    limits: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ValueError("current limit exceeds maximum limit")

    monkeypatch.setattr(resource, "setrlimit", refuse)
    limits["hard"] = 10_000

    assert streams_allowed(5000) == 512


def test_without_a_limit_there_is_none(limits: dict[str, int]) -> None:
    limits["soft"] = limits["hard"] = resource.RLIM_INFINITY

    assert streams_allowed(5000) == 5000
