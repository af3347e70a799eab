"""Who is let in: what a token must be, whatever way it comes."""

import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64encode
from dataclasses import replace
from functools import cache
from typing import Any, Final

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from litestar import Request

from entrypoints.http.security import Authenticator, Unauthenticated
from entrypoints.settings import load
from support.service import TOKEN_SECRET, a_token, bearer
from unit.entrypoints.harness import Service, a_service, problem_of

LIST: Final = "/api/payments"
HOUR: Final = 3600


async def presented(service: Service, token: str) -> httpx.Response:
    header = f"Bearer {token}".encode()
    return await service.client.get(LIST, headers=[(b"Authorization", header)])


async def verdict(service: Service, token: str) -> int:
    """200, or the status of what must be a plain refusal."""
    answer = await presented(service, token)
    if answer.status_code != 200:
        assert problem_of(answer) == (401, "unauthenticated")
        assert answer.headers["www-authenticate"] == "Bearer"
    return answer.status_code


def in_seconds(seconds: float) -> int:
    return int(time.time() + seconds)


def signed_here(header: dict[str, Any], payload: bytes, key: bytes) -> str:
    """A token of exactly these parts; a library would not make some of them."""
    parts = [urlsafe_b64encode(part).rstrip(b"=") for part in (json.dumps(header).encode(), payload)]
    proof = hmac.new(key, b".".join(parts), hashlib.sha256).digest()
    return b".".join([*parts, urlsafe_b64encode(proof).rstrip(b"=")]).decode()


async def test_a_good_token_is_let_in(service: Service) -> None:
    assert await verdict(service, a_token()) == 200


async def test_no_token_is_refused(service: Service) -> None:
    answer = await service.client.get(LIST)

    assert problem_of(answer) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic dXNlcjo=", "Token {token}", "{token}", "Bearer{token}"],
)
async def test_another_form_of_the_header_is_refused(service: Service, header: str) -> None:
    given = {"Authorization": header.format(token=a_token())}

    answer = await service.client.get(LIST, headers=given)

    assert problem_of(answer) == (401, "unauthenticated")


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer "])
async def test_the_scheme_may_be_written_in_any_case(service: Service, scheme: str) -> None:
    answer = await service.client.get(LIST, headers={"Authorization": f"{scheme} {a_token()}"})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "a.b",
        "a.b.c",
        "a.b.c.d",
        "..",
        "\u00e9.\u00e9.\u00e9",
        "e30.e30.",
        urlsafe_b64encode(b"[" * 50_000).decode() + ".e30.x",
    ],
)
async def test_what_is_no_token_is_refused(service: Service, token: str) -> None:
    assert await verdict(service, token) == 401


@pytest.mark.parametrize(("seconds", "status"), [(HOUR, 200), (-20, 200), (-40, 401), (-HOUR, 401)])
async def test_a_token_expires_with_30_seconds_of_leeway(service: Service, seconds: int, status: int) -> None:
    assert await verdict(service, a_token(exp=in_seconds(seconds))) == status


async def test_a_token_that_was_good_before_expires_like_any_other() -> None:
    now = time.time()
    auth = replace(Authenticator.of(load({"AUTH_JWT_SECRET": TOKEN_SECRET})), _now=lambda: now)
    call = Request[Any, Any, Any](
        {"type": "http", "headers": [(b"authorization", f"Bearer {a_token(exp=int(now) + HOUR)}".encode())]}
    )
    first = auth.caller(call)

    now += HOUR
    assert auth.caller(call) == first, "within the leeway"
    now += 40

    with pytest.raises(Unauthenticated, match="expired"):
        auth.caller(call)


async def test_of_valid_tokens_only_so_many_are_remembered() -> None:
    auth = Authenticator.of(load({"AUTH_JWT_SECRET": TOKEN_SECRET}))

    for user in range(1, 1100):
        token = f"Bearer {a_token(user=user)}".encode()
        call = Request[Any, Any, Any]({"type": "http", "headers": [(b"authorization", token)]})
        assert auth.caller(call).user_id == user

    assert len(auth._known) <= 1024
    assert "Bearer" not in repr(auth)
    assert a_token(user=1099) not in repr(auth)


@pytest.mark.parametrize(("seconds", "status"), [(-HOUR, 200), (20, 200), (60, 401)])
@pytest.mark.parametrize("claim", ["nbf", "iat"])
async def test_a_token_from_the_future_is_refused(
    service: Service, claim: str, seconds: int, status: int
) -> None:
    assert await verdict(service, a_token(**{claim: in_seconds(seconds)})) == status


async def test_a_token_that_never_expires_is_refused(service: Service) -> None:
    assert await verdict(service, a_token(exp=None)) == 401


@pytest.mark.parametrize("exp", [b'"soon"', b"[]", b"{}", b"NaN", b"1e400", b"-1e400", b"true"])
async def test_an_expiry_that_is_no_time_is_refused(service: Service, exp: bytes) -> None:
    token = signed_here({"alg": "HS256"}, b'{"sub":"1","exp":%s}' % exp, TOKEN_SECRET.encode())

    assert await verdict(service, token) == 401


async def test_a_token_signed_with_another_secret_is_refused(service: Service) -> None:
    claims = {"sub": "1", "exp": in_seconds(HOUR)}

    assert await verdict(service, jwt.encode(claims, TOKEN_SECRET[::-1], algorithm="HS256")) == 401


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
async def test_a_token_signed_by_another_algorithm_is_refused(algorithm: str) -> None:
    claims = {"sub": "1", "exp": in_seconds(HOUR)}
    token = jwt.encode(claims, TOKEN_SECRET * 2, algorithm=algorithm)

    assert await verdict(a_service(AUTH_JWT_SECRET=TOKEN_SECRET * 2), token) == 401


async def test_an_edited_token_is_refused(service: Service) -> None:
    header, payload, proof = a_token(user=1).split(".")
    other = a_token(user=2).split(".")[1]

    assert await verdict(service, f"{header}.{other}.{proof}") == 401
    assert await verdict(service, f"{header}.{payload}.{proof}") == 200


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE"])
async def test_an_unsigned_token_is_refused(service: Service, algorithm: str) -> None:
    payload = json.dumps({"sub": "1", "exp": in_seconds(HOUR)}).encode()
    signed = signed_here({"alg": algorithm}, payload, TOKEN_SECRET.encode())
    unsigned = signed.rpartition(".")[0] + "."

    assert await verdict(service, signed) == 401
    assert await verdict(service, unsigned) == 401


@cache
def private_key(kind: str) -> Any:
    """Made once: an RSA key takes a while."""
    if kind == "RS256":
        return rsa.generate_private_key(65537, 2048)
    if kind == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    return ed25519.Ed25519PrivateKey.generate()


def public_pem(kind: str) -> str:
    public = private_key(kind).public_key()
    pem: bytes = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem.decode()


def with_public_key(kind: str) -> Service:
    return a_service(AUTH_JWT_SECRET=None, AUTH_JWT_PUBLIC_KEY=public_pem(kind))


KINDS: Final = ["RS256", "ES256", "EdDSA"]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_token_by_the_private_key_is_let_in(kind: str) -> None:
    claims = {"sub": "1", "exp": in_seconds(HOUR)}

    token = jwt.encode(claims, private_key(kind), algorithm=kind)

    assert await verdict(with_public_key(kind), token) == 200


@pytest.mark.parametrize("kind", KINDS)
async def test_the_public_key_is_no_secret_to_sign_with(kind: str) -> None:
    payload = json.dumps({"sub": "1", "exp": in_seconds(HOUR)}).encode()
    header = {"alg": "HS256", "typ": "JWT"}

    for key in (public_pem(kind), public_pem(kind).strip()):
        token = signed_here(header, payload, key.encode())

        assert await verdict(with_public_key(kind), token) == 401


@pytest.mark.parametrize("kind", KINDS)
async def test_with_a_public_key_an_unsigned_token_is_refused(kind: str) -> None:
    payload = json.dumps({"sub": "1", "exp": in_seconds(HOUR)}).encode()
    token = signed_here({"alg": "none"}, payload, b"").rpartition(".")[0] + "."

    assert await verdict(with_public_key(kind), token) == 401


@pytest.mark.parametrize(("kind", "other"), [("RS256", "RS512"), ("RS256", "PS256")])
async def test_with_a_public_key_another_algorithm_of_its_kind_is_refused(kind: str, other: str) -> None:
    claims = {"sub": "1", "exp": in_seconds(HOUR)}

    token = jwt.encode(claims, private_key(kind), algorithm=other)

    assert await verdict(with_public_key(kind), token) == 401


async def test_a_token_by_another_private_key_is_refused() -> None:
    claims = {"sub": "1", "exp": in_seconds(HOUR)}
    other = ec.generate_private_key(ec.SECP256R1())

    token = jwt.encode(claims, other, algorithm="ES256")

    assert await verdict(with_public_key("ES256"), token) == 401


async def test_a_key_that_the_token_brings_along_is_not_used() -> None:
    claims = {"sub": "1", "exp": in_seconds(HOUR)}
    other = ec.generate_private_key(ec.SECP256R1())
    jwk = jwt.algorithms.ECAlgorithm.to_jwk(other.public_key(), as_dict=True)
    header = {"jwk": jwk, "jku": "https://keys.example/", "kid": "../../dev/null"}

    token = jwt.encode(claims, other, algorithm="ES256", headers=header)

    assert await verdict(with_public_key("ES256"), token) == 401


@pytest.mark.parametrize(
    "header",
    [
        {"kid": "../../../../dev/null"},
        {"kid": "x' UNION SELECT 'key' --"},
        {"kid": "/proc/self/environ"},
        {"kid": 7},
        {"kid": ["a"]},
        {"jku": "https://keys.example/"},
        {"x5u": "https://keys.example/"},
        {"crit": ["exp"], "exp": 1},
        {"crit": ["b64"], "b64": False},
        {"zip": "DEF"},
        {"enc": "A256GCM"},
        {"typ": "JWE"},
        {"alg": ["HS256"]},
        {"alg": {"HS256": 1}},
        {"alg": None},
        {"alg": "HS256 "},
        {"alg": "hs256"},
        {"alg": "RS256"},
        {"alg": "dir"},
    ],
    ids=str,
)
async def test_no_header_makes_another_key_of_it(service: Service, header: dict[str, Any]) -> None:
    payload = json.dumps({"sub": "1", "exp": in_seconds(HOUR)}).encode()

    for key in (b"", b"key", b"\0", b"7", b"null"):
        token = signed_here({"alg": "HS256"} | header, payload, key)

        assert await verdict(service, token) == 401


@pytest.mark.parametrize("parts", [1, 2, 4, 5, 6])
async def test_a_token_has_three_parts(service: Service, parts: int) -> None:
    good = a_token().split(".")

    assert await verdict(service, ".".join((good * 2)[:parts])) == 401


async def test_of_a_claim_given_twice_one_counts_and_it_is_checked(service: Service) -> None:
    for claims in (b'{"sub":"1","exp":%d,"exp":1}', b'{"sub":"1","exp":1,"sub":"0","exp":%d}'):
        token = signed_here({"alg": "HS256"}, claims % in_seconds(HOUR), TOKEN_SECRET.encode())

        assert await verdict(service, token) == 401


@pytest.mark.parametrize(
    ("wanted", "said", "status"),
    [
        ({"AUTH_JWT_ISSUER": "https://id.example"}, {"iss": "https://id.example"}, 200),
        ({"AUTH_JWT_ISSUER": "https://id.example"}, {"iss": "https://id.example/"}, 401),
        ({"AUTH_JWT_ISSUER": "https://id.example"}, {"iss": ["https://id.example"]}, 401),
        ({"AUTH_JWT_ISSUER": "https://id.example"}, {}, 401),
        ({}, {"iss": "anybody"}, 200),
        ({"AUTH_JWT_AUDIENCE": "bayar"}, {"aud": "bayar"}, 200),
        ({"AUTH_JWT_AUDIENCE": "bayar"}, {"aud": ["shop", "bayar"]}, 200),
        ({"AUTH_JWT_AUDIENCE": "bayar"}, {"aud": "shop"}, 401),
        ({"AUTH_JWT_AUDIENCE": "bayar"}, {"aud": ["bayar2"]}, 401),
        ({"AUTH_JWT_AUDIENCE": "bayar"}, {"aud": []}, 401),
        ({"AUTH_JWT_AUDIENCE": "bayar"}, {"aud": 7}, 401),
        ({"AUTH_JWT_AUDIENCE": "bayar"}, {}, 401),
        ({}, {"aud": "anybody"}, 200),
        ({}, {"aud": 7}, 200),
    ],
)
async def test_issuer_and_audience_are_checked_when_set(
    wanted: dict[str, str], said: dict[str, Any], status: int
) -> None:
    token = signed_here(
        {"alg": "HS256"},
        json.dumps({"sub": "1", "exp": in_seconds(HOUR)} | said).encode(),
        TOKEN_SECRET.encode(),
    )

    assert await verdict(a_service(**wanted), token) == status


@pytest.mark.parametrize("subject", [b'"1"', b"1"])
async def test_the_subject_may_be_the_number_or_its_digits(service: Service, subject: bytes) -> None:
    await service.given(order_id="mine", user_id=1)
    payload = b'{"sub":%s,"exp":%d}' % (subject, in_seconds(HOUR))

    answer = await presented(service, signed_here({"alg": "HS256"}, payload, TOKEN_SECRET.encode()))

    assert [payment["order_id"] for payment in answer.json()["items"]] == ["mine"]


@pytest.mark.parametrize(
    "subject",
    [
        b"0", b'"0"', b"-1", b'"-1"', b"1.0", b'"1.0"', b"true", b"false", b"null", b'""', b'" 1"', b'"1 "',
        b'"one"', b'"+1"', b'"0x1"', b'"1e0"', b'"\xd9\xa1"', b'"\xc2\xb2"', b"[1]", b'{"id":1}',
        b"9223372036854775808", b'"9223372036854775808"', b"1" * 400, b'"' + b"1" * 400 + b'"', b'"1\\u0000"',
    ],
)  # fmt: skip
async def test_a_subject_that_is_no_user_id_is_refused(service: Service, subject: bytes) -> None:
    payload = b'{"sub":%s,"exp":%d}' % (subject, in_seconds(HOUR))

    token = signed_here({"alg": "HS256"}, payload, TOKEN_SECRET.encode())

    assert await verdict(service, token) == 401


async def test_a_token_without_a_subject_is_refused(service: Service) -> None:
    assert await verdict(service, a_token(sub=None)) == 401


async def test_the_largest_user_id_is_one() -> None:
    service = a_service(BAYAR_AUTO_CREATE_USERS="true")

    assert await verdict(service, a_token(user=2**63 - 1)) == 200


async def test_a_refusal_repeats_nothing_of_the_token(service: Service) -> None:
    token = a_token(exp=in_seconds(-HOUR))

    answer = await presented(service, token)

    assert not any(part in answer.text for part in token.split("."))


@pytest.fixture
def scoped() -> Service:
    service = a_service(AUTH_CREATE_SCOPE="payments:create")
    service.charges_are_taken()
    return service


@pytest.mark.parametrize("scope", ["payments:create", "a payments:create b"])
async def test_a_token_with_the_scope_may_create(scoped: Service, scope: str) -> None:
    answer = await scoped.create(headers=bearer(scope=scope))

    assert answer.status_code == 201


@pytest.mark.parametrize(
    "scope", [None, "", "payments", "payments:created", "PAYMENTS:CREATE", "payments:any"]
)
async def test_a_token_without_the_scope_may_not_create(scoped: Service, scope: str | None) -> None:
    answer = await scoped.create(headers=bearer(scope=scope))

    assert problem_of(answer) == (403, "forbidden")
    assert scoped.begin.state.payments == {}


async def test_a_scope_that_is_no_text_grants_nothing(scoped: Service) -> None:
    claims = {"sub": "1", "exp": in_seconds(HOUR), "scope": ["payments:create"]}
    token = jwt.encode(claims, TOKEN_SECRET, algorithm="HS256")

    answer = await scoped.create(headers={"Authorization": f"Bearer {token}"})

    assert problem_of(answer) == (403, "forbidden")


async def test_reading_needs_no_scope(scoped: Service) -> None:
    assert await verdict(scoped, a_token()) == 200


@pytest.fixture
def with_cookie() -> Service:
    service = a_service(AUTH_COOKIE="token", BAYAR_PUBLIC_URL="https://pay.example:8443/shop")
    service.charges_are_taken()
    service.client.cookies.set("token", a_token())
    return service


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_reading_with_the_cookie_needs_no_origin(with_cookie: Service, headers: dict[str, str]) -> None:
    answer = await with_cookie.client.get(LIST, headers=headers)

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("public_url", "origin"),
    [
        ("https://Pay.example:443", "https://pay.example"),
        ("http://pay.example:80/shop", "http://pay.example"),
        ("https://pay.example:8443", "https://pay.example:8443"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_the_own_origin_is_written_as_browsers_write_it(public_url: str, origin: str) -> None:
    settings = load({"AUTH_JWT_SECRET": "s" * 32, "BAYAR_PUBLIC_URL": public_url})

    assert Authenticator.of(settings).origin == origin


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://pay.example:8443"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Origin": "https://pay.example:8443", "Sec-Fetch-Site": "same-origin"},
    ],
)
async def test_creating_with_the_cookie_from_our_own_pages_works(
    with_cookie: Service, headers: dict[str, str]
) -> None:
    answer = await with_cookie.create(headers=headers)

    assert answer.status_code == 201


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Nothing": "said"},
        {"Origin": "https://evil.example"},
        {"Origin": "https://pay.example"},
        {"Origin": "http://pay.example:8443"},
        {"Origin": "https://pay.example:8443.evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": ""},
        {"Referer": "https://pay.example:8443/shop"},
    ],
)
async def test_creating_with_the_cookie_from_elsewhere_is_refused(
    with_cookie: Service, headers: dict[str, str]
) -> None:
    answer = await with_cookie.create(headers=headers)

    assert problem_of(answer) == (403, "cross-site")
    assert with_cookie.begin.state.payments == {}


async def test_without_a_public_url_only_the_browser_s_word_counts() -> None:
    service = a_service(AUTH_COOKIE="token")
    service.charges_are_taken()
    service.client.cookies.set("token", a_token())

    refused = await service.create(headers={"Origin": "https://pay.example"})
    taken = await service.create(headers={"Origin": "https://pay.example", "Sec-Fetch-Site": "same-origin"})

    assert problem_of(refused) == (403, "cross-site")
    assert taken.status_code == 201


async def test_a_bearer_token_wins_over_the_cookie(with_cookie: Service) -> None:
    await with_cookie.given(order_id="theirs", user_id=2)

    answer = await with_cookie.client.get(LIST, headers=bearer(user=2))

    assert [payment["order_id"] for payment in answer.json()["items"]] == ["theirs"]


async def test_a_bad_bearer_token_is_not_made_good_by_the_cookie(with_cookie: Service) -> None:
    answer = await with_cookie.client.get(LIST, headers={"Authorization": "Bearer x"})

    assert problem_of(answer) == (401, "unauthenticated")


async def test_creating_with_a_bearer_token_needs_no_origin(with_cookie: Service) -> None:
    answer = await with_cookie.create(headers=bearer() | {"Origin": "https://evil.example"})

    assert answer.status_code == 201


async def test_a_bad_token_in_the_cookie_is_refused(with_cookie: Service) -> None:
    with_cookie.client.cookies.set("token", a_token(exp=in_seconds(-HOUR)))

    answer = await with_cookie.client.get(LIST)

    assert problem_of(answer) == (401, "unauthenticated")


@pytest.mark.parametrize("cookie", ["Token", "token2", "session"])
async def test_another_cookie_carries_no_token(with_cookie: Service, cookie: str) -> None:
    with_cookie.client.cookies.clear()
    with_cookie.client.cookies.set(cookie, a_token())

    answer = await with_cookie.client.get(LIST)

    assert problem_of(answer) == (401, "unauthenticated")


async def test_a_cookie_counts_only_when_the_settings_name_it(service: Service) -> None:
    service.client.cookies.set("token", a_token())

    answer = await service.client.get(LIST)

    assert problem_of(answer) == (401, "unauthenticated")
