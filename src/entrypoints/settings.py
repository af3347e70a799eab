"""The settings of the service: the only reader of the environment."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address
from typing import Final, TypeVar
from urllib.parse import urlsplit

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from domain.endpoint import is_secret
from domain.rupiah import MOST, PaymentType
from entrypoints.database_address import DatabaseAddress, read_address
from entrypoints.migrations import check_readable
from entrypoints.trouble import Trouble
from entrypoints.web_address import base_url, endpoint_url, origins, split

WEBHOOK_PATH: Final = "/api/payments/webhook"
MIDTRANS: Final = {
    "sandbox": "https://api.sandbox.midtrans.com",
    "production": "https://api.midtrans.com",
}
_MIDTRANS_HOSTS: Final = ("midtrans.com", "veritrans.co.id")
_TRUE: Final = {"true", "1", "yes", "on"}
_FALSE: Final = {"false", "0", "no", "off"}
_LEAST_SECRET: Final = 32
_LEAST_RSA_BITS: Final = 2048
_OF_MERCHANT: Final = ("BAYAR_MERCHANT_URL", "BAYAR_MERCHANT_SECRET", "BAYAR_MERCHANT_ALLOW_PRIVATE")

T = TypeVar("T")
PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey


class SettingsError(Trouble):
    """One line per variable that is missing or wrong."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenKey:
    """What a bearer token must be signed with: exactly one key and the one algorithm that goes with it."""

    key: str | PublicKey = field(repr=False)
    algorithm: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Every setting, read and checked; what its command does not need may be None."""

    database_url: str | None = field(repr=False)
    statements_kept: int
    server_key: str | None = field(repr=False)
    previous_server_key: str | None = field(repr=False)
    midtrans_env: str
    midtrans_url: str
    token_key: TokenKey | None
    token_issuer: str | None
    token_audience: str | None
    create_scope: str | None
    cookie: str | None
    auto_create_users: bool
    public_url: str | None
    merchant_name: str
    merchant_url: str | None = field(repr=False)
    merchant_secret: str | None = field(repr=False)
    merchant_allow_private: bool
    default_amount: int
    payment_type: PaymentType
    life: timedelta
    confirm_always: bool
    cors_origins: tuple[str, ...]
    create_rate: int
    ask_rate: int
    max_streams: int
    metrics_token: str | None = field(repr=False)
    log_format: str | None
    log_level: str

    @property
    def notify_url(self) -> str | None:
        """Where Midtrans is told to notify this service; None leaves it to Midtrans's dashboard.

        Midtrans reaches public https addresses only; a look-alike on this machine reaches any.
        """
        if self.public_url is None:
            return None
        toward_midtrans = is_midtrans(urlsplit(self.midtrans_url).hostname)
        if toward_midtrans and not _is_public_https(self.public_url):
            return None
        return self.public_url + WEBHOOK_PATH


def is_midtrans(host: str | None) -> bool:
    """Whether a host is Midtrans's own."""
    return host is not None and any(host == name or host.endswith(f".{name}") for name in _MIDTRANS_HOSTS)


def from_environment(*, needs: tuple[str, ...] = ()) -> Settings:
    """``load`` from the process's own environment."""
    return load(os.environ, needs=needs)


def of_merchant(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables of the shop's endpoint, for a service whose other settings are made up."""
    return {name: text for name, text in environ.items() if name in _OF_MERCHANT}


def load(environ: Mapping[str, str], *, needs: tuple[str, ...] = ()) -> Settings:
    """Read every variable; ``needs`` are the names that must be set.

    Raises SettingsError with one line for each that is missing or wrong; a value is never repeated there
    where it may be a secret.
    """
    read = _Reader(environ)
    environment = read.one_of("MIDTRANS_ENV", tuple(MIDTRANS), "sandbox")
    payment_type = PaymentType(read.one_of("BAYAR_PAYMENT_TYPE", tuple(PaymentType), "gopay"))
    database = read.parsed("DATABASE_URL", _database)
    settings = Settings(
        database_url=database.url if database else None,
        statements_kept=database.statements if database else 0,
        server_key=read.parsed("MIDTRANS_SERVER_KEY", _server_key),
        previous_server_key=read.parsed("MIDTRANS_PREVIOUS_SERVER_KEY", _server_key),
        midtrans_env=environment,
        midtrans_url=read.parsed("MIDTRANS_BASE_URL", base_url) or MIDTRANS[environment],
        token_key=_token_key(read),
        token_issuer=read.text("AUTH_JWT_ISSUER"),
        token_audience=read.text("AUTH_JWT_AUDIENCE"),
        create_scope=read.parsed("AUTH_CREATE_SCOPE", _scope),
        cookie=read.parsed("AUTH_COOKIE", _cookie_name),
        auto_create_users=read.flag("BAYAR_AUTO_CREATE_USERS", default=False),
        public_url=read.parsed("BAYAR_PUBLIC_URL", base_url),
        merchant_name=read.text("BAYAR_MERCHANT_NAME") or "Bayar",
        merchant_url=read.parsed("BAYAR_MERCHANT_URL", endpoint_url),
        merchant_secret=read.parsed("BAYAR_MERCHANT_SECRET", _merchant_secret),
        merchant_allow_private=read.flag("BAYAR_MERCHANT_ALLOW_PRIVATE", default=False),
        default_amount=read.whole("BAYAR_DEFAULT_AMOUNT", 10_000, 1, MOST[payment_type]),
        payment_type=payment_type,
        life=timedelta(minutes=read.whole("BAYAR_EXPIRY_MINUTES", 15, 1, 10_080)),
        confirm_always=read.one_of("BAYAR_CONFIRM", ("always", "doubtful"), "doubtful") == "always",
        cors_origins=read.parsed("CORS_ALLOWED_ORIGINS", origins) or (),
        create_rate=read.whole("BAYAR_CREATE_RATE", 60, 1, 1_000_000_000),
        ask_rate=read.whole("BAYAR_ASK_RATE", 20, 1, 10_000),
        max_streams=read.whole("BAYAR_MAX_STREAMS", 5000, 1, 1_000_000),
        metrics_token=read.text("BAYAR_METRICS_TOKEN"),
        log_format=read.one_of("LOG_FORMAT", ("json", "console"), "") or None,
        log_level=read.one_of("LOG_LEVEL", ("debug", "info", "warning", "error"), "info", fold=True),
    )
    if settings.merchant_url is not None:
        needs = (*needs, "BAYAR_MERCHANT_SECRET")
    read.must_have(needs)
    if read.problems:
        raise SettingsError("\n".join(read.problems))
    return settings


class _Reader:
    """Reads variables and remembers what is wrong, so that all of it is said at once."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[str] = []

    def text(self, name: str) -> str | None:
        return self._environ.get(name, "").strip() or None

    def parsed(self, name: str, parse: Callable[[str], T]) -> T | None:
        text = self.text(name)
        if text is None:
            return None
        try:
            return parse(text)
        except ValueError as wrong:
            self.problems.append(f"{name} {wrong}.")
            return None

    def one_of(self, name: str, allowed: tuple[str, ...], default: str, *, fold: bool = False) -> str:
        text = self.text(name) or default
        text = text.lower() if fold else text
        if text not in allowed and text != default:
            self.problems.append(f"{name} must be one of {', '.join(allowed)}.")
            return default
        return text

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        text = self.text(name)
        if text is None:
            return default
        if not re.fullmatch(r"[0-9]{1,12}", text) or not least <= int(text) <= most:
            self.problems.append(f"{name} must be a whole number from {least} to {most}.")
            return default
        return int(text)

    def flag(self, name: str, *, default: bool) -> bool:
        text = (self.text(name) or str(default)).lower()
        if text not in _TRUE | _FALSE:
            self.problems.append(f"{name} must be true or false.")
        return text in _TRUE

    def must_have(self, names: tuple[str, ...]) -> None:
        for name in names:
            options = name.split("|")
            if not any(self.text(option) for option in options):
                self.problems.append(f"{' or '.join(options)} is not set; .env.example explains it.")


def _token_key(read: _Reader) -> TokenKey | None:
    secret = read.parsed("AUTH_JWT_SECRET", _token_secret)
    public = read.parsed("AUTH_JWT_PUBLIC_KEY", _token_public_key)
    if read.text("AUTH_JWT_SECRET") and read.text("AUTH_JWT_PUBLIC_KEY"):
        read.problems.append("AUTH_JWT_SECRET and AUTH_JWT_PUBLIC_KEY are both set; set one of them.")
    return secret or public


def _token_secret(text: str) -> TokenKey:
    if len(text.encode()) < _LEAST_SECRET:
        message = f"must have {_LEAST_SECRET} bytes or more; `openssl rand -base64 48` makes one"
        raise ValueError(message)
    try:
        jwt.get_algorithm_by_name("HS256").prepare_key(text)
    except jwt.InvalidKeyError:
        message = "is a key of a pair; a public one belongs into AUTH_JWT_PUBLIC_KEY"
        raise ValueError(message) from None
    return TokenKey(key=text, algorithm="HS256")


def _token_public_key(text: str) -> TokenKey:
    """The algorithm follows from the key, never from the token."""
    try:
        key = load_pem_public_key(text.replace("\\n", "\n").encode())
    except (ValueError, UnsupportedAlgorithm):
        key = None
    match key:
        case RSAPublicKey() if key.key_size >= _LEAST_RSA_BITS:
            return TokenKey(key=key, algorithm="RS256")
        case EllipticCurvePublicKey() if isinstance(key.curve, SECP256R1):
            return TokenKey(key=key, algorithm="ES256")
        case Ed25519PublicKey():
            return TokenKey(key=key, algorithm="EdDSA")
    message = "must be a public key in PEM: RSA of 2048 bits or more, P-256, or Ed25519"
    raise ValueError(message)


def _database(text: str) -> DatabaseAddress:
    if split(text).scheme not in {"postgres", "postgresql"}:
        message = "must start with postgresql://"
        raise ValueError(message)
    address = read_address(text)
    try:
        check_readable(address.url)
    except (ValueError, Trouble):
        message = "cannot be read; percent-encode what is special in its password, and check host and port"
        raise ValueError(message) from None
    return address


def _server_key(text: str) -> str:
    if not text.isascii() or not text.isprintable() or ":" in text or " " in text:
        message = "must be a Midtrans server key as the dashboard shows it"
        raise ValueError(message)
    return text


def _merchant_secret(text: str) -> str:
    if not is_secret(text):
        message = (
            'must be whsec_ and 24 to 64 bytes in base64; `echo "whsec_$(openssl rand -base64 32)"` makes one'
        )
        raise ValueError(message)
    return text


def _scope(text: str) -> str:
    if len(text.split()) > 1:
        message = "must be one scope; a token has each of its own"
        raise ValueError(message)
    return text


def _cookie_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", text):
        message = "must be a cookie's name"
        raise ValueError(message)
    return text


def _is_public_https(url: str) -> bool:
    return urlsplit(url).scheme == "https" and is_public(url)


def is_public(url: str) -> bool:
    """Whether an address can be reached from everywhere, as far as its host tells."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or "." not in host:
        return False
    try:
        return ip_address(host).is_global
    except ValueError:
        return not host.endswith((".localhost", ".local", ".internal", ".test"))
