"""Bars as an SVG that a browser shows as it is, in the light and in the dark."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

_WIDTH: Final = 1000
_LEFT: Final = 250
_RIGHT: Final = 90
_TOP: Final = 96
_BAR: Final = 20
_GAP: Final = 22
_CLASSES: Final = ("first", "second")
_STYLE: Final = """
    svg { font: 14px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
    .page { fill: #ffffff; stroke: #c9d3da; }
    .grid { stroke: #dfe5e9; }
    .first { fill: #4a7fb5; }
    .second { fill: #3f8f58; }
    text { fill: #16232b; }
    .soft { fill: #52636d; font-size: 12px; }
    .right { text-anchor: end; }
    .middle { text-anchor: middle; }
    @media (prefers-color-scheme: dark) {
      .page { fill: #10181d; stroke: #33434d; }
      .grid { stroke: #2a3841; }
      .first { fill: #7fb0e0; }
      .second { fill: #5fb37a; }
      text { fill: #e6eef2; }
      .soft { fill: #a9bac4; }
    }
"""


@dataclass(frozen=True, kw_only=True)
class Bars:
    """Groups of bars, each with a name and the sizes of its parts, one after another."""

    title: str
    unit: str
    parts: tuple[str, ...]
    groups: Sequence[tuple[str, Sequence[tuple[str, Sequence[float]]]]]


def bars(drawn: Bars) -> str:
    most = max((sum(sizes) for _, own in drawn.groups for _, sizes in own), default=1.0)
    step = _step(most)
    top = step * -(-most // step)
    lines = sum(len(own) for _, own in drawn.groups)
    bottom = _TOP + lines * (_BAR + 4) + len(drawn.groups) * _GAP
    told = "; ".join(
        f"{group}, {name}: {sum(sizes):.2f}" for group, own in drawn.groups for name, sizes in own
    )
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {bottom + 44}" role="img" aria-labelledby="title desc">',
        f'<title id="title">{escape(drawn.title)}</title>',
        f'<desc id="desc">{escape(told)}</desc>',
        f"<style>{_STYLE}</style>",
        f'<rect class="page" x="1" y="1" width="{_WIDTH - 2}" height="{bottom + 42}" rx="14"/>',
        f'<text x="24" y="34">{escape(drawn.title)}</text>',
        *_legend(drawn.parts),
        *_grid(step, top, bottom, drawn.unit),
        *_groups(drawn, top),
        "</svg>",
    ]) + "\n"  # fmt: skip


def _x(size: float, top: float) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * size / top


def _legend(parts: tuple[str, ...]) -> Iterator[str]:
    x = 24
    for style, words in zip(_CLASSES, parts, strict=False):
        yield f'<rect class="{style}" x="{x}" y="52" width="14" height="14" rx="3"/>'
        yield f'<text x="{x + 21}" y="64">{escape(words)}</text>'
        x += 60 + 8 * len(words)


def _grid(step: float, top: float, bottom: int, unit: str) -> Iterator[str]:
    for number in range(round(top / step) + 1):
        x = _x(number * step, top)
        yield f'<line class="grid" x1="{x:.1f}" y1="{_TOP - 8}" x2="{x:.1f}" y2="{bottom}"/>'
        yield f'<text class="soft middle" x="{x:.1f}" y="{bottom + 16}">{number * step:g}</text>'
    yield f'<text class="soft right" x="{_WIDTH - _RIGHT}" y="{bottom + 34}">{escape(unit)}</text>'


def _groups(drawn: Bars, top: float) -> Iterator[str]:
    y = float(_TOP)
    for group, own in drawn.groups:
        yield f'<text x="24" y="{y + 15}">{escape(group)}</text>'
        for name, sizes in own:
            yield f'<text class="soft right" x="{_LEFT - 8}" y="{y + 14}">{escape(name)}</text>'
            start = 0.0
            for style, size in zip(_CLASSES, sizes, strict=False):
                width = _x(start + size, top) - _x(start, top)
                yield f'<rect class="{style}" x="{_x(start, top):.1f}" y="{y:.1f}" width="{width:.1f}" height="{_BAR}"/>'
                start += size
            yield f'<text class="soft" x="{_x(start, top) + 6:.1f}" y="{y + 14}">{start:.2f}</text>'
            y += _BAR + 4
        y += _GAP


def _step(most: float) -> float:
    """A round distance between lines, for about six of them."""
    step = 0.001
    while most > 6 * step:
        step *= 2.5 if f"{step:e}".startswith("2") else 2
    return step
