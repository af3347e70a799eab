"""HTML built from parts, where text cannot become markup."""

from collections.abc import Iterable
from html import escape
from typing import Final

_VOID: Final = frozenset({"input", "link", "meta"})


class Markup(str):
    """HTML that is ready; every other text is escaped when it joins."""

    __slots__ = ()


Part = str | None | Iterable["str | None"]


def tag(element: str, /, *parts: Part, **attributes: str | bool | None) -> Markup:
    """Build one element. `class_` stands for class, and `a_b` for a-b; None and False leave out."""
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if element in _VOID:
        return Markup(f"<{element}{written}>")
    return Markup(f"<{element}{written}>{joined(*parts)}</{element}>")


def joined(*parts: Part) -> Markup:
    return Markup("".join(_flat(parts)))


def _flat(parts: Iterable[Part]) -> Iterable[str]:
    for part in parts:
        if isinstance(part, Markup):
            yield part
        elif isinstance(part, str):
            yield escape(part)
        elif part is not None:
            yield from _flat(part)


def _attribute(key: str, value: str | bool | None) -> str:  # noqa: FBT001 - as HTML has them
    name = key.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{escape(value)}"'
