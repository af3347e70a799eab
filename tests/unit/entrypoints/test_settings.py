import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from domain.rupiah import PaymentType
from entrypoints.settings import Settings, SettingsError, from_environment, load, of_merchant
from support.merchant import SECRET
from support.service import environment

ROOT: Final = Path(__file__).parents[3]
# Every variable that may hold a secret, with one that would be accepted.
SECRETS: Final = {
    "DATABASE_URL": "postgresql://bayar:hunter2@database.example/bayar",
    "MIDTRANS_SERVER_KEY": "Mid-server-hunter2",
    "MIDTRANS_PREVIOUS_SERVER_KEY": "Mid-server-hunter2",
    "AUTH_JWT_SECRET": "hunter2" * 5,
    "BAYAR_METRICS_TOKEN": "hunter2",
    "BAYAR_MERCHANT_SECRET": "whsec_" + "hunter2" * 8,
}


def problems(environ: Mapping[str, str], *needs: str) -> list[str]:
    with pytest.raises(SettingsError) as wrong:
        load(environ, needs=needs)
    return str(wrong.value).splitlines()


def public_pem(key: Any) -> str:
    pem: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem.decode()


def private_pem(key: Any) -> str:
    pem: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem.decode()


@pytest.mark.parametrize(
    ("variable", "text", "attribute", "value"),
    [
        ("DATABASE_URL", "postgresql://u@/db?host=/run", "database_url", "postgresql://u@/db?host=/run"),
        ("DATABASE_URL", "postgres://u@a:1,b:2/db", "database_url", "postgres://u@a:1,b:2/db"),
        ("MIDTRANS_SERVER_KEY", " SB-Mid-server-x ", "server_key", "SB-Mid-server-x"),
        ("MIDTRANS_PREVIOUS_SERVER_KEY", "Mid-server-y", "previous_server_key", "Mid-server-y"),
        ("MIDTRANS_ENV", "sandbox", "midtrans_url", "https://api.sandbox.midtrans.com"),
        ("MIDTRANS_ENV", "production", "midtrans_url", "https://api.midtrans.com"),
        ("MIDTRANS_BASE_URL", "http://127.0.0.1:8091/", "midtrans_url", "http://127.0.0.1:8091"),
        ("AUTH_JWT_ISSUER", "https://id.example", "token_issuer", "https://id.example"),
        ("AUTH_JWT_AUDIENCE", "bayar", "token_audience", "bayar"),
        ("AUTH_CREATE_SCOPE", "payments:create", "create_scope", "payments:create"),
        ("AUTH_COOKIE", "__Host-token", "cookie", "__Host-token"),
        ("BAYAR_AUTO_CREATE_USERS", "true", "auto_create_users", True),
        ("BAYAR_AUTO_CREATE_USERS", "FALSE", "auto_create_users", False),
        ("BAYAR_AUTO_CREATE_USERS", "1", "auto_create_users", True),
        ("BAYAR_AUTO_CREATE_USERS", "off", "auto_create_users", False),
        ("BAYAR_PUBLIC_URL", "https://pay.example/", "public_url", "https://pay.example"),
        ("BAYAR_MERCHANT_NAME", "Warung Kopi", "merchant_name", "Warung Kopi"),
        ("BAYAR_MERCHANT_SECRET", SECRET, "merchant_secret", SECRET),
        ("BAYAR_MERCHANT_ALLOW_PRIVATE", "true", "merchant_allow_private", True),
        ("BAYAR_DEFAULT_AMOUNT", "20000000", "default_amount", 20_000_000),
        ("BAYAR_PAYMENT_TYPE", "qris", "payment_type", PaymentType.QRIS),
        ("BAYAR_EXPIRY_MINUTES", "1", "life", timedelta(minutes=1)),
        ("BAYAR_EXPIRY_MINUTES", "10080", "life", timedelta(days=7)),
        ("BAYAR_CONFIRM", "always", "confirm_always", True),
        ("BAYAR_CONFIRM", "doubtful", "confirm_always", False),
        ("CORS_ALLOWED_ORIGINS", "https://a.example, http://b.example:3000/,", "cors_origins",
         ("https://a.example", "http://b.example:3000")),
        ("CORS_ALLOWED_ORIGINS", "HTTPS://Shop.Example:443,http://[::1]:80", "cors_origins",
         ("https://shop.example", "http://[::1]")),
        ("CORS_ALLOWED_ORIGINS", "*", "cors_origins", ("*",)),
        ("CORS_ALLOWED_ORIGINS", "capacitor://localhost", "cors_origins", ("capacitor://localhost",)),
        ("BAYAR_CREATE_RATE", "1", "create_rate", 1),
        ("BAYAR_MAX_STREAMS", "1", "max_streams", 1),
        ("BAYAR_METRICS_TOKEN", "scrape", "metrics_token", "scrape"),
        ("LOG_FORMAT", "json", "log_format", "json"),
        ("LOG_FORMAT", "console", "log_format", "console"),
        ("LOG_LEVEL", "DEBUG", "log_level", "debug"),
        ("LOG_LEVEL", "warning", "log_level", "warning"),
    ],
)  # fmt: skip
def test_a_variable_is_read(variable: str, text: str, attribute: str, value: object) -> None:
    settings = load(environment(**{variable: text}))

    assert getattr(settings, attribute) == value


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("previous_server_key", None),
        ("midtrans_env", "sandbox"),
        ("midtrans_url", "https://api.sandbox.midtrans.com"),
        ("token_issuer", None),
        ("token_audience", None),
        ("create_scope", None),
        ("cookie", None),
        ("auto_create_users", False),
        ("public_url", None),
        ("merchant_name", "Bayar"),
        ("merchant_url", None),
        ("merchant_secret", None),
        ("merchant_allow_private", False),
        ("default_amount", 10_000),
        ("payment_type", PaymentType.GOPAY),
        ("life", timedelta(minutes=15)),
        ("confirm_always", False),
        ("cors_origins", ()),
        ("create_rate", 60),
        ("max_streams", 5000),
        ("metrics_token", None),
        ("log_format", None),
        ("log_level", "info"),
    ],
)
def test_an_optional_variable_that_is_missing_or_blank_has_its_default(attribute: str, value: object) -> None:
    blank = dict.fromkeys(variables_read() - environment().keys(), "  ")

    assert getattr(load(environment()), attribute) == value
    assert getattr(load(environment(**blank)), attribute) == value


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("DATABASE_URL", "mysql://u@h/db"),
        ("DATABASE_URL", "database.example"),
        ("DATABASE_URL", "postgresql://u@[/db"),
        ("DATABASE_URL", "postgresql://u:pa5#Secret@127.0.0.1/db"),
        ("DATABASE_URL", "postgresql://u:pa5/Secret@127.0.0.1/db"),
        ("DATABASE_URL", "postgresql://u@127.0.0.1:99999/db"),
        ("DATABASE_URL", "postgresql://u@127.0.0.1:abc/db"),
        ("DATABASE_URL", "postgresql://u@127.0.0.1/db?port=x"),
        ("MIDTRANS_SERVER_KEY", "two words"),
        ("MIDTRANS_SERVER_KEY", "with:colon"),
        ("MIDTRANS_SERVER_KEY", "kéy"),
        ("MIDTRANS_SERVER_KEY", "line\nbreak"),
        ("MIDTRANS_PREVIOUS_SERVER_KEY", "two words"),
        ("MIDTRANS_ENV", "staging"),
        ("MIDTRANS_ENV", "Production"),
        ("MIDTRANS_BASE_URL", "api.midtrans.com"),
        ("MIDTRANS_BASE_URL", "ftp://midtrans.example"),
        ("MIDTRANS_BASE_URL", "https://"),
        ("MIDTRANS_BASE_URL", "http://127.0.0.1:80a"),
        ("MIDTRANS_BASE_URL", "http://a..b"),
        ("MIDTRANS_BASE_URL", "http://" + "a" * 64 + ".example"),
        ("AUTH_JWT_SECRET", "x" * 31),
        ("AUTH_JWT_SECRET", "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----"),
        ("AUTH_JWT_SECRET", "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ shop@example"),
        ("AUTH_JWT_PUBLIC_KEY", "no PEM"),
        ("AUTH_CREATE_SCOPE", "payments:create shop:web"),
        ("AUTH_COOKIE", "my token"),
        ("AUTH_COOKIE", "a=b"),
        ("AUTH_COOKIE", "a;b"),
        ("BAYAR_AUTO_CREATE_USERS", "maybe"),
        ("BAYAR_PUBLIC_URL", "pay.example"),
        ("BAYAR_PUBLIC_URL", "https://pay.example/?a=1"),
        ("BAYAR_PUBLIC_URL", "https://pay.example/#a"),
        ("BAYAR_PUBLIC_URL", "https://pay.example/a?"),
        ("BAYAR_PUBLIC_URL", "https://pay.example/a#"),
        ("BAYAR_PUBLIC_URL", "https://pay.example:99999"),
        ("BAYAR_PUBLIC_URL", "https://pay.example:0"),
        ("BAYAR_PUBLIC_URL", "https://pay.example\\@evil.example"),
        ("BAYAR_PUBLIC_URL", "https://["),
        ("BAYAR_PUBLIC_URL", "https://b\u00fccher.example"),
        ("BAYAR_PUBLIC_URL", "https://a.example,https://b.example"),
        ("BAYAR_PUBLIC_URL", "https://a b.example"),
        ("BAYAR_MERCHANT_URL", "shop.example"),
        ("BAYAR_MERCHANT_URL", "ftp://shop.example"),
        ("BAYAR_MERCHANT_URL", "https://"),
        ("BAYAR_MERCHANT_URL", "https://shop.example:99999"),
        ("BAYAR_MERCHANT_URL", "https://shop.example:0"),
        ("BAYAR_MERCHANT_URL", "https://shop.example:x"),
        ("BAYAR_MERCHANT_URL", "https://shop.example/#hook"),
        ("BAYAR_MERCHANT_URL", "https://shop.example\\@evil.example"),
        ("BAYAR_MERCHANT_URL", "https://b\u00fccher.example"),
        ("BAYAR_MERCHANT_URL", "https://shop.example/" + "x" * 2048),
        ("BAYAR_MERCHANT_SECRET", "hunter2"),
        ("BAYAR_MERCHANT_SECRET", SECRET.removeprefix("whsec_")),
        ("BAYAR_MERCHANT_ALLOW_PRIVATE", "maybe"),
        ("BAYAR_DEFAULT_AMOUNT", "0"),
        ("BAYAR_DEFAULT_AMOUNT", "20000001"),
        ("BAYAR_DEFAULT_AMOUNT", "1e4"),
        ("BAYAR_DEFAULT_AMOUNT", "10_000"),
        ("BAYAR_DEFAULT_AMOUNT", "-1"),
        ("BAYAR_DEFAULT_AMOUNT", "\u0661\u0660\u0660"),
        ("BAYAR_PAYMENT_TYPE", "card"),
        ("BAYAR_EXPIRY_MINUTES", "0"),
        ("BAYAR_EXPIRY_MINUTES", "10081"),
        ("BAYAR_EXPIRY_MINUTES", "15.5"),
        ("BAYAR_CONFIRM", "never"),
        ("CORS_ALLOWED_ORIGINS", "shop.example"),
        ("CORS_ALLOWED_ORIGINS", "https://shop.example/path"),
        ("CORS_ALLOWED_ORIGINS", "https://a.example,null"),
        ("CORS_ALLOWED_ORIGINS", "https://shop.*"),
        ("CORS_ALLOWED_ORIGINS", "https://*.shop.example"),
        ("CORS_ALLOWED_ORIGINS", "https://shop example"),
        ("CORS_ALLOWED_ORIGINS", "https://u:pw@shop.example"),
        ("CORS_ALLOWED_ORIGINS", "https://shop.example:99999"),
        ("BAYAR_CREATE_RATE", "0"),
        ("BAYAR_CREATE_RATE", "many"),
        ("LOG_FORMAT", "xml"),
        ("LOG_LEVEL", "verbose"),
    ],
)
def test_a_bad_value_is_named_by_its_variable_alone(variable: str, text: str) -> None:
    given = environment(**{variable: text})
    if variable == "AUTH_JWT_PUBLIC_KEY":
        del given["AUTH_JWT_SECRET"]

    (problem,) = problems(given)

    assert problem.startswith(f"{variable} ")


def test_the_default_amount_must_suit_the_default_payment_type() -> None:
    given = environment(BAYAR_PAYMENT_TYPE="qris", BAYAR_DEFAULT_AMOUNT="10000001")

    assert problems(given) == ["BAYAR_DEFAULT_AMOUNT must be a whole number from 1 to 10000000."]


@pytest.mark.parametrize("variable", ["DATABASE_URL", "MIDTRANS_SERVER_KEY"])
@pytest.mark.parametrize("blank", [None, "", "  "])
def test_a_needed_variable_that_is_missing_or_blank_is_named(variable: str, blank: str | None) -> None:
    (problem,) = problems(environment(**{variable: blank}), "DATABASE_URL", "MIDTRANS_SERVER_KEY")

    assert problem.startswith(f"{variable} is not set")


def test_a_variable_that_is_not_needed_may_be_missing() -> None:
    settings = load({}, needs=())

    assert (settings.database_url, settings.server_key, settings.token_key) == (None, None, None)


def test_either_of_two_alternatives_is_enough() -> None:
    load(environment(), needs=("AUTH_JWT_SECRET|AUTH_JWT_PUBLIC_KEY",))


def test_a_missing_pair_of_alternatives_is_named_with_both() -> None:
    (problem,) = problems(environment(AUTH_JWT_SECRET=None), "AUTH_JWT_SECRET|AUTH_JWT_PUBLIC_KEY")

    assert problem.startswith("AUTH_JWT_SECRET or AUTH_JWT_PUBLIC_KEY is not set")


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example",
        "https://shop.example:8443/hook?token=x%20&y",
        "http://127.0.0.1:9000/hook/",
        "https://[2606:4700::1111]/hook",
    ],
)
def test_the_shop_s_address_is_kept_as_it_is(url: str) -> None:
    settings = load(environment(BAYAR_MERCHANT_URL=url, BAYAR_MERCHANT_SECRET=SECRET))

    assert settings.merchant_url == url
    assert url not in repr(settings)


def test_the_demo_takes_the_shop_s_endpoint_out_of_the_surroundings_and_nothing_else() -> None:
    told = {"BAYAR_MERCHANT_URL": "https://shop.example", "BAYAR_MERCHANT_SECRET": SECRET}

    assert of_merchant(environment(**told)) == told


def test_the_shop_is_told_nothing_that_is_not_signed() -> None:
    (problem,) = problems(environment(BAYAR_MERCHANT_URL="https://shop.example"))

    assert problem.startswith("BAYAR_MERCHANT_SECRET is not set")


def test_everything_that_is_wrong_is_said_at_once() -> None:
    given = environment(DATABASE_URL=None, MIDTRANS_ENV="mars", BAYAR_EXPIRY_MINUTES="0")

    named = {problem.split()[0] for problem in problems(given, "DATABASE_URL")}

    assert named == {"DATABASE_URL", "MIDTRANS_ENV", "BAYAR_EXPIRY_MINUTES"}


def test_the_process_s_own_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAYAR_MERCHANT_NAME", "Warung Kopi")

    assert from_environment().merchant_name == "Warung Kopi"


@pytest.fixture(scope="module")
def keys() -> dict[str, Any]:
    """Made once: an RSA key takes a while."""
    return {
        "RSA of 2048 bits": rsa.generate_private_key(65537, 2048),
        "RSA of 1024 bits": rsa.generate_private_key(65537, 1024),  # noqa: S505 - to be refused
        "P-256": ec.generate_private_key(ec.SECP256R1()),
        "P-384": ec.generate_private_key(ec.SECP384R1()),
        "secp256k1": ec.generate_private_key(ec.SECP256K1()),
        "Ed25519": ed25519.Ed25519PrivateKey.generate(),
        "Ed448": ed448.Ed448PrivateKey.generate(),
        "DSA": dsa.generate_private_key(1024),  # noqa: S505 - to be refused
    }


@pytest.mark.parametrize(
    ("name", "algorithm"), [("RSA of 2048 bits", "RS256"), ("P-256", "ES256"), ("Ed25519", "EdDSA")]
)
@pytest.mark.parametrize("line_break", ["\n", "\\n"])
def test_the_public_key_decides_the_algorithm(
    keys: dict[str, Any], name: str, algorithm: str, line_break: str
) -> None:
    pem = public_pem(keys[name]).replace("\n", line_break)

    settings = load(environment(AUTH_JWT_SECRET=None, AUTH_JWT_PUBLIC_KEY=pem))

    assert settings.token_key is not None
    assert settings.token_key.algorithm == algorithm


@pytest.mark.parametrize("name", ["RSA of 1024 bits", "P-384", "secp256k1", "Ed448", "DSA"])
def test_a_public_key_of_another_kind_is_refused(keys: dict[str, Any], name: str) -> None:
    (problem,) = problems(environment(AUTH_JWT_SECRET=None, AUTH_JWT_PUBLIC_KEY=public_pem(keys[name])))

    assert problem.startswith("AUTH_JWT_PUBLIC_KEY must be a public key in PEM")


def test_a_private_key_in_place_of_the_public_one_is_refused_and_not_repeated(
    keys: dict[str, Any],
) -> None:
    pem = private_pem(keys["P-256"])

    (problem,) = problems(environment(AUTH_JWT_SECRET=None, AUTH_JWT_PUBLIC_KEY=pem))

    assert problem.startswith("AUTH_JWT_PUBLIC_KEY must be a public key in PEM")
    assert pem.splitlines()[1] not in problem


def test_secret_and_public_key_together_are_refused(keys: dict[str, Any]) -> None:
    (problem,) = problems(environment(AUTH_JWT_PUBLIC_KEY=public_pem(keys["P-256"])))

    assert problem == "AUTH_JWT_SECRET and AUTH_JWT_PUBLIC_KEY are both set; set one of them."


def test_a_secret_of_32_bytes_signs_with_hs256() -> None:
    settings = load(environment(AUTH_JWT_SECRET="é" * 16))

    assert settings.token_key is not None
    assert settings.token_key.algorithm == "HS256"


@pytest.mark.parametrize("variable", SECRETS)
def test_a_secret_is_not_in_the_settings_text(variable: str) -> None:
    settings = load(environment(**{variable: SECRETS[variable]}))

    assert "hunter2" not in f"{settings!r} {settings}"


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("DATABASE_URL", "bayar:hunter2@database.example/bayar"),
        ("DATABASE_URL", "postgresql://bayar:hunter2\u2100@database.example/bayar"),
        ("DATABASE_URL", "postgresql://bayar:hunter2@[database/bayar"),
        ("DATABASE_URL", "postgresql://bayar:hunter2#x@database.example/bayar"),
        ("DATABASE_URL", "postgresql://bayar:hunter2/x@database.example/bayar"),
        ("MIDTRANS_SERVER_KEY", "hunter2 hunter2"),
        ("MIDTRANS_PREVIOUS_SERVER_KEY", "hunter2 hunter2"),
        ("MIDTRANS_BASE_URL", "https://bayar:hunter2@midtrans.example"),
        ("BAYAR_PUBLIC_URL", "https://bayar:hunter2@pay.example"),
        ("BAYAR_PUBLIC_URL", "https://bayar:hunter2\u2100@pay.example"),
        ("BAYAR_MERCHANT_URL", "https://bayar:hunter2@shop.example"),
        ("BAYAR_MERCHANT_URL", "https://shop.example:hunter2/"),
        ("BAYAR_MERCHANT_URL", "https://shop.example/?token=hunter2#"),
        ("BAYAR_MERCHANT_SECRET", "whsec_hunter2"),
        ("AUTH_JWT_SECRET", "hunter2"),
        ("CORS_ALLOWED_ORIGINS", "https://bayar:hunter2\u2100@shop.example"),
    ],
)
def test_a_secret_in_a_bad_value_is_not_in_what_is_said_of_it(variable: str, text: str) -> None:
    (problem,) = problems(environment(**{variable: text}))

    assert problem.startswith(variable)
    assert "hunter2" not in problem


@pytest.mark.parametrize(
    "public_url",
    ["https://pay.example", "https://pay.example:8443/shop", "https://8.8.8.8"],
)
@pytest.mark.parametrize("env", ["sandbox", "production"])
def test_midtrans_is_told_to_notify_a_public_https_address(public_url: str, env: str) -> None:
    settings = load(environment(BAYAR_PUBLIC_URL=public_url, MIDTRANS_ENV=env))

    assert settings.notify_url == f"{public_url}/api/payments/webhook"


@pytest.mark.parametrize(
    "public_url",
    [
        "http://pay.example",
        "https://localhost",
        "https://api.localhost",
        "https://bayar",
        "https://pay.local",
        "https://pay.internal",
        "https://pay.test",
        "https://127.0.0.1",
        "https://192.168.1.20",
        "https://10.0.0.1:8443",
        "https://169.254.1.1",
        "https://[::1]",
    ],
)
def test_midtrans_is_not_told_of_an_address_that_it_cannot_reach(public_url: str) -> None:
    assert load(environment(BAYAR_PUBLIC_URL=public_url)).notify_url is None


@pytest.mark.parametrize(
    ("base_url", "told"),
    [
        ("http://127.0.0.1:8091", True),
        ("http://simulator:8091", True),
        ("https://midtrans.com.example", True),
        ("https://api.midtrans.com", False),
        ("https://api.veritrans.co.id", False),
    ],
)
def test_a_look_alike_is_told_of_any_address(base_url: str, told: bool) -> None:  # noqa: FBT001
    settings = load(environment(MIDTRANS_BASE_URL=base_url, BAYAR_PUBLIC_URL="http://127.0.0.1:8080"))

    assert settings.notify_url == ("http://127.0.0.1:8080/api/payments/webhook" if told else None)


def test_without_a_public_address_nobody_is_told_to_notify_it() -> None:
    assert load(environment(MIDTRANS_BASE_URL="http://127.0.0.1:8091")).notify_url is None


class _Recorder(dict[str, str]):
    """An environment that remembers what was looked for."""

    def __init__(self) -> None:
        super().__init__()
        self.looked_for: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.looked_for.add(key)
        return default

    def __getitem__(self, key: str) -> str:
        self.looked_for.add(key)
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("the settings are looked for by name")


def variables_read() -> set[str]:
    recorder = _Recorder()
    load(recorder)
    return recorder.looked_for


def test_the_example_file_lists_every_variable_that_is_read_and_no_other() -> None:
    text = (ROOT / ".env.example").read_text()

    listed = re.findall(r"^(?:# ?)?([A-Z][A-Z0-9_]+)=", text, re.MULTILINE)

    assert set(listed) == variables_read()
    assert len(listed) == len(set(listed))


def test_the_example_file_holds_no_value_that_the_settings_refuse() -> None:
    text = (ROOT / ".env.example").read_text()
    shown = dict(re.findall(r"^([A-Z][A-Z0-9_]+)=(.*)$", text, re.MULTILINE))

    assert isinstance(load(shown), Settings)
