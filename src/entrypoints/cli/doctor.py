import sys
from dataclasses import dataclass
from urllib.parse import urlsplit

import rich_click as click

from domain.errors import DatabaseUnavailable
from domain.ports.deliveries import Backlog
from domain.ports.gateway import KeyCheck
from entrypoints.cli import endpoint_check
from entrypoints.cli.output import as_json, show_json, show_table
from entrypoints.cli.session import EVERYTHING, with_container
from entrypoints.cli.webhook_check import verdict
from entrypoints.container import Container
from entrypoints.settings import (
    WEBHOOK_PATH,
    Settings,
    SettingsError,
    from_environment,
    is_midtrans,
    is_public,
)

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

    async def check(container: Container) -> list[Finding]:
        return [
            *await _database(container),
            *await _midtrans(container),
            await _webhook(container, settings),
            *await _endpoints(container),
        ]

    return found + with_container(EVERYTHING, check)


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
        _clock("clock", "the database's", apart),
    ]


async def _midtrans(container: Container) -> list[Finding]:
    detail = {
        KeyCheck.ACCEPTED: "the server key is accepted",
        KeyCheck.REFUSED: "the server key is refused; check it, and that MIDTRANS_ENV names its environment",
        KeyCheck.UNREACHABLE: "did not answer as Midtrans does; check MIDTRANS_BASE_URL and the network",
    }
    checked = await container.midtrans().check_key()
    found = [Finding(check="Midtrans", ok=checked is KeyCheck.ACCEPTED, detail=detail[checked])]
    silent = checked is KeyCheck.UNREACHABLE
    apart = None if silent else await container.midtrans().seconds_apart()
    if apart is not None:
        found.append(_clock("clock at Midtrans", "Midtrans's", apart))
    return found


def _clock(check: str, whose: str, apart: float) -> Finding:
    ok = apart <= _CLOCK_SECONDS
    advice = "" if ok else "; set both by NTP: payments expire by the clock"
    return Finding(check=check, ok=ok, detail=f"{apart:.1f} s apart from {whose}{advice}")


async def _endpoints(container: Container) -> list[Finding]:
    try:
        async with container.begin()() as work:
            endpoints, backlogs = await work.endpoints.page(), await work.deliveries.backlogs()
    except DatabaseUnavailable:  # which is told already, or lacks migrations
        return []
    verdicts = [endpoint_check.verdict(one, backlogs.get(one.id, Backlog())) for one in endpoints]
    return [Finding(check="endpoint", ok=ok, detail=told) for ok, told in verdicts]


async def _webhook(container: Container, settings: Settings) -> Finding:
    if settings.public_url is None:
        told = (
            f"BAYAR_PUBLIC_URL is not set, so the address in the Midtrans dashboard must be this service's: "
            f"https://…{WEBHOOK_PATH}"
        )
        return Finding(check="webhook", ok=True, detail=told)
    url = settings.public_url + WEBHOOK_PATH
    ok, told = verdict(
        url,
        await container.webhook_probe()(url),
        by_midtrans=is_midtrans(urlsplit(settings.midtrans_url).hostname),
        is_public=is_public(url),
    )
    return Finding(check="webhook", ok=ok, detail=told)
