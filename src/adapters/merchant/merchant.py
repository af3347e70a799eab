"""Sends signed messages to the shop's endpoints, as the Standard Webhooks specification says."""

import asyncio
import os
from contextlib import AsyncExitStack, suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final, Self

import aiohttp
import httpx
from standardwebhooks import Webhook

from adapters.merchant.client import PrivateAddress
from domain.delivery import Answer, Answered, Unreached
from domain.ports.merchant import Message

# Of an answer only the status counts; a short one is read so that its connection can be used again.
_MOST_READ: Final = 4096
_READ_SECONDS: Final = 0.5
_MOST_DIGITS: Final = 10
_TROUBLE: Final = (httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, OSError, ValueError)


class HttpMerchant:
    """``public`` connects to public addresses only, ``anywhere`` to any."""

    def __init__(self, *, public: httpx.AsyncClient, anywhere: httpx.AsyncClient) -> None:
        self._public, self._anywhere = public, anywhere
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._open.enter_async_context(self._public)
        await self._open.enter_async_context(self._anywhere)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    async def send(self, message: Message, *, within: float) -> Answer:
        http = self._anywhere if message.allow_private else self._public
        headers = {"Content-Type": "application/json", **_signed(message)}
        body = message.body.encode()
        answer: Answer | None = None
        try:
            async with (
                asyncio.timeout(within),
                http.stream("POST", message.url, content=body, headers=headers) as reply,
            ):
                asked = _seconds(reply.headers.get("retry-after", ""), message.sent_at)
                answer = Answered(status=reply.status_code, retry_after=asked)
                await _read_a_little(reply)
        except TimeoutError:
            return answer or Unreached(reason=f"no answer within {within:.0f} s")
        except _TROUBLE as trouble:
            return answer or Unreached(reason=_reason(trouble))
        return answer


async def _read_a_little(reply: httpx.Response) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(_READ_SECONDS):
            read = 0
            async for chunk in reply.aiter_raw():
                read += len(chunk)
                if read > _MOST_READ:
                    return


def _signed(message: Message) -> dict[str, str]:
    signatures = [
        Webhook(secret).sign(msg_id=message.id, timestamp=message.sent_at, data=message.body)
        for secret in message.secrets
    ]
    return {
        "webhook-id": message.id,
        "webhook-timestamp": str(int(message.sent_at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _seconds(retry_after: str, now: datetime) -> int | None:
    """Seconds or a date, as HTTP writes either; None for anything else."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS:
        return int(text)
    try:
        return max(int((parsedate_to_datetime(text) - now).total_seconds()), 0)
    except (ValueError, TypeError, OverflowError):
        return None


def _reason(trouble: Exception) -> str:
    """What went wrong, in words that repeat nothing of the address."""
    cause = trouble.__cause__ or trouble
    match cause:
        case aiohttp.ClientConnectorDNSError():
            return "its name cannot be resolved"
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            return "its TLS certificate is not valid, or it does not speak TLS"
        case aiohttp.ClientConnectorError(os_error=PrivateAddress()):
            return "its address is private, which this endpoint is not allowed"
        case aiohttp.ClientConnectorError(os_error=OSError(errno=int(number))):
            return f"no connection: {os.strerror(number)}"
    return f"no answer: {type(cause).__name__}"
