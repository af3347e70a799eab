"""One attempt at a notification, over HTTP."""

import asyncio
from typing import Final

import httpx

# docs.midtrans.com/docs/https-notification-webhooks.
SECONDS_TO_ANSWER: Final = 15
_MOST_REDIRECTS: Final = 5
_FOLLOWED: Final = frozenset({307, 308})
_HEADERS: Final = {
    "User-Agent": "Veritrans",
    "Accept": "application/json",
    "Content-Type": "application/json",
}


class HttpSender:
    """Posts notifications the way Midtrans does."""

    def __init__(self, client: httpx.AsyncClient, *, seconds: float = SECONDS_TO_ANSWER) -> None:
        self._client = client
        self._seconds = seconds

    async def __call__(self, url: str, body: bytes) -> int:
        """Post it and return the status of the answer; raises when none came in time.

        307 and 308 are followed up to five times, still as a POST; other redirects are not.
        """
        async with asyncio.timeout(self._seconds):
            response = await self._client.post(url, content=body)
            for _ in range(_MOST_REDIRECTS):
                if response.status_code not in _FOLLOWED or response.next_request is None:
                    break
                response = await self._client.send(response.next_request)
        return response.status_code


def notification_client(transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
    """Make the client that notifications are posted with."""
    return httpx.AsyncClient(
        transport=transport,
        timeout=httpx.Timeout(SECONDS_TO_ANSWER),
        follow_redirects=False,
        trust_env=False,
        headers=_HEADERS,
    )
