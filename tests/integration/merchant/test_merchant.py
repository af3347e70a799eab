"""The shop's endpoints over real HTTP: what is signed and sent, and what no answer can do to us."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Final

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from standardwebhooks import Webhook, WebhookVerificationError

from adapters.merchant import client
from adapters.merchant.addresses import is_public
from adapters.merchant.client import create_http
from adapters.merchant.merchant import HttpMerchant
from domain.delivery import Answer, Answered, Unreached
from domain.ports.merchant import Message
from support.merchant import OTHER_SECRET, SECRET
from support.receiver import Receiver, Reply, receiving
from support.service import HOST, free_port

PRIVATE: Final = Unreached(reason="its address is private, which this endpoint is not allowed")
NO_TLS: Final = Unreached(reason="its TLS certificate is not valid, or it does not speak TLS")
BODY: Final = '{"type":"payment.settlement","data":{"metadata":{"note":"\\u2615"}}}'


class ScriptedResolver(AbstractResolver):
    """A name server that answers each question with the next addresses; the last ones stay."""

    def __init__(self, *answers: tuple[str, ...]) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        del family
        self.asked += 1
        addresses = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        pass


def a_merchant(resolver: AbstractResolver | None = None) -> HttpMerchant:
    return HttpMerchant(
        public=create_http(allow_private=False, connections=10, resolver=resolver),
        anywhere=create_http(allow_private=True, connections=10),
    )


@pytest.fixture(scope="module")
async def merchant() -> AsyncIterator[HttpMerchant]:
    async with a_merchant() as opened:
        yield opened


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as listening:
        yield listening


def a_message(url: str, **changes: Any) -> Message:
    told: dict[str, Any] = {
        "id": "5b1f0c3e-7a52-5d0e-9a34-0d8f8f6c2b11",
        "sent_at": datetime.now(UTC),  # noqa: TID251 - the library compares it with the machine's clock
        "body": BODY,
        "url": url,
        "secrets": (SECRET,),
        "allow_private": True,
    }
    return Message(**told | changes)


async def send(merchant: HttpMerchant, url: str, *, within: float = 10, **changes: Any) -> Answer:
    return await merchant.send(a_message(url, **changes), within=within)


async def test_what_is_sent_is_what_the_specification_says(
    merchant: HttpMerchant, receiver: Receiver
) -> None:
    assert await send(merchant, f"{receiver.url}?shop=1&x=%20") == Answered(status=200)

    (got,) = receiver.got
    assert got.line == "POST /hook?shop=1&x=%20 HTTP/1.1"
    assert got.body == BODY.encode()
    assert got.headers["content-type"] == "application/json"
    assert got.headers["webhook-id"] == "5b1f0c3e-7a52-5d0e-9a34-0d8f8f6c2b11"
    assert got.headers["webhook-timestamp"].isdigit()
    assert got.headers["user-agent"] == "bayar"
    assert got.headers["accept-encoding"] == "identity"
    assert got.verified() == {"type": "payment.settlement", "data": {"metadata": {"note": "☕"}}}


async def test_a_signature_is_good_for_its_own_secret_and_body_only(
    merchant: HttpMerchant, receiver: Receiver
) -> None:
    await send(merchant, receiver.url)

    (got,) = receiver.got
    with pytest.raises(WebhookVerificationError):
        got.verified(OTHER_SECRET)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(got.body.replace(b"settlement", b"refund"), got.headers)


async def test_while_a_secret_is_rotated_both_are_good(merchant: HttpMerchant, receiver: Receiver) -> None:
    await send(merchant, receiver.url, secrets=(OTHER_SECRET, SECRET))

    (got,) = receiver.got
    assert got.verified(SECRET) == got.verified(OTHER_SECRET)
    assert got.headers["webhook-signature"].count("v1,") == 2


@pytest.mark.parametrize("status", [204, 299, 400, 404, 410, 418, 500, 599])
async def test_the_answer_is_its_status(merchant: HttpMerchant, receiver: Receiver, status: int) -> None:
    receiver.reply = lambda _: Reply(status=status)

    assert await send(merchant, receiver.url) == Answered(status=status)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_nobody_is_redirected(merchant: HttpMerchant, receiver: Receiver, status: int) -> None:
    location = ("Location", f"http://{HOST}:{receiver.port}/elsewhere")
    receiver.reply = lambda _: Reply(status=status, headers=(location,))

    assert await send(merchant, receiver.url) == Answered(status=status)
    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("120", 120), (" 7 ", 7), ("0", 0), ("soon", None), ("-5", None), ("1.5", None), ("", None),
     ("9" * 400, None), ("\u0661", None), ("Fri, 31 Dec 9999 23:59:59 +9999", None)],
)  # fmt: skip
async def test_a_wish_to_wait_is_read(
    merchant: HttpMerchant, receiver: Receiver, text: str, seconds: int | None
) -> None:
    value = text.encode().decode("latin-1")
    receiver.reply = lambda _: Reply(status=503, headers=(("Retry-After", value),))

    assert await send(merchant, receiver.url) == Answered(status=503, retry_after=seconds)


async def test_a_wish_to_wait_may_be_a_date(merchant: HttpMerchant, receiver: Receiver) -> None:
    message = a_message(receiver.url)
    date = format_datetime(message.sent_at + timedelta(seconds=90), usegmt=True)
    past = format_datetime(message.sent_at - timedelta(days=1), usegmt=True)
    receiver.reply = lambda _: Reply(status=429, headers=(("Retry-After", date),))
    later = await merchant.send(message, within=10)
    receiver.reply = lambda _: Reply(status=429, headers=(("Retry-After", past),))
    now = await merchant.send(message, within=10)

    assert isinstance(later, Answered)
    assert later.retry_after in {89, 90}
    assert now == Answered(status=429, retry_after=0)


async def test_no_cookie_is_kept(merchant: HttpMerchant, receiver: Receiver) -> None:
    receiver.reply = lambda _: Reply(headers=(("Set-Cookie", "session=1; Path=/"),))

    for _ in range(2):
        await send(merchant, receiver.url)

    assert ["cookie" in got.headers for got in receiver.got] == [False, False]


async def test_no_proxy_and_no_password_file_of_the_surroundings_is_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / ".netrc").write_text(f"machine {HOST} login bayar password hunter2\n")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://{HOST}:1")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))

    async with a_merchant() as merchant:
        assert await send(merchant, receiver.url) == Answered(status=200)

    assert "authorization" not in receiver.got[0].headers


async def test_of_an_endless_answer_little_is_read(merchant: HttpMerchant, receiver: Receiver) -> None:
    receiver.reply = lambda _: Reply(status=500, body=b"x" * 65_536, body_repeats=1_000, length=False)

    assert await send(merchant, receiver.url) == Answered(status=500)
    assert receiver.sent_bytes < 20_000_000


async def test_a_compressed_answer_is_not_unpacked(merchant: HttpMerchant, receiver: Receiver) -> None:
    headers = (("Content-Encoding", "gzip"),)
    receiver.reply = lambda _: Reply(headers=headers, body=b"this is no gzip")

    assert await send(merchant, receiver.url) == Answered(status=200)


async def test_an_endpoint_that_does_not_answer_is_given_up_in_time(
    merchant: HttpMerchant, receiver: Receiver
) -> None:
    receiver.held = asyncio.Event()

    answer = await send(merchant, receiver.url, within=0.2)

    receiver.held.set()
    assert answer == Unreached(reason="no answer within 0 s")


async def test_of_an_answer_that_drips_the_status_is_enough(merchant: HttpMerchant) -> None:
    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\n\r\n")
        while not writer.is_closing():
            writer.write(b".")
            await asyncio.sleep(0.05)

    async with await asyncio.start_server(drip, HOST, 0) as server:
        port = server.sockets[0].getsockname()[1]
        answer = await send(merchant, f"http://{HOST}:{port}")
        hurried = await send(merchant, f"http://{HOST}:{port}", within=0.3)

    assert answer == hurried == Answered(status=202)


async def test_of_an_answer_that_breaks_off_the_status_is_enough(merchant: HttpMerchant) -> None:
    async def break_off(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nthank")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(break_off, HOST, 0) as server:
        port = server.sockets[0].getsockname()[1]
        answer = await send(merchant, f"http://{HOST}:{port}")

    assert answer == Answered(status=200)


async def test_headers_that_drip_are_given_up_in_time(merchant: HttpMerchant) -> None:
    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
        while not writer.is_closing():
            writer.write(b".")
            await asyncio.sleep(0.05)

    async with await asyncio.start_server(drip, HOST, 0) as server:
        port = server.sockets[0].getsockname()[1]
        answer = await send(merchant, f"http://{HOST}:{port}", within=0.3)

    assert answer == Unreached(reason="no answer within 0 s")


@pytest.mark.parametrize(
    "bytes_back",
    [b"", b"HTTP/1.1 banana\r\n\r\n", b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000],
)
async def test_what_is_no_http_is_no_answer(merchant: HttpMerchant, bytes_back: bytes) -> None:
    async def speak(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(bytes_back)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(speak, HOST, 0) as server:
        port = server.sockets[0].getsockname()[1]
        answer = await send(merchant, f"http://{HOST}:{port}")

    assert isinstance(answer, Unreached)
    assert answer.reason.startswith("no answer: ")


async def test_nobody_there_is_said_in_plain_words(merchant: HttpMerchant) -> None:
    answer = await send(merchant, f"http://{HOST}:{free_port()}")

    assert answer == Unreached(reason="no connection: Connection refused")


async def test_a_name_that_nobody_has_is_said_in_plain_words(merchant: HttpMerchant) -> None:
    answer = await send(merchant, "https://bayar.invalid/hook?token=hunter2", allow_private=False)

    assert answer == Unreached(reason="its name cannot be resolved")


async def test_a_server_without_tls_is_not_told(merchant: HttpMerchant) -> None:
    async def speak(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(speak, HOST, 0) as server:
        port = server.sockets[0].getsockname()[1]
        answer = await send(merchant, f"https://{HOST}:{port}/hook")

    assert answer == NO_TLS


async def test_a_server_with_a_certificate_of_its_own_making_is_not_told(
    merchant: HttpMerchant, tmp_path: Path
) -> None:
    receiver = Receiver()

    async with await asyncio.start_server(receiver, HOST, 0, ssl=self_made_tls(tmp_path)) as server:
        port = server.sockets[0].getsockname()[1]
        answer = await send(merchant, f"https://localhost:{port}/hook")

    assert answer == NO_TLS
    assert receiver.got == []


async def test_a_certificate_authority_that_the_operator_trusts_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = Receiver()
    tls = self_made_tls(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))

    async with a_merchant() as merchant, await asyncio.start_server(receiver, HOST, 0, ssl=tls) as server:
        port = server.sockets[0].getsockname()[1]
        answer = await send(merchant, f"https://localhost:{port}/hook")
        elsewhere = await send(merchant, f"https://{HOST}:{port}/hook")

    assert answer == Answered(status=200)
    assert elsewhere == NO_TLS
    assert receiver.got[0].headers["host"] == f"localhost:{port}"


def self_made_tls(folder: Path) -> ssl.SSLContext:
    """TLS for localhost, with a certificate that nobody but its maker knows."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)  # noqa: TID251 - TLS compares it with the machine's clock
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return context


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "017700000001",
        "0177.0.0.1",
        "0",
        "0.0.0.0",  # noqa: S104 - which connects to this machine
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::127.0.0.1]",
        "[::127.0.0.1]",
        "[fe80::1%25lo]",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "127.0.0.1.",
        "127。0。0。1",
        "①②⑦.⓪.⓪.①",
    ],
)
async def test_this_machine_is_not_reached_in_any_spelling(
    merchant: HttpMerchant, receiver: Receiver, host: str
) -> None:
    answer = await send(merchant, f"http://{host}:{receiver.port}/hook", allow_private=False)

    assert isinstance(answer, Unreached)
    assert receiver.connections == 0


@pytest.mark.parametrize(
    "host", ["10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "[fd00:ec2::254]"]
)
async def test_a_private_address_is_refused_without_a_packet(merchant: HttpMerchant, host: str) -> None:
    assert await send(merchant, f"http://{host}/", within=5, allow_private=False) == PRIVATE


async def test_what_is_allowed_is_reached(merchant: HttpMerchant, receiver: Receiver) -> None:
    by_name = await send(merchant, f"http://localhost:{receiver.port}/hook")
    by_number = await send(merchant, receiver.url)

    assert by_name == by_number == Answered(status=200)


@pytest.mark.parametrize(
    "addresses", [("127.0.0.1",), ("::1",), ("10.0.0.1", "127.0.0.1", "::1"), ("::ffff:127.0.0.1",)]
)
async def test_a_name_that_leads_to_a_private_address_is_refused(
    receiver: Receiver, addresses: tuple[str, ...]
) -> None:
    resolver = ScriptedResolver(addresses)

    async with a_merchant(resolver) as merchant:
        answer = await send(merchant, f"http://shop.example:{receiver.port}/", allow_private=False)

    assert answer == PRIVATE
    assert resolver.asked == 1
    assert receiver.connections == 0


@pytest.fixture
def as_if_public(monkeypatch: pytest.MonkeyPatch) -> str:
    """An address of this machine that is taken for a public one."""
    monkeypatch.setattr(client, "is_public", lambda address: address == "127.0.0.2" or is_public(address))
    return "127.0.0.2"


async def test_a_name_that_leads_elsewhere_once_it_was_checked_gains_nothing(
    receiver: Receiver, as_if_public: str
) -> None:
    """Whatever a name leads to is looked at as it is connected to, each time."""
    resolver = ScriptedResolver((as_if_public,), ("127.0.0.1",))
    url = f"http://shop.example:{receiver.port}/hook"

    async with (
        a_merchant(resolver) as merchant,
        await asyncio.start_server(receiver, as_if_public, receiver.port),
    ):
        receiver.reply = lambda _: Reply(headers=(("Connection", "close"),))
        first = await send(merchant, url, allow_private=False)
        merchant._public._transport.client.connector.clear_dns_cache()  # type: ignore[attr-defined]
        second = await send(merchant, url, allow_private=False)

    assert (first, second) == (Answered(status=200), PRIVATE)
    assert resolver.asked == 2
    assert len(receiver.got) == 1


async def test_a_private_address_behind_a_public_one_that_is_away_gains_nothing(
    receiver: Receiver, as_if_public: str
) -> None:
    resolver = ScriptedResolver((as_if_public, "127.0.0.1"))

    async with a_merchant(resolver) as merchant:
        answer = await send(merchant, f"http://shop.example:{receiver.port}/", allow_private=False)

    assert isinstance(answer, Unreached)
    assert receiver.connections == 0


async def test_a_connection_that_one_endpoint_may_have_is_not_lent_to_another(
    merchant: HttpMerchant, receiver: Receiver
) -> None:
    allowed = await send(merchant, receiver.url)
    refused = await send(merchant, receiver.url, allow_private=False)

    assert (allowed, refused) == (Answered(status=200), PRIVATE)
    assert len(receiver.got) == 1


async def test_events_in_a_row_share_a_connection(merchant: HttpMerchant, receiver: Receiver) -> None:
    receiver.reply = lambda _: Reply(body=b"thank you")

    for _ in range(3):
        await send(merchant, receiver.url)

    assert (len(receiver.got), receiver.connections) == (3, 1)


async def test_an_address_that_cannot_be_one_is_no_fault_of_ours(merchant: HttpMerchant) -> None:
    for url in ("http://[::1", "http://shop.example:99999/", "http://" + "a" * 300 + ".example/", "ftp://x/"):
        answer = await send(merchant, url, allow_private=False)

        assert isinstance(answer, Unreached), url
