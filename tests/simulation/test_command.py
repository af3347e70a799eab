"""``python -m simulation``: the report, and the replay of one life."""

import json
import sys

import pytest

from domain import decide
from simulation.__main__ import main
from simulation.fate import Fault
from simulation.life import live
from simulation.many import live_many

Capture = pytest.CaptureFixture[str]


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["simulation", *arguments])
    return main()


def test_the_report_counts_lives_and_every_kind_of_fault(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    status = run(monkeypatch, "--seeds", "20", "--jobs", "1")

    told = capsys.readouterr().out
    assert status == 0
    assert "20 lives in" in told
    assert "No promise broken" in told
    assert all(fault.value in told for fault in Fault)


def test_the_report_is_json_on_request(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    run(monkeypatch, "--seeds", "20", "--first", "100", "--jobs", "1", "--json")

    told = json.loads(capsys.readouterr().out)
    assert (told["lives"], told["findings"], set(told["faults"])) == (20, [], {f.name.lower() for f in Fault})


def test_a_finding_is_told_with_the_command_that_replays_it(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(decide, "_doubts", lambda *_: ())

    status = run(monkeypatch, "--seeds", "50", "--jobs", "1")
    told = capsys.readouterr().out
    seed = int(told.partition("make simulate LIFE=")[2].split()[0])
    replayed = run(monkeypatch, "--seed", str(seed))
    trace = capsys.readouterr().out

    assert (status, replayed) == (1, 1)
    assert "what is doubtful moves nothing" in told
    assert "FINDING" in trace
    assert "BROKEN: what is doubtful moves nothing" in trace


def test_a_life_is_printed_line_by_line(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    status = run(monkeypatch, "--seed", "3")

    lines = capsys.readouterr().out.splitlines()
    assert status == 0
    assert lines[: len(live(3, traced=True).trace)] == live(3, traced=True).trace
    assert any("creates" in line for line in lines)


def test_several_processes_live_the_same_lives_as_one() -> None:
    alone, together = live_many(range(120), jobs=1), live_many(range(120), jobs=2)

    assert (together.lives, together.steps) == (alone.lives, alone.steps)
    assert (together.faults, together.payments) == (alone.faults, alone.payments)
