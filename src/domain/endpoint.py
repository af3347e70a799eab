"""An endpoint: an address of the shop's backend that is told of its payments' changes."""

import base64
import binascii
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

# The one endpoint that the settings name, while they name one.
OF_SETTINGS: Final = UUID("00000000-0000-8000-8000-000000000001")
# For so long after a change of its secret an endpoint's messages are signed with the one before, too.
ROTATION: Final = timedelta(hours=24)
SECRET_BYTES: Final = 32

# As the Standard Webhooks specification writes a secret, and of the size that it asks for.
_PREFIX: Final = "whsec_"
_LEAST_BYTES: Final = 24
_MOST_BYTES: Final = 64


class Disabled(StrEnum):
    """Why an endpoint is told nothing."""

    GONE = "it answered 410 Gone"
    OPERATOR = "disabled by the operator"
    SETTINGS = "the settings name it no longer"


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """The address may hold a token in its query, so neither it nor a secret is in the object's text.

    Without ``user_id`` it is told of every user's payments. ``previous_secret`` is there while it still
    signs; ``failing_since`` is when it stopped answering, and ``paused_until`` when it is tried next.
    """

    id: UUID
    user_id: int | None
    url: str = field(repr=False)
    secret: str = field(repr=False)
    previous_secret: str | None = field(default=None, repr=False)
    allow_private: bool = False
    created_at: datetime
    disabled_at: datetime | None = None
    disabled: Disabled | None = None
    failing_since: datetime | None = None
    paused_until: datetime | None = None

    @property
    def is_of_settings(self) -> bool:
        return self.id == OF_SETTINGS


def secret_of(random: bytes) -> str:
    """A secret for signing, out of ``SECRET_BYTES`` that nobody can guess."""
    return _PREFIX + base64.b64encode(random).decode()


def is_secret(text: str) -> bool:
    """Whether messages can be signed with it: ``whsec_`` and 24 to 64 bytes in base64."""
    try:
        key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return False
    return text.startswith(_PREFIX) and _LEAST_BYTES <= len(key) <= _MOST_BYTES
