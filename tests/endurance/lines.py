"""Values over time as lines, one panel under the other, as an SVG for light and dark."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_WIDTH, _LEFT, _RIGHT, _TOP = 1000, 80, 230, 60
_PANEL, _GAP = 190, 70
_COLOURS: Final = ("blue", "green", "yellow", "red", "violet", "grey")
_STYLE: Final = """
    svg { font: 14px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
    .page { fill: #ffffff; stroke: #c9d3da; } .grid { stroke: #dfe5e9; }
    text { fill: #16232b; } .soft { fill: #52636d; font-size: 12px; }
    .right { text-anchor: end; } .middle { text-anchor: middle; }
    polyline { fill: none; stroke-width: 2; }
    .blue { stroke: #4a7fb5; } .green { stroke: #3f8f58; } .yellow { stroke: #b98a10; }
    .red { stroke: #b5382c; } .violet { stroke: #7a5ab5; } .grey { stroke: #52636d; }
    @media (prefers-color-scheme: dark) {
      .page { fill: #10181d; stroke: #33434d; } .grid { stroke: #2a3841; }
      text { fill: #e6eef2; } .soft { fill: #a9bac4; }
      .blue { stroke: #7fb0e0; } .green { stroke: #5fb37a; } .yellow { stroke: #e0bd4d; }
      .red { stroke: #ef7d70; } .violet { stroke: #b39be6; } .grey { stroke: #a9bac4; }
    }
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Panel:
    """Lines over one scale that begins at zero."""

    title: str
    lines: Mapping[str, Sequence[float]]


def plot(at: Sequence[float], panels: Sequence[Panel], *, said: str) -> str:
    """The panels over the same time; ``said`` is for who does not see them."""
    height = _TOP + len(panels) * (_PANEL + _GAP)
    size = f'viewBox="0 0 {_WIDTH} {height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title desc">',
        '<title id="title">Memory, connections and calls under load</title>',
        f'<desc id="desc">{escape(said)}</desc>',
        f"<style>{_STYLE}</style>",
        f'<rect class="page" x="1" y="1" width="{_WIDTH - 2}" height="{height - 2}" rx="14"/>',
    ]
    for number, panel in enumerate(panels):
        parts += _panel(panel, at, top=_TOP + number * (_PANEL + _GAP))
    return "\n".join((*parts, "</svg>")) + "\n"


def _panel(panel: Panel, at: Sequence[float], *, top: float) -> Iterator[str]:
    step = _step(max((max(values) for values in panel.lines.values()), default=0.0))
    most = step * max(-(-max((max(values) for values in panel.lines.values()), default=0.0) // step), 1)
    end = max(at[-1], 1e-9)
    yield f'<text x="24" y="{top - 16}">{escape(panel.title)}</text>'
    for number in range(int(most / step) + 1):
        y = top + _PANEL * (1 - number * step / most)
        yield f'<line class="grid" x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT}" y2="{y:.1f}"/>'
        yield f'<text class="soft right" x="{_LEFT - 8}" y="{y + 4:.1f}">{number * step:g}</text>'
    for number, (name, values) in enumerate(panel.lines.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        points = " ".join(
            f"{_x(moment / end):.1f},{top + _PANEL * (1 - value / most):.1f}"
            for moment, value in zip(at, values, strict=True)
        )
        yield f'<polyline class="{colour}" points="{points}"/>'
        y = top + 8 + number * 22
        yield f'<polyline class="{colour}" points="{_WIDTH - 215},{y} {_WIDTH - 193},{y}"/>'
        yield f'<text class="soft" x="{_WIDTH - 186}" y="{y + 4}">{escape(name)}</text>'
    for part in range(6):
        words = f"{end * part / 5 / 60:.1f} min"
        yield f'<text class="soft middle" x="{_x(part / 5):.1f}" y="{top + _PANEL + 18}">{words}</text>'


def _x(share: float) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * share


def _step(most: float) -> float:
    """A round distance between lines, for about five of them."""
    step = 1.0
    while most > 5 * step:
        step *= 2.5 if f"{step:g}"[0] == "2" else 2
    return step
