"""The SQL of this adapter, read once from the ``.sql`` files beside it."""

import re
from pathlib import Path
from typing import Final, LiteralString, cast

_NAME: Final = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def load(file: str) -> dict[str, LiteralString]:
    """The named blocks of one file; a name that is missing fails at import, not at the first payment."""
    text = (Path(__file__).parent / "sql" / file).read_text()
    _, *parts = _NAME.split(text)
    names, blocks = parts[::2], parts[1::2]
    # The files are part of the program, as literal as a string in it.
    return {name: cast("LiteralString", block) for name, block in zip(names, blocks, strict=True)}
