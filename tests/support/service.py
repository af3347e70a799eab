"""The service as a whole: its settings, its callers' tokens, and waiting for what it does by itself."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import jwt

from support.builders import SERVER_KEY, USER_ID

T = TypeVar("T")

TOKEN_SECRET: Final = "the-secret-that-signs-bearer-tokens-in-tests"
CREATE: Final = "/api/payments/gopayqris/create"
WEBHOOK: Final = "/api/payments/webhook"


def environment(**changes: str | None) -> dict[str, str]:
    """The variables that serving needs, and what a test wants beside them or (None) without them."""
    given: dict[str, str | None] = {
        "DATABASE_URL": "postgresql://bayar@database.example/bayar",
        "MIDTRANS_SERVER_KEY": SERVER_KEY,
        "AUTH_JWT_SECRET": TOKEN_SECRET,
    }
    return {name: value for name, value in (given | changes).items() if value is not None}


def a_token(user: int = USER_ID, *, scope: str | None = None, **claims: Any) -> str:
    """A bearer token that is good for an hour; a claim of None is left out."""
    said = {"sub": str(user), "exp": int(time.time()) + 3600, "scope": scope} | claims
    kept = {name: value for name, value in said.items() if value is not None}
    return jwt.encode(kept, TOKEN_SECRET, algorithm="HS256")


def bearer(user: int = USER_ID, *, scope: str | None = None, **claims: Any) -> dict[str, str]:
    """The header of a caller with a good token."""
    return {"Authorization": f"Bearer {a_token(user, scope=scope, **claims)}"}


async def eventually(look: Callable[[], Awaitable[T]], *, within: float = 10.0, every: float = 0.02) -> T:
    """What ``look`` finds once it finds anything true; fails when it does not in so many seconds."""
    found: T | None = None
    try:
        async with asyncio.timeout(within):
            while not (found := await look()):  # noqa: ASYNC110 - other processes set no events
                await asyncio.sleep(every)
    except TimeoutError:
        raise AssertionError(f"it did not come in {within} s; last seen: {found!r}") from None
    return found
