"""The real clock and the real randomness; nothing else in the simulator touches either."""

import asyncio
import secrets
import string
import uuid
from contextlib import suppress
from datetime import UTC, datetime, timedelta

_ALPHABET = string.ascii_letters + string.digits


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 - the one place that may

    async def wait(self, event: asyncio.Event, at_most: timedelta | None) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(None if at_most is None else at_most.total_seconds()):
                await event.wait()


class RandomIdentifiers:
    """Identifiers from the machine's randomness."""

    def uuid(self) -> str:
        return str(uuid.uuid4())  # noqa: TID251 - the one place that may

    def code(self, length: int) -> str:
        return "".join(secrets.choice(_ALPHABET) for _ in range(length))
