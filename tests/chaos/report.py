"""A run on paper: Markdown with the picture, and the same as JSON for programs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from chaos.plan import Target
from chaos.plot import plot
from chaos.record import spread

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from chaos.promises import Facts, Promise


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """What was asked for, where and when."""

    seed: int
    seconds: int
    rate: float
    date: str
    machine: str


def write(directory: Path, run: Run, facts: Facts, promises: Sequence[Promise], *, lasted: int) -> Path:
    """Write all three files; gives the one to read first."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "plot.svg").write_text(plot(facts.record, lasted))
    (directory / "report.json").write_text(json.dumps(_json(run, facts, promises), indent=2) + "\n")
    report = directory / "report.md"
    report.write_text("\n".join(_lines(run, facts, promises)) + "\n")
    return report


def recoveries(facts: Facts) -> list[list[object]]:
    """A row for each target: how often it was killed, and the median and the most of its recoveries."""
    rows: list[list[object]] = []
    for target in Target:
        found = [killed for killed in facts.record.killed if killed.kill.target is target]
        seconds = [killed.recovery for killed in found if killed.recovery is not None]
        median, _, most = spread(seconds)
        never = len(found) - len(seconds)
        rows.append([target, len(found), f"{median:.1f}", f"{most:.1f}", never or ""])
    return rows


def _lines(run: Run, facts: Facts, promises: Sequence[Promise]) -> Iterator[str]:
    broken = sum(not promise.is_kept for promise in promises)
    yield from (
        f"# Real kills, seed {run.seed}",
        "",
        f"{run.date}, {run.machine}.",
        f"`make chaos SEED={run.seed} SECONDS={run.seconds}`: {run.rate:g} orders a second.",
        "",
        f"**{'Every promise was kept.' if not broken else f'{broken} promises were broken.'}**",
        "",
        "![Calls in each second by outcome, and each kill with the time it took to recover.](plot.svg)",
        "",
        "## Promises",
        "",
        *_table(
            ("promise", "result", "seen"),
            [[p.what, "kept" if p.is_kept else "**BROKEN**", _cell(p)] for p in promises],
        ),
        "",
        "## Recovery",
        "",
        "Seconds from a kill until all processes do their work and `/health/ready` is 200 again;",
        "they include the moment for which what was killed is kept away on purpose.",
        "",
        *_table(("killed", "times", "median", "most", "never"), recoveries(facts)),
        "",
        *_table(
            ("at", "killed", "kept away", "recovered after"),
            [
                [f"{k.at:.1f} s", k.kill.target, f"{k.kill.away:.1f} s", _seconds(k.recovery)]
                for k in facts.record.killed
            ],
        ),
        "",
        "## From money to settlement",
        "",
    )
    median, most_of_all, most = spread(facts.lags.values())
    yield (
        f"Of {len(facts.lags)} payments that a shop waited for: median {median:.2f} s,"
        f" 99th percentile {most_of_all:.2f} s, slowest {most:.2f} s from Midtrans's settlement to ours,"
        " with the time in which something was killed and not yet back."
    )
    yield from (
        "",
        "## Answers",
        "",
        *_table(("call", "status", "times"), [list(row) for row in facts.record.by_status()]),
    )
    if facts.record.ended:
        yield from (
            "",
            "## Ended without being killed",
            "",
            *(f"- {_plain(what)}" for what in facts.record.ended),
        )


def _cell(promise: Promise) -> str:
    return "; ".join(_plain(text) for text in (promise.seen, *promise.broken))


def _plain(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _seconds(recovery: float | None) -> str:
    return "never" if recovery is None else f"{recovery:.1f} s"


def _table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield f"|{'---|' * len(columns)}"
    for row in rows:
        yield f"| {' | '.join(map(str, row))} |"


def _json(run: Run, facts: Facts, promises: Sequence[Promise]) -> dict[str, Any]:
    return {
        "run": asdict(run),
        "promises": [asdict(promise) | {"kept": promise.is_kept} for promise in promises],
        "kills": [
            asdict(killed.kill) | {"killed_at": round(killed.at, 2), "recovery": killed.recovery}
            for killed in facts.record.killed
        ],
        "settlement_seconds": dict(zip(("median", "p99", "most"), spread(facts.lags.values()), strict=True)),
        "answers": [
            {"call": call, "status": status, "times": times}
            for call, status, times in facts.record.by_status()
        ],
        "ended": facts.record.ended,
    }
