"""`make chaos` itself, for some seconds: that it runs, ends, and tells what it saw."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[3]
PATH: Final = os.pathsep.join(str(ROOT / part) for part in ("src", "tests"))
ARGUMENTS: Final = ("-m", "chaos", "--seed", "1", "--seconds", "6", "--rate", "2")


async def test_a_short_run_keeps_every_promise_and_writes_its_report(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, *ARGUMENTS, "--report", tmp_path,
        env=os.environ | {"PYTHONPATH": PATH}, stdout=PIPE, stderr=STDOUT,
    )  # fmt: skip
    try:
        async with asyncio.timeout(240):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.terminate()

    assert process.returncode == 0, said.decode()
    told = json.loads((tmp_path / "report.json").read_text())
    assert {promise["kept"] for promise in told["promises"]} == {True}
    assert [kill["target"] for kill in told["kills"]] == ["Postgres, all of its processes"]
    assert sorted(os.listdir(tmp_path)) == ["plot.svg", "report.json", "report.md"]  # noqa: PTH208
