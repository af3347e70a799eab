"""Bugs as patches of the real code: what each is, and how it is planted."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

_BUGS: Final = Path(__file__).with_name("bugs")


class DoesNotApply(Exception):
    """The code has changed where the bug is planted: write the patch anew."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bug:
    """``what`` is wrong once the patch is applied, in one sentence."""

    name: str
    what: str
    patch: str


def every_bug() -> list[Bug]:
    return [_read(path) for path in sorted(_BUGS.glob("*.patch"))]


def planted(bug: Bug, root: Path) -> dict[Path, str]:
    """What the files under ``root`` would be with this bug. Raises DoesNotApply."""
    files: dict[Path, str] = {}
    path = root
    for part in _parts(bug.patch):
        if part[0].startswith("+++ "):
            path = root / part[0].strip().removeprefix("+++ b/")
            files[path] = path.read_text()
            continue
        old = "".join(line[1:] for line in part if line[0] in " -")
        new = "".join(line[1:] for line in part if line[0] in " +")
        if files[path].count(old) != 1:
            raise DoesNotApply(f"{bug.name}: {path.relative_to(root)} does not have this just once:\n{old}")
        files[path] = files[path].replace(old, new)
    return files


def _read(path: Path) -> Bug:
    what, _, patch = path.read_text().partition("\n\n")
    return Bug(name=path.stem, what=what, patch=patch)


def _parts(patch: str) -> list[list[str]]:
    """The name of each changed file, and each of its hunks without its place: that may have moved."""
    parts: list[list[str]] = []
    for line in patch.splitlines(keepends=True):
        if line.startswith("--- "):
            continue
        if line.startswith("@@ "):
            parts.append([])
        elif line.startswith("+++ "):
            parts.append([line])
        else:
            parts[-1].append(line)
    return [part for part in parts if part]
