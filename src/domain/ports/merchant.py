from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from domain.delivery import Answer


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """What is sent to an endpoint: an event's body under its id, signed with each of the secrets."""

    id: str
    sent_at: datetime
    body: str = field(repr=False)
    url: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    allow_private: bool


class Merchant(Protocol):
    async def send(self, message: Message, *, within: float) -> Answer:
        """Send it once, given up after ``within`` seconds. Raises nothing for trouble on the way.

        Unless it may, it does not connect to an address of a private network, whatever name leads there.
        """
        ...
