"""schemathesis over the service as it runs: real sockets, a real Postgres, and the look-alike behind it."""

import asyncio
import json
import os
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from support.database import connected
from support.merchant import SECRET
from support.receiver import receiving
from support.service import HOST, a_token, environment, free_port, serving, simulating

_CONFIG: Final = Path(__file__).with_name("schemathesis.toml")
_SCHEMATHESIS: Final = Path(sys.executable).with_name("schemathesis")
_ROOTS: Final = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2] / "src")]


@dataclass(frozen=True, kw_only=True)
class Fuzzed:
    """What schemathesis said, and what the service said meanwhile."""

    status: int
    report: str
    log: list[dict[str, Any]]

    @property
    def answers(self) -> Counter[tuple[str, str, int]]:
        """How often each route was answered with each status."""
        finished = (line for line in self.log if line["event"] == "request.finished")
        return Counter((line["method"], line["route"], line["status"]) for line in finished)

    @property
    def faults(self) -> list[dict[str, Any]]:
        """What the service itself calls an error."""
        return [line for line in self.log if line["level"] == "error"]


async def fuzz(database_url: str, *arguments: str) -> Fuzzed:
    """One run over an empty, migrated database, with schemathesis's own ``arguments``."""
    async with connected(database_url) as connection:
        await connection.execute("INSERT INTO users DEFAULT VALUES")
    port = free_port()
    async with simulating() as simulator, receiving() as shop:
        env = environment(
            DATABASE_URL=database_url,
            MIDTRANS_BASE_URL=simulator.url,
            BAYAR_PUBLIC_URL=f"http://{HOST}:{port}",
            BAYAR_CREATE_RATE="1000000",
            BAYAR_MERCHANT_URL=f"http://{HOST}:{shop.port}",
            BAYAR_MERCHANT_SECRET=SECRET,
            BAYAR_MERCHANT_ALLOW_PRIVATE="true",
        )
        async with serving(env=env, port=port) as bayar:
            token = a_token(scope="payments:refund")
            status, report = await _run(
                *("--config-file", str(_CONFIG), "run", f"{bayar.url}/docs/openapi.json"),
                *("-H", f"Authorization: Bearer {token}", "--no-color"),
                *arguments,
            )
            said = bayar.program.said
    return Fuzzed(status=status, report=report, log=[json.loads(line) for line in said.splitlines()])


async def _run(*arguments: str) -> tuple[int, str]:
    with TemporaryDirectory(prefix="bayar-fuzz-") as elsewhere:
        process = await asyncio.create_subprocess_exec(
            _SCHEMATHESIS,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            # Where it remembers what it found; the next run starts anew.
            cwd=elsewhere,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(_ROOTS)},
        )
        said, _ = await process.communicate()
    return process.returncode or 0, said.decode()
