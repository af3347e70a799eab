"""What DATABASE_URL says to the service alone, apart from what it says to every client of Postgres."""

import re
from dataclasses import dataclass, field
from typing import Final

# asyncpg's own word. To the server, and to dbmate, it would be a setting that Postgres does not know.
_STATEMENTS: Final = re.compile(r"(?<=[?&])statement_cache_size=([^&]*)(?:&|$)")
_STATEMENTS_KEPT: Final = 100
_MOST: Final = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class DatabaseAddress:
    """Where the database is, and how many prepared statements a connection keeps: none behind a pooler of
    transactions, which may run the next one on another connection of the server.
    """

    url: str = field(repr=False)
    statements: int = _STATEMENTS_KEPT


def read_address(text: str) -> DatabaseAddress:
    """Raises ValueError for a number of statements that is none."""
    found = _STATEMENTS.search(text)
    if found is None:
        return DatabaseAddress(url=text)
    if not found[1].isdecimal() or int(found[1]) > _MOST:
        message = f"needs a number up to {_MOST} as its statement_cache_size, such as 0 behind PgBouncer"
        raise ValueError(message)
    url = (text[: found.start()] + text[found.end() :]).rstrip("?&")
    return DatabaseAddress(url=url, statements=int(found[1]))
