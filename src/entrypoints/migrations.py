"""dbmate over ``db/migrations``: what `bayar migrate` does, and what the health checks compare with."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import asyncpg

from entrypoints.trouble import Trouble

DIRECTORY: Final = Path(__file__).parents[2] / "db" / "migrations"
_HOST: Final = re.compile(r"(\[[^\]]+\]|[^:]+)(?::([0-9]+))?")
_PORT: Final = "5432"
_LAST_PORT: Final = 65_535
# Where a URL without a host leads the service itself (asyncpg, and psql on most systems).
_USUAL_HOSTS: Final = "/run/postgresql,/var/run/postgresql,/tmp,localhost"
_ANSWER_SECONDS: Final = 5


class MigrationError(Trouble):
    """Why the migrations could not be run, in one plain sentence."""


def versions() -> tuple[str, ...]:
    """The versions that this release comes with, oldest first."""
    files = [file.name for file in DIRECTORY.iterdir() if file.suffix == ".sql"]
    return tuple(sorted(name.partition("_")[0] for name in files))


def migrate_up(url: str) -> list[str]:
    """Apply every pending migration, oldest first; the files applied by this call.

    The database is made if it is missing. Of several callers at once one applies and the others wait.
    """
    return re.findall(r"^Applied: (\S+)", _dbmate(url, "up", "--strict"), re.MULTILINE)


def migration_status(url: str) -> list[tuple[str, bool]]:
    """Every migration file, oldest first, and whether it is applied."""
    found = re.findall(r"^\[([X ])\] (\S+)", _dbmate(url, "status"), re.MULTILINE)
    return [(file, mark == "X") for mark, file in found]


def rollback(url: str) -> str:
    """Undo the migration applied last; its file."""
    undone = re.search(r"^Rolled back: (\S+)", _dbmate(url, "rollback"), re.MULTILINE)
    return undone[1] if undone else ""


def dump_schema(url: str, file: Path, *, pg_dump: Path) -> None:
    """Write the database's schema as ``db/schema.sql`` has it; ``pg_dump`` is of the server's version."""
    _dbmate(url, "dump", file=file, path=str(pg_dump.parent))


def _dbmate(url: str, *command: str, file: Path | None = None, path: str | None = None) -> str:
    """What dbmate prints. Blocks, and not for use inside a running event loop.

    Every trouble of every function here comes out of it as MigrationError.
    """
    database = _primary(_read(url))
    output = ["--schema-file", str(file)] if file else ["--no-dump-schema"]
    done = subprocess.run(  # noqa: S603 - a fixed command, no shell # nosec B603
        [
            _program(), "--env-file", os.devnull, "--migrations-dir", str(DIRECTORY), *output,
            "--migration-lock", *command,
        ],
        env=_environment(os.environ, database.url, path),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        words = " ".join(done.stderr.split()).removeprefix("Error: ").removeprefix("pq: ")
        raise MigrationError(f"dbmate {command[0]} failed: {database.without_password(words)}.")
    return done.stdout


def _program() -> str:
    beside = Path(sys.executable).with_name("dbmate")
    found = str(beside) if beside.exists() else shutil.which("dbmate")
    if found is None:
        raise MigrationError("dbmate is missing: `make setup` installs it.")
    return found


def _environment(ours: Mapping[str, str], url: str, path: str | None) -> dict[str, str]:
    """The environment is handed on, for HOME and PG... mean to dbmate what they mean to the service.

    DBMATE_... do not: the migrations are the same everywhere.
    """
    kept = {name: value for name, value in ours.items() if not name.startswith("DBMATE_")}
    # The service tries without TLS when the server has none; dbmate would refuse.
    environment = {"PGSSLMODE": "prefer", **kept, "DATABASE_URL": url}
    return environment | {"PATH": path} if path else environment


@dataclass(frozen=True, kw_only=True, slots=True)
class _Database:
    """A DATABASE_URL taken apart. asyncpg takes more forms of it than dbmate does."""

    user: str
    password: str
    name: str
    hosts: tuple[tuple[str, str], ...]
    options: tuple[tuple[str, str], ...]

    @property
    def url(self) -> str:
        """The form that both take; a socket's directory and an IPv6 address only fit into the query."""
        [(host, port)] = self.hosts
        password = f":{quote(self.password, safe='')}" if self.password else ""
        query = urlencode([("host", host), ("port", port), *self.options], quote_via=quote, safe="/")
        return f"postgresql://{quote(self.user, safe='')}{password}@/{quote(self.name, safe='')}?{query}"

    def without_password(self, text: str) -> str:
        for secret in {self.password, quote(self.password, safe="")} - {""}:
            text = text.replace(secret, "***")
        return text


def check_readable(url: str) -> None:
    """Raises MigrationError for a DATABASE_URL that names no host and port to connect to."""
    _read(url)


def _read(url: str) -> _Database:
    parts = urlsplit(url)
    login, _, spec = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    query = dict(parse_qsl(parts.query))
    named, ports = query.pop("host", ""), query.pop("port", _PORT).split(",")
    if spec:
        found = [_HOST.fullmatch(unquote(one)) for one in spec.split(",")]
        hosts = [(one[1].strip("[]"), one[2] or _PORT) for one in found if one]
        understood = all(found) and all(port.isdecimal() for port in ports)
    else:
        names = (named or _USUAL_HOSTS).split(",")
        ports = ports * len(names) if len(ports) == 1 else ports
        hosts = list(zip(names, ports, strict=False))
        understood = len(names) == len(ports) and all(port.isdecimal() for port in ports)
    understood = understood and all(int(port) <= _LAST_PORT for _, port in hosts)
    if not understood:  # and not repeated: it may be a part of the password
        raise MigrationError("DATABASE_URL names a host or a port that cannot be read.")
    return _Database(
        user=unquote(user),
        password=unquote(password),
        name=unquote(parts.path.removeprefix("/")),
        hosts=tuple(hosts),
        options=tuple(query.items()),
    )


def _primary(database: _Database) -> _Database:
    """The database on one host: dbmate takes no more, and must not be given a standby."""
    if len(database.hosts) == 1:
        return database
    refusals = []
    for host in database.hosts:
        one = replace(database, hosts=(host,))
        refusal = asyncio.run(_refusal(one))
        if refusal is None:
            return one
        refusals.append(f"{host[0]}: {refusal}")
    raise MigrationError(f"No host of DATABASE_URL is a primary ({'; '.join(refusals)}).")


async def _refusal(database: _Database) -> str | None:
    """Why this host is not the primary; None if it is."""
    [(host, port)] = database.hosts
    refusal = ""
    # Migrating makes the database if it is missing: then another one has to answer.
    for name in (database.name or None, "postgres"):
        try:
            connection = await asyncpg.connect(
                database.url, host=host, port=int(port), database=name, timeout=_ANSWER_SECONDS
            )
        except asyncpg.InvalidCatalogNameError as missing:
            refusal = str(missing)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as trouble:
            return str(trouble) or "no answer"
        else:
            try:
                standby = await connection.fetchval("SELECT pg_is_in_recovery()")
            finally:
                await connection.close()
            return "a standby" if standby else None
    return refusal
