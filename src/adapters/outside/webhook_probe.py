"""Our own webhook as Midtrans reaches it: from outside, through whatever stands before it."""

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

import httpx
import msgspec

from domain.ports.webhook_probe import Answered, Silence, Unanswered

SECONDS: Final = 5.0
# docs.midtrans.com, "HTTP(S) Notification / Webhooks": what every notification is sent with.
_HEADERS: Final = {
    "User-Agent": "Veritrans",
    "Accept": "application/json",
    "Content-Type": "application/json",
    "Accept-Encoding": "identity",
}
_LARGEST_ANSWER: Final = 16 * 1024
# X509_V_ERR_... of OpenSSL (x509_vfy.h).
_CERTIFICATE: Final = {
    10: Silence.EXPIRED,
    18: Silence.UNKNOWN_ISSUER,
    19: Silence.UNKNOWN_ISSUER,
    20: Silence.UNKNOWN_ISSUER,
    21: Silence.UNKNOWN_ISSUER,
    62: Silence.OTHER_NAME,
    64: Silence.OTHER_NAME,
}
_NO_TLS: Final = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"}
_OLD_TLS: Final = {"UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "NO_PROTOCOLS_AVAILABLE"}
_NO_ROUTE: Final = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL}


class _Problem(msgspec.Struct):
    code: str


class HttpxWebhookProbe:
    """``trusted`` makes what certificates are checked with: the public authorities, as at Midtrans."""

    def __init__(self, *, trusted: Callable[[], ssl.SSLContext] = httpx.create_ssl_context) -> None:
        self._trusted = trusted

    async def __call__(self, url: str) -> Answered | Unanswered:
        try:
            async with asyncio.timeout(SECONDS):
                answer = await self._post(url)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as trouble:
            return _unanswered(trouble)
        return answer

    async def _post(self, url: str) -> Answered:
        # No proxy of this machine's own: Midtrans does not come that way.
        async with (
            httpx.AsyncClient(verify=self._trusted(), timeout=SECONDS, trust_env=False) as http,
            http.stream("POST", url, content=b"{}", headers=_HEADERS) as answer,
        ):
            body = await _start_of(answer)
        media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        challenge = answer.headers.get("www-authenticate", "").lower()
        return Answered(
            status=answer.status_code,
            media_type=media_type,
            location=answer.headers.get("location"),
            asks_for_password=challenge.startswith(("basic", "digest")),
            code=_code(body) if media_type == "application/problem+json" else None,
            tls_1_2=await self._speaks_tls_1_2(answer.url) if answer.url.scheme == "https" else None,
        )

    async def _speaks_tls_1_2(self, url: httpx.URL) -> bool:
        """Whether a handshake comes about with a client that knows nothing newer."""
        context = self._trusted()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        try:
            _, writer = await asyncio.open_connection(
                url.host, url.port or 443, ssl=context, server_hostname=url.host
            )
        except (ssl.SSLError, ConnectionResetError):
            return False
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        return True


async def _start_of(answer: httpx.Response) -> bytes:
    body = b""
    async for chunk in answer.aiter_bytes():
        body += chunk
        if len(body) > _LARGEST_ANSWER:
            break
    return body


def _code(body: bytes) -> str | None:
    try:
        return msgspec.json.decode(body, type=_Problem).code
    except (msgspec.DecodeError, ValueError):
        return None


def _unanswered(trouble: BaseException) -> Unanswered:
    """The first cause that says something; httpx wraps them in its own words."""
    for cause in _causes(trouble):
        match cause:
            case ssl.SSLCertVerificationError():
                why = _CERTIFICATE.get(cause.verify_code, Silence.BAD_CERTIFICATE)
                return Unanswered(why=why, detail=cause.verify_message)
            case ssl.SSLError():
                return _no_handshake(cause.reason or "")
            case socket.gaierror() | UnicodeError() | httpx.InvalidURL():
                return Unanswered(why=Silence.NO_SUCH_HOST)
            case ConnectionRefusedError():
                return Unanswered(why=Silence.REFUSED)
            case TimeoutError() | httpx.TimeoutException():
                return Unanswered(why=Silence.TIMEOUT)
            case OSError() if cause.errno in _NO_ROUTE:
                return Unanswered(why=Silence.NO_ROUTE)
    return Unanswered(why=Silence.CLOSED)


def _no_handshake(reason: str) -> Unanswered:
    if reason in _NO_TLS:
        return Unanswered(why=Silence.NO_TLS)
    if reason in _OLD_TLS:
        return Unanswered(why=Silence.OLD_TLS)
    return Unanswered(why=Silence.BAD_HANDSHAKE, detail=reason.replace("_", " ").lower())


def _causes(trouble: BaseException | None) -> Iterator[BaseException]:
    while trouble is not None:
        yield trouble
        if isinstance(trouble, BaseExceptionGroup):  # one for each address of the host
            for one in trouble.exceptions:
                yield from _causes(one)
        trouble = trouble.__cause__ or trouble.__context__
