import sys
from dataclasses import dataclass

import rich_click as click

from domain.errors import DatabaseUnavailable
from domain.ports.gateway import KeyCheck
from entrypoints.cli.output import as_json, show_json, show_table
from entrypoints.cli.session import EVERYTHING, with_container
from entrypoints.container import Container
from entrypoints.settings import SettingsError, from_environment

_LEAST_POSTGRES = 14
_CLOCK_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    check: str
    ok: bool
    detail: str


@click.command()
@as_json
def doctor(as_json: bool) -> None:  # noqa: FBT001 - a flag
    """Check everything that the service needs, one line each; exit status 1 if anything fails.

    Example: bayar doctor
    """
    findings = _findings()
    if as_json:
        show_json([{"check": f.check, "ok": f.ok, "detail": f.detail} for f in findings])
    else:
        rows = [[f.check, "ok" if f.ok else "failed", f.detail] for f in findings]
        show_table(["check", "result", "detail"], rows)
    sys.exit(0 if all(finding.ok for finding in findings) else 1)


def _findings() -> list[Finding]:
    try:
        settings = from_environment(needs=EVERYTHING)
    except SettingsError as wrong:
        return [Finding(check="settings", ok=False, detail=line) for line in str(wrong).splitlines()]
    where = (
        f"Midtrans at {settings.midtrans_url}, notified at {settings.notify_url or 'the dashboard address'}"
    )
    found = [Finding(check="settings", ok=True, detail=where)]
    return found + with_container(EVERYTHING, _check)


async def _check(container: Container) -> list[Finding]:
    return [*await _database(container), await _midtrans(container)]


async def _database(container: Container) -> list[Finding]:
    try:
        condition = await container.health().condition()
    except DatabaseUnavailable as away:
        why = away.__cause__
        return [Finding(check="database", ok=False, detail=f"cannot be reached: {why or away}")]
    new_enough = int(condition.version.partition(".")[0]) >= _LEAST_POSTGRES
    missing = ", ".join(condition.missing_migrations)
    apart = abs((container.clock().now() - condition.now).total_seconds())
    return [
        Finding(
            check="database",
            ok=new_enough,
            detail=f"PostgreSQL {condition.version}"
            + ("" if new_enough else f"; {_LEAST_POSTGRES} or later is needed"),
        ),
        Finding(
            check="encoding",
            ok=condition.encoding == "UTF8",
            detail=condition.encoding
            + ("" if condition.encoding == "UTF8" else "; create the database with ENCODING 'UTF8'"),
        ),
        Finding(
            check="durable commits",
            ok=condition.durable,
            detail="a commit waits for the disk"
            if condition.durable
            else "set fsync and synchronous_commit to on: an answered payment could be lost",
        ),
        Finding(
            check="migrations",
            ok=not missing,
            detail=f"missing {missing}; run bayar migrate" if missing else "current",
        ),
        Finding(
            check="clock",
            ok=apart <= _CLOCK_SECONDS,
            detail=f"{apart:.1f} s apart from the database's"
            + ("" if apart <= _CLOCK_SECONDS else "; set both by NTP: payments expire by the clock"),
        ),
    ]


async def _midtrans(container: Container) -> Finding:
    detail = {
        KeyCheck.ACCEPTED: "the server key is accepted",
        KeyCheck.REFUSED: "the server key is refused; check it, and that MIDTRANS_ENV names its environment",
        KeyCheck.UNREACHABLE: "did not answer as Midtrans does; check MIDTRANS_BASE_URL and the network",
    }
    checked = await container.midtrans().check_key()
    return Finding(check="Midtrans", ok=checked is KeyCheck.ACCEPTED, detail=detail[checked])
