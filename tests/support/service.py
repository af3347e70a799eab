"""The service as a whole: its settings, its callers' tokens, and waiting for what it does by itself."""

import asyncio
import json
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeVar

import httpx
import jwt

from support.builders import SERVER_KEY, USER_ID

T = TypeVar("T")

TOKEN_SECRET: Final = "the-secret-that-signs-bearer-tokens-in-tests"
CREATE: Final = "/api/payments/gopayqris/create"
WEBHOOK: Final = "/api/payments/webhook"


def environment(**changes: str | None) -> dict[str, str]:
    """The variables that serving needs, and what a test wants beside them or (None) without them."""
    given: dict[str, str | None] = {
        "DATABASE_URL": "postgresql://bayar@database.example/bayar",
        "MIDTRANS_SERVER_KEY": SERVER_KEY,
        "AUTH_JWT_SECRET": TOKEN_SECRET,
    }
    return {name: value for name, value in (given | changes).items() if value is not None}


def a_token(user: int = USER_ID, *, scope: str | None = None, **claims: Any) -> str:
    """A bearer token that is good for an hour; a claim of None is left out."""
    said = {"sub": str(user), "exp": int(time.time()) + 3600, "scope": scope} | claims
    kept = {name: value for name, value in said.items() if value is not None}
    return jwt.encode(kept, TOKEN_SECRET, algorithm="HS256")


def bearer(user: int = USER_ID, *, scope: str | None = None, **claims: Any) -> dict[str, str]:
    """The header of a caller with a good token."""
    return {"Authorization": f"Bearer {a_token(user, scope=scope, **claims)}"}


async def eventually(look: Callable[[], Awaitable[T]], *, within: float = 10.0, every: float = 0.02) -> T:
    """What ``look`` finds once it finds anything true; fails when it does not in so many seconds."""
    found: T | None = None
    try:
        async with asyncio.timeout(within):
            while not (found := await look()):  # noqa: ASYNC110 - other processes set no events
                await asyncio.sleep(every)
    except TimeoutError:
        raise AssertionError(f"it did not come in {within} s; last seen: {found!r}") from None
    return found


BAYAR: Final = Path(sys.executable).with_name("bayar")
HOST: Final = "127.0.0.1"
_FIRST_PORT: Final = 10_000


def free_port() -> int:
    """A port that nobody listens on, and nobody on the next one.

    The system gives it to nobody by itself: it stays free while what listened there is killed and comes back.
    """
    while True:
        port = _FIRST_PORT + secrets.randbelow(_given_away_from() - _FIRST_PORT)
        with socket.socket() as one, socket.socket() as next_one, suppress(OSError):
            one.bind((HOST, port))
            next_one.bind((HOST, port + 1))
            return port


@cache
def _given_away_from() -> int:
    """The first of the ports that are for whoever asks for any, or connects."""
    return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0]) - 1


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A program that came to its end: how, and what it said."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Program:
    """A running ``bayar``; it is ended by its own handle."""

    def __init__(self, process: asyncio.subprocess.Process, out: Path, err: Path) -> None:
        self._process, self._out, self._err = process, out, err

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        return self._process.returncode is not None

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    async def ended(self, *, within: float = 40.0) -> Ended:
        """Wait for its end."""
        try:
            async with asyncio.timeout(within):
                status = await self._process.wait()
        except TimeoutError:
            raise AssertionError(f"it did not end in {within} s: {self.said}") from None
        return Ended(status=status, out=self._out.read_text(), err=self._err.read_text())

    @property
    def said(self) -> str:
        """Everything that it has printed so far."""
        return self._out.read_text() + self._err.read_text()

    async def stop(self) -> None:
        """End it if it still runs; for a test's end, however the test went."""
        if not self.has_ended:
            self.signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(10):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
                await self._process.wait()


@asynccontextmanager
async def started(*arguments: str, env: Mapping[str, str]) -> AsyncIterator[Program]:
    """``bayar`` with these arguments and with nothing but these variables, while the block runs."""
    with TemporaryDirectory(prefix="bayar-program-") as made:
        out, err = Path(made) / "out", Path(made) / "err"
        with out.open("wb") as out_file, err.open("wb") as err_file:
            process = await asyncio.create_subprocess_exec(
                BAYAR,
                *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out_file,
                stderr=err_file,
                env={"PATH": os.defpath, **env},
            )
        program = Program(process, out, err)
        try:
            yield program
        finally:
            await program.stop()


async def ran(*arguments: str, env: Mapping[str, str], within: float = 40.0) -> Ended:
    """``bayar`` from start to end."""
    async with started(*arguments, env=env) as program:
        return await program.ended(within=within)


async def answering(url: str, program: Program, *, key: str | None = None, within: float = 20.0) -> None:
    """Wait until the program answers there with a success, to a caller with this server key if given."""
    auth = (key, "") if key else None
    async with httpx.AsyncClient(trust_env=False, auth=auth) as http:

        async def look() -> bool:
            assert not program.has_ended, f"it ended: {program.said}"
            try:
                return (await http.get(url)).is_success
            except httpx.HTTPError:
                return False

        await eventually(look, within=within)


@dataclass(frozen=True, kw_only=True)
class Serving:
    """A running ``bayar serve`` and where it is reached."""

    url: str
    program: Program


@asynccontextmanager
async def serving(*arguments: str, env: Mapping[str, str], port: int | None = None) -> AsyncIterator[Serving]:
    """``bayar serve`` on a port of its own, ready."""
    port = port or free_port()
    async with started("serve", "--port", str(port), *arguments, env=env) as program:
        url = f"http://{HOST}:{port}"
        await answering(f"{url}/health/ready", program)
        yield Serving(url=url, program=program)


@asynccontextmanager
async def simulating(*arguments: str) -> AsyncIterator[Serving]:
    """``bayar simulator`` on a port of its own, which takes the server key of the tests."""
    port = free_port()
    key = ("--server-key", SERVER_KEY)
    async with started("simulator", "--port", str(port), *key, *arguments, env={}) as program:
        url = f"http://{HOST}:{port}"
        await answering(f"{url}/v2/none/status", program, key=SERVER_KEY)
        yield Serving(url=url, program=program)
