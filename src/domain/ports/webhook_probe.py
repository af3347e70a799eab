from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """What came back; ``code`` is that of a problem, and ``tls_1_2`` is None where there is no TLS."""

    status: int
    media_type: str = ""
    location: str | None = None
    asks_for_password: bool = False
    code: str | None = None
    tls_1_2: bool | None = None


class Silence(Enum):
    """Why nothing came back."""

    NO_SUCH_HOST = auto()
    REFUSED = auto()
    NO_ROUTE = auto()
    TIMEOUT = auto()
    CLOSED = auto()  # before anything like an answer
    EXPIRED = auto()
    OTHER_NAME = auto()
    UNKNOWN_ISSUER = auto()
    BAD_CERTIFICATE = auto()
    NO_TLS = auto()
    OLD_TLS = auto()
    BAD_HANDSHAKE = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class Unanswered:
    """``detail`` is what the machine said of it, where the reason alone says too little."""

    why: Silence
    detail: str = ""


class WebhookProbe(Protocol):
    async def __call__(self, url: str) -> Answered | Unanswered:
        """Post an empty object as Midtrans would: redirects are not followed, TLS is checked, 5 s at most.

        It has no signature and lacks everything, so a Bayar answers 400 and keeps nothing.
        """
        ...
