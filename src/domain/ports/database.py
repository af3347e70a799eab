from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """``durable`` says whether a commit waits for the disk, as the server is set up by itself.

    ``behind_seconds`` is how long what has waited longest for the background work is due: a payment, a
    notification, a refund, or an event whose endpoint may be told and is not.
    """

    version: str
    now: datetime
    durable: bool
    missing_migrations: tuple[str, ...]
    encoding: str = "UTF8"
    behind_seconds: float = 0.0


class DatabaseHealth(Protocol):
    async def condition(self) -> Condition:
        """What the service needs of its database. Raises DatabaseUnavailable."""
        ...
