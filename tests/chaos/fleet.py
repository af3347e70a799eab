"""The processes that are killed, and what brings them back: a supervisor such as systemd is played here."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import asyncpg
import httpx

from chaos.plan import Kill, Target
from chaos.record import Killed
from support.database import connected
from support.killing import children_of, kill_9, kill_postgres
from support.service import HOST, eventually, started

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from random import Random

    from chaos.record import Record
    from support.service import Program

WORKERS: Final = 2
# As a supervisor waits before it starts again what ended.
_RESTART_SECONDS: Final = 0.3
_LONG: Final = 86_400.0
# What has not come back by then never will.
RECOVERY_SECONDS: Final = 60.0
# How long the postmaster's other children may take to end once one of them was killed.
_SECONDS_TO_FALL: Final = 10.0
# What the processes log once they do their work.
_SERVES: Final = "server.started"
_WORKS: Final = "worker.started"
_PATH: Final = os.pathsep.join(str(Path(__file__).parents[2] / part) for part in ("src", "tests"))


class Service:
    """One ``bayar`` that is started again whenever it ends."""

    def __init__(self, record: Record, *arguments: str, env: Mapping[str, str]) -> None:
        self._record, self._arguments, self._env = record, arguments, env
        self._may_run = asyncio.Event()
        self._may_run.set()
        self._killed = False
        self.starts = 0
        self.program: Program | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Kept running as long as the block does, then told to end."""
        task = asyncio.create_task(self._keep_running())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def kill(self, *, away: float, with_children: bool) -> None:
        """Kill it, and keep it from being started again for so many seconds."""
        program = self.program
        if program is None or program.has_ended:
            return
        self._may_run.clear()
        self._killed = True
        children = children_of(program.pid) if with_children else []
        program.signal(signal.SIGKILL)
        for child in children:
            kill_9(child)
        await asyncio.sleep(away)
        self._may_run.set()

    async def _keep_running(self) -> None:
        while True:
            await self._may_run.wait()
            async with started(*self._arguments, env=self._env) as program:
                self.program, self._killed = program, False
                self.starts += 1
                try:
                    ended = await program.ended(within=_LONG)
                finally:
                    self._listen(program.said)
            self.program = None
            if not self._killed:
                at = f"{self._record.now():.1f} s"
                why = ended.err.strip().rpartition("\n")[2] or "it said nothing on stderr"
                self._record.ended.append(f"{self._arguments[0]}, exit status {ended.status} at {at}: {why}")
            await asyncio.sleep(_RESTART_SECONDS)

    def _listen(self, said: str) -> None:
        at = said.find("Traceback")
        if at >= 0:
            self._record.tracebacks.append(f"{self._arguments[0]}: {said[at : at + 2000]}")


class Postgres:
    """The embedded one, in the keeping of a process of its own."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._keeper: asyncio.subprocess.Process | None = None
        self.url = ""

    async def start(self) -> None:
        self._keeper = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "chaos.keeper", self._home, stdout=asyncio.subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": _PATH},
        )  # fmt: skip
        assert self._keeper.stdout is not None
        self.url = (await self._keeper.stdout.readline()).decode().strip()
        if not self.url:
            raise RuntimeError("Postgres did not start")

    async def stop(self) -> None:
        if self._keeper is not None and self._keeper.returncode is None:
            self._keeper.send_signal(signal.SIGTERM)
            await self._keeper.wait()

    async def kill(self, *, away: float) -> None:
        """All of it, and start it again after so many seconds."""
        assert self._keeper is not None
        kill_postgres(self._home)
        self._keeper.kill()
        await self._keeper.wait()
        await asyncio.sleep(away)
        await self.start()

    async def kill_one(self, random: Random) -> None:
        """One of the postmaster's children: it ends all others too, and recovers.

        One that was just ending by itself takes nobody with it; then another is killed. All of them may be
        killed meanwhile.
        """
        while True:
            # One that recovers would end for good, and one that starts may have another number then.
            await eventually(self.answers, within=RECOVERY_SECONDS)
            postmaster = int((self._home / "pgdata" / "postmaster.pid").read_text().splitlines()[0])
            children = children_of(postmaster)
            if not children:
                await asyncio.sleep(_RESTART_SECONDS)
                continue
            kill_9(random.choice(children))
            with suppress(AssertionError):
                await eventually(partial(_are_replaced, postmaster, children), within=_SECONDS_TO_FALL)
                break
        await eventually(self.answers, within=RECOVERY_SECONDS)

    async def answers(self) -> bool:
        try:
            async with asyncio.timeout(5), connected(self.url) as connection:
                return bool(await connection.fetchval("SELECT 1"))
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False


async def _are_replaced(postmaster: int, children: list[int]) -> bool:
    return not set(children) & set(children_of(postmaster))


class Fleet:
    """All that is killed."""

    def __init__(self, record: Record, postgres: Postgres, *, env: Mapping[str, str], port: int) -> None:
        self._record = record
        self.postgres = postgres
        self.url = f"http://{HOST}:{port}"
        serve = ("serve", "--port", str(port), "--workers", str(WORKERS), "--no-worker")
        self.api = Service(record, *serve, env=env)
        self.workers = [Service(record, "worker", env=env) for _ in range(WORKERS)]

    async def kill(self, kill: Kill, random: Random) -> None:
        """Carry it out, and note how long it took until all was whole again."""
        killed = Killed(kill=kill, at=self._record.now())
        self._record.killed.append(killed)
        with suppress(AssertionError):  # it never came back, which the record then says
            await self._struck(kill, random)
            killed.recovery = self._record.now() - killed.at

    async def _struck(self, kill: Kill, random: Random) -> None:
        match kill.target:
            case Target.API_PROCESS:
                await self._kill_api_process(random)
            case Target.API_PARENT | Target.API:
                with_children = kill.target is Target.API
                await self.api.kill(away=kill.away, with_children=with_children)
            case Target.WORKER:
                await self._kill_workers(self.workers[:1], away=kill.away)
            case Target.WORKERS:
                await self._kill_workers(self.workers, away=kill.away)
            case Target.POSTGRES_PROCESS:
                await self.postgres.kill_one(random)
            case Target.POSTGRES:
                await self.postgres.kill(away=kill.away)
        await self.is_ready()

    async def is_ready(self) -> None:
        """Wait until the service is whole: all processes there, and the API ready."""
        await eventually(self._is_ready, within=RECOVERY_SECONDS, every=0.1)

    async def _is_ready(self) -> bool:
        program = self.api.program
        if program is None or program.said.count(_SERVES) < WORKERS:
            return False
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=5) as http:
                return (await http.get(f"{self.url}/health/ready")).is_success
        except httpx.HTTPError:
            return False

    async def _kill_api_process(self, random: Random) -> None:
        program = self.api.program
        children = children_of(program.pid) if program else []
        if program is None or not children:
            return
        before = program.said.count(_SERVES)
        kill_9(random.choice(children))

        async def is_replaced() -> bool:
            now = self.api.program
            return now is not None and (now is not program or now.said.count(_SERVES) > before)

        await eventually(is_replaced, within=RECOVERY_SECONDS)

    async def _kill_workers(self, workers: list[Service], *, away: float) -> None:
        starts = [worker.starts for worker in workers]
        await asyncio.gather(*(worker.kill(away=away, with_children=False) for worker in workers))

        async def are_back() -> bool:
            return all(
                worker.starts > before and worker.program is not None and _WORKS in worker.program.said
                for worker, before in zip(workers, starts, strict=True)
            )

        await eventually(are_back, within=RECOVERY_SECONDS)
