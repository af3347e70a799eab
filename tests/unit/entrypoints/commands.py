"""Calling commands over fakes."""

import asyncio
import json
import sys
from contextlib import asynccontextmanager
from typing import Any

import pytest
from click.testing import CliRunner, Result

from entrypoints.cli import confirming, session
from entrypoints.cli.main import bayar, main
from entrypoints.container import Container
from support.service import environment
from unit.entrypoints.harness import Service


def over(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the commands find the test's own container, and a whole environment."""

    @asynccontextmanager
    async def running(container: Container, *, midtrans: bool = True) -> Any:  # noqa: ARG001 - as the real one
        yield container

    monkeypatch.setattr(session, "Container", lambda **_: service.container)
    monkeypatch.setattr(session, "running", running)
    monkeypatch.setattr(session, "configure_logs", lambda **_: None)
    for name, value in environment().items():
        monkeypatch.setenv(name, value)


def on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on there is somebody to ask."""
    monkeypatch.setattr(confirming, "is_a_terminal", lambda: True)


def run(*arguments: str, said: str | None = None) -> Result:
    """A command to its end, and what is said when it asks."""
    return CliRunner().invoke(bayar, arguments, input=said)


def printed(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def printed_json(*arguments: str) -> Any:
    return json.loads(printed(*arguments, "--json"))


def given(service: Service, **changes: Any) -> None:
    asyncio.run(service.given(**changes))


def failed(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 1) -> str:
    """What the whole program says on stderr when it exits with a status other than 0."""
    argv, sys.argv = sys.argv, ["bayar", *arguments]
    try:
        with pytest.raises(SystemExit) as ended:
            main()
    finally:
        sys.argv = argv
    said = capsys.readouterr()
    assert ended.value.code == status
    assert said.out == ""
    return said.err
