"""What a run came to, for people, for programs, and as a picture."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from endurance.lines import Panel, plot
from endurance.samples import slope

if TYPE_CHECKING:
    from pathlib import Path

    from endurance.run import Measured


def write(directory: Path, measured: Measured) -> Path:
    """Into this directory; the path of what people read."""
    directory.mkdir(parents=True, exist_ok=True)
    report = directory / "report.md"
    report.write_text(as_text(measured))
    (directory / "report.json").write_text(json.dumps(asdict(measured), indent=1) + "\n")
    (directory / "plot.svg").write_text(as_picture(measured))
    return report


def as_text(measured: Measured) -> str:
    samples = measured.samples
    wrong = ", ".join(f"{what} ({number})" for what, number in measured.wrong.most_common()) or "nothing"
    calls = sum(sample.calls_a_second for sample in samples) / len(samples)
    median = _middle([one.median for one in samples])
    slowest = _middle([one.slowest for one in samples])
    lines = [
        f"# {measured.minutes:g} minutes of load",
        "",
        f"{measured.date}, {measured.machine}.",
        f"The most was {measured.most:.0f} orders a second, each from its create to its settlement.",
        f"Then {measured.rate:.0f} a second: {calls:.0f} calls a second of the shops, and the notifications.",
        f"The median sample has a median of {median:.0f} ms and a 99th percentile of {slowest:.0f} ms.",
        f"Wrong: {wrong}.",
        "",
        "![Memory, connections and calls over time.](plot.svg)",
        "",
        "| memory | after a third | at the end | growth in an hour, from then on |",
        "|---|---|---|---|",
    ]
    for name in samples[0].memory:
        values = [sample.memory[name] for sample in samples]
        third = values[len(values) // 3]
        grown = f"{slope(samples, values):+.1f} MiB"
        lines.append(f"| {name} | {third:.1f} MiB | {values[-1]:.1f} MiB | {grown} |")
    lines += ["", "| open connections | least | most | growth in an hour |", "|---|---|---|---|"]
    for name in samples[0].connections:
        counted = [sample.connections[name] for sample in samples]
        lines.append(f"| {name} | {min(counted)} | {max(counted)} | {slope(samples, counted):+.1f} |")
    return "\n".join(lines) + "\n"


def as_picture(measured: Measured) -> str:
    samples = measured.samples
    panels = [
        Panel(
            title="memory in MiB",
            lines={name: [sample.memory[name] for sample in samples] for name in samples[0].memory},
        ),
        Panel(
            title="open connections",
            lines={name: [sample.connections[name] for sample in samples] for name in samples[0].connections},
        ),
        Panel(
            title="calls a second, and what was wrong since the look before",
            lines={
                "calls": [sample.calls_a_second for sample in samples],
                "wrong": [float(sum(sample.wrong.values())) for sample in samples],
            },
        ),
    ]
    said = f"{measured.minutes:g} minutes at {measured.rate:.0f} orders a second; the report has the numbers."
    return plot([sample.at for sample in samples], panels, said=said)


def _middle(seconds: list[float]) -> float:
    return 1000 * sorted(seconds)[len(seconds) // 2]
