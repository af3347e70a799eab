"""The run as one picture: requests and errors over time, and for each kill how long it took to recover."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from chaos.plan import Target

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chaos.record import Killed, Record

_WIDTH: Final = 1000
_LEFT: Final = 210
_RIGHT: Final = 24
_TOP: Final = 78
_BARS: Final = 220
_LANES_TOP: Final = _TOP + _BARS + 62
_LANE: Final = 30
_HEIGHT: Final = _LANES_TOP + _LANE * len(Target) + 24
_OUTCOMES: Final = (
    ("good", "answered"),
    ("told", "told to wait, or that Midtrans failed (409, 429, 502, 503, 504)"),
    ("broken", "no answer"),
)
_STYLE: Final = """
    svg { font: 14px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
    .page { fill: #ffffff; stroke: #c9d3da; }
    .grid { stroke: #dfe5e9; }
    .kill { stroke: #52636d; stroke-dasharray: 2 4; }
    .good { fill: #3f8f58; }
    .told { fill: #d8a013; }
    .broken { fill: #b5382c; }
    .recovery { fill: #4a7fb5; }
    text { fill: #16232b; }
    .soft { fill: #52636d; font-size: 12px; }
    .right { text-anchor: end; }
    .middle { text-anchor: middle; }
    @media (prefers-color-scheme: dark) {
      .page { fill: #10181d; stroke: #33434d; }
      .grid { stroke: #2a3841; }
      .kill { stroke: #a9bac4; }
      .good { fill: #5fb37a; }
      .told { fill: #e0bd4d; }
      .broken { fill: #ef7d70; }
      .recovery { fill: #7fb0e0; }
      text { fill: #e6eef2; }
      .soft { fill: #a9bac4; }
    }
"""


def plot(record: Record, seconds: int) -> str:
    """An SVG of a run that lasted so many seconds."""
    size = f'viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title desc">',
        '<title id="title">Requests, errors and recoveries over time</title>',
        f'<desc id="desc">{escape(_told(record))}</desc>',
        f"<style>{_STYLE}</style>",
        f'<rect class="page" x="1" y="1" width="{_WIDTH - 2}" height="{_HEIGHT - 2}" rx="14"/>',
        *_legend(),
        *_bars(record.per_second(seconds), seconds),
        *_lanes(record.killed, seconds),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _told(record: Record) -> str:
    """The same for somebody who does not see it."""
    kills = "; ".join(
        f"{killed.kill.target} killed at {killed.at:.0f} s, "
        + ("never recovered" if killed.recovery is None else f"recovered in {killed.recovery:.1f} s")
        for killed in record.killed
    )
    return f"{len(record.answers)} calls. {kills}."


def _x(second: float, seconds: int) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * second / seconds


def _legend() -> Iterator[str]:
    x = 24
    for outcome, words in _OUTCOMES:
        yield f'<rect class="{outcome}" x="{x}" y="22" width="14" height="14" rx="3"/>'
        yield f'<text x="{x + 21}" y="34">{words}</text>'
        x += 60 + 7 * len(words)


def _bars(counted: dict[str, list[int]], seconds: int) -> Iterator[str]:
    totals = [sum(at_once) for at_once in zip(*counted.values(), strict=True)]
    step = _step(max(totals, default=0))
    most = step * max(-(-max(totals, default=0) // step), 1)
    yield f'<text class="soft" x="24" y="{_TOP + 14}">calls in each second</text>'
    for number in range(0, most + 1, step):
        y = _TOP + _BARS * (1 - number / most)
        yield f'<line class="grid" x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT}" y2="{y:.1f}"/>'
        yield f'<text class="soft right" x="{_LEFT - 8}" y="{y + 4:.1f}">{number}</text>'
    width = (_WIDTH - _LEFT - _RIGHT) / seconds
    for second in range(seconds):
        y = float(_TOP + _BARS)
        for outcome, _ in _OUTCOMES:
            height = _BARS * counted[outcome][second] / most
            y -= height
            if height:
                yield (
                    f'<rect class="{outcome}" x="{_x(second, seconds):.1f}" y="{y:.1f}"'
                    f' width="{max(width - 1, 0.5):.1f}" height="{height:.1f}"/>'
                )
    for second in range(0, seconds + 1, _step(seconds)):
        x = _x(second, seconds)
        yield f'<text class="soft middle" x="{x:.1f}" y="{_TOP + _BARS + 18}">{second} s</text>'


def _lanes(killed: Sequence[Killed], seconds: int) -> Iterator[str]:
    words = "killed, and how long until all was whole again"
    yield f'<text class="soft" x="24" y="{_LANES_TOP - 20}">{words}</text>'
    for place, target in enumerate(Target):
        y = _LANES_TOP + _LANE * place
        yield f'<line class="grid" x1="{_LEFT}" y1="{y + 15}" x2="{_WIDTH - _RIGHT}" y2="{y + 15}"/>'
        yield f'<text class="soft right" x="{_LEFT - 8}" y="{y + 19}">{escape(target)}</text>'
        for one in killed:
            if one.kill.target is target:
                yield from _kill(one, y, seconds)


def _kill(killed: Killed, y: int, seconds: int) -> Iterator[str]:
    x = _x(killed.at, seconds)
    end = seconds if killed.recovery is None else min(killed.at + killed.recovery, seconds)
    width = max(_x(end, seconds) - x, 2)
    words = "never" if killed.recovery is None else f"{killed.recovery:.1f} s"
    yield f'<line class="kill" x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{_TOP + _BARS}"/>'
    style = "broken" if killed.recovery is None else "recovery"
    yield f'<rect class="{style}" x="{x:.1f}" y="{y + 7}" width="{width:.1f}" height="16" rx="3"/>'
    if x + width + 50 < _WIDTH:
        yield f'<text class="soft" x="{x + width + 4:.1f}" y="{y + 19}">{words}</text>'
    else:
        yield f'<text class="soft right" x="{x - 4:.1f}" y="{y + 19}">{words}</text>'


def _step(most: int) -> int:
    """A round distance between lines, for about six of them."""
    for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000):
        if most <= 6 * step:
            return step
    return -(-most // 6)
