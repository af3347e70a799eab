"""Text that would be SQL, HTML, a path or a header elsewhere, in every parameter and field of the API."""

import json
from typing import Any, Final
from urllib.parse import quote

import pytest

from integration.http.harness import Shop, a_notification
from support.database import connected
from support.service import CREATE, bearer

TEXTS: Final = (
    *("' OR '1'='1", "'; DROP TABLE payment_transactions; --", "\\'; SELECT pg_sleep(30); --"),
    *('") UNION SELECT * FROM users --', "$1", "%", "_%", "%s%n", "{0}", "${jndi:ldap://x/}", "{{7*7}}"),
    *("../../etc/passwd", "..%2f..%2f", "/", "?token=x", "#", ";", "<script>alert(1)</script>", "\\"),
    *("\r\nX-Injected: 1", "\x1b[2J", "\x9b31m", "\u202eabc", "\ufeff", "\U0001f4a9", "NULL", "-1", "1e9"),
)
# What may not be in the place of a header.
_LATIN: Final = [text for text in TEXTS if text.isascii() and text.isprintable()]
_OF_CREATING: Final = {
    "payment_transactions",
    "payment_events",
    "payment_create_rates",
    "payment_idempotency_keys",
}
_SIGNED: Final = ("order_id", "status_code", "gross_amount")
_KNOWN: Final = {"order_id": "order-1", "event_id": "5b1f0c3e-7a52-5d0e-9a34-0d8f8f6c2b11", "token": "k" * 32}


async def the_document(shop: Shop) -> dict[str, Any]:
    document: dict[str, Any] = (await shop.http.get("/docs/openapi.json")).json()
    return document


async def rows(shop: Shop) -> dict[str, int]:
    """How many rows each table has."""
    async with connected(shop.database_url) as connection:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {
            table: await connection.fetchval(f'SELECT count(*) FROM "{table}"')  # noqa: S608 - of the catalogue
            for (table,) in tables
        }


@pytest.fixture
async def paid_shop(quiet_shop: Shop) -> Shop:
    """A shop with one payment of its own and one of somebody else."""
    await quiet_shop.created(order_id="order-1")
    await quiet_shop.create(user=2, order_id="theirs")
    return quiet_shop


async def test_every_parameter_takes_it_for_text(paid_shop: Shop) -> None:
    before = await rows(paid_shop)
    asked = 0

    for path, operations in (await the_document(paid_shop))["paths"].items():
        for method, operation in operations.items():
            for parameter in operation.get("parameters", []):
                for text in _LATIN if parameter["in"] == "header" else TEXTS:
                    address, query, headers = path, {}, {"Idempotency-Key": "one"}
                    if parameter["in"] == "path":
                        address = path.replace(f"{{{parameter['name']}}}", quote(text, safe=""))
                    elif parameter["in"] == "query":
                        query = {parameter["name"]: text}
                    else:
                        headers = {parameter["name"]: text}
                    if parameter["in"] == "header" and operation["operationId"] in {
                        "streamPayment",
                        "createPayment",
                    }:
                        address, query = path.replace("{order_id}", "nobody-s"), {}
                    for name, value in _KNOWN.items():
                        address = address.replace(f"{{{name}}}", value)
                    asked += 1
                    answer = await paid_shop.http.request(
                        method, address, params=query, headers=bearer(scope="payments:refund") | headers
                    )

                    what = (method, address, query, headers, answer.status_code)
                    assert answer.status_code < 500, what
                    assert "x-injected" not in answer.headers, what
                    assert "theirs" not in answer.text, what

    assert asked > 10 * len(TEXTS)
    after = await rows(paid_shop)
    assert {name for name in after if after[name] != before[name]} <= _OF_CREATING
    assert (await paid_shop.stored("theirs")).status == "pending"


async def test_what_a_shop_says_comes_back_as_it_was(paid_shop: Shop) -> None:
    for number, text in enumerate(TEXTS):
        metadata = {text: text, "plain": text}
        customer = {"first_name": text, "last_name": text, "email": text, "phone": text}
        created = await paid_shop.create(
            order_id=f"odd-{number}",
            metadata=metadata,
            customer=customer,
            items=[{"id": text, "name": text, "price": 10_000, "quantity": 1}],
        )
        assert created.status_code in {201, 502}, created.text

        read = await paid_shop.get(f"/api/payments/odd-{number}")
        assert read.json()["metadata"] == metadata


async def test_every_field_takes_it_for_text(paid_shop: Shop) -> None:
    for text in TEXTS:
        for name in ("order_id", "callback_url", "payment_type", "gross_amount", "expiry_minutes", "items"):
            answer = await paid_shop.create(**{name: text})
            assert answer.status_code in {201, 400}, (name, text)
            assert "x-injected" not in answer.headers
        for name in a_notification():
            if name != "signature_key":
                said = json.dumps(
                    a_notification(**{name: text}) if name in _SIGNED else a_notification() | {name: text}
                )
                answer = await paid_shop.http.post("/api/payments/webhook", content=said)
                assert answer.status_code in {200, 400, 403}, (name, text)

    assert (await paid_shop.stored("theirs")).status == "pending"
    assert (await rows(paid_shop))["users"] == 2


async def test_the_links_of_an_answer_follow_no_header_that_could_break_out(paid_shop: Shop) -> None:
    for host in (
        "evil.example/x",
        "a b",
        'a"><script>',
        "user@evil.example",
        "pay.test:99999999",
        "",
        "pay.test#",
    ):
        answer = await paid_shop.http.post(
            CREATE, json={}, headers=bearer() | {"Host": host, "X-Forwarded-Host": "evil.example"}
        )

        assert answer.status_code in {201, 400}, (host, answer.text)
        address = answer.json().get("checkout_url", "http://pay.test")
        assert address.startswith("http://pay.test")
        assert not any(odd in address for odd in ("evil", "<", '"', " ", "@", "#"))
