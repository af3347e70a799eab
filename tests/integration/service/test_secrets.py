"""No secret is in what the programs print, measure, tell strangers or keep, whatever goes wrong."""

import asyncio
import base64
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import jwt
import pytest

from support.builders import SERVER_KEY, signed
from support.database import connected
from support.receiver import Receiver, Reply, receiving
from support.service import (
    CREATE,
    HOST,
    TOKEN_SECRET,
    WEBHOOK,
    Serving,
    a_token,
    bearer,
    environment,
    eventually,
    free_port,
    ran,
    serving,
)

PASSWORD: Final = "the-password-of-the-database-in-tests"
PREVIOUS_KEY: Final = "SB-Mid-server-the-key-before-in-tests"
METRICS_TOKEN: Final = "the-token-of-the-metrics-in-tests"
MERCHANT_SECRET: Final = "whsec_" + base64.b64encode(b"the secret of the shop in tests!").decode()
MERCHANT_QUERY: Final = "a-token-in-the-shop-s-own-address"
EMAIL: Final = "siti.of.the.tests@shop.example"
FAULTS: Final = (
    *("bad-gateway", "unauthorized", "denied", "wrong-amount", "wrong-order-id", "missing-fields"),
    *("duplicate-order-id", "channel-inactive", "rate-limited", "error-500", "connection-closed"),
)


@dataclass(kw_only=True)
class Secrets:
    """What must be nowhere, by name; more are learned on the way."""

    known: dict[str, str] = field(
        default_factory=lambda: {
            "server key": SERVER_KEY,
            "server key as Midtrans is told it": base64.b64encode(f"{SERVER_KEY}:".encode()).decode(),
            "previous server key": PREVIOUS_KEY,
            "secret of tokens": TOKEN_SECRET,
            "database password": PASSWORD,
            "token of the metrics": METRICS_TOKEN,
            "secret of the shop": MERCHANT_SECRET,
            "query of the shop's address": MERCHANT_QUERY,
        }
    )

    def learn(self, name: str, secret: str) -> str:
        self.known[f"{name} {len(self.known)}"] = secret
        return secret

    def token(self, **claims: Any) -> dict[str, str]:
        """A bearer token of which neither the claims nor the signature may be repeated."""
        header = bearer(**claims)
        _, payload, proof = header["Authorization"].split(".")
        self.learn("claims of a token", payload)
        self.learn("signature of a token", proof)
        return header

    def signature(self, *parts: str, key: str = SERVER_KEY) -> str:
        return self.learn("signature", signed(*parts, key))

    def within(self, text: str) -> list[str]:
        return [name for name, secret in self.known.items() if secret in text]


@pytest.fixture
def kept() -> Secrets:
    return Secrets()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
def whole(env: dict[str, str], receiver: Receiver) -> dict[str, str]:
    """Every secret that can be set is set, and the log is at its finest."""
    parts = urlsplit(env["DATABASE_URL"])
    if parts.password is None:  # or the server would refuse another
        user, _, host = parts.netloc.rpartition("@")
        parts = parts._replace(netloc=f"{user}:{PASSWORD}@{host}")
    return environment(
        **env
        | {
            "DATABASE_URL": parts.geturl(),
            "MIDTRANS_PREVIOUS_SERVER_KEY": PREVIOUS_KEY,
            "BAYAR_METRICS_TOKEN": METRICS_TOKEN,
            "BAYAR_MERCHANT_URL": f"http://{HOST}:{receiver.port}/hook?token={MERCHANT_QUERY}",
            "BAYAR_MERCHANT_SECRET": MERCHANT_SECRET,
            "BAYAR_MERCHANT_ALLOW_PRIVATE": "true",
            "AUTH_COOKIE": "session",
            "LOG_LEVEL": "debug",
        }
    )


async def test_a_life_with_every_trouble_on_its_way_leaves_no_secret_anywhere(
    whole: dict[str, str], simulator: Serving, receiver: Receiver, kept: Secrets
) -> None:
    port = free_port()
    whole["BAYAR_PUBLIC_URL"] = f"http://{HOST}:{port}"
    async with serving(env=whole, port=port) as service:
        async with httpx.AsyncClient(base_url=service.url, trust_env=False, timeout=40) as http:
            owner = kept.token(scope="payments:refund")
            await all_goes_well(http, simulator, owner, kept)
            strangers = await strangers_come(http, kept)
            await midtrans_misbehaves(http, simulator, owner, kept)
            receiver.reply = lambda _got: Reply(status=500, body=MERCHANT_SECRET.encode())
            await the_database_refuses(http, whole["DATABASE_URL"], owner, kept)
            measured = await http.get("/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"})
        commands = await every_command(whole)
        said = service.program.said

    assert kept.known.keys() > Secrets().known.keys()
    assert "request.failed" in said
    assert "merchant.told" in said
    assert "webhook.received" in said
    assert kept.within(said) == []
    assert kept.within(measured.text) == []
    assert kept.within(strangers) == []
    # Nor who the customer is; Midtrans repeats it in its notifications, and those are evidence.
    assert EMAIL not in said + measured.text + strangers
    assert kept.within(commands) == []
    assert await kept_in_the_database(whole["DATABASE_URL"], kept) == []


async def all_goes_well(
    http: httpx.AsyncClient, simulator: Serving, owner: Mapping[str, str], kept: Secrets
) -> None:
    """Created, looked at, followed, paid, told to the shop, refunded."""
    fields = {"order_id": "good-1", "gross_amount": 20_000, "customer": {"email": EMAIL}}
    created = await http.post(CREATE, json=fields, headers={**owner, "Idempotency-Key": "good-1"})
    assert created.status_code == 201, created.text
    token = kept.learn("checkout token", created.json()["checkout_url"].rpartition("/")[2])
    assert (await http.get(f"/checkout/{token}")).status_code == 200
    await http.get(f"/api/payments/good-1/qr.svg?token={token}")
    async with httpx.AsyncClient(trust_env=False) as midtrans:
        await midtrans.post(f"{simulator.url}/wallet/{created.json()['transaction_id']}/pay")

    async def is_paid() -> bool:
        found = await http.get("/api/payments/good-1", headers=owner)
        return bool(found.json()["status"] == "settlement")

    await eventually(is_paid)
    async with http.stream("GET", f"/api/payments/good-1/stream?token={token}") as stream:
        await stream.aread()
    refunded = await http.post(
        "/api/payments/good-1/refunds", json={"amount": 5}, headers={**owner, "Idempotency-Key": "back-1"}
    )
    assert refunded.status_code == 201, refunded.text

    async def is_told() -> bool:
        listed = await http.get("/api/payments/good-1/deliveries", headers=owner)
        return any(delivery["state"] == "delivered" for delivery in listed.json()["items"])

    await eventually(is_told)


async def strangers_come(http: httpx.AsyncClient, kept: Secrets) -> str:
    """Wrong tokens, secrets in the wrong place, forged and odd notifications; what they all are answered."""
    claims = {"sub": "1", "exp": 2**33, "jti": secrets.token_hex(8)}
    another_s = jwt.encode(claims, TOKEN_SECRET[::-1], algorithm="HS256")
    bad = [kept.token(exp=1), kept.token(user=77), {"Authorization": f"Bearer {another_s}"}]
    bad += [{"Authorization": f"Basic {kept.learn('password', secrets.token_hex(16))}"}]
    answers = [await http.get("/api/payments", headers=headers) for headers in bad]
    from_elsewhere = {"Cookie": f"session={a_token()}", "Origin": "https://evil.example"}
    answers += [await http.post(CREATE, json={}, headers=headers) for headers in [*bad, from_elsewhere]]
    good = kept.token()
    token = kept.learn("guessed checkout token", secrets.token_urlsafe(24))
    for path in (
        f"/checkout/{token}",
        f"/checkout/{token}/more",
        f"/nowhere/{token}",
        f"/api/payments/good-1/stream?token={token}",
        f"/api/payments/{token}/%0d%0aX-Injected:%20{token}?token={token}",
        "/metrics",
    ):
        answers.append(await http.get(path))
        answers.append(await http.request("BREW", path))
    body = {"order_id": "good-1", "status_code": "200", "gross_amount": "20000.00"}
    right = kept.signature(*body.values())
    old = kept.signature(*body.values(), key=PREVIOUS_KEY)
    wrong = kept.learn("forged signature", secrets.token_hex(64))
    other = {**body, "order_id": "nobody-s"}
    for said in (
        body | {"signature_key": wrong, "transaction_status": "settlement"},
        body | {"signature_key": right, "transaction_status": "settlement", "transaction_id": "t-x"},
        body | {"signature_key": right, "transaction_status": "pending"},
        body | {"signature_key": old, "transaction_status": "settlement"},
        other | {"signature_key": kept.signature(*other.values()), "transaction_status": "settlement"},
        body | {"signature_key": [right], "transaction_status": "settlement"},
        body | {"signature_key": right + "\0", "transaction_status": "settlement"},
        body | {"signature_key": right},
    ):
        answers.append(await http.post(WEBHOOK, json=said))
    answers.append(await http.post(WEBHOOK, content=f'{{"signature_key": "{right}"'))
    answers.append(await http.post(CREATE, content=f'{{"x": "{right}"', headers={**good, **_JSON}))
    assert {answer.status_code for answer in answers} >= {200, 400, 401, 403, 404, 405}
    return "\n".join(f"{answer.headers} {answer.text}" for answer in answers)


_JSON: Final = {"Content-Type": "application/json"}


async def midtrans_misbehaves(
    http: httpx.AsyncClient, simulator: Serving, owner: Mapping[str, str], kept: Secrets
) -> None:
    """A charge each that goes wrong in another way."""

    async def one(fault: str) -> None:
        order_id = f"bad-{fault}"
        async with httpx.AsyncClient(trust_env=False) as control:
            command = {"fault": fault, "on": "charge", "order_id": order_id, "times": 3}
            armed = await control.post(f"{simulator.url}/simulator/faults", json=command)
            assert armed.status_code == 201, armed.text
        answer = await http.post(CREATE, json={"order_id": order_id}, headers=owner)
        if answer.status_code == 201:
            kept.learn("checkout token", answer.json()["checkout_url"].rpartition("/")[2])

    await asyncio.gather(*(one(fault) for fault in FAULTS))


async def the_database_refuses(
    http: httpx.AsyncClient, database_url: str, owner: Mapping[str, str], kept: Secrets
) -> None:
    """Rows that break a rule of their table, which Postgres would repeat in its own words."""
    async with connected(database_url) as connection:
        await connection.execute(
            "ALTER TABLE payment_transactions ADD CONSTRAINT full_up CHECK (gross_amount <> 11)"
        )
        await connection.execute(
            "ALTER TABLE payment_webhook_events ADD CONSTRAINT full_too CHECK (order_id <> 'full')"
        )
        refused = await http.post(CREATE, json={"gross_amount": 11}, headers=owner)
        body = {"order_id": "full", "status_code": "200", "gross_amount": "11.00"}
        signature = kept.signature(*body.values())
        not_stored = await http.post(
            WEBHOOK, json=body | {"signature_key": signature, "transaction_status": "settlement"}
        )
        await connection.execute("ALTER TABLE payment_transactions DROP CONSTRAINT full_up")
        await connection.execute("ALTER TABLE payment_webhook_events DROP CONSTRAINT full_too")
    assert (refused.status_code, not_stored.status_code) == (500, 503)


async def every_command(env: dict[str, str]) -> str:
    """What the commands show, of this database and with it away."""
    listed = await ran("webhooks", "list", "--json", env=env)
    ids = [kept["id"] for kept in json.loads(listed.out)]
    away = env | {"DATABASE_URL": f"postgresql://bayar:{PASSWORD}@{HOST}:{free_port()}/bayar"}
    wrong = env | {"DATABASE_URL": f"postgresql://bayar:{PASSWORD}@[::1/bayar", "AUTH_JWT_SECRET": "short"}
    calls = [
        ("payments list", env),
        ("payments list --attention", env),
        ("payments show good-1", env),
        ("payments show good-1 --json", env),
        ("payments export good-1", env),
        ("webhooks list", env),
        *((f"webhooks show {name}", env) for name in ids[:3]),
        (f"webhooks replay {' '.join(ids)}", env),
        ("endpoints list --json", env),
        ("deliveries list good-1 --json", env),
        ("doctor", env),
        *((command, away) for command in ("doctor", "migrate", "payments list")),
        *((command, wrong) for command in ("doctor", "verify")),
    ]
    at_once = asyncio.Semaphore(2)

    async def one(command: str, given: dict[str, str]) -> str:
        async with at_once:
            ended = await ran(*command.split(), env=given)
        assert "Traceback" not in ended.err
        return ended.out + ended.err

    return listed.out + "".join(await asyncio.gather(*(one(*call) for call in calls)))


async def kept_in_the_database(url: str, kept: Secrets) -> list[str]:
    """Secrets in the tables, but for those that have to be there to do their work."""
    place = {"checkout token": "payment_transactions", "secret of the shop": "merchant_endpoints"}
    place |= {"signature": "payment_webhook_events", "query of the shop's address": "merchant_endpoints"}
    found = []
    async with connected(url) as connection:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in tables:
            rows = await connection.fetchval(f"SELECT string_agg(t::text, E'\\n') FROM \"{table}\" t")  # noqa: S608
            found += [
                f"{name} in {table}"
                for name in kept.within(rows or "")
                if place.get(name.rstrip(" 0123456789")) != table
            ]
    return found
