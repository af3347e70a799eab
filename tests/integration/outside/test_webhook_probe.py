"""The probe against real servers on this machine: every answer and every silence is told apart."""

import asyncio
import errno
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

import httpx
import pytest

from adapters.outside import webhook_probe
from adapters.outside.webhook_probe import HttpxWebhookProbe
from domain.ports.webhook_probe import Answered, Silence, Unanswered
from support import service
from support.certificates import Authority, an_authority
from support.service import HOST, WEBHOOK, environment, free_port, serving, started

OURS: Final = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\nContent-Length: 23\r\n\r\n"
    b'{"code":"invalid-body"}'
)
PROBE: Final = HttpxWebhookProbe()


@dataclass
class Server:
    """One that answers every request with the same bytes, and remembers what it was sent."""

    port: int
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}{WEBHOOK}"

    @property
    def tls_url(self) -> str:
        return f"https://localhost:{self.port}{WEBHOOK}"


@asynccontextmanager
async def answering(answer: bytes, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if head := await reader.read(4096):
                server.requests.append(head)
                writer.write(answer)
                await writer.drain()
        except ConnectionError:
            pass  # the probe has heard enough
        finally:
            writer.close()

    async with await asyncio.start_server(serve, HOST, 0, ssl=tls) as listening:
        server = Server(port=listening.sockets[0].getsockname()[1])
        yield server


def answer_of(status: str, body: str = "", **headers: str) -> bytes:
    told = {"Content-Length": str(len(body)), **{name.replace("_", "-"): h for name, h in headers.items()}}
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in told.items()), "", body]
    return "\r\n".join(lines).encode()


@pytest.fixture(scope="module")
def authority() -> Authority:
    return an_authority()


@pytest.fixture
def probe(authority: Authority) -> HttpxWebhookProbe:
    return HttpxWebhookProbe(trusted=authority.trusted)


async def test_it_posts_as_midtrans_does() -> None:
    async with answering(OURS) as server:
        reply = await PROBE(server.url)

    assert reply == Answered(status=400, media_type="application/problem+json", code="invalid-body")
    (request,) = server.requests
    first, *headers = request.decode().split("\r\n")
    assert first == f"POST {WEBHOOK} HTTP/1.1"
    sent = dict(header.split(": ", 1) for header in headers if ": " in header)
    assert sent["User-Agent"] == "Veritrans"
    assert sent["Accept"] == sent["Content-Type"] == "application/json"
    assert request.endswith(b"\r\n\r\n{}")
    assert b"authorization" not in request.lower()


async def test_the_service_s_own_answer_is_known_and_nothing_is_kept(database_url: str, pool: object) -> None:
    async with serving("--no-worker", env=environment(DATABASE_URL=database_url)) as service:
        reply = await PROBE(service.url + WEBHOOK)
        async with httpx.AsyncClient(trust_env=False) as http:
            metrics = (await http.get(f"{service.url}/metrics")).text

    assert reply == Answered(status=400, media_type="application/problem+json", code="invalid-body")
    async with pool.acquire() as connection:  # type: ignore[attr-defined]
        assert await connection.fetchval("SELECT count(*) FROM payment_webhook_events") == 0
    assert 'outcome="forged"' not in metrics


async def test_it_needs_no_database_behind_the_service() -> None:
    port = free_port()
    url = f"http://{HOST}:{port}"
    away = environment(DATABASE_URL=f"postgresql://bayar@{HOST}:1/bayar")
    async with started("serve", "--no-worker", "--port", str(port), env=away) as program:
        await service.answering(f"{url}/health/live", program)
        reply = await PROBE(url + WEBHOOK)

    assert isinstance(reply, Answered)
    assert reply.code == "invalid-body"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            answer_of("301 Moved Permanently", Location="https://pay.example/"),
            Answered(status=301, location="https://pay.example/"),
        ),
        (
            answer_of("401 Unauthorized", WWW_Authenticate='Basic realm="x"', Content_Type="text/html"),
            Answered(status=401, media_type="text/html", asks_for_password=True),
        ),
        (
            answer_of("401 Unauthorized", WWW_Authenticate="Bearer"),
            Answered(status=401),
        ),
        (
            answer_of("404 Not Found", "<html>", Content_Type="Text/HTML; charset=utf-8"),
            Answered(status=404, media_type="text/html"),
        ),
        (
            answer_of("404 Not Found", '{"code":"not-found","x":1}', Content_Type="application/problem+json"),
            Answered(status=404, media_type="application/problem+json", code="not-found"),
        ),
        (
            answer_of("404 Not Found", "not json", Content_Type="application/problem+json"),
            Answered(status=404, media_type="application/problem+json"),
        ),
        (
            answer_of("400 Bad Request", '{"code":"invalid-body"}', Content_Type="application/json"),
            Answered(status=400, media_type="application/json"),
        ),
        (answer_of("502 Bad Gateway"), Answered(status=502)),
        (answer_of("200 OK", "x" * 70_000), Answered(status=200)),
    ],
)
async def test_every_answer_is_told_as_it_came(answer: bytes, told: Answered) -> None:
    async with answering(answer) as server:
        assert await PROBE(server.url) == told


async def test_a_redirect_is_not_followed() -> None:
    async with answering(OURS) as target:
        for status in ("301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"):
            async with answering(answer_of(status, Location=target.url)) as server:
                reply = await PROBE(server.url)

            assert isinstance(reply, Answered)
            assert reply.location == target.url

    assert target.requests == []


async def test_a_port_that_nobody_listens_on_refuses() -> None:
    assert await PROBE(f"http://{HOST}:{free_port()}{WEBHOOK}") == Unanswered(why=Silence.REFUSED)


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 what\r\n\r\n"])
async def test_a_server_that_speaks_no_http_is_told_so(answer: bytes) -> None:
    async with answering(answer) as server:
        assert await PROBE(server.url) == Unanswered(why=Silence.CLOSED)


async def test_a_server_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_probe, "SECONDS", 0.5)
    context = httpx.create_ssl_context()  # beforehand, for it takes its time
    over, closed = asyncio.Event(), asyncio.Event()

    async def hold(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()
        closed.set()

    async with asyncio.timeout(10), await asyncio.start_server(hold, HOST, 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        reply = await HttpxWebhookProbe(trusted=lambda: context)(f"http://{HOST}:{port}{WEBHOOK}")
        over.set()
        await closed.wait()

    assert reply == Unanswered(why=Silence.TIMEOUT)


async def test_a_body_that_never_ends_is_not_read_to_its_end() -> None:
    endless = b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n" + b"x" * 100_000
    async with answering(endless) as server:
        assert await PROBE(server.url) == Answered(status=200)


async def test_over_tls_a_good_certificate_is_good(
    authority: Authority, probe: HttpxWebhookProbe, tmp_path: Path
) -> None:
    async with answering(OURS, tls=authority.server(tmp_path, "localhost")) as server:
        reply = await probe(server.tls_url)

    assert isinstance(reply, Answered)
    assert (reply.code, reply.tls_1_2) == ("invalid-body", True)


async def test_without_tls_1_2_that_is_told(
    authority: Authority, probe: HttpxWebhookProbe, tmp_path: Path
) -> None:
    tls = authority.server(tmp_path, "localhost")
    tls.minimum_version = ssl.TLSVersion.TLSv1_3
    async with answering(OURS, tls=tls) as server:
        reply = await probe(server.tls_url)

    assert isinstance(reply, Answered)
    assert (reply.code, reply.tls_1_2) == ("invalid-body", False)


async def test_a_certificate_for_another_name_is_told_so(
    authority: Authority, probe: HttpxWebhookProbe, tmp_path: Path
) -> None:
    async with answering(OURS, tls=authority.server(tmp_path, "other.example")) as server:
        assert await silence(probe, server) is Silence.OTHER_NAME
        assert await probe(server.tls_url.replace("localhost", HOST)) != OURS

    assert server.requests == []


async def test_a_certificate_that_has_expired_is_told_so(
    authority: Authority, probe: HttpxWebhookProbe, tmp_path: Path
) -> None:
    tls = authority.server(tmp_path, "localhost", valid_for=timedelta(hours=-1))
    async with answering(OURS, tls=tls) as server:
        assert await silence(probe, server) is Silence.EXPIRED


async def test_an_issuer_that_nobody_knows_is_told_so(authority: Authority, tmp_path: Path) -> None:
    async with answering(OURS, tls=authority.server(tmp_path, "localhost")) as server:
        assert await silence(PROBE, server) is Silence.UNKNOWN_ISSUER
        other = HttpxWebhookProbe(trusted=an_authority().trusted)
        assert await silence(other, server) is Silence.UNKNOWN_ISSUER


async def test_a_self_signed_certificate_with_a_wrong_name_is_not_trusted(tmp_path: Path) -> None:
    async with answering(OURS, tls=an_authority().server(tmp_path, "other.example")) as server:
        assert await silence(PROBE, server) in {Silence.UNKNOWN_ISSUER, Silence.OTHER_NAME}


async def test_a_port_that_speaks_no_tls_is_told_so(probe: HttpxWebhookProbe) -> None:
    async with answering(answer_of("400 Bad Request")) as server:
        assert await silence(probe, server) is Silence.NO_TLS


async def test_a_server_with_old_tls_alone_is_told_so(probe: HttpxWebhookProbe) -> None:
    refusal = bytes.fromhex("15 0301 0002 02 46")  # an alert: protocol version
    async with answering(refusal) as server:
        assert await silence(probe, server) is Silence.OLD_TLS


async def test_a_handshake_that_fails_otherwise_is_told_so(probe: HttpxWebhookProbe) -> None:
    refusal = bytes.fromhex("15 0303 0002 02 28")  # an alert: handshake failure
    async with answering(refusal) as server:
        reply = await probe(server.tls_url)

    assert isinstance(reply, Unanswered)
    assert reply.why is Silence.BAD_HANDSHAKE
    assert "handshake failure" in reply.detail


@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), Silence.NO_SUCH_HOST),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), Silence.NO_SUCH_HOST),
        (UnicodeError("label too long"), Silence.NO_SUCH_HOST),
        (ConnectionRefusedError(), Silence.REFUSED),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), Silence.NO_ROUTE),
        (ExceptionGroup("all", [OSError(errno.EHOSTUNREACH, "No route to host")]), Silence.NO_ROUTE),
        (TimeoutError(), Silence.TIMEOUT),
        (ConnectionResetError(), Silence.CLOSED),
    ],
)
def test_a_cause_is_found_behind_other_words(trouble: Exception, why: Silence) -> None:
    wrapped = httpx.ConnectError("All connection attempts failed")
    wrapped.__cause__ = OSError("httpx's own words")
    wrapped.__cause__.__context__ = trouble

    assert webhook_probe._unanswered(wrapped).why is why


async def test_a_host_that_cannot_be_a_name_is_told_so() -> None:
    assert await PROBE(f"http://{'x' * 70}.example{WEBHOOK}") == Unanswered(why=Silence.NO_SUCH_HOST)


async def silence(probe: HttpxWebhookProbe, server: Server) -> Silence:
    reply = await probe(server.tls_url)
    assert isinstance(reply, Unanswered), reply
    return reply.why
